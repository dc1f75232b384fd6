"""Callbacks and unsubscriptions, through the real ingester, into real rows. RESOURCE_LOCK: system

Messages go out through the simulator, which keeps silent afterwards: all callbacks are made here,
signed as the provider would sign them.
"""
import base64
import concurrent.futures
import contextlib
import hashlib
import hmac
import http.client
import os
import random
import signal
import time
import urllib.parse

from books import statistics_are_a_recount
from checks import eventually, expect, run
from people import as_csv, people
from system import INGESTER, System

CROWD = 240
FORM = "application/x-www-form-urlencoded"


# ---- what the outside world does ----

def ask(method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", fanfare.base + INGESTER, timeout=20)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        connection.close()


def sign(path, fields, secret=None):
    text = fanfare.url(INGESTER, path) + "".join(k + v for k, v in sorted(fields.items()))
    secret = secret or fanfare.secret("TWILIO_AUTH_TOKEN")
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha1")).decode()


def call_back(line, status, secret=None, channel_id=None, **more):
    """Say what became of the message that a line of the provider's journal is about."""
    path = f"/hooks/1/{channel_id or channel}?m={line['token']}"
    fields = {"MessageSid": "SM" + hashlib.md5(line["token"].encode()).hexdigest(),
              "MessageStatus": status, **more}
    return ask("POST", path, urllib.parse.urlencode(fields), **{
        "Content-Type": FORM, "X-Twilio-Signature": sign(path, fields, secret)})


def call_all_back(calls):
    """Make many callbacks at once; returns how often each status was the answer."""
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = [answer[0] for answer in pool.map(lambda call: call_back(*call), calls)]
    return {status: statuses.count(status) for status in set(statuses)}


# ---- what became of it ----

def ids(lines):
    return ",".join(line["token"].split("-")[1] for line in lines)


def count(lines, condition):
    return fanfare.number(
        f"SELECT count(*) FROM message WHERE id IN ({ids(lines)}) AND {condition}")


def applied(lines, condition, seconds=20):
    eventually(lambda: count(lines, condition) == len(lines), seconds, f"{condition} is applied")


def what_is_told():
    """All that callbacks can change."""
    return fanfare.sql("""SELECT sum(progress), sum(flags), (SELECT count(*) FROM suppression),
        (SELECT count(*) FROM provider_event), (SELECT count(*) FROM event) FROM message""")


def nothing_happens(act):
    time.sleep(0.3)
    before = what_is_told()
    act()
    time.sleep(1)
    expect(what_is_told(), before)


def counters_are_right():
    statistics_are_a_recount(fanfare, campaign)


# ---- what the machine does ----

@contextlib.contextmanager
def a_database_that_hangs():
    """Every process of PostgreSQL stands still."""
    postmaster = fanfare.pids()["postgres"]

    def family():
        found = [postmaster]
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat") as file:
                if int(file.read().rpartition(")")[2].split()[1]) == postmaster:
                    found.append(int(name))
        return found

    def tell_all(what):
        for pid in family():
            with contextlib.suppress(ProcessLookupError):  # its client went, and so did it
                os.kill(pid, what)
    tell_all(signal.SIGSTOP)
    try:
        yield
    finally:
        tell_all(signal.SIGCONT)


# ---- tests ----

def repetitions_in_any_order_count_once():
    lines = fresh(40)
    calls = [(line, status) for line in lines for status in ("sent", "delivered")] * 5
    random.Random(7).shuffle(calls)
    before = fanfare.stats(campaign)["delivered"]
    expect(call_all_back(calls), {200: len(calls)})
    applied(lines, "progress = 2 AND code IS NULL AND delivered_at IS NOT NULL")
    eventually(fanfare.spool_is_applied, 10)
    counters_are_right()
    expect(fanfare.stats(campaign)["delivered"], before + len(lines))


def an_opt_out_that_people_took_back_does_not_come_again():
    line = fresh(1)[0]

    def opt_out():
        expect(call_back(line, "failed", ErrorCode="21610")[0], 200)
        eventually(fanfare.spool_is_applied, 10)
    opt_out()
    mine = f"contact_id = (SELECT contact_id FROM message WHERE id = {ids([line])})"
    expect(fanfare.number(f"SELECT count(*) FROM suppression WHERE {mine}"), 1)
    fanfare.sql(f"DELETE FROM suppression WHERE {mine}")
    nothing_happens(opt_out)
    expect(fanfare.number(f"SELECT count(*) FROM suppression WHERE {mine}"), 0)


def a_failure_is_kept_with_its_code_and_delivery_still_wins():
    lines = fresh(2)
    for line in lines:
        expect(call_back(line, "undelivered", ErrorCode="30003")[0], 200)
    applied(lines, "progress = 1 AND code = '30003'")
    expect(call_back(lines[0], "delivered")[0], 200)
    applied(lines[:1], "progress = 2")
    expect(call_back(lines[0], "failed", ErrorCode="30008")[0], 200)
    time.sleep(0.5)
    applied(lines[:1], "progress = 2")
    counters_are_right()


def forged_callbacks_change_nothing_and_say_nothing():
    line, other = fresh(2)
    fields = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    body = urllib.parse.urlencode(fields)
    path = f"/hooks/1/{channel}?m={line['token']}"

    def post(path, body=body, **headers):
        return ask("POST", path, body, **{"Content-Type": FORM, **headers})[:2]

    def forge():
        signed = {"X-Twilio-Signature": sign(path, fields)}
        answers = {
            "another secret": call_back(line, "delivered", secret="guessed")[:2],
            "another channel": call_back(line, "delivered", channel_id=9999)[:2],
            "another account": post(f"/hooks/2/{channel}?m={line['token']}", **signed),
            "no signature": post(path),
            "another body": post(path, body + "0", **signed),
            "another message": post(f"/hooks/1/{channel}?m={other['token']}", **signed),
            "no channel": post("/hooks/1/"),
            "no number": post("/hooks/1/1x?m=" + line["token"], **signed),
            "a large body": post(path, "x" * 500_000, **signed),
        }
        for what, answer in answers.items():
            expect(answer, (403, "Forbidden.\n"), what)
    nothing_happens(forge)


def a_true_callback_about_a_made_up_message_changes_nothing():
    line = dict(fresh(1)[0])
    account, message, mac = line["token"].split("-")
    line["token"] = f"{account}-{int(message) + 1}-{mac}"

    def lie():
        expect(call_back(line, "delivered")[0], 200)
    nothing_happens(lie)


def a_hanging_database_delays_receipts_and_loses_none():
    lines = fresh(40)
    expect(call_back(lines[0], "sent")[0], 200)  # the channel is known from here on
    with a_database_that_hangs():
        began = time.monotonic()
        expect(call_all_back([(line, "delivered") for line in lines]), {200: 40})
        assert time.monotonic() - began < 5, "answers wait for the database"
    applied(lines, "progress = 2", 40)
    counters_are_right()


def a_killed_ingester_continues_with_what_it_had_taken():
    lines = fresh(40)
    expect(call_back(lines[0], "sent")[0], 200)
    with a_database_that_hangs():
        expect(call_all_back([(line, "delivered") for line in lines]), {200: 40})
        before = fanfare.kill("ingester")
        fanfare.await_process("ingester", before)
        status, _, headers = call_back(lines[0], "delivered")
        expect((status, headers["Retry-After"]), (503, "30"), "a channel that nobody knows now")
    applied(lines, "progress = 2", 40)
    counters_are_right()


def a_killed_ingester_loses_nothing_in_the_middle_of_work():
    lines = fresh(60)
    calls = [(line, status) for line in lines for status in ("sent", "delivered")] * 5
    taken = []
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        def carry(call):
            with contextlib.suppress(OSError, http.client.HTTPException):
                if call_back(*call)[0] == 200:
                    taken.append(call)
        done = [pool.submit(carry, call) for call in calls]
        for share in (1, 2, 3):
            eventually(lambda: len(taken) > 60 * share or all(d.done() for d in done), 30)
            before = fanfare.kill("ingester")
            fanfare.await_process("ingester", before)
    delivered = [line for line in lines if (line, "delivered") in taken]
    assert delivered, "nothing was taken"
    applied(delivered, "progress = 2", 40)
    counters_are_right()


def a_crashed_database_loses_nothing():
    lines = fresh(20)
    expect(call_all_back([(line, "sent") for line in lines]), {200: 20})
    before = fanfare.kill("postgres")
    expect(call_all_back([(line, "delivered") for line in lines]), {200: 20})
    fanfare.await_process("postgres", before)
    applied(lines, "progress = 2", 60)
    counters_are_right()


def the_page_asks_and_only_its_button_acts():
    line = fresh(1)[0]

    def look():
        for _ in range(3):
            status, page, headers = ask("GET", "/u/" + line["token"])
            expect((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
            assert "<button>" in page and "Referrer-Policy" in headers, page
        expect(ask("PUT", "/u/" + line["token"])[0], 405)
    nothing_happens(look)
    before = fanfare.number("SELECT count(*) FROM suppression")
    answers = {ask("POST", "/u/" + line["token"], body, **{"Content-Type": FORM})[:2]
               for body in ("List-Unsubscribe=One-Click", "", "whatever=1")}
    expect(len(answers), 1)
    applied([line], "flags & 16 <> 0")
    expect(fanfare.sql(f"""SELECT kind, reason FROM suppression WHERE contact_id =
        (SELECT contact_id FROM message WHERE id = {ids([line])})"""), [["1", "unsubscribed"]])
    expect(fanfare.number("SELECT count(*) FROM suppression"), before + 1)
    counters_are_right()


def a_made_up_token_sees_the_same_pages():
    line = fresh(1)[0]
    account, message, mac = line["token"].split("-")

    def guess():
        for token in (f"{account}-{int(message) + 1}-{mac}", "x", "1-2-3", "%20", ""):
            for method in ("GET", "POST"):
                expect(ask(method, "/u/" + token)[1], ask(method, "/u/nothing")[1], token)
    nothing_happens(guess)
    expect(ask("POST", "/u/nothing")[1], ask("POST", "/u/" + line["token"])[1])
    expect(ask("GET", "/u/nothing")[1], ask("GET", "/u/" + line["token"])[1])


def a_provider_s_question_is_answered_at_once():
    other = fanfare.channel("whatsapp", "meta", {
        "phone_number_id": "106540352242922", "access_token": "t", "app_secret": "s",
        "verify_token": "magic"})
    path = f"/hooks/1/{other}?hub.mode=subscribe&hub.challenge=41732&hub.verify_token="
    expect(ask("GET", path + "magic")[:2], (200, "41732"))
    expect(ask("GET", path + "wrong")[:2], (403, "Forbidden.\n"))


def new_credentials_count_at_once():
    line = fresh(1)[0]
    settings = {"account_sid": "AC" + "1" * 32, "auth_token": "first", "from": "+15005550006"}
    other = fanfare.channel("sms", "twilio", settings, name="Other")
    expect(call_back(line, "sent", secret="first", channel_id=other)[0], 200)
    fanfare.ok("PATCH", f"channels/{other}", {"settings": {"auth_token": "second"}})
    eventually(lambda: call_back(line, "sent", secret="second", channel_id=other)[0] == 200, 5)
    expect(call_back(line, "sent", secret="first", channel_id=other)[0], 403)


def what_is_too_large_or_nowhere_is_refused():
    expect(ask("POST", f"/hooks/1/{channel}", "x" * 4_000_000)[0], 413)
    expect(ask("GET", "/")[0], 404)
    expect(ask("GET", "/hooks")[0], 404)


TESTS = [repetitions_in_any_order_count_once,
         an_opt_out_that_people_took_back_does_not_come_again,
         a_failure_is_kept_with_its_code_and_delivery_still_wins,
         forged_callbacks_change_nothing_and_say_nothing,
         a_true_callback_about_a_made_up_message_changes_nothing,
         the_page_asks_and_only_its_button_acts, a_made_up_token_sees_the_same_pages,
         a_provider_s_question_is_answered_at_once, new_credentials_count_at_once,
         what_is_too_large_or_nowhere_is_refused,
         a_hanging_database_delays_receipts_and_loses_none,
         a_killed_ingester_continues_with_what_it_had_taken,
         a_killed_ingester_loses_nothing_in_the_middle_of_work,
         a_crashed_database_loses_nothing]


def fresh(wanted):
    """Messages that nothing was said about yet."""
    return [journal.pop() for _ in range(wanted)]


with System(SANDBOX_DELAY_MS=3600000) as fanfare:
    channel = fanfare.sms_channel()
    fanfare.import_csv(as_csv(people(CROWD)))
    campaign = fanfare.campaign(channel, message="Hello {first_name}")
    fanfare.launch(campaign)
    fanfare.await_status(campaign, "completed")
    journal = fanfare.journal("twilio")
    run(TESTS)
