"""What providers say about messages: too often, in any order, too early and too late, forged, in
floods, and onto a disk that fails.

The simulator keeps silent here: every callback is made by the test, signed as Twilio signs. So it
is known which were answered 2xx, and what each message must come to.
"""
import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import random
import signal
import subprocess
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

from books import message_of, statistics_are_a_recount
from checks import eventually, expect
from faults import QUICK, fault
from sites import AT_MOST_ONCE
from system import INGESTER, runs_as

SETTINGS = {"SANDBOX_DELAY_MS": 3600000, "INGESTER_SEGMENT_MB": 1, "INGESTER_SPOOL_MB": 16}
FORM = "application/x-www-form-urlencoded"
THREADS = 8
UNTOLD, UNDELIVERED, DELIVERED = 0, 1, 2
FLOOD = 3  # times the rate at which messages were sent
DISK_MB = 2


class Twilio:
    """The provider, as far as it calls back about a campaign's messages."""

    def __init__(self, site, lines):
        self.site, self.lines = site, lines
        self.channel = site.accounts[0].channel
        self.secret = site.secret("TWILIO_AUTH_TOKEN").encode()
        self.local = threading.local()

    def sign(self, path, fields):
        text = self.site.url(INGESTER, path) + "".join(k + v for k, v in sorted(fields.items()))
        return base64.b64encode(hmac.digest(self.secret, text.encode(), "sha1")).decode()

    def ask(self, path, body, headers):
        """Status, text and headers; a connection that broke is 0: nobody knows whether it came."""
        if not getattr(self.local, "connection", None):
            self.local.connection = http.client.HTTPConnection(
                "127.0.0.1", self.site.base + INGESTER, timeout=20)
        try:
            self.local.connection.request("POST", path, body, headers)
            answer = self.local.connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        except (OSError, http.client.HTTPException):
            self.local.connection.close()
            self.local.connection = None
            return 0, "", {}

    def say(self, line, word, padding=0):
        """Tell a status, as "delivered" or "undelivered 30003"."""
        status, _, code = word.partition(" ")
        path = f"/hooks/1/{self.channel}?m={line['token']}"
        fields = {"MessageSid": "SM" + hashlib.md5(line["token"].encode()).hexdigest(),
                  "MessageStatus": status, **({"ErrorCode": code} if code else {}),
                  **({"Padding": "x" * padding} if padding else {})}
        return self.ask(path, urllib.parse.urlencode(fields), {
            "Content-Type": FORM, "X-Twilio-Signature": self.sign(path, fields)})

    def say_all(self, calls, tries=1, threads=THREADS):
        """Many (line, word), each until it is answered 2xx; returns those that were."""
        def carry(call):
            for _ in range(tries):
                if self.say(*call)[0] == 200:
                    return call
                time.sleep(0.05)
            return None
        with ThreadPoolExecutor(threads) as pool:
            return [call for call in pool.map(carry, calls) if call]

    def take(self, count):
        """Messages that nothing was said about yet."""
        taken, self.lines = self.lines[:count], self.lines[count:]
        assert len(taken) == count, "the crowd is too small"
        return taken


def sent(site):
    """A campaign that was sent; returns it and its provider."""
    since = site.journal_end()
    campaign = site.begin(site.accounts[0], AT_MOST_ONCE)
    site.await_status(campaign.id, "completed")
    return campaign, Twilio(site, accepted(site, since))


def accepted(site, since):
    return [line for line in site.journal_since(since) if line["verdict"] == "accepted"]


def ids(lines):
    return ", ".join(str(message_of(line)) for line in lines)


def facts(site, lines):
    """What receipts change of each message, by id."""
    rows = site.sql(f"""SELECT id, state, progress, flags, coalesce(code, '-'),
          delivered_at IS NULL, read_at IS NULL FROM message WHERE id IN ({ids(lines)})""")
    return {int(row[0]): row[1:] for row in rows}


def everything(site):
    """What callbacks could change of anything."""
    return site.sql("""SELECT count(*), sum(state), sum(progress), sum(flags),
          (SELECT count(*) FROM suppression), (SELECT count(*) FROM provider_event),
          (SELECT count(*) FROM event WHERE type = 1794) FROM message""")


def came_to(site, lines, progress, seconds=60):
    """All of them are sent and came so far."""
    def look():
        try:
            return site.number(f"""SELECT count(*) FROM message WHERE id IN ({ids(lines)})
                AND state = 3 AND progress = {progress}""") == len(lines)
        except AssertionError:
            return False  # PostgreSQL is away
    if lines:
        eventually(look, seconds, f"{len(lines)} messages come to {progress}")


def is_right(site, campaign):
    """I6 and I7: the forwarder is done, and the counters are a recount of the rows."""
    eventually(site.spool_is_applied, 30, "what was taken is applied")
    statistics_are_a_recount(site, campaign.id)


