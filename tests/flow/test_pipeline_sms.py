"""SMS, from a list in a file to receipts, through every real process. RESOURCE_LOCK: system

The provider is the simulator; its journal, the rows and the statistics must tell the same story.
"""
import datetime

from books import (all_is_final, callbacks_are_in, rollups_agree, sent_is_what_was_accepted,
                   skips, statistics_are_a_recount)
from checks import eventually, expect, run
from people import as_csv, people, person
from system import Stream, System

TEXT = "Hello {first_name} {last_name}, {preferred_product} is back in {city}."


def written_for(p):
    return (f"Hello {p['first_name']} {p['last_name']}, {p['preferred_product']} "
            f"is back in {p['city']}.")


def a_list_becomes_delivered_messages():
    channel = fanfare.sms_channel(name="Main", rate=200)
    crowd = people(400)
    twins = [{**person(1000 + n), "phone": crowd[n]["phone"]} for n in range(7)]
    without = [{**person(1100 + n), "phone": ""} for n in range(5)]
    refused = [{**person(1200 + n), "phone": f"+1500555000{n}"} for n in (1, 2, 4)]
    bad = [{**person(1300), "external_id": "", "phone": "12345", "email": "nobody"}]
    rows = crowd + twins + without + refused + bad
    done = fanfare.import_csv(as_csv(rows), tags="list")
    expect((done["rows"], done["created"], done["rejected"]), (len(rows), len(rows) - 1, 1))
    fanfare.sql("""INSERT INTO suppression (account_id, contact_id, kind, reason)
        SELECT 1, id, CASE external_id WHEN 'C-11' THEN 0 ELSE 1 END, 'asked' FROM contact
        WHERE external_id IN ('C-11', 'C-12')""")
    campaign = fanfare.campaign(channel, message=TEXT, audience={"tags": ["list"]})
    check = fanfare.ok("POST", f"campaigns/{campaign}/check")
    expect((check["audience"], check["exact"], check["sendable"]), (len(rows) - 1, True, 401))
    expect({r["reason"]: r["count"] for r in check["not_sendable"]},
           {"duplicate": 7, "no_address": 5, "suppressed": 2})
    stream = Stream(fanfare)
    launched = fanfare.launch(campaign)
    expect((launched["messages_queued"], launched["status"]), (len(rows) - 1, "preparing"))
    follow(stream, campaign, len(rows) - 1)
    fanfare.await_status(campaign, "completed")

    stats = all_is_final(fanfare, campaign)
    expect((stats["total"], stats["sent"], stats["failed"], stats["skipped"]),
           (len(rows) - 1, 398, 3, 14))
    expect(skips(fanfare, campaign), {"duplicate": 7, "no_address": 5, "suppressed": 2})
    sent_is_what_was_accepted(fanfare, campaign, fanfare.journal("twilio"))
    texts = {m["address"]: m["content"] for m in fanfare.messages(campaign, status="sent")}
    expect(texts, {p["phone"]: written_for(p) for p in crowd
                   if p["external_id"] not in ("C-11", "C-12")})
    failed = {m["address"]: m["code"] for m in fanfare.messages(campaign, status="failed")}
    expect(failed, {"+15005550001": "21211", "+15005550002": "21612", "+15005550004": "21610"})
    receipts_have_come(campaign)


def follow(stream, campaign, total):
    """Read the stream until the campaign ends; see that it was told of on its way."""
    seen, settled, rates = [], 0, []
    while "completed" not in seen:
        news = stream.next("campaign.progress")
        if news["campaign_id"] != campaign:
            continue
        stats = news["stats"]
        now = stats["sent"] + stats["failed"] + stats["skipped"]
        assert settled <= now <= stats["total"], news
        settled = now
        seen.append(news["status"])
        rates.append(news["rate_per_second"])
    stream.close()
    expect(settled, total)
    assert len(seen) >= 4 and "running" in seen and max(rates) > 0, (seen, rates)


