"""A copy of a whole installation that is started beside the original sends nothing until a person
confirms it. RESOURCE_LOCK: system

Both know the same provider, whose journal tells who asked for what; their messages have the same
tokens, so that whatever the copy sends is a second request for somebody.
"""
import os
import shutil
import subprocess

from books import (all_is_final, callbacks_are_in, message_of, nobody_got_two,
                   statistics_are_a_recount)
from checks import eventually, expect, run
from people import as_csv, people
from system import System, runs_as

CROWD, RATE, CONNECTIONS = 1500, 300, 16


def copy_of(original):
    """Another installation whose home is a copy of that one's, as `cp -a` makes it."""
    clone = System(outside=True, SCHEDULER_UNKNOWN_WAIT_MS=2000)
    shutil.rmtree(clone.home)
    subprocess.run(["cp", "-a", original.home, clone.home], check=True, **runs_as())
    return clone


def fanfare_control(system, word):
    done = subprocess.run([os.path.join(system.bin, "fanfare"), "control", word, "--home",
                           system.home], capture_output=True, text=True, cwd="/", env=system.env,
                          **runs_as())
    expect(done.returncode, 0, done.stderr)
    return done.stdout


def a_copy_sends_nothing_until_it_is_confirmed():
    campaign = fanfare.campaign(channel, message="Hello {first_name}",
                                audience={"tags": ["crowd"]})
    fanfare.launch(campaign)
    eventually(lambda: fanfare.stats(campaign)["sent"] > CROWD / 4, 60, "it is sending")
    fanfare.kill_all()
    clone = copy_of(fanfare)
    try:
        fanfare.start()
        clone.start()
        is_held(clone, campaign)
        fanfare.await_status(campaign, "completed", seconds=90)
        expect(fanfare.ok("GET", "control")["sending"], "enabled")
        callbacks_are_in(fanfare)
        stats = all_is_final(fanfare, campaign)
        expect(stats["sent"] + stats["unknown_final"], CROWD)
        nobody_got_two(fanfare.journal("twilio"))  # so the clone, which is still there, sent none
        goes_on_when_it_is_confirmed(clone, campaign)
    except BaseException:
        clone.print_logs()
        raise
    finally:
        clone.__exit__(False)


def is_held(clone, campaign):
    held = eventually(lambda: [c for c in [clone.ok("GET", "control")] if c["hold_reason"]], 20,
                      "the clone is held")[0]
    expect(held["sending"], "held")
    assert "files were copied" in held["hold_reason"], held
    expect(clone.ok("GET", f"campaigns/{campaign}")["hold_reason"], held["hold_reason"])
    another = clone.campaign(channel, message="Hello", audience={"tags": ["crowd"]})
    clone.is_problem(clone.post(f"/api/v1/campaigns/{another}/send"), 409)
    assert "fanfare control confirm" in fanfare_control(clone, "show")


def goes_on_when_it_is_confirmed(clone, campaign):
    since = len(fanfare.journal("twilio"))
    before = statistics_are_a_recount(clone, campaign)
    assert before["pending"] > CROWD / 4, before
    assert "sending is enabled" in fanfare_control(clone, "confirm")
    clone.await_status(campaign, "completed", seconds=90)
    sent = [message_of(line) for line in fanfare.journal("twilio")[since:]]
    assert len(sent) >= before["pending"], "it sent what it still had to send"
    expect(clone.number("SELECT count(*) FROM ctl WHERE confirmed"), 0, "the scheduler heard of it")
    before = clone.kill("scheduler")
    clone.await_process("scheduler", before)
    expect(clone.ok("GET", "control")["sending"], "enabled", "it is known from now on")


with System(outside=True, SANDBOX_DELAY_MS=100, SCHEDULER_UNKNOWN_WAIT_MS=2000) as fanfare:
    channel = fanfare.sms_channel(rate=RATE, connections=CONNECTIONS)
    fanfare.import_csv(as_csv(people(CROWD)), tags="crowd")
    run([a_copy_sends_nothing_until_it_is_confirmed])
