"""The blast: an SMS for each recipient, through every process, over real HTTP, durably committed.

Prints, for each number of recipients, how fast they were imported and sent, what CPU each process
took for a thousand messages, and how much memory all of ours had at their peak. The provider is the
simulator on the same machine; its share is shown and not counted as ours.
"""
import os
import sys
import threading
import time

from system import System

SIZES = (20_000, 100_000)
POSTGRES = "shared_buffers = 512MB\nmax_wal_size = 4GB\n"  # durable, as `fanfare up` has it
MESSAGE = "Hi {first_name}, {preferred_product} is on sale in {city}!"
TICK = os.sysconf("SC_CLK_TCK")
NOT_OURS = ("postgres", "sandbox")


def cpu_of(pid):
    """Seconds of CPU that a process has taken."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK
    except OSError:
        return 0.0


def pss_of(pid):
    """Megabytes, shared pages divided among those who share them."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024
    except (OSError, StopIteration):
        return 0.0


def children_of(pid):
    """PostgreSQL's own processes."""
    found = [pid]
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        if parent == pid:
            found.append(int(entry))
    return found


def cpu_by_process(system):
    pids = {name: [pid] for name, pid in system.pids().items() if pid}
    pids["postgres"] = children_of(pids["postgres"][0])
    return {name: sum(map(cpu_of, group)) for name, group in pids.items()}


class Memory(threading.Thread):
    """Watches the peak of all our processes together."""

    def __init__(self, system):
        super().__init__(daemon=True)
        self.system, self.peak, self.ended = system, 0.0, threading.Event()

    def run(self):
        while not self.ended.wait(0.5):
            ours = [pid for name, pid in self.system.pids().items() if pid and name not in NOT_OURS]
            self.peak = max(self.peak, sum(map(pss_of, ours + [self.system.supervisor.pid])))


def contacts(count):
    rows = ["external_id,first_name,mobile,city,preferred_product"]
    for i in range(count):
        rows.append(f"B{i},First{i},+49151{10000000 + i},City{i % 50},Shoes")
    return "\n".join(rows) + "\n"


def blast(count):
    with System(postgres=POSTGRES, SANDBOX_DELIVER_PERCENT=0) as system:
        began = time.monotonic()
        system.import_csv(contacts(count), seconds=600, tags="blast", filename="blast.csv")
        imported = count / (time.monotonic() - began)
        channel = system.sms_channel(rate=0, connections=64)
        campaign = system.campaign(channel, message=MESSAGE, audience={"tags": ["blast"]})
        memory = Memory(system)
        memory.start()
        before, began = cpu_by_process(system), time.monotonic()
        system.launch(campaign)
        system.await_status(campaign, "completed", seconds=600)
        took, after = time.monotonic() - began, cpu_by_process(system)
        memory.ended.set()
        sent = system.stats(campaign)["sent"]
        report(count, sent, imported, took, memory.peak,
               {name: after[name] - before.get(name, 0) for name in after})


def report(count, sent, imported, took, peak, cpu):
    ours = sum(seconds for name, seconds in cpu.items() if name != "sandbox")
    print(f"\n{count} recipients: {sent} sent in {took:.2f} s, {sent / took:.0f} a second; "
          f"imported at {imported:.0f} rows a second")
    print(f"memory of our processes at the peak, PSS: {peak:.0f} MB")
    print(f"CPU for 1,000 messages, ours and PostgreSQL's: {ours / count * 1e6:.1f} ms")
    for name, seconds in sorted(cpu.items(), key=lambda item: -item[1]):
        if seconds:
            print(f"  {name:<16} {seconds / count * 1e6:6.1f} ms")


if __name__ == "__main__":
    for size in map(int, sys.argv[1:] or SIZES):
        blast(size)
