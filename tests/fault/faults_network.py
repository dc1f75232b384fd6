"""The network between hosts, the database and the provider breaks, wholly or one way; frames are
lost, doubled, late, cut short and nonsense; workers take more than they read.

Hosts are namespaces (hosts.py): what runs on the other one is a renderer and a sender.
"""
import subprocess
import time

from bus import (RENDER_REQUEST, RESOLVE_REQUEST, SEND_REQUEST, SMS, News, Parrot, Worker)
from checks import eventually, expect
from faults import fault
from hosts import BROKERS, BUS, DATABASE, PROVIDER, WORKER_PORTS
from sites import UNKNOWN_S

TWO = {"hosts": 2, "SENDER_REQUEST_MS": 3000}
NETNS = ("netns",)
SLICE_S = 2  # what was opened has left, or leaves no more


def nobody_died_there(site):
    expect(site.host.dead(), [], "workers of the other host that ended")


def works_there(site):
    """Wait until brokers know the other host's workers, by letting them work."""
    before = site.host.attempts()
    with site.load():
        pass
    assert site.host.attempts() > before, "the other host has sent nothing"


class Cut:
    """A network that breaks for a while under load; when its workers were declared gone."""

    def __init__(self, site, load, seconds):
        self.site, self.load, self.seconds = site, load, seconds
        self.workers = {site.host.incarnation(name) for name in site.host.workers}

    def __enter__(self):
        self.news = News(self.site.brokers)
        self.began = time.monotonic()
        return self

    def __exit__(self, failed, *_):
        if not failed:
            time.sleep(self.seconds)
        self.load.cuts += self.seconds >= UNKNOWN_S
        self.gone = {worker: at - self.began for worker, at in self.news.gone.items()
                     if worker in self.workers}
        self.news.close()


def tell(what, cut, load):
    gone = ", ".join(f"{after:.1f} s" for after in sorted(cut.gone.values())) or "never"
    print(f"# {what}, {cut.seconds} s: workers declared gone after {gone}; "
          f"{load.unknown} unknown for a while")
    expect(load.repeated, 0, "repeated")
    nobody_died_there(load.site)


@fault("F36", "a host cut off from brokers and PostgreSQL does no harm and works again afterwards",
       needs=NETNS, settings=TWO)
def host_cut_off(site):
    works_there(site)
    for seconds in (5, 60):
        with site.load() as load:
            load.await_requests(0.2)
            with Cut(site, load, seconds) as cut:
                site.host.cut(BUS, DATABASE)
            site.host.join(BUS, DATABASE)
        tell("cut off", cut, load)
        expect(len(cut.gone), 2, "workers declared gone")
    works_there(site)


@fault("F37", "a link that carries one way only is noticed, and does no harm", needs=NETNS,
       settings=TWO)
def one_way(site):
    ways = {"what it says is lost": site.host.lose_what_it_says,
            "what is said to it is lost": site.host.lose_what_we_say}
    for what, lose in ways.items():
        works_there(site)
        with site.load() as load:
            load.await_requests(0.2)
            with Cut(site, load, 12) as cut:
                lose(BUS)
            lose(BUS, lost=False)
        tell(what, cut, load)
    works_there(site)


@fault("F38", "a host without PostgreSQL opens nothing, though brokers and the provider are there",
       needs=NETNS, settings=TWO)
def no_database(site):
    works_there(site)
    with site.load() as load:
        load.more()
        load.await_requests(0.1)
        with Cut(site, load, 10) as cut:
            site.host.cut(DATABASE)
            time.sleep(SLICE_S)
            before = site.host.attempts()
        after = site.host.attempts()
        site.host.join(DATABASE)
    tell("no PostgreSQL", cut, load)
    expect(after - before, 0, "requests begun without PostgreSQL")
    works_there(site)


@fault("F39", "a provider cut off with requests on the wire leaves them unknown, not failed",
       needs=NETNS, settings=TWO)
