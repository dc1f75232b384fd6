"""kill -9 of every process while campaigns are under way: nobody is left out, nobody gets two.
RESOURCE_LOCK: system

The simulator alone is spared: it is the outside world, and its journal tells what left us.
"""
import os
import time

from books import (OPEN, STATES, callbacks_are_in, message_of, nobody_got_two, rollups_agree,
                   rows_of, statistics_are_a_recount)
from checks import eventually, expect, run
from people import as_csv, people
from system import System

CROWD, FEW = 20000, 6000
RATE, CONNECTIONS = 1200, 16
STEP = 1200  # messages between two kills


def asked():
    """How many requests have reached the provider."""
    with open(os.path.join(fanfare.home, "sandbox.journal"), "rb") as file:
        return sum(part.count(b"\n") for part in iter(lambda: file.read(1 << 20), b""))


def await_requests(count):
    eventually(lambda: asked() >= count, 60, f"{count} requests at the provider")


def kill_in_the_middle(name, looks):
    """Kill a process once looks() sees it in the middle of its work."""
    eventually(looks, 30, f"{name} is at work")
    before = fanfare.kill(name)
    assert looks(), f"{name} was through before it was killed"
    fanfare.await_process(name, before)


def launch(**audience):
    return fanfare.ok("POST", f"campaigns/{new_campaign(**audience)}/send")["campaign_id"]


def new_campaign(tag):
    return fanfare.campaign(channel, message="Hello {first_name}", audience={"tags": [tag]})


def everybody_was_served(campaign, crowd, since, sender_kills):
    """At the end: everyone has a fate, nobody got two, and the three books agree."""
    fanfare.await_status(campaign, "completed", seconds=90)
    callbacks_are_in(fanfare)
    stats = statistics_are_a_recount(fanfare, campaign)
    expect(stats["total"], crowd)
    expect(sum(stats[name] for name in STATES), crowd, "the sum of all states")
    expect({name: stats[name] for name in OPEN}, dict.fromkeys(OPEN, 0), "what is left open")
    expect(stats["sent"] + stats["unknown_final"], crowd, "whoever could have got it")
    rollups_agree(fanfare, campaign, ("delivered", "undelivered"))
    accepted = fanfare.journal("twilio")[since:]
    nobody_got_two(accepted)
    sent = {int(row[0]) for row in rows_of(fanfare, campaign, "m.id, m.state") if row[1] == "3"}
    expect(sent, {message_of(line) for line in accepted}, "sent, and accepted")
    unknown = int(rows_of(fanfare, campaign, "count(*) FILTER (WHERE lost_epoch > 0)")[0][0])
    assert unknown <= CONNECTIONS * sender_kills, f"{unknown} were unknown at some time"
    print(f"# {stats['sent']} sent, {stats['delivered']} delivered, {unknown} had been unknown, "
          f"{stats['unknown_final']} are")


def an_import_goes_on_where_its_process_was_killed():
    fanfare.slow_down("contact", 0.2)
    text = as_csv(people(CROWD - FEW))
    job = fanfare.upload(text, tags="crowd")["id"]

    def is_at_it():
        now = fanfare.ok("GET", f"imports/{job}")
        return 0 < now["blocks_done"] < now["blocks"] and now["status"] == "running"
    kill_in_the_middle("audience", is_at_it)
    fanfare.speed_up("contact")
    eventually(lambda: fanfare.ok("GET", f"imports/{job}")["status"] == "completed", 60,
               "the import is completed")
    done = fanfare.ok("GET", f"imports/{job}")
    expect((done["rows"], done["created"], done["rejected"]), (CROWD - FEW, CROWD - FEW, 0))
    expect(fanfare.number("SELECT count(DISTINCT external_id) FROM contact"), CROWD - FEW)
    fanfare.import_csv(as_csv(people(FEW, first=CROWD - FEW)), tags="crowd,few")


def a_run_survives_the_death_of_each_process():
    fanfare.slow_down("chunk", 0.1)
    campaign = new_campaign("crowd")
    run_id = fanfare.launch(campaign)["run_id"]
    kill_in_the_middle("audience", lambda: fanfare.number(
        f"SELECT count(*) FROM run WHERE id = {run_id} AND cursor > 0 AND NOT resolved"))
    fanfare.speed_up("chunk")
    at = asked()
    for name in ("broker-1", "renderer", "sender-sms", "scheduler", "broker-2", "ingester",
                 "postgres", "analytics", "imager", "sender-sms", "gateway", "audience",
                 "postgres"):
        at += STEP
        await_requests(at)
        fanfare.kill(name)
    everybody_was_served(campaign, CROWD, 0, sender_kills=2)
    restarts = {name: process["restarts"] for name, process in fanfare.fleet().items()}
    spared = {name for name, count in restarts.items() if count == 0}
    assert spared <= {"prepare", "sender-whatsapp", "sender-email", "sender-api"}, restarts


def children_end_with_their_supervisor_and_the_next_one_goes_on():
    since = len(fanfare.journal("twilio"))
    campaign = launch(tag="few")
    await_requests(asked() + FEW // 3)
    fanfare.kill_supervisor()
    began = time.monotonic()
    eventually(lambda: not fanfare.processes(), 5, "all children have ended")
    print(f"# the last child ended after {time.monotonic() - began:.1f} s")
    assert len(fanfare.journal("twilio")) - since < FEW, "it was over before"
    fanfare.start()
    everybody_was_served(campaign, FEW, since, sender_kills=1)


def after_the_death_of_everything_at_once_the_next_start_goes_on():
    since = len(fanfare.journal("twilio"))
    campaign = launch(tag="few")
    await_requests(asked() + FEW // 3)
    fanfare.kill_all()
    eventually(lambda: not fanfare.processes(), 5, "everything has ended")
    fanfare.start()
    everybody_was_served(campaign, FEW, since, sender_kills=1)


TESTS = [an_import_goes_on_where_its_process_was_killed, a_run_survives_the_death_of_each_process,
         children_end_with_their_supervisor_and_the_next_one_goes_on,
         after_the_death_of_everything_at_once_the_next_start_goes_on]

with System(outside=True, SANDBOX_DELAY_MS=200, SCHEDULER_UNKNOWN_WAIT_MS=5000) as fanfare:
    channel = fanfare.sms_channel(rate=RATE, connections=CONNECTIONS)
    run(TESTS)
