"""What was found, as people read it: a line for each measurement, and docs/benchmarks.md."""
import os
import platform
import re
import statistics
import subprocess
import sys
import time

from measure import CORES, NOISY
from peers import PEERS

NOT_OURS = ("stub", "sandbox")
LARGE = 500_000


# ---- while it runs ----

def cpu_of(result):
    """Milliseconds for 1,000, ours and PostgreSQL's; microseconds of a limit's own."""
    return sum(ms for name, ms in result["cpu"].items() if name not in NOT_OURS)


def print_line(result):
    words = [f"{result['scenario']:<17}{result['size']:>9,}"]
    if "rate" in result:
        words.append(f"{result['rate']:>9,.0f}/s  CPU {cpu_of(result):5.1f} ms per 1,000")
    if "memory" in result:
        words.append(f"{result['memory']:.0f} MB")
    if "p99_ms" in result:
        words.append(f"median {result['p50_ms']:.0f} ms, p99 {result['p99_ms']:.0f} ms")
    if result.get("other", 0) > NOISY:
        words.append(f"noisy: others used {result['other']:.0%}")
    if not result["ok"]:
        words.append(f"DOES NOT COUNT: {result.get('books', 'it failed')}")
    print("  ".join(words), flush=True)


def print_processes(bench):
    """The CPU of each process, of the last run of each kind."""
    last = {(r["scenario"], r["size"]): r for r in bench.results if "memory" in r}
    for (scenario, size), result in last.items():
        if scenario in PEERS:
            continue
        print(f"\nCPU ms for 1,000 of {scenario} {size:,}")
        for name, ms in sorted(result["cpu"].items(), key=lambda item: -item[1]):
            if ms >= 0.05:
                print(f"  {name:<16}{ms:6.1f}")


# ---- what is required ----

class Found:
    """Looks values up, one for each round in which they count."""

    def __init__(self, bench):
        self.results = [result for result in bench.results if result["ok"]]
        self.sizes = bench.options.sizes

    def rounds(self, scenario, size=None):
        """By round, the last one of it."""
        return {r["round"]: r for r in self.results
                if r["scenario"] == scenario and size in (None, r["size"])}

    def values(self, scenario, key, size=None):
        return [r[key] for r in self.rounds(scenario, size).values() if key in r]

    def ratios(self, ours, other, size=None, other_size=None):
        """Rates of the same round."""
        mine, theirs = self.rounds(ours, size), self.rounds(other, other_size or size)
        return [mine[n]["rate"] / theirs[n]["rate"] for n in mine if n in theirs]

    def largest(self):
        sizes = [r["size"] for r in self.results if r["scenario"] == "blast"]
        return max(sizes, default=0)

    def smallest(self):
        return min((r["size"] for r in self.results if r["scenario"] == "blast"), default=0)

    def growth(self, key):
        """Of a blast of the largest size, against one of the smallest."""
        small, large = self.rounds("blast", self.smallest()), self.rounds("blast", self.largest())
        if self.largest() < LARGE or self.smallest() == self.largest():
            return []
        return [large[n][key] / small[n][key] for n in large if n in small]


def at_least(value, bound):
    return value >= bound


def at_most(value, bound):
    return value <= bound


def targets(found):
    """Rows: what, values by round, format, better, required, aimed at."""
    rows = []
    for size in found.sizes:
        for peer, required, aim in (("cblast-fast", 0.55, 0.8), ("go-batchupd-c300", 1.7, 2.5)):
            rows.append((f"rate / {peer}, {size:,} messages", found.ratios("blast", peer, size),
                         "{:.2f}", at_least, required, aim))
        cpu = [cpu_of(r) for r in found.rounds("blast", size).values()]
        rows.append((f"CPU of ours and PostgreSQL for 1,000 of {size:,}, ms", cpu, "{:.1f}",
                     at_most, 35, 25))
    large = found.largest()
    return rows + [
        (f"memory of our processes at {large:,}, MB", found.values("blast", "memory", large),
         "{:.0f}", at_most, 150, 80),
        (f"memory at {large:,} / at {found.smallest():,}", found.growth("memory"), "{:.2f}",
         at_most, 1.5, 1.1),
        (f"rate at {large:,} / rate at {found.smallest():,}", found.growth("rate"), "{:.2f}",
         at_least, 0.9, 1),
        ("provider at 100 ms, 2,000 connections of two senders, messages/s",
         found.values("slow", "rate"), "{:,.0f}", at_least, 15_000, 18_000),
        ("mails/s", found.values("smtp", "rate"), "{:,.0f}", at_least, 8_000, 12_000),
        ("callbacks/s, taken and applied", found.values("callbacks", "rate"), "{:,.0f}", at_least,
         20_000, 40_000),
        ("CSV import, rows/s", found.values("blast", "imported", large) or
         found.values("import", "rate"), "{:,.0f}", at_least, 25_000, 60_000),
        ("one urgent message during a large campaign, p99, ms", found.values("urgent", "p99_ms"),
         "{:.0f}", at_most, 250, 50),
        ("a line of SMS with three fields and a filter, renders/s a core",
         found.values("render sms", "rate"), "{:,.0f}", at_least, 1_000_000, 2_000_000),
        *((f"{name} template / liquidjs", found.ratios(f"render {name}", f"liquidjs {name}"),
           "{:.0f}", at_least, 10, 20) for name in ("catalogue", "order", "table")),
        ("rate with / without journal and watermark",
         found.ratios("blast", "unsafe", min(100_000, large or 100_000)), "{:.2f}", at_least, 0.8,
         0.95),
    ]


