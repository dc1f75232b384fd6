"""Measures the whole system, beside its peers and the machine's limits, round by round."""
import argparse
import sys

import blast
import report
from peers import PEERS, Peers
from stub import Stub

SIZES = (20_000, 100_000, 1_000_000)
PEERS_MOST = 100_000  # a larger blast tells nothing new of the peers


class Bench:
    """What all scenarios share."""

    def __init__(self, options, stub, peers):
        self.options, self.stub, self.peers = options, stub, peers
        self.results, self.skipped = [], {}

    def measure(self, scenario, size, run):
        """Run one measurement and keep what it found."""
        result = {"scenario": scenario, "size": size, **run()}
        self.results.append(result)
        report.line(result)


def blast_round(bench):
    for size in bench.options.sizes:
        bench.measure("blast", size, lambda: blast.run(bench, size))
        for peer in bench.options.peers if size <= PEERS_MOST else ():
            missing = bench.peers.missing(peer)
            if missing:
                bench.skipped[peer] = missing
            else:
                bench.measure(peer, size, lambda: bench.peers.run(bench, peer, size))


SCENARIOS = {"blast": blast_round}


def numbers(text):
    return [int(word.replace("_", "")) for word in text.split(",")]


def parse():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="scenario",
                        help="all when none is named: " + ", ".join(SCENARIOS))
    parser.add_argument("--sizes", type=numbers, default=list(SIZES), help="recipients of a blast")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", type=lambda text: text.split(","), default=list(PEERS),
                        help="who else blasts: " + ", ".join(PEERS))
    options = parser.parse_args()
    for name in options.scenarios:
        if name not in SCENARIOS:
            parser.error(f"there is no scenario {name}; there are {', '.join(SCENARIOS)}")
    return options


def main():
    options = parse()
    with Stub() as stub, Peers() as peers:
        bench = Bench(options, stub, peers)
        for _ in range(options.rounds):
            for name in options.scenarios or SCENARIOS:
                SCENARIOS[name](bench)
        report.table(bench)
    return 0 if all(result.get("ok", True) for result in bench.results) else 1


if __name__ == "__main__":
    sys.exit(main())
