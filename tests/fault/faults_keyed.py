"""A provider that drops the second of two requests with one idempotency key.

Its journal says what it did with each request: "accepted" made a message, "replayed" repeated what
was answered before, "busy" (409) met a request with its key that was under way, "reused" (422) one
that had come with another body. Those people's answers are withheld: each of them is in doubt.
"""
import time
from collections import Counter, defaultdict

from books import message_of, statistics_are_a_recount
from checks import eventually, expect
from faults import QUICK, fault
from people import as_csv, person
from sites import AT_LEAST_ONCE, AT_MOST_ONCE

SENDER = "sender-api"
SENT, UNKNOWN_FINAL = "3", "7"
SILENT = 6  # people whose answers never come
WORK_MS = 5000  # for which a request is under way, in one of the systems
LONG_S, SHORT_S = 600, 1
KEYED = {"SENDER_REQUEST_MS": 2000}


def channel(site, ttl_s, **more):
    """A keyed channel, by a name of its own."""
    site.keyed = getattr(site, "keyed", 0) + 1
    settings = {"url": site.url(site.sandbox, "/api/messages"),
                "bearer_token": site.secret("API_TOKEN"), "id_path": "message.id",
                "code_path": "error.code", "idempotency_header": "Idempotency-Key",
                "idempotency_ttl_s": str(ttl_s)}
    with site.accounts[0]:
        return site.channel("api", "http", settings, rate=site.rate, connections=site.connections,
                            name=f"keyed {site.keyed}", **more)


def silent(site):
    """People of whom the provider takes everything and never says so."""
    with site.accounts[0]:
        rows = [person(10000 * (700 + k) + 999) for k in range(SILENT)]
        site.import_csv(as_csv(rows), tags="withheld")


class Doubt:
    """A campaign to them, and what its provider made of it."""

    def __init__(self, site, channel, policy=AT_MOST_ONCE, wait_s=LONG_S):
        self.site, self.since = site, site.journal_end()
        with site.accounts[0]:
            self.id = site.campaign(channel, message="Hello {first_name}",
                                    audience={"tags": ["withheld"]}, delivery_policy=policy,
                                    unknown_wait_seconds=wait_s)
            self.run = site.launch(self.id)["run_id"]

    def asked(self):
        """Verdicts by message, in order; all requests of one had one key."""
        found, keys = defaultdict(list), defaultdict(set)
        for line in self.site.journal_since(self.since):
            found[message_of(line)].append(line["verdict"])
            keys[message_of(line)].add(line["key"])
        assert all(len(one) == 1 for one in keys.values()), keys
        assert len(set.union(*keys.values())) == len(keys) if keys else True, "keys are shared"
        return found

    def verdicts(self):
        return sum((Counter(one) for one in self.asked().values()), Counter())

    def states(self):
        return Counter(row[0] for row in self.site.sql(f"""SELECT m.state FROM message m
            JOIN chunk c ON c.account_id = m.account_id AND c.id = m.id >> 9 AND NOT c.is_retry
            WHERE c.run_id = {self.run}"""))

    def control(self, word):
        with self.site.accounts[0]:
            self.site.ok("POST", f"campaigns/{self.id}/{word}")

    def await_accepted(self):
        eventually(lambda: self.verdicts()["accepted"] >= SILENT, 30, "all are accepted")

    def ends(self, state, seconds=60):
        """Everybody comes to a state, and nobody got two messages."""
        with self.site.accounts[0]:
            self.site.await_status(self.id, "completed", "failed", seconds=seconds)
            statistics_are_a_recount(self.site, self.id)
        expect(self.states(), Counter({state: SILENT}))
        twice = {id: one for id, one in self.asked().items() if one.count("accepted") != 1}
        expect(twice, {}, "second messages")


def dies(site):
    """Senders die with requests on the wire: what is in doubt is sent again, and is one message."""
    with site.load(policies=(AT_MOST_ONCE, AT_LEAST_ONCE), foreign=False,
                   channel=channel(site, LONG_S)) as load:
        load.strike("sender.handed_over", nth=100, process=SENDER)
        load.strike("sender.answered", nth=40, process=SENDER)
        load.strike("http.answering", nth=30, process=SENDER)
    verdicts = Counter(line["verdict"] for line in load.requests())
    expect(verdicts["accepted"], sum(campaign.crowd - 5 for campaign in load.campaigns))
    assert verdicts["replayed"], verdicts
    print(f"# {dict(verdicts)}")


def withheld(site):
    """Inside of the key's life the policy is not asked, and nobody waits for it."""
    for policy in (AT_MOST_ONCE, AT_LEAST_ONCE):
        doubt = Doubt(site, channel(site, LONG_S), policy)
        doubt.ends(SENT)
        expect(doubt.verdicts()["replayed"], SILENT)


def expired(site):
    """A key that is too old allows nothing: the policy decides."""
    doubt = Doubt(site, channel(site, SHORT_S), wait_s=3)
    doubt.ends(UNKNOWN_FINAL)
    expect(doubt.verdicts(), Counter(accepted=SILENT))


def expired_on_its_way(site):
    """Those that were to be sent again are too late when their campaign goes on."""
    doubt = Doubt(site, channel(site, 6), wait_s=3)
    doubt.await_accepted()
    doubt.control("pause")
    eventually(lambda: doubt.states()["2"] == 0, 20, "what was in doubt is to be sent again")
    time.sleep(6)
    before = doubt.verdicts()
    doubt.control("resume")
    doubt.ends(UNKNOWN_FINAL)
    expect(doubt.verdicts(), before, "requests behind the key's life")


def reused(site):
    """The channel's body is another one when they are sent again: the provider refuses the key, and
    what it took before stays in doubt."""
    keyed = channel(site, LONG_S)
    doubt = Doubt(site, keyed, wait_s=10)
    doubt.await_accepted()
    doubt.control("pause")
    with site.accounts[0]:
        site.ok("PATCH", f"channels/{keyed}", {"settings": {
            "body": '{"to":"{address}","text":"{text}!","id":"{message_id}"}'}})
    doubt.control("resume")
    doubt.ends(UNKNOWN_FINAL)
    assert doubt.verdicts()["reused"] >= SILENT, doubt.verdicts()


def key_is_given_up(site):
    """The channel has no key any more when they are sent again: they are not."""
    keyed = channel(site, LONG_S)
    doubt = Doubt(site, keyed, wait_s=3)
    doubt.await_accepted()
    doubt.control("pause")
    with site.accounts[0]:
        site.ok("PATCH", f"channels/{keyed}", {"settings": {
            "idempotency_header": None, "idempotency_ttl_s": None}})
    before = doubt.verdicts()
    doubt.control("resume")
    doubt.ends(UNKNOWN_FINAL, seconds=90)
    expect(doubt.verdicts(), before, "requests without a key")


@fault("F54", "a provider that knows keys gets nothing twice; behind a key's life the policy holds",
       settings=KEYED)
def keyed(site):
    silent(site)
    withheld(site)
    expired(site)
    expired_on_its_way(site)
    reused(site)
    key_is_given_up(site)
    dies(site)


@fault("F82", "a key whose first request is still under way waits for it, and costs no try",
       tier=QUICK, settings={**KEYED, "SANDBOX_API_WORK_MS": WORK_MS})
def under_way(site):
    silent(site)
    doubt = Doubt(site, channel(site, LONG_S))
    doubt.ends(SENT)
    verdicts = doubt.verdicts()
    expect(verdicts["replayed"], SILENT)
    assert verdicts["busy"] >= SILENT, verdicts
