"""E-mail through every real process, to the simulated relay. RESOURCE_LOCK: system

What the mails look like is test_email_postfix's matter.
"""
import urllib.request

from books import all_is_final, sent_is_what_was_accepted, skips, statistics_are_a_recount
from checks import eventually, expect, run
from people import as_csv, people, person
from system import INGESTER, System

CONTENT = {"subject": "{first_name}, für Sie in {city}", "message": "Hello {first_name}\n{city}",
           "html": "<p>Hello {first_name}</p>"}


def a_list_becomes_accepted_mails():
    crowd = people(250)
    others = [{**person(900), "email": ""}, {**person(901), "email": "p7@Example.ORG"},
              {**person(902), "email": "nobody@example.org"}]
    fanfare.import_csv(as_csv(crowd + others), tags="crowd")
    campaign = fanfare.campaign(channel, **CONTENT, audience={"tags": ["crowd"]})
    fanfare.launch(campaign)
    fanfare.await_status(campaign, "completed")
    stats = all_is_final(fanfare, campaign)
    expect((stats["total"], stats["sent"], stats["failed"], stats["skipped"]), (253, 250, 1, 2))
    expect(skips(fanfare, campaign), {"no_address": 1, "duplicate": 1})
    sent_is_what_was_accepted(fanfare, campaign, fanfare.journal("smtp"))
    failed = fanfare.messages(campaign, status="failed")
    expect([(m["address"], m["code"]) for m in failed], [("nobody@example.org", "550 5.1.1")])
    for message in fanfare.messages(campaign, status="sent"):
        p = crowd[int(message["address"].split("@")[0][1:])]
        expect(message["content"]["subject"], f"{p['first_name']}, für Sie in {p['city']}")
        expect(message["content"]["text"], f"Hello {p['first_name']}\n{p['city']}")


def markup_in_a_name_is_text_in_html():
    rows = [{**person(950), "first_name": "<b>&\"x\"</b>"}]
    fanfare.import_csv(as_csv(rows), tags="markup")
    campaign = fanfare.campaign(channel, **CONTENT, audience={"tags": ["markup"]})
    fanfare.launch(campaign)
    fanfare.await_status(campaign, "completed")
    html = fanfare.messages(campaign)[0]["content"]["html"]
    assert "<b>" not in html and "&lt;b&gt;&amp;" in html, html


def who_unsubscribes_with_one_click_is_left_out_next_time():
    fanfare.import_csv(as_csv(people(3, first=960)), tags="leaving")
    first = fanfare.campaign(channel, **CONTENT, audience={"tags": ["leaving"]})
    fanfare.launch(first)
    fanfare.await_status(first, "completed")
    line = next(line for line in fanfare.journal("smtp") if line["to"] == "p961@example.org")
    click = urllib.request.Request(fanfare.url(INGESTER, "/u/" + line["token"]),
                                   data=b"List-Unsubscribe=One-Click")
    with urllib.request.urlopen(click, timeout=10) as answer:
        expect(answer.status, 200)
    eventually(lambda: statistics_are_a_recount(fanfare, first)["unsubscribed"] == 1, 10,
               "the opt-out is counted")
    second = fanfare.campaign(channel, **CONTENT, audience={"tags": ["leaving"]})
    fanfare.launch(second)
    fanfare.await_status(second, "completed")
    expect(all_is_final(fanfare, second)["sent"], 2)
    expect(skips(fanfare, second), {"suppressed": 1})


TESTS = [a_list_becomes_accepted_mails, markup_in_a_name_is_text_in_html,
         who_unsubscribes_with_one_click_is_left_out_next_time]

with System() as fanfare:
    channel = fanfare.email_channel()
    run(TESTS)
