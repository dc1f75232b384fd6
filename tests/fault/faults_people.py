"""Some recipients are trouble: nobody else is to notice."""
from checks import expect
from faults import QUICK, fault
from people import as_csv, people
from sites import AT_MOST_ONCE

INVALID = ("+15005550001", "+15005550009", "+15005550002")  # the provider refuses these for good
MIXED = 101
FAILED = 4


def invite(site, tag, crowd):
    """People with a tag of their own."""
    site.import_csv(as_csv(crowd), tags=tag)
    site.crowds[tag] = len(crowd)


@fault("F55", "invalid recipients at either end and in the middle, and refused ones, stop nobody",
       settings={"SANDBOX_REJECT_PERCENT": 30})
def invalid(site):
    crowd = people(MIXED, first=700000)
    invite(site, "mixed", crowd)
    places = (0, MIXED // 2, MIXED - 1)
    for place, number in zip(places, INVALID):
        site.sql(f"""UPDATE contact SET phone = '{number}'
            WHERE account_id = 1 AND external_id = '{crowd[place]["external_id"]}'""")
    with site.load(tags=("mixed",)) as load:
        pass
    rows = site.sql(f"""SELECT m.address, m.state FROM message m
        JOIN chunk c ON c.account_id = m.account_id AND c.id = m.id >> 9
        WHERE c.run_id = {load.campaigns[0].run}""")
    expect({state for address, state in rows if address in INVALID}, {str(FAILED)})
    verdicts = [line["verdict"] for line in load.requests()]
    assert verdicts.count("refused") > 0.2 * len(verdicts), "hardly anybody was refused"
    assert verdicts.count("accepted") > 0.5 * len(verdicts), "hardly anybody was accepted"


@fault("F56", "messages that kill whoever writes them are dead letters after three deaths, alone",
       settings={"SCHEDULER_PAUSE_DEAD_PERCENT": 0})  # four of 34 would pause their run
def poison(site):
    poisonous = people(4, first=710000)
    invite(site, "poison", poisonous)
    kills = ("sender-sms", "sender-sms", "renderer", "renderer")
    deaths = [site.faults.arm(f"{who.split('-')[0]}.writing/{one['phone']}", times=9, process=who)
              for who, one in zip(kills, poisonous)]
    with site.load(policies=(AT_MOST_ONCE,), tags=("few", "poison")) as load:
        load.settle(240)
        died = [len(site.faults.fired(death)) for death in deaths]
        expect(died, [3] * len(deaths), "deaths by message")
        for who, count in zip(kills, died):
            site.deaths[who] += count
            load.kills += count * who.startswith("sender")
    rows = site.sql(f"""SELECT m.address, m.reason FROM message m
        JOIN chunk c ON c.account_id = m.account_id AND c.id = m.id >> 9
        WHERE c.run_id = {load.campaigns[0].run} AND m.state = {FAILED}""")
    expect(sorted(address for address, _ in rows), sorted(one["phone"] for one in poisonous))