def spread(values, form):
    """Median, and from least to most."""
    text = form.format(statistics.median(values))
    if len(values) > 1:
        text += f" [{form.format(min(values))} to {form.format(max(values))}]"
    return text


def verdict(values, better, required, aim):
    median = statistics.median(values)
    if better(median, aim):
        return "as aimed at"
    return "met" if better(median, required) else "**missed**"


def target_table(found):
    lines = []
    noisy = sum(r.get("other", 0) > NOISY for r in found.results)
    if noisy:
        lines += [f"Noisy: {noisy} of {len(found.results)} runs. What was missed may not be "
                  "Fanfare's fault; CPU per message is the steadier figure.", ""]
    lines += ["| what | found: median [range] | required | aim | |",
              "| --- | --- | --- | --- | --- |"]
    for what, values, form, better, required, aim in targets(found):
        if not values:
            continue
        sign = "≥" if better is at_least else "≤"
        lines.append(f"| {what} | {spread(values, form)} | {sign} {required:,} | {aim:,} | "
                     f"{verdict(values, better, required, aim)} |")
    return lines


# ---- everything that was measured ----

def groups(bench):
    found = {}
    for result in bench.results:
        found.setdefault((result["scenario"], result["size"]), []).append(result)
    return found


def run_table(bench):
    lines = ["| what | number | a second: median [range] | CPU ms per 1,000: ours | PostgreSQL "
             "| stub | memory, MB | runs that count | noisy |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for (scenario, size), results in groups(bench).items():
        good = [r for r in results if r["ok"]]
        count = f"{len(good)}/{len(results)}"
        if not good:
            lines.append(f"| {scenario} | {size:,} | | | | | | {count} | |")
            continue
        cpu = [median_cpu(good, lambda name: name not in (*NOT_OURS, "postgres")),
               median_cpu(good, lambda name: name == "postgres"),
               median_cpu(good, lambda name: name in NOT_OURS)]
        memory = [r["memory"] for r in good if "memory" in r]
        noisy = sum(r.get("other", 0) > NOISY for r in good)
        lines.append(" | ".join([f"| {scenario}", f"{size:,}",
                                 spread([r["rate"] for r in good], "{:,.0f}"), *cpu,
                                 f"{max(memory):.0f}" if memory else "", count,
                                 f"{noisy or ''} |"]))
    return lines


def median_cpu(results, wanted):
    sums = [sum(ms for name, ms in r["cpu"].items() if wanted(name)) for r in results]
    return f"{statistics.median(sums):.1f}" if any(sums) else ""


def process_table(bench):
    """CPU by process, medians over the rounds, one column for each blast."""
    blasts = {size: [r for r in results if r["ok"]]
              for (scenario, size), results in groups(bench).items() if scenario == "blast"}
    blasts = {size: results for size, results in blasts.items() if results}
    if not blasts:
        return []
    cpu = {size: {name: statistics.median(r["cpu"].get(name, 0) for r in results)
                  for name in results[0]["cpu"]} for size, results in blasts.items()}
    names = sorted({name for column in cpu.values() for name in column},
                   key=lambda name: -max(column.get(name, 0) for column in cpu.values()))
    lines = ["| process | " + " | ".join(f"{size:,}" for size in cpu) + " |",
             "| --- |" + " --- |" * len(cpu)]
    for name in names:
        cells = [column.get(name, 0) for column in cpu.values()]
        if max(cells) >= 0.05:
            lines.append(f"| {name} | " + " | ".join(f"{ms:.1f}" for ms in cells) + " |")
    return lines


def limit_table(found):
    """What the parts do alone, and how near the whole comes to them."""
    rows = (("libcurl alone", "blast", "HTTP requests"), ("insert alone", "blast",
            "rows inserted, 1,000 a transaction"), ("update alone", "blast",
            "rows updated, 500 a transaction"), ("smtp alone", "smtp", "mails"))
    lines = ["| alone on this machine | a second | CPU µs of one | Fanfare's rate / this |",
             "| --- | --- | --- | --- |"]
    for limit, ours, what in rows:
        rates = found.values(limit, "rate")
        if not rates:
            continue
        size = found.largest() if found.largest() < LARGE else 100_000
        near = found.ratios(ours, limit, size if ours == "blast" else None,
                            found.results and next(r["size"] for r in found.results
                                                   if r["scenario"] == limit))
        cpu = [sum(c.values()) for c in found.values(limit, "cpu")]
        lines.append(f"| {what} | {spread(rates, '{:,.0f}')} | {spread(cpu, '{:.1f}')} | "
                     f"{spread(near, '{:.2f}') if near else ''} |")
    return lines if len(lines) > 2 else []


def peer_table(found):
    """How we compare with each peer, rounds of both."""
    peers = sorted({(r["scenario"], r["size"]) for r in found.results if r["scenario"] in PEERS})
    lines = ["| peer | messages | Fanfare's rate / its | Fanfare's CPU / its |",
             "| --- | --- | --- | --- |"]
    for peer, size in peers:
        rates = found.ratios("blast", peer, size)
        mine, theirs = found.rounds("blast", size), found.rounds(peer, size)
        cpu = [cpu_of(mine[n]) / cpu_of(theirs[n]) for n in mine if n in theirs]
        if rates:
            lines.append(f"| {peer} | {size:,} | {spread(rates, '{:.2f}')} | "
                         f"{spread(cpu, '{:.2f}')} |")
    return lines if len(lines) > 2 else []


# ---- the machine ----

def told_by(*words):
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return (done.stdout + done.stderr).strip()


def version(pattern, *words):
    found = re.search(pattern, told_by(*words))
    return found.group(1) if found else None


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = {"PostgreSQL": version(r"(\d+\.\d+)", "psql", "--version"),
             "nginx": version(r"nginx/([\d.]+)", "nginx", "-v"),
             "libcurl": version(r"libcurl/([\d.]+)", "curl", "--version"),
             "Redis": version(r"v=([\d.]+)", "redis-server", "--version"),
             "Go": version(r"go([\d.]+)", "go", "version"),
             "GCC": version(r"(\d+\.\d+\.\d+)", "gcc", "--version")}
    return (f"{CORES} cores of {model.group(1).strip() if model else platform.machine()}, "
            f"{memory:.0f} GiB of memory, Linux {platform.release()}; "
            + ", ".join(f"{name} {number}" for name, number in parts.items() if number))


# ---- the page ----

INTRODUCTION = """# Benchmarks

Written by `{command}` on {date}. Do not edit: run it again.

Machine: {machine}. Everything runs on it at once: the system, PostgreSQL, the provider, the load.

**The blast** is one SMS, written for each, to N tagged contacts among 2N: `fanfare up`, release
build, all processes, real HTTP over kept connections to nginx, which answers 201 at once, every
commit on the disk. A run counts only when rows, sent messages, different provider ids, different
contacts and the requests that nginx counted are all N. The clock runs from the call of the API to
the row that says `completed`. `cblast` is a C program that does the same and nothing else: no
retries, limits or recovery. `go-batchupd-c300` is Go workers on a Redis list with completions
grouped into one UPDATE, the strongest of the usual designs. All take turns within a round, so
ratios hold though the machine's speed drifts. A run is noisy when others used more than
{noisy:.0%} of the machine.
"""

SECTIONS = (("What is required", lambda bench, found: target_table(found)),
            ("All runs", lambda bench, found: run_table(bench)),
            ("CPU of a blast, ms for 1,000 messages",
             lambda bench, found: process_table(bench)),
            ("The peers", lambda bench, found: peer_table(found)),
            ("The limits", lambda bench, found: limit_table(found)))

NOTES = """
Memory is the peak of all our processes together (PSS), PostgreSQL's apart; a peer's, of its own.
`urgent` sends single messages through the API while a large campaign runs on the same channel,
until the provider has answered{lane}. `unsafe` is a build without the senders' journal that
opens whole chunks: what the guarantees cost. `slow` answers after 100 ms.
"""


def lane_note(found):
    lanes = {r["lane"] for r in found.results if "lane" in r}
    return "; the API had no urgent lane, so they waited with the others" if False in lanes else ""


def write(bench):
    """The page, as Markdown."""
    found = Found(bench)
    command = " ".join(["./dev bench", *sys.argv[1:]])
    text = INTRODUCTION.format(command=command, date=time.strftime("%Y-%m-%d", time.gmtime()),
                               machine=machine(), noisy=NOISY)
    for title, make in SECTIONS:
        lines = make(bench, found)
        if lines:
            text += f"\n## {title}\n\n" + "\n".join(lines) + "\n"
    text += NOTES.format(lane=lane_note(found))
    for name, why in bench.skipped.items():
        text += f"\nSkipped: {name}, because {why}.\n"
    minutes = (time.time() - bench.began) / 60
    return text + f"\n{bench.options.rounds} rounds, {minutes:.0f} minutes.\n"