def receipts_have_come(campaign):
    callbacks_are_in(fanfare)
    stats = statistics_are_a_recount(fanfare, campaign)
    assert stats["delivered"] >= 0.8 * stats["sent"], stats
    assert 0 < stats["undelivered"] <= 0.15 * stats["sent"], stats
    assert stats["read"] == 0, stats
    rollups_agree(fanfare, campaign, ("sent", "failed", "skipped", "delivered", "undelivered"))
    for message in fanfare.messages(campaign, status="sent"):
        if message["progress"] == "delivered":
            assert message["delivered_at"] >= message["sent_at"], message
        if message["progress"] == "undelivered":
            assert message["code"], message


def a_launch_may_name_its_people():
    channel = fanfare.sms_channel(name="Named")
    fanfare.import_csv(as_csv(people(5, first=2000)), tags="named")
    ids = [c["id"] for c in fanfare.ok("GET", "contacts?tag=named")["data"]]
    campaign = fanfare.campaign(channel, message="To {first_name}")
    wanted = [ids[3], ids[1], ids[3]]
    expect(fanfare.launch(campaign, contact_ids=wanted)["messages_queued"], 2)
    fanfare.await_status(campaign, "completed")
    expect(all_is_final(fanfare, campaign)["sent"], 2)
    expect({m["contact_id"] for m in fanfare.messages(campaign)}, set(wanted))


def a_scheduled_campaign_starts_by_itself():
    channel = fanfare.sms_channel(name="Later")
    fanfare.import_csv(as_csv(people(3, first=2100)), tags="later")
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
    campaign = fanfare.campaign(channel, message="Now", audience={"tags": ["later"]},
                                scheduled_at=at.isoformat())
    expect(fanfare.ok("GET", f"campaigns/{campaign}")["status"], "scheduled")
    expect(fanfare.ok("GET", f"campaigns/{campaign}/runs")["data"], [])
    done = fanfare.await_status(campaign, "completed", seconds=15)
    assert done["started_at"] >= at.strftime("%Y-%m-%dT%H:%M:%S"), done
    expect(all_is_final(fanfare, campaign)["sent"], 3)
    fanfare.is_problem(fanfare.post(f"/api/v1/campaigns/{campaign}/send"), 409)


def a_campaign_that_nobody_receives_has_failed():
    channel = fanfare.sms_channel(name="Landlines")
    numbers = [{**person(2200), "phone": "+15005550009"}, {**person(2201), "phone": ""}]
    fanfare.import_csv(as_csv(numbers), tags="landlines")
    campaign = fanfare.campaign(channel, message="Hi", audience={"tags": ["landlines"]})
    fanfare.launch(campaign)
    fanfare.await_status(campaign, "failed")
    stats = all_is_final(fanfare, campaign)
    expect((stats["failed"], stats["skipped"]), (1, 1))


def what_cannot_be_sent_is_refused_with_its_reason():
    channel = fanfare.sms_channel(name="Refused")
    base = {"name": "x", "channel_id": channel}
    reply = fanfare.post("/api/v1/campaigns", {**base, "message": "Hi {frist_name}"})
    fanfare.is_problem(reply, 400, "message")
    assert "first_name" in reply.text, reply.text
    fanfare.is_problem(fanfare.post("/api/v1/campaigns", base), 400, "message")
    fanfare.is_problem(fanfare.post("/api/v1/campaigns/999999/send"), 404)
    fanfare.is_problem(fanfare.get("/api/v1/campaigns/999999"), 404)
    campaign = fanfare.campaign(channel, message="Hi")
    path = f"/api/v1/campaigns/{campaign}/send"
    fanfare.is_problem(fanfare.post(path, {"contact_ids": []}), 400, "contact_ids")
    fanfare.is_problem(fanfare.post(path, {"contact_ids": [999999]}), 404)
    fanfare.is_problem(fanfare.post(path, {"contacts": [1]}), 400, "contacts")
    expect(fanfare.ok("GET", f"campaigns/{campaign}")["status"], "draft")
    fanfare.launch(campaign, contact_ids=[1])
    again = fanfare.post(path)
    fanfare.is_problem(again, 409)
    assert again.json["run_id"], again.text
    fanfare.await_status(campaign, "completed")
    fanfare.is_problem(fanfare.call("PATCH", f"/api/v1/campaigns/{campaign}", {"name": "y"}), 409)


