"""Those who draw pictures die, spin or take all memory."""
import contextlib
import os
import signal
import subprocess
import threading

from checks import eventually, expect
from faults import fault
from images import measure

GROWTH_MOST = 48 << 20  # of the imager's memory, with sanitizers, which keep what was freed


def preview(site, **wish):
    return site.call("POST", "/api/v1/images/preview",
                     {"festival": "diwali", "size": "banner", **wish})


def is_drawn(reply):
    expect(reply.status, 200, reply.text[:300])
    expect(measure(reply.bytes), ("image/jpeg", 1200, 400))


def fails(reply, *words):
    expect(reply.status, 503, reply.text[:300])
    assert any(word in reply.json["detail"] for word in words), reply.text


class Asked:
    """A preview that is under way: `with Asked(site) as asked:`; its answer is there afterwards."""

    def __init__(self, site):
        self.site, self.reply = site, None
        self.thread = threading.Thread(target=self._work, daemon=True)

    def _work(self):
        self.reply = preview(self.site, name="Unlucky")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.thread.join(60)
        assert self.reply or not self.thread.is_alive(), "the preview was never answered"


def children(site):
    done = subprocess.run(["pgrep", "-P", str(site.pids()["imager"])], capture_output=True,
                          text=True, check=False)
    return [int(word) for word in done.stdout.split()]


def child(site):
    (pid,) = eventually(lambda: children(site), 20, "the imager has a child")
    return pid


def busy(pid):
    """Seconds of processor time that it has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def memory(site):
    """Bytes of the imager's own, without what it shares with its child."""
    with open(f"/proc/{site.pids()['imager']}/statm", encoding="ascii") as file:
        _, resident, shared, *_ = map(int, file.read().split())
    return (resident - shared) * 4096


def killed(site):
    """While it spins, so that it is surely in the middle of a picture."""
    victim, spins = child(site), site.faults.arm("studio.child_spins", action="fail")
    with Asked(site) as asked:
        site.await_fault(spins)
        began = busy(victim)
        eventually(lambda: busy(victim) > began + 0.2, 20, "it spins")
        os.kill(victim, signal.SIGKILL)
    site.faults.disarm(spins)
    fails(asked.reply, "signal 9")


def spins(site):
    victim, endless = child(site), site.faults.arm("studio.child_spins", action="fail")
    with Asked(site) as asked:
        site.await_fault(endless)
    site.faults.disarm(endless)
    fails(asked.reply, "in time")
    with contextlib.suppress(ProcessLookupError):
        os.kill(victim, 0)
        raise AssertionError("a child that spins was left alive")


def takes_memory(site):
    victim, glut = child(site), site.faults.arm("studio.child_takes_memory", action="fail")
    with Asked(site) as asked:
        site.await_fault(glut)
    site.faults.disarm(glut)
    fails(asked.reply, "the child ended", "signal")
    assert victim not in children(site)


def silences(site):
    """How often a broker took an imager for dead, because it heard nothing for 3 s."""
    return sum(line["event"] == "worker.gone" and line["text"].startswith("imager ")
               for name in ("broker-1", "broker-2") for line in site.log(name))


@fault("F13", "a drawing child that dies, spins or takes all memory costs one picture, and so does "
       "a dead imager", settings={"IMAGER_DEADLINE_MS": 6000, "GATEWAY_PICTURE_WAIT_MS": 25000})
def pictures(site):
    with site.load() as load:
        eventually(lambda: preview(site).status == 200, 60, "a first picture is drawn")
        own, imager, silent = memory(site), site.pids()["imager"], silences(site)
        for harm in (killed, spins, takes_memory) * 2:
            harm(site)
            is_drawn(preview(site))  # the very next one
        expect(site.pids()["imager"], imager, "nothing of it reached the imager")
        expect(silences(site), silent, "it is heard of, also while a child spins for 6 s")
        grown = memory(site) - own
        assert grown < GROWTH_MOST, f"the imager grew by {grown >> 20} MiB"

        fault = site.faults.arm("imager.asked", process="imager")
        with Asked(site) as asked:
            load.struck(fault)
        fails(asked.reply, "fanfare-imager")
        eventually(lambda: preview(site).status == 200, 30, "another imager draws")
        expect(len(children(site)), 1, "children of dead imagers are gone")
        is_drawn(preview(site))
