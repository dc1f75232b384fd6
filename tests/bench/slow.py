"""A provider that answers after 100 ms, as real ones do: two senders with 1,000 connections each.

The connections are then what limits the rate: 2,000 / 0.1 s.
"""
import blast
import ours

SIZE = 100_000
CONNECTIONS = 1000  # of each sender


def run(bench):
    with ours.fanfare(another=["sender-sms"]) as system:
        ours.fill(system, SIZE, others=False)
        return blast.send(bench, system, SIZE, bench.stub.slow_url, CONNECTIONS)


def in_round(bench):
    if bench.stub.slow_url:
        bench.measure("slow", SIZE, lambda: run(bench))
    else:
        bench.skipped["slow"] = "nginx has no echo module"