def each_contact_is_written_to_in_his_language():
    """By a template, of a scheduled campaign, so that the scheduler takes its content."""
    channel = fanfare.sms_channel(name="Languages")
    tongues = {"de": "Hallo", "de-AT": "Hallo", "pt_BR": "Oi", "pt": "Hello", "": "Hello"}
    rows = [{**person(2350 + n), "language": tongue} for n, tongue in enumerate(tongues)]
    fanfare.import_csv(as_csv(rows, "language"), tags="tongues")
    template = fanfare.ok("POST", "templates", {
        "name": "Languages", "kind": "sms", "content": {
            "message": "Hello {city}", "language": "en", "languages": {
                "de": {"message": "Hallo {city}"}, "pt-BR": {"message": "Oi {city}"}}}})
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1)
    campaign = fanfare.campaign(channel, template_id=template["id"],
                                audience={"tags": ["tongues"]}, scheduled_at=when.isoformat())
    fanfare.await_status(campaign, "completed")
    expect({m["address"]: m["content"] for m in fanfare.messages(campaign)},
           {p["phone"]: f"{tongues[p['language']]} {p['city']}" for p in rows})
    expect(fanfare.ok("GET", f"campaigns/{campaign}/runs")["data"][0]["template_version"], 1)


def throttling_errors_and_silence_have_their_ends():
    """The last digits of the number tell the simulator what to do. What it broke over or took
    without an answer may have gone out: it is asked for once, and settled by a callback or not."""
    channel = fanfare.sms_channel(name="Faulty")
    fates = {"+4915199990429": ("sent", 2), "+4915199990500": ("unknown_final", 1),
             "+4915199990999": ("sent", 1), "+4915199991000": ("sent", 1)}
    rows = [{**person(2300 + n), "phone": phone} for n, phone in enumerate(fates)]
    fanfare.import_csv(as_csv(rows), tags="faulty")
    campaign = fanfare.campaign(channel, message="Hi", audience={"tags": ["faulty"]},
                                unknown_wait_seconds=3)
    fanfare.launch(campaign)
    fanfare.await_status(campaign, "completed")
    all_is_final(fanfare, campaign)
    asked = [line["to"] for line in fanfare.journal("twilio", None)]
    expect({m["address"]: (m["status"], asked.count(m["address"]))
            for m in fanfare.messages(campaign)}, fates)


def at_least_once_tries_three_times_and_no_more():
    channel = fanfare.sms_channel(name="Insistent")
    broken, silent = "+4915188880500", "+4915188880999"
    rows = [{**person(2400 + n), "phone": phone} for n, phone in enumerate((broken, silent))]
    fanfare.import_csv(as_csv(rows), tags="insist")
    campaign = fanfare.campaign(channel, message="Hi", audience={"tags": ["insist"]},
                                delivery_policy="at_least_once", unknown_wait_seconds=1)
    fanfare.launch(campaign)
    fanfare.await_status(campaign, "completed")
    all_is_final(fanfare, campaign)
    asked = [line["to"] for line in fanfare.journal("twilio", None)]
    states = {m["address"]: m["status"] for m in fanfare.messages(campaign)}
    expect((states[broken], asked.count(broken)), ("unknown_final", 3))
    expect((states[silent], asked.count(silent)), ("sent", 1))


TESTS = [a_list_becomes_delivered_messages, a_launch_may_name_its_people,
         a_scheduled_campaign_starts_by_itself, a_campaign_that_nobody_receives_has_failed,
         what_cannot_be_sent_is_refused_with_its_reason,
         each_contact_is_written_to_in_his_language,
         throttling_errors_and_silence_have_their_ends,
         at_least_once_tries_three_times_and_no_more]

with System(SANDBOX_DELIVER_PERCENT=90, SANDBOX_FAIL_PERCENT=5, SANDBOX_DELAY_MS=50,
            SANDBOX_FAULT_PATTERNS="true", SENDER_REQUEST_MS=2000) as fanfare:
    run(TESTS)
