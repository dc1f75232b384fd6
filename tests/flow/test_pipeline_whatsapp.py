"""WhatsApp, texts and approved templates, through every real process. RESOURCE_LOCK: system"""
import json

from books import (all_is_final, callbacks_are_in, rollups_agree, sent_is_what_was_accepted,
                   skips, statistics_are_a_recount)
from checks import expect, run
from people import as_csv, people, person
from system import System


def texts_are_delivered_and_read():
    crowd = people(200) + [{**person(900), "phone": ""}, {**person(901), "phone": "+4915100000007"}]
    fanfare.import_csv(as_csv(crowd), tags="crowd")
    campaign = fanfare.campaign(channel, message="{first_name} 🎉 {city}",
                                audience={"tags": ["crowd"]})
    fanfare.launch(campaign)
    fanfare.await_status(campaign, "completed")
    stats = all_is_final(fanfare, campaign)
    expect((stats["total"], stats["sent"]), (202, 200))
    expect(skips(fanfare, campaign), {"no_address": 1, "duplicate": 1})
    sent_is_what_was_accepted(fanfare, campaign, fanfare.journal("meta"))
    expect({m["address"]: m["content"] for m in fanfare.messages(campaign, status="sent")},
           {p["phone"]: f"{p['first_name']} 🎉 {p['city']}" for p in crowd[:200]})
    callbacks_are_in(fanfare)
    stats = statistics_are_a_recount(fanfare, campaign)
    assert stats["delivered"] >= 160 and 50 <= stats["read"] < stats["delivered"], stats
    assert stats["undelivered"] > 0, stats
    rollups_agree(fanfare, campaign, ("sent", "delivered", "undelivered", "read"))
    for message in fanfare.messages(campaign, status="sent"):
        if message["progress"] == "read":
            assert message["read_at"] >= message["sent_at"], message


def templates_carry_their_variables():
    rows = people(30, first=300)
    fanfare.import_csv(as_csv(rows), tags="greeted")
    before = len(fanfare.journal("meta"))
    campaign = fanfare.campaign(
        channel, audience={"tags": ["greeted"]},
        template={"name": "offer", "language": "en_US", "variables": ["{first_name}", "{city}"]})
    fanfare.launch(campaign)
    fanfare.await_status(campaign, "completed")
    expect(all_is_final(fanfare, campaign)["sent"], 30)
    sent_is_what_was_accepted(fanfare, campaign, fanfare.journal("meta")[before:])
    for message in fanfare.messages(campaign):
        p = rows[message["contact_id"] - fanfare.messages(campaign)[-1]["contact_id"]]
        text = json.dumps(message["content"], ensure_ascii=False)
        assert p["first_name"].replace('"', '\\"') in text and p["city"] in text, (p, text)


def a_template_that_meta_does_not_know_fails_each_message_with_its_code():
    fanfare.import_csv(as_csv(people(2, first=400)), tags="unlucky")
    campaign = fanfare.campaign(
        channel, audience={"tags": ["unlucky"]},
        template={"name": "nowhere", "language": "en_US", "variables": ["{first_name}"]})
    fanfare.launch(campaign)
    fanfare.await_status(campaign, "failed")
    expect(all_is_final(fanfare, campaign)["failed"], 2)
    expect({m["code"] for m in fanfare.messages(campaign)}, {"132001"})


TESTS = [texts_are_delivered_and_read, templates_carry_their_variables,
         a_template_that_meta_does_not_know_fails_each_message_with_its_code]

with System(SANDBOX_DELIVER_PERCENT=90, SANDBOX_FAIL_PERCENT=5, SANDBOX_DELAY_MS=50) as fanfare:
    channel = fanfare.whatsapp_channel()
    run(TESTS)
