"""Campaigns that are paused, resumed and cancelled while they run, and sending stopped altogether.
RESOURCE_LOCK: system

The simulator's journal says when each request came, by the clock of this machine, as PostgreSQL
does when a pause was committed.
"""
import datetime
import os
import signal
import subprocess
import urllib.parse

from books import (OPEN, STATES, all_is_final, callbacks_are_in, message_of, nobody_got_two,
                   rollups_agree, rows_of, sent_is_what_was_accepted, statistics_are_a_recount)
from checks import eventually, expect, run
from people import as_csv, people, person
from system import System, runs_as

CROWD, RATE, CONNECTIONS = 1500, 300, 16
BITES = datetime.timedelta(seconds=2)


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def lines_since(count):
    return fanfare.journal("twilio", None)[count:]


def launched(channel, **more):
    campaign = fanfare.campaign(channel, message="Hello {first_name}",
                                audience={"tags": ["crowd"]}, **more)
    fanfare.launch(campaign)
    return campaign


def await_sent(campaign, count):
    eventually(lambda: fanfare.stats(campaign)["sent"] >= count, 60, f"{count} are sent")


def control(campaign, word):
    return fanfare.ok("POST", f"campaigns/{campaign}/{word}")


def nothing_is_held():
    return fanfare.number("SELECT count(*) FROM chunk WHERE state = 2") == 0


def nothing_came_after(moment, since):
    """No request reached the provider more than two seconds after that moment."""
    late = [line for line in lines_since(since) if when(line["at"]) > moment + BITES]
    expect(late[:3], [], f"{len(late)} requests came late")


def everybody_got_one(campaign, since):
    callbacks_are_in(fanfare)
    stats = all_is_final(fanfare, campaign)
    expect((stats["total"], stats["sent"]), (CROWD, CROWD))
    sent_is_what_was_accepted(fanfare, campaign, fanfare.journal("twilio")[since:])


# ---- pause ----

