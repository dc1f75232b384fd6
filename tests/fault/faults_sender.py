"""A sender dies, sleeps or loses its host at every moment of a message's way to the provider."""
import glob
import os
import time

from checks import eventually, expect
from faults import QUICK, fault
from invariants import SLICE
from sites import GRACE_S, LEASE_S

SENDER = "sender-sms"
MOMENTS = ["sender.before_open", "sender.opened", "sender.started", "sender.handed_over",
           "sender.answered", "sender.journalled"]  # F01 to F06, in a message's order


def in_doubt_is_bounded(load, kills):
    """What was in flight at a death may be unknown for a while, and nothing else."""
    most = kills * 2 * load.site.connections  # two accounts have a channel each
    assert load.unknown <= most, f"{load.unknown} were unknown, {most} can have been in flight"


@fault("F01", "a sender killed before it opens a slice leaves nothing unknown", tier=QUICK)
def before_open(site):
    first = site.faults.arm("sender.before_open", process=SENDER)
    with site.load() as load:
        load.struck(first)
    expect(load.unknown, 0, "unknown")


@fault("F02", "a sender killed between opening a slice and starting it leaves nothing unknown",
       tier=QUICK)
def opened(site):
    first = site.faults.arm("sender.opened", process=SENDER)
    with site.load() as load:
        load.struck(first)
    expect(load.unknown, 0, "unknown")


@fault("F03", "a sender killed before a request's first byte leaves that one unknown", tier=QUICK)
def started(site):
    with site.narrow_load() as load:
        load.strike("sender.started", nth=5, process=SENDER)
    expect(load.unknown, 1, "unknown")


@fault("F04", "a sender killed with requests on the wire leaves no more than those unknown",
       tier=QUICK)
def handed_over(site):
    with site.load() as load:
        load.strike("sender.handed_over", nth=100, process=SENDER)
        load.strike("http.answering", nth=40, process=SENDER)
    in_doubt_is_bounded(load, kills=2)


@fault("F05", "a sender killed between an answer and its journal leaves no more than that unknown",
       tier=QUICK)
def answered(site):
    with site.narrow_load() as load:
        load.strike("sender.answered", nth=5, process=SENDER)
    expect(load.unknown, 1, "unknown")


@fault("F06", "a sender killed between its journal and the commit leaves nothing unknown",
       tier=QUICK)
def journalled(site):
    with site.narrow_load() as load:
        load.strike("sender.journalled", nth=5, process=SENDER)
    expect(load.unknown, 0, "unknown")


@fault("F07", "a sender killed again and again for a minute harms nobody")
def for_a_minute(site):
    """So soon at times that it has not sent anything, and mostly in the middle of it."""
    kills, end = 0, time.monotonic() + 60
    with site.load() as load:
        while time.monotonic() < end:
            if load.left() == 0:
                load.more()
            time.sleep(0.2 + 2 * site.random.random())
            load.kill(SENDER)
            kills += 1
        under_fire = len(load.requests())
    in_doubt_is_bounded(load, kills)
    assert under_fire and load.unknown, "none of the deaths met it at work"
    print(f"# {kills} kills, {under_fire} requests meanwhile, {load.unknown} unknown for a while, "
          f"{load.repeated} repeated")


@fault("F08", "a sender lost with its host and its journal leaves what was open unknown, no more")
def host_lost(site):
    with site.load() as load:
        load.await_requests(0.3)
        pid = site.pids()[SENDER]
        with site.asleep(pid):
            journals = glob.glob(os.path.join(site.home, "state/**/*.journal"), recursive=True)
            assert journals, "there is no journal to lose"
            for journal in journals:
                os.unlink(journal)
            load.lost_hosts += 1
            site.kill(SENDER)
        site.await_process(SENDER, pid)
    most = 2 * (2 * SLICE + site.connections)
    assert 0 < load.unknown <= most, f"{load.unknown} were unknown, not 1 to {most}"


@fault("F09", "a sender that sleeps past its lease at any moment wakes up to no harm",
       settings={"another": ("sender-sms",)})
def asleep(site):
    """The other sender takes over what the sleeper had not opened."""
    for moment in MOMENTS:
        with site.load() as load:
            _, pid = load.strike(moment, nth=10, process=SENDER, action="stop")
            eventually(lambda: site.number(f"""SELECT count(*) FROM chunk
                WHERE run_id IN ({load.runs}) AND state = 2 AND lease_until < fan_now()""") == 0,
                LEASE_S + GRACE_S + 10, "its chunks are taken back")
            time.sleep(LEASE_S + GRACE_S)
            site.wake(pid)
        in_doubt_is_bounded(load, kills=1)
