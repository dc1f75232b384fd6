"""Campaigns with variants, through every real process. RESOURCE_LOCK: system

The provider is the simulator; what each contact got, and what the statistics say of each variant,
must be the same story.
"""
import collections

from books import all_is_final, statistics_are_a_recount
from checks import expect, run
from people import as_csv, people, person
from system import System

VARIANTS = [{"message": "Hello {first_name}"},
            {"name": "Short", "weight": 3, "message": "Hi", "languages": {"de": {"message": "Ho"}}}]


def texts(campaign):
    return {m["contact_id"]: (m["variant"], m["content"]) for m in fanfare.messages(campaign)
            if m["status"] == "sent"}


def each_contact_gets_one_variant_and_the_statistics_agree():
    channel = fanfare.sms_channel(name="Variants", rate=500)
    crowd = people(400)
    rows = [{**p, "language": "de-DE" if n % 2 else ""} for n, p in enumerate(crowd)]
    twins = [{**person(1000 + n), "phone": crowd[n]["phone"]} for n in range(3)]
    refused = [{**person(1200 + n), "phone": f"+1500555000{n}"} for n in (1, 2, 4)]
    fanfare.import_csv(as_csv(rows + twins + refused, "language"), tags="list")
    campaign = fanfare.campaign(channel, variants=VARIANTS, audience={"tags": ["list"]})
    check = fanfare.ok("POST", f"campaigns/{campaign}/check")
    fanfare.launch(campaign)
    done = fanfare.await_status(campaign, "completed")
    stats = all_is_final(fanfare, campaign)
    expect((stats["total"], stats["sent"], stats["failed"], stats["skipped"]), (406, 400, 3, 3))

    sent = texts(campaign)
    expect(len(sent), 400)
    for variant, text in sent.values():
        assert text in ("Hi", "Ho") if variant == 2 else text.startswith("Hello "), (variant, text)
    counts = collections.Counter(variant for variant, _ in sent.values())
    assert 60 <= counts[1] <= 140, counts
    failed = collections.Counter(m["variant"] for m in fanfare.messages(campaign, status="failed"))
    by_name = {v["name"]: v["stats"] for v in done["variant_stats"]}
    for number, name in ((1, "A"), (2, "Short")):
        expect((by_name[name]["sent"], by_name[name]["failed"], by_name[name]["total"]),
               (counts[number], failed[number], counts[number] + failed[number]), name)
    expect({v["name"]: v["count"] for v in check["variants"]},
           {name: s["total"] for name, s in by_name.items()})
    expect(sum(text == "Ho" for _, text in sent.values()) > 100, True)
    for message in fanfare.messages(campaign, status="skipped"):
        assert "variant" not in message, message
    statistics_are_a_recount(fanfare, campaign)
    a_preview_is_what_was_sent(campaign, sent)


def a_preview_is_what_was_sent(campaign, sent):
    for contact, (variant, text) in list(sent.items())[:20]:
        seen = fanfare.ok("POST", f"campaigns/{campaign}/preview", {"contact_id": contact})
        expect((seen["variant"], seen["parts"]["message"]), (variant, text))


def what_is_dead_is_tried_again_as_the_same_variant():
    channel = fanfare.sms_channel(name="Again")
    rows = [person(2000 + n) for n in range(9)] + [{**person(2009), "phone": "+4915177770500"}]
    fanfare.import_csv(as_csv(rows), tags="again")
    campaign = fanfare.campaign(channel, variants=VARIANTS, audience={"tags": ["again"]},
                                delivery_policy="at_least_once", unknown_wait_seconds=1)
    fanfare.launch(campaign)
    done = fanfare.await_status(campaign, "completed", "failed")
    totals = [v["stats"]["total"] for v in done["variant_stats"]]
    expect(sum(totals), 10)
    broken = fanfare.messages(campaign, status="unknown_final")
    expect([m["attempts"] for m in broken], [3])
    expect(done["variant_stats"][broken[0]["variant"] - 1]["stats"]["unknown_final"], 1)
    expect([sum(m["variant"] == number for m in fanfare.messages(campaign)) for number in (1, 2)],
           totals)
    statistics_are_a_recount(fanfare, campaign)


def a_campaign_without_variants_says_nothing_of_them():
    channel = fanfare.sms_channel(name="Plain")
    fanfare.import_csv(as_csv([person(3000)]), tags="plain")
    campaign = fanfare.campaign(channel, message="Hi", audience={"tags": ["plain"]})
    fanfare.launch(campaign)
    done = fanfare.await_status(campaign, "completed")
    assert "variants" not in done and "variant_stats" not in done, done
    assert "variant" not in fanfare.messages(campaign)[0]
    expect(fanfare.number("SELECT count(*) FROM chunk WHERE variant IS NOT NULL AND run_id = "
                          f"(SELECT id FROM run WHERE campaign_id = {campaign})"), 0)


TESTS = [each_contact_gets_one_variant_and_the_statistics_agree,
         what_is_dead_is_tried_again_as_the_same_variant,
         a_campaign_without_variants_says_nothing_of_them]

with System(SANDBOX_FAULT_PATTERNS="true", SENDER_REQUEST_MS=2000) as fanfare:
    run(TESTS)