@contextlib.contextmanager
def postgres_asleep(site):
    """Every process of PostgreSQL stands still."""
    postmaster = site.pids()["postgres"]
    found = subprocess.run(["pgrep", "-P", str(postmaster)], capture_output=True, text=True,
                           check=True)
    family = [postmaster, *map(int, found.stdout.split())]
    try:
        for pid in family:
            with contextlib.suppress(ProcessLookupError):  # a worker that has just ended
                os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


# ---- F57: any number, any order, any time ----

STORIES = [["sent", "delivered"], ["sent", "undelivered 30003"], ["sent", "delivered", "read"],
           ["undelivered 30003", "delivered"], ["sent", "undelivered 30008", "failed 30003"],
           ["queued", "sent", "failed 21610"]]


def in_order(story):
    return list(story)


def five_times(story):
    return [word for word in story for _ in range(5)]


def backwards(story):
    return list(reversed(story))


def five_rounds_backwards(story):
    return list(reversed(story)) * 5


def tell(twilio, tellings):
    """Tell each (line, words); within a message in order, the messages interleaved at random."""
    rounds = max(len(words) for _, words in tellings)
    for n in range(rounds):
        calls = [(line, words[n]) for line, words in tellings if n < len(words)]
        random.Random(n).shuffle(calls)
        expect(len(twilio.say_all(calls)), len(calls), "answered 2xx")


def all_are_like_the_first(site, told):
    """told: for each story the lines about which it was told, the first time in order."""
    for story, lines in told:
        found = facts(site, lines)
        wanted = found[message_of(lines[0])]
        for line in lines:
            expect(found[message_of(line)], wanted, f"{story} about message {message_of(line)}")


@fault("F57", "callbacks repeated, reversed, early or a week late come to what they do in order",
       tier=QUICK, settings=SETTINGS)
def any_order(site):
    campaign, twilio = sent(site)
    told, tellings = [], []
    for story in STORIES:
        lines = twilio.take(6)
        told.append((story, lines))
        ways = [in_order, five_times, backwards, five_rounds_backwards]
        tellings += [(line, way(story)) for line, way in zip(lines, ways)]
    tell(twilio, tellings)
    late = [(lines[4 + n], way(story)) for story, lines in told
            for n, way in enumerate((in_order, five_rounds_backwards))]
    site.sql(f"""UPDATE message SET sent_at = sent_at - interval '7 days'
        WHERE id IN ({ids([line for line, _ in late])})""")
    tell(twilio, late)
    is_right(site, campaign)
    all_are_like_the_first(site, told)
    tell(twilio, tellings)  # everything once more
    is_right(site, campaign)
    all_are_like_the_first(site, told)
    early(site, told)


def early(site, told):
    """Callbacks that come when the provider has accepted and our close has not committed."""
    since = site.journal_end()
    stopped = site.faults.arm("sender.before_close", 3, "stop", process="sender-sms")
    campaign = site.begin(site.accounts[0], AT_MOST_ONCE)
    _, name, pid = site.await_fault(stopped)
    site.faults.disarm(stopped)
    lines, open_lines = [], []
    with site.asleep(pid):
        lines = accepted(site, since)
        states = facts(site, lines)
        open_lines = [line for line in lines if states[message_of(line)][0] == "0"]
        assert open_lines, "the sender has closed everything"
        stories = [(line, told[n % len(told)]) for n, line in enumerate(open_lines)]
        twilio = Twilio(site, lines)
        tell(twilio, [(line, list(reversed(story)) * 2) for line, (story, _) in stories])
        eventually(site.spool_is_applied, 20, "what was taken is applied")
        expect({row[0] for row in facts(site, open_lines).values()}, {"3"}, "states by receipt")
    site.await_status(campaign.id, "completed")
    is_right(site, campaign)
    found = facts(site, open_lines)
    for line, (story, example) in stories:
        wanted = facts(site, example[:1])[message_of(example[0])]
        expect(found[message_of(line)], wanted, f"{story} before the close")


# ---- F58: forged ----

