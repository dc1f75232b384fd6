"""What a stretch of time cost: CPU by group of processes, their memory, and what others took."""
import os
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count()
NOISY = 0.08  # of the machine, used by processes that are none of ours
MB = 1024


def stat_of(pid):
    """The parent, and the seconds of CPU of a process and of its children that ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1]), sum(map(int, fields[11:15])) / TICK


def pss_of(pid):
    """Megabytes; a page that several share is divided among them."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) / MB
    except (OSError, StopIteration):
        return 0.0


def busy_seconds():
    """CPU that the whole machine has used: user, nice, system, interrupts; not steal."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = list(map(int, file.readline().split()[1:9]))
    return (sum(fields) - fields[3] - fields[4] - fields[7]) / TICK


def own_cpu():
    """Of this process and of its children that ended: load generators, psql."""
    return sum(os.times()[:4])


def snapshot():
    """Of every process: its parent and its CPU."""
    found = {int(name): stat_of(name) for name in os.listdir("/proc") if name.isdigit()}
    return {pid: stat for pid, stat in found.items() if stat}


def trees(roots, processes, names):
    """Each group's processes: its root and all below, down to roots of other groups."""
    owner = {pid: name for name, pid in roots.items()}
    groups = {name: [] for name in names}
    for pid in processes:
        at = pid
        while at not in owner and at in processes:
            at = processes[at][0]
        if at in owner:
            groups[owner[at]].append(pid)
    return groups


class Window:
    """`with Window(roots, ours) as window:` measures what happens inside.

    roots  the first process of each group, by the group's name
    ours   names of the groups whose memory is added up"""

    def __init__(self, roots, ours=()):
        self.roots, self.ours = roots, ours
        self.peak = self.seconds = self.busy = 0.0
        self.cpu = {}
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def _cpu(self):
        processes = snapshot()
        groups = trees(self.roots, processes, self.roots)
        return {name: sum(processes[pid][1] for pid in pids) for name, pids in groups.items()}

    def _watch(self):
        pids = [self.roots[name] for name in self.ours]
        while pids:
            self.peak = max(self.peak, sum(map(pss_of, pids)))
            if self._ended.wait(0.25):
                return

    def __enter__(self):
        self._watcher.start()
        self.own = own_cpu()
        self._before, self.busy, self.began = self._cpu(), busy_seconds(), time.monotonic()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self.began
        self.busy = busy_seconds() - self.busy
        after = self._cpu()
        self.own = own_cpu() - self.own
        self._ended.set()
        self._watcher.join()
        self.cpu = {name: after[name] - self._before[name] for name in after}

    @property
    def other(self):
        """The part of the machine that foreign processes used."""
        foreign = self.busy - sum(self.cpu.values()) - self.own
        return max(0.0, foreign) / (CORES * self.seconds)

    def per_thousand(self, count):
        """Milliseconds of CPU for 1,000 messages, by group."""
        return {name: seconds / count * 1e6 for name, seconds in self.cpu.items()}