def a_pause_bites_and_a_resumed_campaign_ends_complete():
    since = len(fanfare.journal("twilio"))
    campaign = launched(channel)
    for step in range(1, 4):
        await_sent(campaign, step * CROWD // 5)
        paused = control(campaign, "pause")
        expect(paused["status"], "paused")
        eventually(nothing_is_held, 20, "the senders gave everything back")
        before = fanfare.stats(campaign)
        expect(before["sending"], 0)
        assert before["pending"] > 0, before
        # Who hears nothing of it would open more within a slice's time.
        came = len(lines_since(since))
        eventually(lambda: datetime.datetime.now(datetime.timezone.utc)
                   > when(paused["paused_at"]) + 2 * BITES, 10)
        expect(len(lines_since(since)), came, "requests while it is paused")
        nothing_came_after(when(paused["paused_at"]), since)
        statistics_are_a_recount(fanfare, campaign)
        expect(control(campaign, "resume")["paused_at"], None)
    fanfare.await_status(campaign, "completed")
    everybody_got_one(campaign, since)


def a_pause_is_kept_whoever_dies_meanwhile():
    since = len(fanfare.journal("twilio"))
    campaign = launched(channel)
    await_sent(campaign, CROWD // 5)
    sleeper = fanfare.pids()["sender-sms"]
    os.kill(sleeper, signal.SIGSTOP)  # it hears nothing of the pause
    paused = control(campaign, "pause")
    for name in ("scheduler", "renderer", "broker-1", "sender-sms", "postgres"):
        before = fanfare.kill(name)
        fanfare.await_process(name, before)
    eventually(nothing_is_held, 60, "what the dead sender held is taken back")
    nothing_came_after(when(paused["paused_at"]), since)
    stats = statistics_are_a_recount(fanfare, campaign)
    expect(sum(stats[name] for name in STATES), CROWD, "the sum of all states")
    expect(fanfare.await_status(campaign, "paused")["status"], "paused")
    control(campaign, "resume")
    fanfare.await_status(campaign, "completed", seconds=90)
    callbacks_are_in(fanfare)
    stats = all_is_final(fanfare, campaign)
    expect(stats["sent"] + stats["unknown_final"], CROWD)
    nobody_got_two(fanfare.journal("twilio")[since:])


def one_is_paused_while_its_audience_is_being_written():
    fanfare.slow_down("chunk", 0.3)
    campaign = launched(channel)
    eventually(lambda: fanfare.number(
        f"SELECT count(*) FROM run WHERE campaign_id = {campaign} AND cursor > 0"), 20)
    since = len(fanfare.journal("twilio"))
    expect(control(campaign, "pause")["status"], "paused")
    fanfare.speed_up("chunk")
    assert fanfare.number(f"SELECT count(*) FROM run WHERE campaign_id = {campaign}"
                          " AND NOT resolved"), "its audience was complete before"
    expect(control(campaign, "resume")["status"], "preparing")
    fanfare.await_status(campaign, "completed")
    stats = all_is_final(fanfare, campaign)
    expect((stats["total"], stats["sent"]), (CROWD, CROWD))
    assert since < len(fanfare.journal("twilio"))


def a_scheduled_one_that_is_paused_waits_beyond_its_time():
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
    campaign = fanfare.campaign(channel, message="Now", audience={"tags": ["crowd"]},
                                scheduled_at=at.isoformat())
    expect(control(campaign, "pause")["status"], "paused")
    later = fanfare.campaign(channel, message="Later", audience={"tags": ["few"]},
                             scheduled_at=(at + datetime.timedelta(seconds=1)).isoformat())
    fanfare.await_status(later, "completed")
    expect(fanfare.ok("GET", f"campaigns/{campaign}/runs")["data"], [])
    expect(control(campaign, "resume")["status"], "scheduled")
    fanfare.await_status(campaign, "running")
    expect(control(campaign, "cancel")["status"], "cancelled")


# ---- starting late ----

def soon(seconds):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (now + datetime.timedelta(seconds=seconds)).isoformat()


def what_could_not_start_in_time_waits_for_a_person():
    def scheduled(**more):
        return fanfare.campaign(channel, message="Now", audience={"tags": ["few"]},
                                scheduled_at=soon(1), **more)
    late = scheduled(late_start_grace_seconds=1)
    over = scheduled(end_date=soon(2))
    patient = scheduled()  # may be late by an hour
    moved = scheduled(late_start_grace_seconds=1)
    scheduler = fanfare.pids()["scheduler"]
    os.kill(scheduler, signal.SIGSTOP)
    eventually(lambda: fanfare.number("SELECT count(*) FROM campaign WHERE scheduled_at"
                                      " < now() - interval '3 seconds' AND state = 1") == 4, 20)
    os.kill(scheduler, signal.SIGCONT)
    fanfare.await_status(patient, "completed")

    def why(campaign):
        now = fanfare.ok("GET", f"campaigns/{campaign}")
        expect(now["status"], "scheduled")
        return now["hold_reason"]
    eventually(lambda: all(map(why, (late, over, moved))), 10, "the late ones are held")
    assert why(late).startswith("missed: it was to start at 2"), why(late)
    assert "end_date" in why(over), why(over)
    for campaign in (late, over, moved):
        expect(fanfare.ok("GET", f"campaigns/{campaign}/runs")["data"], [])
    fanfare.launch(late)  # somebody wants it all the same
    expect(fanfare.await_status(late, "completed")["hold_reason"], None)
    changed = fanfare.ok("PATCH", f"campaigns/{moved}", {"scheduled_at": soon(1)})
    expect((changed["status"], changed["hold_reason"]), ("scheduled", None))
    fanfare.await_status(moved, "completed")
    expect(control(over, "cancel")["hold_reason"], None)


# ---- the kill switch ----

def fanfare_control(*words):
    done = subprocess.run([os.path.join(fanfare.bin, "fanfare"), "control", *words, "--home",
                           fanfare.home], capture_output=True, text=True, cwd="/",
                          env=fanfare.env, **runs_as())
    expect(done.returncode, 0, done.stderr)
    return done.stdout


def all_sending_is_stopped_through_the_api_or_without_it():
    since = len(fanfare.journal("twilio"))
    campaign = launched(channel)

    def through_the_api():
        return fanfare.ok("PUT", "control", {"send_enabled": False, "reason": "A wrong list"})

    def without_it():
        gateway = fanfare.pids()["gateway"]
        os.kill(gateway, signal.SIGSTOP)
        try:
            text = fanfare_control("stop", "--reason", "A wrong list")
        finally:
            os.kill(gateway, signal.SIGCONT)
        assert "stopped by fanfare control: A wrong list" in text, text
        return fanfare.ok("GET", "control")
    for step, stop in enumerate((through_the_api, without_it), 1):
        await_sent(campaign, step * CROWD // 4)
        stopped = stop()
        expect((stopped["sending"], stopped["reason"]), ("stopped", "A wrong list"))
        eventually(nothing_is_held, 20, "the senders gave everything back")
        came = len(lines_since(since))
        assert came < CROWD, "it was over before"
        eventually(lambda: datetime.datetime.now(datetime.timezone.utc)
                   > when(stopped["changed_at"]) + 2 * BITES, 10)
        expect(len(lines_since(since)), came, "requests while sending is stopped")
        nothing_came_after(when(stopped["changed_at"]), since)
        now = fanfare.ok("GET", f"campaigns/{campaign}")
        expect((now["status"], now["hold_reason"]),
               ("running", "sending is stopped: A wrong list"))
        assert "sending is enabled" in fanfare_control("resume")
    fanfare.await_status(campaign, "completed")
    everybody_got_one(campaign, since)


# ---- cancel ----

def await_swept(campaign):
    """Wait until the cancelled run has ended; returns the run."""
    return eventually(lambda: [r for r in fanfare.ok("GET", f"campaigns/{campaign}/runs")["data"]
                               if r["ended_at"]], 60, "the run has ended")[0]


def a_cancelled_campaign_sends_no_more_and_its_books_agree():
    since = len(fanfare.journal("twilio"))
    campaign = launched(channel)
    await_sent(campaign, CROWD // 4)
    cancelled = control(campaign, "cancel")
    expect(cancelled["status"], "cancelled")
    expect(sum(cancelled["stats"][name] for name in ("sending", *STATES)), CROWD, "at once")
    expect(await_swept(campaign)["status"], "cancelled")
    callbacks_are_in(fanfare)
    stats = all_is_final(fanfare, campaign)
    assert stats["cancelled"] > CROWD // 4, stats
    expect(stats["sent"] + stats["cancelled"] + stats["unknown_final"], CROWD)
    nothing_came_after(when(cancelled["ended_at"]), since)
    accepted = fanfare.journal("twilio")[since:]
    nobody_got_two(accepted)
    sent = {int(row[0]) for row in rows_of(fanfare, campaign, "m.id, m.state") if row[1] == "3"}
    expect(sent, {message_of(line) for line in accepted}, "sent, and accepted")
    reasons = {message["reason"] for message in fanfare.messages(campaign, status="cancelled")}
    expect(reasons, {"cancelled"})
    rollups_agree(fanfare, campaign, ("sent", "cancelled"))
    totals = fanfare.ok("GET", "stats")["messages"]
    expect((totals["pending"], totals["retry"]), (0, 0), "what the account still has to send")


def one_is_cancelled_before_and_while_its_audience_is_written():
    fanfare.slow_down("chunk", 0.3)
    campaign = launched(channel)
    eventually(lambda: fanfare.number(
        f"SELECT count(*) FROM run WHERE campaign_id = {campaign} AND cursor > 0"), 20)
    control(campaign, "cancel")
    fanfare.speed_up("chunk")
    await_swept(campaign)
    stats = all_is_final(fanfare, campaign)
    assert 0 < stats["cancelled"] <= stats["total"] < CROWD, stats
    expect({name: stats[name] for name in OPEN}, dict.fromkeys(OPEN, 0))


# ---- urgent ones ----

def an_urgent_campaign_overtakes_a_large_one_on_the_same_channel():
    slow = fanfare.sms_channel(name="Slow", rate=100, connections=CONNECTIONS)
    since = len(fanfare.journal("twilio"))
    large = launched(slow)
    await_sent(large, 100)
    urgent = fanfare.campaign(slow, message="At once", audience={"tags": ["few"]}, lane="urgent")
    expect(fanfare.ok("GET", f"campaigns/{urgent}")["lane"], "urgent")
    fanfare.launch(urgent)
    fanfare.await_status(urgent, "completed")
    fanfare.await_status(large, "completed")
    theirs = {int(row[0]) for row in rows_of(fanfare, urgent, "m.id")}
    order = [message_of(line) in theirs for line in fanfare.journal("twilio")[since:]]
    expect((len(order), sum(order)), (CROWD + 3, 3))
    behind = len(order) - 1 - max(n for n, is_urgent in enumerate(order) if is_urgent)
    # All chunks of the large one were on their way; in line with them it would have been last.
    assert behind > CROWD // 3, f"only {behind} came behind the urgent ones"


# ---- dead letters ----

def dead_letters(**query):
    found, after = [], {}
    while True:
        words = urllib.parse.urlencode({"limit": 2, **query, **after})
        part = fanfare.ok("GET", f"dead-letters?{words}")
        found += part["data"]
        if part["next"] is None:
            return found
        after = {"after": part["next"]}


def dead_letters_are_told_with_their_reason_and_tried_again():
    refused = {f"+1500555000{n}": str(code) for n, code in ((1, 21211), (2, 21612), (4, 21610))}
    rows = [{**person(60000 + n), "phone": phone} for n, phone in enumerate(refused)]
    fanfare.import_csv(as_csv(rows + [person(60100)]), tags="doubtful")
    campaign = fanfare.campaign(channel, message="Hi", audience={"tags": ["doubtful"]})
    fanfare.launch(campaign)
    ended = fanfare.await_status(campaign, "completed")
    expect(ended["stats"]["failed"], 3)
    letters = dead_letters(campaign_id=campaign)
    expect({m["address"]: (m["code"], m["reason"], m["status"]) for m in letters},
           {phone: (code, "provider", "failed") for phone, code in refused.items()})
    assert all(m["campaign_id"] == campaign and m["failed_at"] > ended["started_at"]
               for m in letters), letters
    expect([m["code"] for m in dead_letters(campaign_id=campaign, code="21612")], ["21612"])
    expect(dead_letters(campaign_id=campaign, reason="tries_used_up"), [])
    expect(dead_letters(campaign_id=campaign, since="2100-01-01T00:00:00Z"), [])

    # One of them works by now.
    mended = next(m["id"] for m in letters if m["code"] == "21211")
    fanfare.sql(f"UPDATE message SET address = '+4915199999999' WHERE id = {mended}")
    since = len(fanfare.journal("twilio", None))
    done = fanfare.ok("POST", "dead-letters/requeue",
                      {"ids": [m["id"] for m in letters if m["code"] != "21610"]})
    expect(done, {"requeued": 2, "next": None})
    again = fanfare.await_status(campaign, "completed")
    eventually(lambda: fanfare.stats(campaign)["sent"] == 2, 20)
    again = fanfare.await_status(campaign, "completed")
    assert again["ended_at"] > ended["ended_at"], again
    expect(sorted(line["to"] for line in lines_since(since)),
           sorted(["+4915199999999", "+15005550002"]))
    callbacks_are_in(fanfare)
    expect(all_is_final(fanfare, campaign)["failed"], 2)
    body = {"campaign_id": campaign, "code": "21612"}
    expect(fanfare.ok("POST", "dead-letters/requeue", body)["requeued"], 1)
    eventually(lambda: len(lines_since(since)) == 3, 20, "it is tried once more")
    fanfare.await_status(campaign, "completed")
    requeue_is_refused()


def requeue_is_refused():
    def requeue(body):
        return fanfare.post("/api/v1/dead-letters/requeue", body)
    fanfare.is_problem(requeue({}), 400, "ids")
    fanfare.is_problem(requeue({"ids": []}), 400, "ids")
    fanfare.is_problem(requeue({"ids": [1], "campaign_id": 1}), 400, "campaign_id")
    fanfare.is_problem(requeue({"campaign_id": 1, "reason": "bad luck"}), 400, "reason")
    fanfare.is_problem(requeue({"campaign_id": 99999}), 404)
    cancelled = fanfare.ok("GET", "campaigns?status=cancelled")["data"]
    if cancelled:
        fanfare.is_problem(requeue({"campaign_id": cancelled[0]["id"]}), 409)
    fanfare.is_problem(fanfare.get("/api/v1/dead-letters?class=bad&since=today"), 400, "class",
                       "since")


TESTS = [a_pause_bites_and_a_resumed_campaign_ends_complete,
         a_pause_is_kept_whoever_dies_meanwhile,
         one_is_paused_while_its_audience_is_being_written,
         a_scheduled_one_that_is_paused_waits_beyond_its_time,
         what_could_not_start_in_time_waits_for_a_person,
         all_sending_is_stopped_through_the_api_or_without_it,
         a_cancelled_campaign_sends_no_more_and_its_books_agree,
         one_is_cancelled_before_and_while_its_audience_is_written,
         an_urgent_campaign_overtakes_a_large_one_on_the_same_channel,
         dead_letters_are_told_with_their_reason_and_tried_again]

with System(outside=True, SANDBOX_DELAY_MS=200, SENDER_LEASE_MS=4000,
            AUDIENCE_PAGE=150, SCHEDULER_UNKNOWN_WAIT_MS=5000) as fanfare:
    channel = fanfare.sms_channel(rate=RATE, connections=CONNECTIONS)
    fanfare.import_csv(as_csv(people(3, first=50000)), tags="few")
    fanfare.import_csv(as_csv(people(CROWD)), tags="crowd")
    run(TESTS)
