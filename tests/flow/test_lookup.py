"""What became of messages whose answers were lost: their provider is asked. RESOURCE_LOCK: system

Callbacks come too late to settle anything here.
"""
from books import all_is_final, nobody_got_two, statistics_are_a_recount
from checks import eventually, expect, run
from people import as_csv, people, person
from system import System

TAKEN, BROKEN = 12, 3


def with_ending(number, ending):
    return {**person(number), "phone": f"+4915{number:06d}{ending}"}


def those_that_were_taken_are_found_and_the_others_wait_for_the_policy():
    crowd = people(100) + [with_ending(1000 + n, "0999") for n in range(TAKEN)]
    crowd += [with_ending(2000 + n, "0500") for n in range(BROKEN)]
    fanfare.import_csv(as_csv(crowd), tags="all")
    campaign = fanfare.campaign(channel, message="Hello {first_name}", audience={"tags": ["all"]},
                                unknown_wait_seconds=20)
    fanfare.launch(campaign)

    def found():
        stats = fanfare.stats(campaign)
        return stats["sent"] == 100 + TAKEN and stats
    stats = eventually(found, 60, "what was taken is known to be")
    expect(stats["unknown"] + stats["unknown_final"], BROKEN)
    fanfare.await_status(campaign, "completed", seconds=60)
    stats = all_is_final(fanfare, campaign)
    expect((stats["sent"], stats["unknown_final"]), (100 + TAKEN, BROKEN))
    accepted = fanfare.journal("twilio")
    expect(len(accepted), 100 + TAKEN)
    nobody_got_two(accepted)
    ids = {line["id"] for line in accepted}
    known = {row[0] for row in fanfare.sql("SELECT provider_id FROM message WHERE state = 3")}
    expect(known, ids, "the provider's ids")


def one_text_sent_twice_to_a_person_is_not_taken_for_the_other():
    """Both are silent: each could be either, so neither is settled by the list."""
    fanfare.import_csv(as_csv([with_ending(3000, "0999")]), tags="twice")
    both = [fanfare.campaign(channel, message="The same", audience={"tags": ["twice"]},
                             unknown_wait_seconds=8) for _ in range(2)]
    for campaign in both:
        fanfare.launch(campaign)
    for campaign in both:
        fanfare.await_status(campaign, "completed", "failed", seconds=60)
        expect(statistics_are_a_recount(fanfare, campaign)["unknown_final"], 1)


with System(SANDBOX_FAULT_PATTERNS="true", SANDBOX_DELAY_MS=60000,
            SCHEDULER_LOOK_UP_AFTER_MS=500) as fanfare:
    channel = fanfare.sms_channel(rate=200)
    run([those_that_were_taken_are_found_and_the_others_wait_for_the_policy,
         one_text_sent_twice_to_a_person_is_not_taken_for_the_other])
