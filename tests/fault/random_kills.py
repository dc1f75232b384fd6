"""Kills at random over campaigns that never cease: `./dev fault --random N --seed S`.

Who dies, where or simply now, and when, is drawn from the seed; besides, everybody hesitates now
and then at any place. After each batch everything must come to rest and be right.
"""
import time

from checks import eventually
from fault_points import sites
from faults import Fault
from system import SOURCE

BATCH = 100
PAUSE_S = 0.4      # between two kills, on average
PATIENCE_S = 1.0   # with a place that nobody comes to
AT_WORK = 2        # campaigns of a load that are under way, at least
HESITATE, HESITATE_MS = 2000, 30

# How often each is the victim, and which moments are its own.
VICTIMS = {
    "sender-sms": (10, ("sender.", "http.", "batch.")),
    "sender-sms-2": (10, ("sender.", "http.", "batch.")),
    "scheduler": (6, ("scheduler.", "turn.")),
    "renderer": (5, ("renderer.", "turn.")),
    "audience": (4, ("audience.", "turn.")),
    "ingester": (5, ("ingester.", "forwarder.", "turn.")),
    "broker-1": (3, ("broker.", "turn.")),
    "broker-2": (3, ("broker.", "turn.")),
    "analytics": (2, ("turn.",)),
    "gateway": (2, ("turn.",)),
    "postgres": (1, ()),
}


def as_fault(count):
    return Fault("random", f"{count} kills at random lose nobody and double nobody",
                 lambda site: kill_many(site, count), settings={"another": ("sender-sms",)})


def kill_many(site, count):
    places = sites(SOURCE)
    site.faults.seed = site.random.randrange(1, 1 << 31)
    site.faults.arm("*", nth=f"1/{HESITATE}", action="sleep", ms=HESITATE_MS, times=0)
    began, done, requests, unknown, repeated = time.monotonic(), 0, 0, 0, 0
    while done < count:
        batch = min(BATCH, count - done)
        with site.load() as load:
            for _ in range(batch):
                keep_busy(load)
                kill_one(site, load, places)
                time.sleep(site.random.expovariate(1 / PAUSE_S))
        done += batch
        requests += len(load.requests())
        unknown += load.unknown
        repeated += load.repeated
        print(f"# {done} kills in {time.monotonic() - began:.0f} s: {requests} requests, {unknown} "
              f"unknown for a while, {repeated} repeated; dead so far: "
              f"{', '.join(f'{name} {n}' for name, n in site.deaths.most_common())}", flush=True)


def keep_busy(load):
    """Launch more before the last campaigns end; the gateway may just be dead."""
    try:
        if 0 <= load.left() < AT_WORK:
            load.more()
    except (AssertionError, OSError):
        pass


def kill_one(site, load, places):
    """Let somebody die at a place of its own, or else at once."""
    names = list(VICTIMS)
    name = site.random.choices(names, [VICTIMS[name][0] for name in names])[0]
    own = [place for place in places if place.startswith(VICTIMS[name][1])]
    if own and site.random.random() < 0.6:
        nth = int(site.random.expovariate(1 / 8)) + 1
        if dies_at(site, name, site.random.choice(own), nth):
            load.kills += name.startswith("sender")
            return
    eventually(lambda: dies_now(site, name), 60, f"{name} can be killed")
    load.kills += name.startswith("sender")


def dies_at(site, name, place, nth):
    fault = site.faults.arm(place, nth, process=name)
    end = time.monotonic() + PATIENCE_S
    while not site.faults.fired(fault) and time.monotonic() < end:
        time.sleep(0.05)
    site.faults.disarm(fault)
    time.sleep(0.02)  # somebody may just be there
    fired = site.faults.fired(fault)
    for _, who, _ in fired:  # its namesake, perhaps
        site.deaths[who] += 1
    return bool(fired)


def dies_now(site, name):
    """False: it is dead already."""
    try:
        site.kill(name)
    except (AssertionError, OSError):
        return False
    return True