@fault("F58", "forged callbacks change nothing and learn nothing", tier=QUICK, settings=SETTINGS)
def forged(site):
    _, twilio = sent(site)
    line, told = twilio.take(2)
    expect(twilio.say(told, "delivered")[0], 200)
    came_to(site, [told], DELIVERED)
    eventually(site.spool_is_applied, 10)
    before = everything(site)
    path = f"/hooks/1/{twilio.channel}?m={line['token']}"
    fields = {"MessageSid": "SM" + "0" * 32, "MessageStatus": "delivered"}
    right = twilio.sign(path, fields)

    def ask(path, text=urllib.parse.urlencode(fields), signature=right, **headers):
        words = {"Content-Type": FORM, **headers}
        if signature:
            words["X-Twilio-Signature"] = signature
        return twilio.ask(path, text, words)[:2]

    foreign = site.accounts[1]
    answers = {
        "a wrong MAC": ask(path, signature=base64.b64encode(b"0" * 20).decode()),
        "no signature": ask(path, signature=None),
        "a signature that is none": ask(path, signature="%%%"),
        "another message's signature": ask(f"/hooks/1/{twilio.channel}?m={told['token']}"),
        "another query": ask(path + "&x=1"),
        "another account's URL": ask(f"/hooks/{foreign.id}/{foreign.channel}?m={line['token']}"),
        "another channel": ask(f"/hooks/1/{site.narrow}?m={line['token']}", signature="A" * 28),
        "no such channel": ask(f"/hooks/1/999999?m={line['token']}"),
        "no such account": ask(f"/hooks/999999/{twilio.channel}?m={line['token']}"),
        "a compressed bomb": ask(path, b"\x1f\x8b" + bytes(60000), **{"Content-Encoding": "gzip"}),
        "a huge body": ask(path, "x" * 2_000_000),
        "nested brackets": ask(path, "[" * 200_000),
    }
    for what, answer in answers.items():
        expect(answer, (403, "Forbidden.\n"), what)
    expect(ask(path, "x" * 5_000_000)[0] in (0, 413), True, "a body beyond the cap")
    true_but_not_about_ours(site, twilio, line)
    expect(twilio.say(told, "delivered")[0], 200, "a true one, replayed")
    eventually(site.spool_is_applied, 10)
    expect(everything(site), before)


def true_but_not_about_ours(site, twilio, line):
    """Rightly signed by one account's provider, about what is not its own, or does not exist."""
    account, message, mac = line["token"].split("-")
    for token in (f"{account}-{int(message) + 1}-{mac}", f"{site.accounts[1].id}-{message}-{mac}",
                  f"{account}-{message}", "1-1-", "", "9" * 400, "%00", "-".join("111")):
        expect(twilio.say({"token": token}, "delivered")[0], 200, f"the token {token}")
    nested_meta(site)


def nested_meta(site):
    """What is rightly signed and cannot be read is set aside; what follows is read."""
    channel = site.channel("whatsapp", "meta", {
        "phone_number_id": "106540352242922", "access_token": "t", "app_secret": "secret",
        "verify_token": "magic"})
    for body in ("[" * 100_000, '{"entry":' * 5000, json.dumps({"entry": [{"changes": 7}]}), "\0"):
        mac = hmac.digest(b"secret", body.encode(), "sha256").hex()
        status = Twilio(site, []).ask(f"/hooks/1/{channel}", body, {
            "Content-Type": "application/json", "X-Hub-Signature-256": "sha256=" + mac})[0]
        expect(status, 200, body[:20])


# ---- F59: a flood, and a slow database ----

@fault("F59", "a flood of callbacks is taken while PostgreSQL is slow, and then away",
       settings=SETTINGS)
def flood(site):
    campaign, twilio = sent(site)
    lines = twilio.take(len(twilio.lines) // 2)
    words = ["queued", "sent", "delivered"] * FLOOD
    took = []

    def timed(call):
        began = time.monotonic()
        status = twilio.say(*call)[0]
        took.append(time.monotonic() - began)
        return status

    def pour(lines):
        calls = [(line, word) for word in words for line in lines]
        with ThreadPoolExecutor(THREADS) as pool:
            expect(set(pool.map(timed, calls)), {200}, "answers")
    expect(twilio.say(lines[0], "sent")[0], 200)  # the channel is known from here on
    site.slow_down("event", 0.5)
    try:
        pour(lines)
    finally:
        site.speed_up("event")
    with postgres_asleep(site):
        more = twilio.take(len(twilio.lines))
        pour(more)
    took.sort()
    print(f"# {len(took)} callbacks: median {took[len(took) // 2] * 1e3:.1f} ms, 99 of 100 within "
          f"{took[len(took) * 99 // 100] * 1e3:.1f} ms", flush=True)
    came_to(site, lines + more, DELIVERED, seconds=120)
    is_right(site, campaign)
    folder = spool_of(site)
    left = sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder))
    assert left < SETTINGS["INGESTER_SEGMENT_MB"] * 2 << 20, f"the spool still has {left} bytes"


# ---- F60: the disk ----

def spool_of(site):
    return os.path.join(site.home, "state", "spool", "ingester")


def files(site, suffix):
    folder = spool_of(site)
    return sorted(os.path.join(folder, name) for name in os.listdir(folder)
                  if name.endswith(suffix))


