"""./dev fault: runs faults, one line each, and ends with a tally.

What failed says how to do it again, and leaves its home with the database, the journals and the
logs in build/test/fault.
"""
import argparse
import os
import random
import shutil
import subprocess
import sys
import time
import traceback

import faults
import random_kills
from fault_points import sites
from sites import CROWD, Site
from system import BUILD, SOURCE

KEPT = 3  # homes of failed runs
QUICK_CROWD = 300


def options():
    parser = argparse.ArgumentParser(prog="./dev fault", description=__doc__)
    parser.add_argument("names", nargs="*", help="F01 …; none: all")
    parser.add_argument("--list", action="store_true", help="the faults there are")
    parser.add_argument("--sites", action="store_true", help="the places where processes may die")
    parser.add_argument("--quick", action="store_true", help="only those of the quick tier")
    parser.add_argument("--random", type=int, metavar="N", help="N kills at random instead")
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn")
    parser.add_argument("--people", type=int, default=0, help="recipients of each campaign")
    parser.add_argument("--long", action="store_true", help="what lasts a minute lasts ten")
    parser.add_argument("--keep", action="store_true", help="keep what was left, also when it held")
    return parser.parse_args()


def commit():
    done = subprocess.run(["git", "-C", SOURCE, "describe", "--always", "--dirty"],
                          capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


class Runner:
    """Runs faults one after the other, in one system as long as they agree about it."""

    def __init__(self, asked):
        self.asked, self.site, self.settings = asked, None, None
        self.seed = asked.seed or random.SystemRandom().randrange(1, 1 << 31)
        self.passed = self.failed = self.skipped = 0

    def run(self, fault):
        began = time.monotonic()
        missing = fault.missing()
        if missing:
            self.skipped += 1
            print(f"skipped - {fault.number} {fault.sentence} (needs {', '.join(missing)})")
            return
        try:
            self.attempt(fault)
            verdict = "ok"
            self.passed += 1
        except Exception:  # also of a fault's own mistakes
            traceback.print_exc(file=sys.stdout)
            verdict = "not ok"
            self.failed += 1
            self.explain(fault.number)
            self.leave(fault.number)
        if verdict == "ok" and fault.fresh:
            self.leave(fault.number if self.asked.keep else None)
        print(f"{verdict} - {fault.number} {fault.sentence} ({time.monotonic() - began:.1f} s)",
              flush=True)

    def attempt(self, fault):
        if self.site and (fault.fresh or fault.settings != self.settings):
            self.leave()
        if not self.site:
            self.settings = fault.settings
            crowd = self.asked.people or (QUICK_CROWD if self.asked.quick else CROWD)
            self.site = Site(crowd=crowd, **fault.settings)
            self.site.start()
        self.site.long = self.asked.long
        self.site.random = random.Random(f"{self.seed} {fault.number}")
        fault.test(self.site)
        left = [rule for id, rule in self.site.faults.rules.items()
                if not self.site.faults.fired(id)]
        assert not left, f"the fault did not happen: {left}"
        self.site.faults.disarm()

    def explain(self, name):
        words = [f"--random {self.asked.random}" if self.asked.random else name,
                 f"--seed {self.seed}"]
        words += [f"--people {self.site.crowd}"] if self.site else []
        print(f"# again: ./dev fault {' '.join(words)}   (commit {commit()})")

    def leave(self, keep_as=None):
        """End the system; keep its home under a name."""
        site, self.site = self.site, None
        if not site:
            return
        if keep_as:
            site.stop()
            print(f"# kept: {keep(site.home, keep_as)}", flush=True)
        site.__exit__(False)


def keep(home, name):
    """Move a home to where the last few are kept."""
    folder = os.path.join(BUILD, "fault")
    os.makedirs(folder, exist_ok=True)
    kept = sorted((os.path.join(folder, old) for old in os.listdir(folder)), key=os.path.getmtime)
    for old in kept[:len(kept) - KEPT + 1]:
        shutil.rmtree(old, ignore_errors=True)
    place = os.path.join(folder, f"{name}-{time.strftime('%Y%m%d-%H%M%S')}")
    shutil.move(home, place)
    return place


def chosen(asked, known):
    if asked.random:
        return [random_kills.as_fault(asked.random)]
    names = {fault.number for fault in known}
    strange = [name for name in asked.names if name not in names]
    if strange:
        sys.exit(f"there is no fault {', '.join(strange)}; see ./dev fault --list")
    return [fault for fault in known
            if (not asked.names or fault.number in asked.names)
            and (not asked.quick or fault.tier == faults.QUICK)]


def main():
    asked, known = options(), faults.load_all()
    if asked.list:
        for fault in known:
            print(f"{fault.number}  {fault.tier:5}  {fault.sentence}")
        return
    if asked.sites:
        print(*sites(SOURCE), sep="\n")
        return
    runner = Runner(asked)
    try:
        # Those that can share a system stand together; a fresh one would end it for the others.
        for fault in sorted(chosen(asked, known),
                            key=lambda one: (one.fresh, str(one.settings), one.number)):
            runner.run(fault)
    finally:
        runner.leave("kept" if asked.keep else None)
    skipped = f", {runner.skipped} skipped" if runner.skipped else ""
    print(f"{runner.passed} passed, {runner.failed} failed{skipped}")
    sys.exit(1 if runner.failed else 0)


main()
