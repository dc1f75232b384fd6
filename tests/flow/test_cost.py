"""What a whole system costs: nothing while there is nothing to do, little memory under load.
RESOURCE_LOCK: system

Memory is measured on the release build, in FAN_RELEASE or build/release: sanitizers multiply it.
"""
import os
import threading
import time

from books import all_is_final, callbacks_are_in, sent_is_what_was_accepted
from checks import run
from people import as_csv, people
from system import SOURCE, System

CROWD, LIMIT = 100_000, 150  # people; MB of all our processes together, without PostgreSQL's
RELEASE = os.environ.get("FAN_RELEASE", os.path.join(SOURCE, "build/release"))
IDLE_PERCENT = 15  # of one core, all processes together; with sanitizers


def ours(system):
    """Our processes by name: PostgreSQL is not ours, the simulator is the outside world."""
    pids = {name: pid for name, pid in system.pids().items() if pid}
    del pids["postgres"], pids["sandbox"]
    return {**pids, "fanfare": system.supervisor.pid}


def cpu_seconds(pids):
    total = 0
    for pid in pids.values():
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def memory(pids):
    """MB of each, a page that several share divided among them; None: one has just ended."""
    found = {}
    for name, pid in pids.items():
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                found[name] = sum(int(line.split()[1]) for line in file
                                  if line.startswith("Pss:")) / 1024
        except OSError:
            return None
    return found


def an_idle_system_rests():
    with System() as fanfare:
        time.sleep(2)
        before = cpu_seconds(ours(fanfare))
        time.sleep(4)
        percent = (cpu_seconds(ours(fanfare)) - before) / 4 * 100
        print(f"# {percent:.1f} % of a core")
        assert percent < IDLE_PERCENT, percent


class Gauge(threading.Thread):
    """Remembers the largest sum."""

    def __init__(self, system):
        super().__init__(daemon=True)
        self.pids, self.most, self.parts, self.stopping = ours(system), 0, {}, False

    def run(self):
        while not self.stopping:
            now = memory(self.pids)
            if now and sum(now.values()) > self.most:
                self.most, self.parts = sum(now.values()), now
            time.sleep(0.2)

    def stop(self):
        self.stopping = True
        self.join()


def a_hundred_thousand_fit_into_150_mb():
    with System(build=RELEASE, SANDBOX_DELAY_MS=200) as fanfare:
        channel = fanfare.sms_channel(rate=0, connections=32)
        gauge = Gauge(fanfare)
        gauge.start()
        began = time.monotonic()
        fanfare.import_csv(as_csv(people(CROWD)), seconds=120, tags="all")
        imported = time.monotonic()
        campaign = fanfare.campaign(channel, message="Hello {first_name} in {city}",
                                    audience={"tags": ["all"]})
        fanfare.launch(campaign)
        fanfare.await_status(campaign, "completed", seconds=150)
        sent = time.monotonic()
        gauge.stop()
        print(f"# {gauge.most:.0f} MB at most; imported in {imported - began:.1f} s, "
              f"sent in {sent - imported:.1f} s ({CROWD / (sent - imported):.0f} a second)")
        print("#", ", ".join(f"{name} {mb:.0f}" for name, mb in sorted(gauge.parts.items())))
        callbacks_are_in(fanfare, seconds=60)
        stats = all_is_final(fanfare, campaign)
        assert stats["sent"] == CROWD, stats
        sent_is_what_was_accepted(fanfare, campaign, fanfare.journal("twilio"))
        assert gauge.most < LIMIT, gauge.parts


TESTS = [an_idle_system_rests]
if os.access(os.path.join(RELEASE, "bin/fanfare"), os.X_OK):
    TESTS.append(a_hundred_thousand_fit_into_150_mb)
else:
    print(f"# memory is not measured: there is no release build in {RELEASE}")
run(TESTS)
