"""A process runs out of what the system gives it: file descriptors, memory."""
import contextlib
import glob
import mmap
import os
import re
import struct
import subprocess
import time

from checks import eventually
from faults import fault
from system import BUILD, SOURCE, runs_as

ACTORS = ("broker-1", "scheduler", "audience", "renderer", "sender-sms", "analytics", "ingester",
          "gateway")


def allow_descriptors(pid, soft):
    """By the user that it runs as: nobody else may, not even root in a container."""
    subprocess.run(["prlimit", "--pid", str(pid), f"--nofile={soft}:"], check=True, **runs_as())


@contextlib.contextmanager
def starved(site, name):
    """While the block lasts, it gets no descriptor, whatever it closes."""
    pid = site.pids()[name]
    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
        before = next(line.split()[3] for line in file if line.startswith("Max open files"))
    allow_descriptors(pid, 8)
    try:
        with open(f"/proc/{pid}/limits", encoding="ascii") as file:
            assert re.search(r"Max open files +8 ", file.read()), "it has no limit"
        yield
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            allow_descriptors(pid, before)


@fault("F67", "a process without a descriptor left sheds what it cannot do, and lives")
def descriptors_end(site):
    """A broker, and so every process's connections to it, begins anew meanwhile."""
    for name in ACTORS:
        with site.load(foreign=False, tags=("few",)) as load:
            with starved(site, name):
                with contextlib.suppress(AssertionError, OSError):
                    load.more()
                load.kill("broker-2")
                time.sleep(2)
            load.more()


class Memory:
    """One allocation of one process fails: tests/fault/memory.c, loaded into all of them."""

    def __init__(self, site):
        self.folder, self.version = site.faults.folder, 0
        library = os.path.join(os.path.abspath(BUILD), "memory.so")
        subprocess.run(["cc", "-std=gnu17", "-shared", "-fPIC", "-O1", "-o", library,
                        os.path.join(SOURCE, "tests/fault/memory.c")], check=True)
        path = os.path.join(self.folder, "memory")
        with open(path, "wb") as file:
            file.write(bytes(mmap.PAGESIZE))
        with open(path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        # What the libraries leave behind when they are told that there is no memory is theirs.
        site.stop_processes()
        site.env.update(LD_PRELOAD=library,
                        ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=0")
        site.start_again()

    def fail(self, process, nth):
        """Let its nth allocation from now on fail; returns what has_failed wants to know."""
        self.page[4:64] = struct.pack("=I56s", nth, process.encode())
        self.version += 1
        self.page[:4] = struct.pack("=I", self.version)
        return self.version

    def has_failed(self, version):
        return os.path.exists(os.path.join(self.folder, f"memory.{version}"))


def own_crashes(site):
    """Crashes whose innermost frame outside of the sanitizer is ours: not a library's surrender."""
    found = []
    for path in glob.glob(os.path.join(site.home, "log/*.log")):
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        for trace in re.findall(r"ERROR: AddressSanitizer: .*?\n\n", text, re.S):
            frames = re.findall(r"#\d+ 0x\S+ +(?:in \S+ )?(\S+)", trace)
            inner = [place for place in frames if "sanitizer" not in place]
            if inner and re.search(r"/(actors|broker|gateway|proto|sql)/", inner[0]):
                found.append(trace[:400])
        found += re.findall(r".*runtime error:.*", text)
    return found


@fault("F68", "a process whose memory ends at any allocation dies cleanly, if at all, and recovers",
       fresh=True)
def memory_ends(site):
    memory, happened, deaths = Memory(site), 0, 0
    site.may_crash = True  # libraries give up in their own ways
    with site.load() as load:
        for name in ACTORS:
            for nth in (1, 5, 30, 150, 700):
                if load.left() == 0:
                    load.more()
                before = site.pids()[name]
                version = memory.fail(name, nth + site.random.randrange(nth))
                with contextlib.suppress(AssertionError):
                    eventually(lambda: memory.has_failed(version), 5)
                happened += memory.has_failed(version)
                time.sleep(0.3)  # to die, and to be noticed
                eventually(lambda: site.fleet()[name]["state"] == "ready", 30, f"{name} is back")
                died = site.pids()[name] != before
                deaths += died
                load.kills += died and name.startswith("sender")
    print(f"# {happened} allocations failed, {deaths} processes died of it")
    assert happened >= 25, f"only {happened} allocations failed"
    assert not own_crashes(site), own_crashes(site)[0]
