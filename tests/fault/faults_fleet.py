"""Many die at once, one after the other, or with the power."""
import glob
import os
import signal


from checks import expect
from faults import fault


BOOT = slice(8, 48)  # of a journal: the kernel under which it was written
PAGE = 4096


def lose_power(journal, random):
    """Another kernel finds it, and half of its pages never came to the disk."""
    with open(journal, "r+b") as file:
        file.seek(BOOT.start)
        file.write(b"another-boot".ljust(BOOT.stop - BOOT.start, b"\0"))
        for page in range(1, os.path.getsize(journal) // PAGE):
            if random.random() < 0.5:
                file.seek(page * PAGE)
                file.write(bytes(PAGE))


@fault("F22", "a power cut, after which journals prove little, loses and doubles nobody",
       fresh=True)
def power_cut(site):
    """The journals' pages may be of any age: what they lack proves nothing after another boot."""
    with site.load() as load:
        for _ in range(2):
            load.more()
            load.await_requests(0.4)
            site.kill_all()
            for journal in glob.glob(os.path.join(site.home, "state/**/*.journal"), recursive=True):
                lose_power(journal, site.random)
            site.start_again()
            load.kills += 1
            load.lost_hosts += 1
    assert load.unknown, "nothing was in flight"


@fault("F24", "a rolling restart of every process under load leaves nothing unknown", fresh=True)
def rolling_restart(site):
    with site.load() as load:
        for name in sorted(site.fleet()):
            if name in ("prepare", "postgres"):
                continue
            if load.left() < 2:
                load.more()
            pid = site.pids()[name]
            os.kill(pid, signal.SIGTERM)
            site.deaths[name] += 1
            site.await_process(name, pid)
    expect(load.unknown, 0, "unknown")
