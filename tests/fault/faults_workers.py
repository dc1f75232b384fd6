"""Those who prepare, decide and write die in the middle of it, or sleep."""
import datetime
import time

from checks import eventually, expect
from faults import QUICK, fault
from people import as_csv, people
from sites import AT_MOST_ONCE, Campaign

TWO_SCHEDULERS = {"another": ("scheduler", "sender-sms")}


@fault("F10", "a scheduler killed around each statement that moves chunks leaves nothing behind")
def scheduler(site):
    """Throttled people make retries, failing answers make unknowns, a sleeping sender a lease that
    is over: so every kind of statement is met."""
    with site.load(tags=("crowd", "throttled", "failing")) as load:
        for moment in ("leading", "promoting", "promoted", "settling", "settled", "ending_run"):
            load.strike("scheduler." + moment)


@fault("F11", "a leading scheduler that sleeps for long is no second one when it wakes up",
       settings=TWO_SCHEDULERS)
def sleeping_leader(site):
    with site.load() as load:
        _, pid = load.strike("scheduler.leading", nth=5, action="stop")
        time.sleep(8)
        site.wake(pid)


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
    with site.load() as load:
        for moment in ("page_written", "before_commit", "page_committed"):
            fault = site.faults.arm("audience." + moment, nth=2)
            load.more()
            load.struck(fault)


@fault("F15", "a scheduler killed as it launches a scheduled campaign launches it once",
       settings=TWO_SCHEDULERS)
def at_the_due_instant(site):
    with site.load(policies=()) as load:
        for moment in ("run_due", "run_inserted", "turn.committed"):
            place = moment if "." in moment else "scheduler." + moment
            at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
            id = site.campaign(site.accounts[0].channel, message="Hello {first_name}",
                               audience={"tags": ["few"]}, scheduled_at=at.isoformat())
            if place == "turn.committed":  # the look at the clock is a turn as well
                eventually(lambda: datetime.datetime.now(datetime.timezone.utc) >= at)
            load.strike(place, process="scheduler")
            site.await_status(id, "running", "completed")
            run = site.number(f"SELECT id FROM run WHERE campaign_id = {id}")
            load.campaigns.append(Campaign(1, id, run, AT_MOST_ONCE, site.crowds["few"]))


@fault("F20", "a scheduler killed while it takes chunks back from a sender leaves none behind",
       settings={"another": ("sender-sms",)})
def taking_back(site):
    for moment in ("before_take_back", "taking_back", "taken_back", "before_worker_gone"):
        with site.load() as load:
            _, pid = load.strike("sender.opened", nth=2, process="sender-sms", action="stop")
            load.strike("scheduler." + moment, seconds=20)
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


@fault("F23", "a process that dies at every turn is told of, and harms no other")
def storm(site):
    with site.load() as load:
        fault = site.faults.arm("turn.begun", action="exit", times=8, process="analytics")
        eventually(lambda: len(site.faults.fired(fault)) == 8, 60, "it died eight times")
        site.deaths["analytics"] += 8
        assert site.fleet()["analytics"]["failing"], "the supervisor does not say so"
        expect(load.left() >= 0, True)


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
