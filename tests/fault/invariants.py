"""What must be true after every fault. Three books are compared: counters, rows, and the journal of
the provider, which is the truth about what left us.

Each invariant is a function that yields complaints. I9 (everything comes to rest) is the load's
waiting; I6 and I10 are also sampled while it runs (watch.py). I12 (the audit chain) has no process
yet.
"""
import os
from collections import Counter, defaultdict
from datetime import datetime

from books import message_of
from checks import eventually, expect
from system import CRASH
from watch import wrong_counters

PENDING, RETRY, UNKNOWN, SENT, FAILED, SKIPPED, CANCELLED, UNKNOWN_FINAL, EXPIRED = range(9)
OPEN = (PENDING, RETRY, UNKNOWN)
NOT_SENT = (FAILED, SKIPPED, CANCELLED, EXPIRED)
IN_DOUBT = ("accepted", "failed")  # the provider took it, or may have
SLICE = 64
OPEN_AT_MOST = 2 * 2 * SLICE  # and not begun: two slices on each of two accounts' channels
SECRETS = ("TWILIO_AUTH_TOKEN", "META_ACCESS_TOKEN", "META_APP_SECRET")
CANARIES = ("+49151", "49151000", "@example.org", "Müller-Lüdenscheidt", "+49160", "Xyzzy")


def callbacks_come_to_rest(site, seconds=60):
    """Wait until the provider has called back for everything, and all of it is applied."""
    def at_rest():
        tally = site.sandbox_stats()
        return tally and not tally["callbacks"]["waiting"] and site.spool_is_applied()
    eventually(at_rest, seconds, "I7: every callback answered 2xx is applied once", pause=0.2)
    expect(site.sandbox_stats()["callbacks"]["given_up"], 0, "callbacks given up")


def messages_of(site, campaign):
    """Its messages: id -> (state, contact, address, attempt, progress, lost)."""
    rows = site.sql(f"""SELECT m.id, m.state, m.contact_id, m.address, m.attempt, m.progress,
          coalesce(m.lost_epoch, 0)
        FROM chunk c JOIN message m ON m.account_id = c.account_id AND m.id >> 9 = c.id
        WHERE c.account_id = {campaign.account} AND c.run_id = {campaign.run}
          AND NOT c.is_retry""")
    return {int(row[0]): (int(row[1]), int(row[2]), row[3], *map(int, row[4:])) for row in rows}


class Facts:
    """What is known of a load, read once for all invariants."""

    def __init__(self, site, load):
        self.site, self.load = site, load
        self.lines = load.requests()
        self.messages = {campaign.id: messages_of(site, campaign) for campaign in load.campaigns}
        self.asked = defaultdict(list)  # verdicts by message, in order
        self.keyed = set()  # messages whose requests had a key
        for line in self.lines:
            self.asked[message_of(line)].append(line["verdict"])
            if "key" in line:
                self.keyed.add(message_of(line))

    def in_flight_at_deaths(self):
        """How many requests can have been under way when senders died; with its host also what was
        open, of which a journal would have told."""
        at_once = 2 * self.site.connections  # two accounts have a channel each
        return self.load.kills * at_once + self.load.lost_hosts * (at_once + OPEN_AT_MOST)

    def each(self):
        for campaign in self.load.campaigns:
            yield campaign, self.messages[campaign.id]


def i1_nobody_is_lost(facts):
    for campaign, messages in facts.each():
        people = {row[1] for row in messages.values()}
        left = sum(row[0] in OPEN for row in messages.values())
        if (len(messages), len(people), left) != (campaign.crowd, campaign.crowd, 0):
            yield (f"campaign {campaign.id}: {campaign.crowd} people, {len(messages)} messages to "
                   f"{len(people)} of them, {left} without a fate")