@contextlib.contextmanager
def small_disk(site):
    """The ingester's spool is on a disk of two megabytes."""
    folder, user = spool_of(site), runs_as()
    eventually(site.spool_is_applied, 20, "what was taken is applied")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=0700,"
                    f"uid={user['user']},gid={user['group']}", "none", folder], check=True)
    try:
        pid = site.kill("ingester")
        site.await_process("ingester", pid)
        yield
        eventually(site.spool_is_applied, 20, "what was taken is applied")
    finally:
        pid = site.kill("ingester")
        subprocess.run(["umount", "--lazy", folder], check=True)
        site.await_process("ingester", pid)


def fill(site, twilio):
    """Bring callbacks until the disk is full, and more; returns the lines taken and refused."""
    taken, refused = [], []
    lines = twilio.take(len(twilio.lines))
    expect(twilio.say(lines[0], "sent")[0], 200)  # the channel is known
    with postgres_asleep(site):
        for line in lines:
            status, _, headers = twilio.say(line, "delivered", padding=20000)
            if status == 200:
                taken.append(line)
                continue
            expect((status, headers["Retry-After"]), (503, "30"))
            refused.append(line)
            if len(refused) == 20:
                break
        assert taken and refused, f"{len(taken)} taken, {len(refused)} refused"
    return taken, refused


@fault("F60", "a disk that is full, fails, tears or turns a bit costs nobody who was told 2xx",
       needs=("root", "tmpfs"), settings={**SETTINGS, "INGESTER_FREE_PERCENT": 0})
def disk(site):
    campaign, twilio = sent(site)
    full(site, campaign, twilio)
    campaign, twilio = sent(site)
    failing(site, campaign, twilio)
    damaged(site, campaign, twilio)


def full(site, campaign, twilio):
    with small_disk(site):
        taken, refused = fill(site, twilio)
        came_to(site, taken, DELIVERED)
        eventually(lambda: twilio.say(refused[0], "delivered")[0] == 200, 30, "it takes again")
        expect(len(twilio.say_all([(line, "delivered") for line in refused], tries=100)),
               len(refused))
        came_to(site, refused, DELIVERED)
    is_right(site, campaign)


def failing(site, campaign, twilio):
    """Syncs and writes fail: what is told 503 may be brought again, what is told 200 is there, and
    what follows stands in another file."""
    for place in ("ingester.sync", "ingester.append"):
        lines = twilio.take(30)
        expect(twilio.say(lines[0], "sent")[0], 200)  # the channel is known from here on
        with postgres_asleep(site):
            before = files(site, ".seg")[-1]
            failed = site.faults.arm(place, 3, "fail", times=2, process="ingester")
            taken = twilio.say_all([(line, "delivered") for line in lines], threads=2)
            site.await_fault(failed)
            site.faults.disarm(failed)
            left = [line for line in lines if (line, "delivered") not in taken]
            assert left, f"{place}: nobody was told that it failed"
            expect(twilio.say(left[0], "delivered")[0], 200, "it takes again")
            assert files(site, ".seg")[-1] > before, "it writes on behind a failure"
        came_to(site, [line for line, _ in taken] + left[:1], DELIVERED)
        expect(len(twilio.say_all([(line, "delivered") for line in left])), len(left))
        came_to(site, left, DELIVERED)
    is_right(site, campaign)


def damaged(site, campaign, twilio):
    """While nobody runs, a bit of one record turns, and a half one appears at the end."""
    eventually(site.spool_is_applied, 20, "what was taken is applied")
    lines = twilio.take(20)
    expect(twilio.say(lines[0], "sent")[0], 200)
    bad = len(os.listdir(os.path.join(spool_of(site), "bad"))) \
        if os.path.isdir(os.path.join(spool_of(site), "bad")) else 0
    with postgres_asleep(site):
        for line in lines:
            expect(twilio.say(line, "delivered")[0], 200)
        with site.asleep(site.supervisor.pid):
            os.kill(site.pids()["ingester"], signal.SIGKILL)
            site.deaths["ingester"] += 1
            hurt = hurt_a_record(files(site, ".seg")[-1], lines)
    others = [line for line in lines if line is not hurt]
    came_to(site, others, DELIVERED)
    eventually(site.spool_is_applied, 20, "what was taken is applied")
    expect(len(os.listdir(os.path.join(spool_of(site), "bad"))), bad + 1, "records set aside")
    came_to(site, [hurt], UNTOLD)
    expect(len(twilio.say_all([(hurt, "delivered")], tries=50)), 1, "its repetition")
    came_to(site, lines, DELIVERED)
    is_right(site, campaign)


def hurt_a_record(path, lines):
    """Returns the line whose record it was."""
    with open(path, "r+b") as file:
        text = file.read()
        victim = lines[len(lines) // 2]
        at = text.index(victim["token"].encode())
        file.seek(at)
        file.write(bytes([text[at] ^ 0x04]))
        file.seek(0, os.SEEK_END)
        file.write(text[text.rindex(b"rec2"):][:100])  # torn behind its hundredth byte
    return victim
