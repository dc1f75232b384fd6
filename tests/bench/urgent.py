"""How long one urgent message takes while a large campaign runs on the same channel.

From the call of the API until the provider has answered, which is a little later than its request's
arrival there. What the campaign is for the blast is here the load.
"""
import threading
import time

import ours
from blast import CONNECTIONS

EVERY_S = 0.05
MOST = 2000  # campaigns of one recipient, made beforehand
FIRST = 90_000_000  # number of that recipient, beyond all others


class Caller(threading.Thread):
    """Sends one prepared campaign after another, at fixed instants."""

    def __init__(self, system, campaigns):
        super().__init__(daemon=True)
        self.system, self.campaigns = system, campaigns
        self.began = {}
        self.ended = threading.Event()

    def run(self):
        due = time.monotonic()
        for campaign in self.campaigns:
            if self.ended.wait(max(0, due - time.monotonic())):
                return
            self.began[campaign] = time.time()
            self.system.launch(campaign)
            due = max(due + EVERY_S, time.monotonic())

    def end(self):
        self.ended.set()
        self.join()


def prepare(system, channel, count):
    """Campaigns to one recipient, in the urgent lane if the API has it; and whether it has."""
    system.import_csv(ours.contacts(FIRST, 1), tags="urgent", filename="urgent.csv")
    body = {"name": "urgent", "channel_id": channel, "message": ours.MESSAGE,
            "audience": {"tags": ["urgent"]}, "lane": "urgent"}
    has_lane = system.post("/api/v1/campaigns", body).status < 300
    if not has_lane:
        del body["lane"]
    return [system.ok("POST", "campaigns", body)["id"] for _ in range(count)], has_lane


def latencies(system, began):
    """Milliseconds from each call to the provider's answer; what was not sent is left out."""
    rows = system.sql(f"""SELECT r.campaign_id, extract(epoch FROM m.sent_at)
        FROM run r JOIN chunk k ON k.account_id = r.account_id AND k.run_id = r.id
        JOIN message m ON m.account_id = k.account_id AND m.id >> 9 = k.id
        WHERE r.campaign_id = ANY ('{{{",".join(map(str, began))}}}')
          AND m.state = {ours.SENT}""")
    return sorted((float(at) - began[int(campaign)]) * 1000 for campaign, at in rows)


def run(bench, size):
    with ours.fanfare() as system:
        ours.fill(system, size, others=False)
        channel = ours.sms_channel(system, bench.stub.url, CONNECTIONS)
        large = system.campaign(channel, message=ours.MESSAGE, audience={"tags": ["sale"]})
        urgent, has_lane = prepare(system, channel, min(MOST, size // 200))
        system.sql("CHECKPOINT")
        caller = Caller(system, urgent)
        with ours.window(system, stub=bench.stub.pid) as window:
            began = time.time()
            system.launch(large)
            caller.start()
            done = system.await_status(large, "completed", "failed", seconds=900)
            caller.end()
        for campaign in caller.began:
            system.await_status(campaign, "completed", "failed", seconds=60)
        ended = ours.instant(done["ended_at"])
        inside = {one: at for one, at in caller.began.items() if at < ended}
        took = latencies(system, inside)
        books = ours.books(system, large)
    return {"rate": size / (ended - began), "cpu": window.per_thousand(size),
            "memory": window.peak, "other": window.other, "lane": has_lane,
            "count": len(took), "p50_ms": took[len(took) // 2],
            "p99_ms": took[len(took) * 99 // 100], "most_ms": took[-1],
            "books": (*books, len(took), len(inside)),
            "ok": set(books) == {size} and len(took) == len(inside)}


def in_round(bench):
    size = max(bench.options.sizes)
    bench.measure("urgent", size, lambda: run(bench, size))
