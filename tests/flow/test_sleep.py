"""A sender that sleeps past its lease, as a virtual machine that was stopped: what it held is taken
back, and when it wakes up nobody gets a second message and nobody is left out.
RESOURCE_LOCK: system
"""
import os
import signal
import time

from books import (OPEN, STATES, callbacks_are_in, message_of, nobody_got_two, rows_of,
                   statistics_are_a_recount)
from checks import eventually, expect, run
from people import as_csv, people
from system import System

CROWD, RATE, CONNECTIONS, LEASE_S = 3000, 500, 16, 2


def a_sender_that_sleeps_past_its_lease_wakes_up_to_no_harm():
    fanfare.import_csv(as_csv(people(CROWD)), tags="crowd")
    campaign = fanfare.campaign(channel, message="Hello {first_name}",
                                audience={"tags": ["crowd"]})
    fanfare.launch(campaign)
    for naps in range(1, 4):
        eventually(lambda: fanfare.stats(campaign)["sent"] > naps * CROWD / 6, 60, "it is sending")
        sleeper = fanfare.pids()["sender-sms"]
        os.kill(sleeper, signal.SIGSTOP)
        eventually(lambda: fanfare.number(
            "SELECT count(*) FROM chunk WHERE state = 2 AND account_id = 1") == 0, 20,
            "all its chunks are taken back")
        time.sleep(0.5)
        os.kill(sleeper, signal.SIGCONT)
    fanfare.await_status(campaign, "completed", seconds=90)
    expect(fanfare.pids()["sender-sms"], sleeper, "the sender lives on")
    assert any("chunk.taken_back" in str(line) for line in fanfare.log("scheduler")), "nothing was"
    callbacks_are_in(fanfare)
    stats = statistics_are_a_recount(fanfare, campaign)
    expect(sum(stats[name] for name in STATES), CROWD, "the sum of all states")
    expect({name: stats[name] for name in OPEN}, dict.fromkeys(OPEN, 0), "what is left open")
    accepted = fanfare.journal("twilio")
    nobody_got_two(accepted)
    sent = {int(row[0]) for row in rows_of(fanfare, campaign, "m.id, m.state") if row[1] == "3"}
    expect(sent, {message_of(line) for line in accepted}, "sent, and accepted")
    # What it had not started it knew; what it was just handing over may have been lost on the way.
    expect(stats["sent"] + stats["unknown_final"], CROWD, "everybody")
    assert stats["unknown_final"] <= 3 * CONNECTIONS, stats


with System(outside=True, SANDBOX_DELAY_MS=100, SENDER_LEASE_MS=LEASE_S * 1000,
            SENDER_SEND_TTL_MS=1000, SCHEDULER_UNKNOWN_WAIT_MS=30000) as fanfare:
    channel = fanfare.sms_channel(rate=RATE, connections=CONNECTIONS)
    run([a_sender_that_sleeps_past_its_lease_wakes_up_to_no_harm])
