"""Measure the whole system, beside its peers and the machine's limits, round by round.

Each round runs everything once, so that what else happens on the machine meets all alike."""
import argparse
import os
import sys
import time
import traceback

import blast
import callbacks
import guarantees
import imports
import limits
import report
import slow
import smtp
import templates
import urgent
from peers import PEERS, Peers
from stub import Stub

SIZES = (20_000, 100_000, 1_000_000)
QUICK_SIZES = (20_000, 100_000)
LARGE = 500_000  # what is larger, and what comes with it, runs in two rounds at most
LARGE_ROUNDS = 2
SCENARIOS = {"blast": blast, "limits": limits, "slow": slow, "smtp": smtp, "callbacks": callbacks,
             "urgent": urgent, "guarantees": guarantees, "templates": templates, "import": imports}
WITHIN_BLAST = ("import",)  # measured there as well: run only when asked for


class Bench:
    """What all scenarios share."""

    def __init__(self, options, stub, peers):
        self.options, self.stub, self.peers = options, stub, peers
        self.results, self.skipped, self.round = [], {}, 0
        self.began = time.time()

    def sizes(self):
        """Of this round's blasts."""
        return [size for size in self.options.sizes
                if size <= LARGE or self.round < LARGE_ROUNDS]

    def has(self, scenario, size):
        """Whether this round has a result that counts."""
        return any((one["scenario"], one["size"], one["round"]) == (scenario, size, self.round)
                   and one["ok"] for one in self.results)

    def measure(self, scenario, size, run):
        """Run one measurement and keep what it found; one that fails does not end the others."""
        result = {"scenario": scenario, "size": size, "round": self.round, "ok": True}
        try:
            result.update(run())
        except Exception:  # whatever it is, it is told and counted
            traceback.print_exc()
            result["ok"] = False
        self.results.append(result)
        report.print_line(result)


def numbers(text):
    return sorted(int(word.replace("_", "")) for word in text.split(","))


def parse():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="scenario",
                        help="all when none is named: " + ", ".join(SCENARIOS))
    parser.add_argument("--sizes", type=numbers, help="recipients of the blasts: 20000,100000")
    parser.add_argument("--rounds", type=int, help="3, or 1 with --quick")
    parser.add_argument("--quick", action="store_true", help="one round without the largest size")
    parser.add_argument("--peers", type=lambda text: text.split(",") if text else [],
                        default=list(PEERS), help="who else blasts: " + ", ".join(PEERS))
    parser.add_argument("--write", metavar="FILE", help="write the report there")
    options = parser.parse_args()
    for name in (*options.scenarios, *options.peers):
        if name not in SCENARIOS and name not in PEERS:
            parser.error(f"there is no scenario or peer {name}")
    options.sizes = options.sizes or list(QUICK_SIZES if options.quick else SIZES)
    options.rounds = options.rounds or (1 if options.quick else 3)
    return options


def is_whole(options):
    return not options.scenarios and not options.quick and max(options.sizes) > LARGE


def main():
    options = parse()
    names = options.scenarios or [name for name in SCENARIOS if name not in WITHIN_BLAST]
    with Stub() as stub, Peers() as peers:
        bench = Bench(options, stub, peers)
        for bench.round in range(options.rounds):
            for name in names:
                SCENARIOS[name].in_round(bench)
    report.print_processes(bench)
    text = report.write(bench)
    print("\n" + text)
    path = options.write or ("docs/benchmarks.md" if is_whole(options) else None)
    if path:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        print(f"written: {os.path.abspath(path)}")
    return 0 if all(result["ok"] for result in bench.results) else 1


if __name__ == "__main__":
    sys.exit(main())
