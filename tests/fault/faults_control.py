"""People say stop while it runs: pause, resume, cancel, the kill switch, an opt-out; and something
urgent comes meanwhile.
"""
import time
from datetime import datetime

from books import message_of
from checks import eventually, expect
from faults import QUICK, fault
from invariants import instant
from sites import AT_LEAST_ONCE, AT_MOST_ONCE

BITES_S = 2
SKIPPED, CANCELLED, SUPPRESSED = 5, 6, 2


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def pause(site, load, campaign, seconds):
    """Returns whether it could be paused: it may just have ended."""
    reply = site.post(f"/api/v1/campaigns/{campaign.id}/pause")
    if reply.status == 409:
        return False
    expect(reply.status, 200, reply.text)
    time.sleep(seconds)
    load.pauses.append((campaign, moment(reply.json["paused_at"]), time.time()))
    site.ok("POST", f"campaigns/{campaign.id}/resume")
    return True


@fault("F64", "campaigns paused a hundred times, cancelled at any time or all stopped obey")
def control(site):
    with site.load(foreign=False) as load:
        paused = 0
        while paused < 100:
            if load.left() == 0:
                load.more()
            campaign = load.campaigns[-1 - paused % 2]
            long = paused % 20 == 5
            seconds = 2 * BITES_S if long else 0.3 * site.random.random()
            paused += pause(site, load, campaign, seconds)
            time.sleep(0.2 * site.random.random())
    assert load.requests(), "nothing was ever sent"

    for share in (0.01, 0.5, 0.97):  # some get none anyway
        with site.load(policies=(AT_MOST_ONCE,), foreign=False) as load:
            load.await_requests(share)
            cancelled = cancel(site, load, load.campaigns[0])
            assert cancelled or share == 0.97, "it was over before"

    with site.load() as load:
        for share in (0.2, 0.6):
            load.await_requests(share)
            stopped = site.ok("PUT", "control", {"send_enabled": False, "reason": "a fault"})
            time.sleep(2 * BITES_S)
            for campaign in load.campaigns:
                load.pauses.append((campaign, moment(stopped["changed_at"]), time.time()))
            site.ok("PUT", "control", {"send_enabled": True})


def cancel(site, load, campaign):
    """Whoever was not written to by then is cancelled, and nobody else is. Returns how many."""
    reply = site.post(f"/api/v1/campaigns/{campaign.id}/cancel")
    if reply.status == 409:  # it has just been completed
        return 0
    expect((reply.status, reply.json["status"]), (200, "cancelled"))
    load.pauses.append((campaign, time.time(), float("inf")))
    load.settle()
    of_run = f"""FROM message m JOIN chunk c ON c.account_id = m.account_id AND c.id = m.id >> 9
        WHERE c.run_id = {campaign.run}"""
    cancelled = site.number(f"SELECT count(*) {of_run} AND m.state = {CANCELLED}")
    planned = site.number(f"SELECT count(*) {of_run}")
    assert planned <= campaign.crowd, f"{planned} messages to {campaign.crowd} people"
    campaign.crowd = planned  # a page that was not planned by then never is
    return cancelled


@fault("F65", "who opts out while a campaign runs gets nothing that had not left by then",
       tier=QUICK)
def opted_out(site):
    """Of a third of the people some have theirs, some have it on the wire, most are written to."""
    with site.load(foreign=False) as load:
        load.await_requests(0.2)
        gone = {int(row[0]) for row in site.sql("""INSERT INTO suppression
              (account_id, contact_id, kind, reason)
            SELECT account_id, id, 0, 'fault' FROM contact c WHERE account_id = 1 AND id % 3 = 0
              AND NOT EXISTS (SELECT FROM suppression s WHERE s.account_id = 1
                AND s.contact_id = c.id)
            RETURNING contact_id""")}
        since = time.time()
    send_ttl_s = 1.3  # what was opened may still leave, and be on its way for a moment
    people = {int(id): (int(contact), int(state), int(reason)) for id, contact, state, reason
              in site.sql(f"""SELECT m.id, m.contact_id, m.state, coalesce(m.reason, 0)
                FROM message m JOIN chunk c ON c.account_id = m.account_id AND c.id = m.id >> 9
                WHERE c.run_id IN ({load.runs}) AND NOT c.is_retry""")}
    late = [line for line in load.requests() if people[message_of(line)][0] in gone
            and instant(line) > since + send_ttl_s]
    expect(late[:2], [], f"{len(late)} requests for people who had opted out")
    spared = [row for row in people.values() if row[0] in gone and row[1] == SKIPPED]
    assert spared, "all of them had got theirs before"
    expect({reason for _, _, reason in spared}, {SUPPRESSED}, "reasons")
    site.sql("DELETE FROM suppression WHERE account_id = 1 AND reason = 'fault'")


@fault("F66", "a few people are written to at once while a large campaign runs")
def a_few_among_many(site):
    """Over the same channel: if it is urgent, before most others; else not behind all of them."""
    own = site.accounts[0]
    for lane in ("urgent", "normal"):
        with site.load(foreign=False) as load:
            load.more()
            large = {campaign.run for campaign in load.campaigns}
            crowd = sum(campaign.crowd for campaign in load.campaigns)
            load.await_requests(0.1)
            few = site.begin(own, AT_LEAST_ONCE, tags=("few",), lane=lane)
            load.campaigns.append(few)
            eventually(lambda: site.number(f"""SELECT count(*) FROM chunk
                WHERE run_id = {few.run} AND n_sent + n_skipped = size"""), 20,
                "the few have theirs")
            done = site.number(f"""SELECT sum(n_sent) FROM chunk
                WHERE run_id IN ({', '.join(map(str, large))}) AND NOT is_retry""")
            print(f"# {lane}: the few had theirs when {done} of {crowd} others had")
            most = (0.5 if lane == "urgent" else 0.9) * crowd
            assert done < most, f"{done} of {crowd} had theirs"
