"""Those who prepare, decide and write die in the middle of it, or sleep."""
import re

from checks import eventually, expect
from faults import QUICK, fault
from people import as_csv, people
from sites import AT_MOST_ONCE


@fault("F10", "a broker killed with frames in its hands costs only time")
def broker(site):
    with site.load() as load:
        for moment in ("received", "before_handover", "handed_over"):
            load.strike_new("broker." + moment, nth=3, process="broker")


@fault("F12", "a renderer killed while it writes copies, and a slow one, cost only time")
def renderer(site):
    with site.load() as load:
        slow = site.faults.arm("renderer.copying", action="sleep", ms=1, times=0)
        for place, nth in (("renderer.copying", 50), ("renderer.before_commit", 1),
                           ("turn.committed", 1)):
            load.strike(place, nth=nth, process="renderer")
        site.faults.disarm(slow)


@fault("F14", "a resolver killed in, before and after the commit of a page plans everybody once",
       tier=QUICK)
def resolver(site):
    with site.load(policies=(AT_MOST_ONCE,), foreign=False) as load:
        for moment in ("page_written", "before_commit", "page_committed"):
            load.strike_new("audience." + moment, nth=2)


@fault("F20", "a scheduler killed around each statement that moves chunks leaves none behind")
def scheduler(site):
    """A few failing answers make unknowns, throttled people retries, a sleeping sender a lease that
    is over: so every kind of statement is met."""
    with site.load(policies=(AT_MOST_ONCE,), tags=("few", "doubtful")) as load:
        for moment in ("turn.before_commit", "turn.committed", "turn.emitted"):
            load.strike_new(moment, nth=3, process="scheduler")
        for moment in ("leading", "settling", "settled"):
            load.strike("scheduler." + moment)
        load.strike_new("scheduler.ending_run")
    fault = site.faults.arm("scheduler.promoting")
    with site.load(policies=(AT_MOST_ONCE,), tags=("few", "throttled")) as load:
        load.struck(fault)
        load.strike("scheduler.promoted")
    for moment in ("before_take_back", "taking_back", "taken_back", "before_worker_gone"):
        with site.load(policies=(AT_MOST_ONCE,), foreign=False) as load:
            _, pid = load.strike("sender.opened", nth=2, process="sender-sms", action="stop")
            load.strike("scheduler." + moment)
            site.wake(pid)


@fault("F21", "analytics killed again and again tells what the counters tell in the end")
def analytics(site):
    with site.load() as load:
        for nth in (3, 9, 30):
            load.strike("turn.before_commit", nth=nth, process="analytics")
            load.strike("turn.committed", nth=nth, process="analytics")
    for campaign in load.campaigns:
        def agree():
            row = site.sql(f"""SELECT coalesce(sum(sent), 0), (SELECT sum(n_sent) FROM chunk
                WHERE run_id = {campaign.run} AND NOT is_retry)
                FROM stat_minute WHERE campaign_id = {campaign.id}""")[0]
            return row[0] == row[1]
        eventually(agree, 5, f"the roll-ups of campaign {campaign.id} are its counters")


@fault("F23", "a process that dies twenty times at its start is tried later and later, alone",
       settings={"restart_ms": 2000})
def storm(site):
    with site.load() as load:
        before = site.pids()["analytics"]
        fault = site.faults.arm("process.starting", action="exit", times=20, process="analytics")
        site.kill("analytics")
        eventually(lambda: len(site.faults.fired(fault)) >= 6, 60, "it died six times")
        assert site.fleet()["analytics"]["failing"], "the supervisor does not say so"
        load.more()  # and nobody else minds
        eventually(lambda: len(site.faults.fired(fault)) == 20, 120, "it died twenty times")
        site.deaths["analytics"] += 20
        site.await_process("analytics", before)
    pauses = [float(words) for words in re.findall(
        r"analytics ended with exit code 1.*starting it again in ([0-9.]+) s", site._read("out"))]
    assert len(pauses) >= 3 and pauses[0] < pauses[-1] <= 2.5, f"its pauses were {pauses}"


@fault("F81", "an import killed at each step takes everybody in once")
def importer(site):
    crowd = people(3000, first=500000)
    for n, moment in enumerate(("block_held", "matched", "before_commit", "block_committed")):
        fault = site.faults.arm("import." + moment)
        job = site.upload(as_csv(crowd[750 * n:750 * (n + 1)]), tags=f"import-{n}")["id"]
        site.struck(fault)
        eventually(lambda: site.ok("GET", f"imports/{job}")["status"] == "completed", 30,
                   "the import is completed")
        done = site.ok("GET", f"imports/{job}")
        expect((done["rows"], done["created"], done["rejected"]), (750, 750, 0))
    expect(site.number("""SELECT count(*) FROM contact WHERE account_id = 1
        AND phone BETWEEN '+4915100500000' AND '+4915100502999'"""), 3000)
