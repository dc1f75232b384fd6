"""Of several schedulers one leads: they die and sleep when it matters, at the instant at which a
campaign is due too.
"""
import datetime

from checks import eventually, expect
from faults import fault
from sites import AT_MOST_ONCE, Campaign

TWO = {"another": ("scheduler",), "SCHEDULER_DEPOSE_MS": 1500}


def told(site, name, event):
    return sum(line.get("event") == event for line in site.log(name))


def taken(site):
    """How often each scheduler has taken the lead."""
    return {name: told(site, name, "lead.taken") for name in ("scheduler", "scheduler-2")}


def another_leads(site, before, asleep):
    other = {"scheduler": "scheduler-2", "scheduler-2": "scheduler"}[asleep]
    eventually(lambda: taken(site)[other] > before[other], 10, f"{other} takes the lead")


def scheduled(site, load, seconds=2):
    """A campaign that is launched by the clock; joins the load once it has its run."""
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    id = site.campaign(site.accounts[0].channel, message="Hello {first_name}",
                       audience={"tags": ["few"]}, scheduled_at=at.isoformat())

    def join():
        site.await_status(id, "running", "completed")
        run = site.number(f"SELECT id FROM run WHERE campaign_id = {id}")
        load.campaigns.append(Campaign(1, id, run, AT_MOST_ONCE, site.crowds["few"]))
    return at, join


@fault("F11", "a leader that hangs is replaced, and does no harm when it wakes up",
       settings=TWO)
def two_believe_that_they_lead(site):
    """It holds nothing, or a transaction with rows locked."""
    with site.load(policies=(AT_MOST_ONCE,), tags=("crowd", "doubtful")) as load:
        for place in ("scheduler.leading", "turn.emitted", "scheduler.settling",
                      "scheduler.settled"):
            before = taken(site)
            fault = site.faults.arm(place, action="stop", process="scheduler")
            load.more()
            name, pid = site.struck(fault, back=False)
            another_leads(site, before, name)
            load.await_requests(0.5)
            site.wake(pid)
            eventually(lambda: told(site, name, "lead.lost") == before[name], 10,
                       f"{name} finds out that it leads no longer")


@fault("F15", "a campaign that is due is launched once, whatever befalls the scheduler just then",
       settings=TWO)
def at_the_due_instant(site):
    with site.load(policies=()) as load:
        for moment in ("run_due", "run_inserted", "launched"):
            _, join = scheduled(site, load)
            load.strike("scheduler." + moment)
            join()
        for moment in ("run_due", "run_inserted"):
            before = taken(site)
            _, join = scheduled(site, load)
            name, pid = load.strike("scheduler." + moment, action="stop")
            another_leads(site, before, name)
            if moment == "run_due":  # the other one has locked nothing
                join()
            site.wake(pid)
            if moment != "run_due":
                join()
    ids = ", ".join(str(campaign.id) for campaign in load.campaigns)
    expect(site.number(f"SELECT count(*) FROM run WHERE campaign_id IN ({ids})"),
           len(load.campaigns), "runs")