def i1_nobody_is_left_out(facts):
    """Unknown in the end, though never asked for: only what was in flight when senders died, and
    what was opened by batches whose answers were lost on a sender that was cut off for longer than
    unknowns wait: it could not tell in time that it began nothing."""
    out = [id for _, messages in facts.each() for id, row in messages.items()
           if row[0] == UNKNOWN_FINAL and id not in facts.asked]
    most = facts.in_flight_at_deaths() + facts.load.cuts * OPEN_AT_MOST
    if len(out) > most:
        yield f"{len(out)} were never asked for, {most} would be for the deaths: {out[:3]}"


def i2_every_state_is_a_legal_one(facts):
    for campaign, messages in facts.each():
        bad = {id: row for id, row in messages.items()
               if row[0] not in range(9) or (row[4] > 0 and row[0] != SENT)}
        if bad:
            yield f"campaign {campaign.id}: {len(bad)} in no legal state: {list(bad.items())[:3]}"
    left = facts.site.number(f"""SELECT count(*) FROM chunk
        WHERE run_id IN ({facts.load.runs}) AND state <> 3""")
    if left:
        yield f"{left} chunks are not done though their run is"


def i3_no_request_too_many(facts):
    """at_most_once: none behind one that may have been taken. at_least_once: as many more as were
    in flight when senders died; what the provider only may have taken is sent again anyway.
    With keys: as many requests as are needed, of which one at most is taken."""
    extra = 0
    for campaign, messages in facts.each():
        for id in messages:
            verdicts = facts.asked.get(id, [])
            if id in facts.keyed:
                if verdicts.count("accepted") > 1:
                    yield f"message {id} of campaign {campaign.id}, with a key: {verdicts}"
                    return
            elif campaign.policy == "at_least_once":
                extra += max(0, verdicts.count("accepted") - 1)
            elif any(verdict in IN_DOUBT for verdict in verdicts[:-1]):
                yield f"message {id} of campaign {campaign.id}, at_most_once: {verdicts}"
                return
    most = facts.in_flight_at_deaths()
    if extra > most:
        yield f"at_least_once: {extra} requests too many, {most} would be for the deaths"


def i4_and_i5_what_was_taken_is_told(facts):
    """No request for who was not to get one, and no acceptance told as a failure; all of them are
    told, once their callbacks are in."""
    for campaign, messages in facts.each():
        for id, row in messages.items():
            accepted = "accepted" in facts.asked.get(id, [])
            if accepted != (row[0] == SENT):
                yield (f"message {id} of campaign {campaign.id} is in state {row[0]}, the provider "
                       f"says {facts.asked.get(id, 'that it was not asked')}")
                return


def i6_counters_are_a_recount(facts):
    wrong = wrong_counters(facts.site, facts.load.runs)
    if wrong:
        yield f"counters and recount: {wrong}"
    if not facts.load.watch.looks:
        yield "nobody looked at the counters while it ran"
    yield from facts.load.watch.complaints()  # I10, too


def drawn(to, token, seed=1):
    """What the simulator draws, below 100, for a message's fate (actors/sandbox/faults.c)."""
    mask = (1 << 64) - 1

    def mix(x):
        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9 & mask
        x = (x ^ x >> 27) * 0x94d049bb133111eb & mask
        return x ^ x >> 31

    def digest(seed, text):
        h = seed ^ 0xcbf29ce484222325
        for byte in text:
            h = (h ^ byte) * 0x100000001b3 & mask
        return mix(h)
    number = int(to.lstrip("+")).to_bytes(8, "little")
    return digest(digest(seed * 4 + 2, number), token.encode()) % 100


def i7_what_was_called_back_is_applied(facts):
    """Each accepted message came as far as its callbacks said, all of which were answered 2xx: 1 of
    100 failed, 97 were delivered, of the others nothing was heard (the simulator's settings)."""
    progress = {id: row[4] for _, messages in facts.each() for id, row in messages.items()}
    for line in facts.lines:
        if line["verdict"] != "accepted" or line["provider"] != "twilio":
            continue
        draw = drawn(line["to"], line["token"])
        wanted = 1 if draw < 1 else 0 if draw >= 98 else 2
        found = progress.get(message_of(line))
        if found != wanted:
            yield f"message {message_of(line)} was called back to {wanted} and stands at {found}"
            return


