"""The list of faults: what a file faults_<idea>.py adds to with @fault.

    @fault("F02", "a sender killed between opening a slice and starting it", tier=QUICK)
    def killed_when_opened(site):
        with site.load() as load:
            load.strike("sender.opened", nth=3)
        expect(load.unknown, 0)

A site is a running system with people, channels and two accounts; its load is campaigns under way.
At the end of the block everything must come to rest and every invariant is checked.
"""
import glob
import importlib
import os
import shutil
from dataclasses import dataclass, field

QUICK, FULL = "quick", "full"
FAULTS = {}

# What a fault may need, and how to find out whether it is there.
NEEDS = {
    "root": lambda: os.geteuid() == 0,
    "netns": lambda: os.geteuid() == 0 and shutil.which("ip"),
    "iptables": lambda: os.geteuid() == 0 and shutil.which("iptables"),
    "ss": lambda: os.geteuid() == 0 and shutil.which("ss"),
    "tmpfs": lambda: os.geteuid() == 0,
    "mounts": lambda: os.geteuid() == 0 and shutil.which("unshare") and shutil.which("setpriv"),
    "strace": lambda: shutil.which("strace"),
}


@dataclass
class Fault:
    number: str
    sentence: str
    test: object
    tier: str = FULL
    needs: tuple = ()
    fresh: bool = False  # a system of its own, before and after
    settings: dict = field(default_factory=dict)  # of the system; those with the same may share one

    def missing(self):
        return [need for need in self.needs if not NEEDS[need]()]


def fault(number, sentence, **more):
    def add(test):
        assert number not in FAULTS, f"{number} is there twice"
        FAULTS[number] = Fault(number, sentence, test, **more)
        return test
    return add


def load_all():
    """Every fault there is, by number."""
    for path in sorted(glob.glob(os.path.join(os.path.dirname(__file__), "faults_*.py"))):
        importlib.import_module(os.path.basename(path)[:-3])
    return [FAULTS[number] for number in sorted(FAULTS)]
