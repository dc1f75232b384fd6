"""The blast: one SMS to each of N tagged contacts among 2N, by all of Fanfare.

A run counts only when rows = sent = different provider ids = different contacts = N = requests that
the provider counted.
"""
import ours

CONNECTIONS = 100
PEERS_MOST = 100_000  # a larger blast tells nothing new of the peers


def run(bench, size, **settings):
    """One blast, on a fresh system."""
    with ours.fanfare(**settings) as system:
        imported = ours.fill(system, size)
        result = send(bench, system, size, bench.stub.url)
    return {**result, "imported": imported}


def send(bench, system, size, url, connections=CONNECTIONS):
    channel = ours.sms_channel(system, url, connections)
    campaign = system.campaign(channel, message=ours.MESSAGE, audience={"tags": ["sale"]})
    system.sql("CHECKPOINT")
    bench.stub.count()
    with ours.window(system, stub=bench.stub.pid) as window:
        seconds = ours.launch(system, campaign)
    books = (*ours.books(system, campaign), bench.stub.count())
    return {"rate": size / seconds, "cpu": window.per_thousand(size), "memory": window.peak,
            "other": window.other, "books": books, "ok": set(books) == {size}}


def in_round(bench):
    for size in bench.sizes():
        bench.measure("blast", size, lambda: run(bench, size))
        for peer in bench.options.peers if size <= PEERS_MOST else ():
            missing = bench.peers.missing(peer)
            if missing:
                bench.skipped[peer] = missing
            else:
                bench.measure(peer, size, lambda: bench.peers.run(bench, peer, size))
