"""The whole of Fanfare as it is measured: `fanfare up`, release build, every commit on the disk."""
import os
import time
from contextlib import contextmanager
from datetime import datetime

from measure import Window
from system import System

# PostgreSQL's, for Fanfare and for its peers; what is not named is the default: fsync and
# synchronous_commit are on.
POSTGRES = """
max_connections = 200
shared_buffers = 1GB
max_wal_size = 8GB
checkpoint_timeout = 30min
autovacuum_naptime = 1min
"""
NOT_OURS = ("postgres", "sandbox", "stub")
SENT = 3
MESSAGE = "Hi {first_name}, {preferred_product} is on sale in {location}!"
PLACES = ("Nairobi", "Lagos", "Accra", "Kampala", "Kigali")
THINGS = ("Running Shoes", "Rice & Beans", "Phone 50%", "Tea", "Blue Shirt")


@contextmanager
def fanfare(build=os.environ["FAN_BUILD"], **settings):
    with System(build=build, postgres=POSTGRES, **settings) as system:
        yield system


def contacts(first, count):
    """As CSV: the people of the peers' schema."""
    rows = ["external_id,first_name,last_name,mobile,email,location,preferred_product"]
    rows += [f"B{i},First{i},Last{i},+49151{10000000 + i},user{i}@example.com,"
             f"{PLACES[i % 5]},{THINGS[i % 5]}" for i in range(first, first + count)]
    return "\n".join(rows) + "\n"


def fill(system, count, others=True):
    """Import those who are to be written to, and as many others; returns rows a second."""
    seconds, tags = 0.0, ["sale", "other"] if others else ["sale"]
    for i, tag in enumerate(tags):
        text = contacts(i * count, count)
        began = time.monotonic()
        system.import_csv(text, seconds=900, tags=tag, filename=f"{tag}.csv")
        seconds += time.monotonic() - began
    return len(tags) * count / seconds


def sms_channel(system, url, connections):
    return system.channel("sms", "twilio", {
        "account_sid": "AC" + 32 * "0", "auth_token": 32 * "0", "from": "+15550000000",
        "base_url": url}, rate=0, connections=connections)


def roots(system, **more):
    """The first process of each group."""
    found = {name: pid for name, pid in system.pids().items() if pid}
    return {**found, "fanfare": system.supervisor.pid, **more}


def ours(names):
    return [name for name in names if name not in NOT_OURS]


def window(system, **more):
    groups = roots(system, **more)
    return Window(groups, ours(groups))


def instant(text):
    """Seconds since the epoch, of the API's times."""
    return datetime.fromisoformat(text).timestamp()


def launch(system, campaign, seconds=900):
    """Send a campaign; returns the seconds from the call to the row that says `completed`."""
    began = time.time()
    system.launch(campaign)
    # Looked at as seldom as a page would: the row says when it ended.
    done = system.await_status(campaign, "completed", "failed", seconds=seconds, pause=0.5)
    return instant(done["ended_at"]) - began


def books(system, campaign):
    """Messages, those sent, their different provider ids and people, as the rows say."""
    return tuple(map(int, system.sql(f"""SELECT count(*), count(*) FILTER (WHERE m.state = {SENT}),
        count(DISTINCT m.provider_id), count(DISTINCT m.contact_id)
        FROM run r JOIN chunk k ON k.account_id = r.account_id AND k.run_id = r.id
        JOIN message m ON m.account_id = k.account_id AND m.id >> 9 = k.id
        WHERE r.account_id = 1 AND r.campaign_id = {campaign}""")[0]))
