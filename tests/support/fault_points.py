"""Faults inside our processes: they die, stop, wait or fail where FAN_FAULT names a moment.

proto/fault.h tells what a plan may ask for. The plan is a page that the processes map, so that a
fault can be asked for, and taken back, while they run. Only test builds have such moments.
"""
import mmap
import os
import re
import struct

PAGE = 4096
SITE = re.compile(r'FAN_FAULTY?\("([a-z0-9_.]+)"\)')


def sites(source):
    """All moments that the source names."""
    found = set()
    for folder in ("proto", "sql", "broker", "actors", "gateway"):
        for where, _, names in os.walk(os.path.join(source, folder)):
            for name in names:
                if name.endswith(".c"):
                    with open(os.path.join(where, name), encoding="utf-8") as file:
                        found.update(SITE.findall(file.read()))
    return sorted(found)


class FaultPoints:
    def __init__(self, folder, mode=0o777):
        os.makedirs(folder)
        os.chmod(folder, mode)  # everybody who is started leaves marks here
        self.folder, self.rules, self.seed, self.count, self.version = folder, {}, None, 0, 0
        path = os.path.join(folder, "plan")
        with open(path, "wb") as file:
            file.write(bytes(PAGE))
        os.chmod(path, 0o644)
        with open(path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), PAGE)

    def _publish(self):
        words = [f"{id}:{rule}" for id, rule in self.rules.items()]
        words = ([f"seed={self.seed}"] if self.seed else []) + words
        text = ",".join(words).encode()
        assert len(text) < PAGE - 4, "too many faults at once"
        self.page[:4] = struct.pack("=I", self.version + 1)
        self.page[4:] = text.ljust(PAGE - 4, b"\0")
        self.version += 2
        self.page[:4] = struct.pack("=I", self.version)

    def arm(self, site, nth=1, action="kill", ms=0, times=1, process=""):
        """Ask for a fault; returns what fired and disarm want to know."""
        self.count += 1
        fault = f"f{self.count}"
        where = f"{site}@{process}" if process else site
        self.rules[fault] = f"{where}:{nth}:{action}:{ms}:{times}"
        self._publish()
        return fault

    def disarm(self, fault=None):
        """Take back one fault, or all."""
        if fault:
            self.rules.pop(fault, None)
        else:
            self.rules.clear()
        self._publish()

    def fired(self, fault):
        """Where it happened so far: (site, process, number of the process)."""
        found, n = [], 1
        while True:
            try:
                with open(os.path.join(self.folder, f"{fault}.{n}"), encoding="utf-8") as file:
                    words = file.read().split()
            except FileNotFoundError:
                return found
            if len(words) < 3:
                return found  # just being written
            found.append((words[0], words[1], int(words[2])))
            n += 1