def i8_accounts_keep_apart(facts):
    own = {id: account for account, id in facts.site.sql(
        f"SELECT account_id, id FROM run WHERE id IN ({facts.load.runs})")}
    if len(own) != len(facts.load.campaigns):
        yield f"runs {own}"
    for line in facts.lines:
        foreign = line["to"].startswith("+49160")
        if foreign != (line["token"].split("-")[0] != "1"):
            yield f"a request with the token {line['token']} was for another account's person"
            return
    for campaign, messages in facts.each():
        if any(row[2] and row[2].startswith("+49160") != (campaign.account != 1)
               for row in messages.values()):
            yield f"campaign {campaign.id} has messages to another account's people"


def i11_logs_tell_nothing(facts):
    site = facts.site
    words = [site.secret(name) for name in SECRETS] + [site.key, *CANARIES]
    folder = os.path.join(site.home, "log")
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            for line in file:
                if any(word in line for word in words):
                    yield f"{name} tells what nobody should read: {line[:200]}"
                    break


def i13_a_pause_bites(facts):
    for campaign, begin, until in facts.load.pauses:
        messages = facts.messages[campaign.id]
        late = [line for line in facts.lines if message_of(line) in messages
                and begin + 2 < instant(line) < until]
        if late:
            yield f"campaign {campaign.id}: {len(late)} requests more than 2 s after its pause"


def i14_nobody_else_died(facts):
    site = facts.site
    if site.may_crash:
        return
    restarts = {name: process["restarts"] for name, process in site.fleet().items()}
    for name, count in restarts.items():
        if count != site.deaths[name]:
            yield f"{name} was started again {count} times, and killed {site.deaths[name]} times"
    folder = os.path.join(site.home, "log")
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            crash = next((line for line in file if CRASH.search(line)), None)
        if crash:
            yield f"{name}: {crash[:300]}"


def instant(line):
    return datetime.fromisoformat(line["at"].replace("Z", "+00:00")).timestamp()


def i15_the_rate_is_kept(facts):
    """In any second no more than 105 %, and what was in flight, which a stall may have bunched."""
    senders = sum(name.startswith("sender-sms") for name in facts.site.fleet())
    most = 1.05 * facts.site.rate + senders * facts.site.connections
    by_account = defaultdict(list)
    for line in facts.lines:
        by_account[line["token"].split("-")[0]].append(instant(line))
    for account, instants in by_account.items():
        first = 0
        for last, at in enumerate(instants):
            while instants[first] <= at - 1:
                first += 1
            if last - first + 1 > most:
                yield f"account {account}: {last - first + 1} requests within a second"
                return


def i16_one_run_for_each_occasion(facts):
    ids = ", ".join(str(campaign.id) for campaign in facts.load.campaigns)
    runs = Counter(row[0] for row in facts.site.sql(
        f"SELECT campaign_id FROM run WHERE campaign_id IN ({ids})"))
    if set(runs.values()) != {1}:
        yield f"runs by campaign: {dict(runs)}"


INVARIANTS = [i1_nobody_is_lost, i1_nobody_is_left_out, i2_every_state_is_a_legal_one,
              i3_no_request_too_many, i4_and_i5_what_was_taken_is_told,
              i6_counters_are_a_recount, i7_what_was_called_back_is_applied,
              i8_accounts_keep_apart, i11_logs_tell_nothing, i13_a_pause_bites,
              i14_nobody_else_died, i15_the_rate_is_kept, i16_one_run_for_each_occasion]


def check(site, load):
    """Hold every invariant against a load that has come to rest."""
    facts = Facts(site, load)
    wrong = [f"{test.__name__.replace('_', ' ')}: {complaint}"
             for test in INVARIANTS for complaint in test(facts)]
    assert not wrong, "\n".join(wrong)
