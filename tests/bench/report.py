"""What was found, as people read it."""
from measure import NOISY


def line(result):
    """One measurement, as soon as it is there."""
    words = [f"{result['scenario']:<18}{result['size']:>9,}"]
    words.append(f"{result['rate']:>9,.0f}/s")
    cpu = {name: ms for name, ms in result["cpu"].items() if name not in ("stub", "sandbox")}
    words.append(f"CPU {sum(cpu.values()):.1f} ms per 1,000")
    words.append(f"{result['memory']:.0f} MB")
    if result["other"] > NOISY:
        words.append(f"noisy: others used {result['other']:.0%}")
    if not result["ok"]:
        words.append(f"DOES NOT COUNT: {result['books']}")
    print("  ".join(words), flush=True)


def table(bench):
    """The CPU of each process, of our last blast of each size."""
    last = {r["size"]: r for r in bench.results if r["scenario"] == "blast"}
    for size, result in last.items():
        print(f"\nCPU ms for 1,000 of {size:,} messages; imported {result['imported']:,.0f} rows/s")
        for name, ms in sorted(result["cpu"].items(), key=lambda item: -item[1]):
            if ms >= 0.05:
                print(f"  {name:<16}{ms:6.1f}")