def no_provider(site):
    works_there(site)
    with site.load() as load:
        load.more()
        before = site.host.attempts()
        eventually(lambda: site.host.attempts() > before, 30, "the other host sends")
        load.await_requests(0.2)
        with Cut(site, load, 8) as cut:
            site.host.cut(PROVIDER)
        site.host.join(PROVIDER)
    tell("no provider", cut, load)
    assert load.unknown, "nothing was on the wire"
    works_there(site)


# ---- frames ----

@fault("F42", "bus connections that are reset again and again cost time and nothing else",
       needs=(*NETNS, "ss"), settings=TWO)
def resets(site):
    works_there(site)
    ports = f"sport >= :{BROKERS[0]} and sport < :{BROKERS[1] + WORKER_PORTS + 10}"
    killed = 0
    with site.load() as load:
        load.await_requests(0.05)
        for _ in range(30):
            done = subprocess.run(["ss", "-HKtn", ports], capture_output=True, text=True,
                                  check=False)
            killed += done.stdout.count("ESTAB")
            time.sleep(0.3)
    print(f"# {killed} connections reset; {load.unknown} unknown for a while")
    assert killed, "no connection was reset"
    expect(load.repeated, 0, "repeated")
    nobody_died_there(site)
    works_there(site)


THIEVES = (("audience", RESOLVE_REQUEST, 0), ("renderer", RENDER_REQUEST, 0),
           ("sender", SEND_REQUEST, SMS))


@fault("F43", "frames stolen, doubled, late, out of order, cut short or nonsense do no harm")
def frames_go_mad(site):
    """Some are stolen by strangers who say that they are workers, and are said again and again."""
    bases = site.broker_bases()
    parrot = Parrot(bases, site.random)
    stolen = []
    for _ in range(2):  # in the second round, with frames of the first
        with site.load() as load:
            thieves = [Worker(bases[n % len(bases)], role, [number], kind, grant=6)
                       for n, (role, number, kind) in enumerate(THIEVES)]
            for _ in range(40):
                time.sleep(0.25)
                parrot.listen()
                stolen += [frame for thief in thieves for frame in thief.frames[-6:]]
                del stolen[:-500]
                parrot.say(stolen)
            taken = sum(len(thief.frames) for thief in thieves)
            for thief in thieves:
                thief.close()
        expect(load.repeated, 0, "repeated")
    parrot.close()
    print(f"# {taken} frames stolen, {parrot.said} said again or spoilt; {load.unknown} unknown "
          f"for a while")
    assert taken, "the brokers gave the strangers nothing"


@fault("F45", "workers that never read, grant without end, or whose credit is lost fill nobody up")
def deaf_workers(site):
    bases = site.broker_bases()
    modest = Worker(bases[0], "sender", [SEND_REQUEST], SMS, grant=4)
    with site.load() as load:
        eventually(lambda: len(modest.frames) == 4, 30, "its credit is used")
        time.sleep(2)
        expect(len(modest.frames), 4, "frames for a credit of 4 that is told again and again")
    modest.grant = 9  # what was told between 4 and 9 is lost
    with site.load() as load:
        eventually(lambda: len(modest.frames) == 9, 30, "its credit is used")
        time.sleep(2)
        expect(len(modest.frames), 9, "frames for a credit of 9, of which 4 were used")
    modest.close()
    small = {name: rss for name, (rss, _) in load.watch.most.items() if name.startswith("broker")}
    deaf = [Worker(base, role, [number], kind, grant=1 << 50, reads=False)
            for base in bases for role, number, kind in THIEVES]
    with site.load() as load:
        time.sleep(20)
        for one in deaf:
            one.close(bye=False)
    for name, before in small.items():
        after = load.watch.most[name][0]
        print(f"# {name}: {before >> 20} MiB, {after >> 20} MiB with workers that never read")
        assert after < before + (64 << 20), f"{name} grew"
    expect(load.repeated, 0, "repeated")
