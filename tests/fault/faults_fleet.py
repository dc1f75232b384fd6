"""Many die at once, one after the other, or with the power."""
import glob
import http.client
import os
import signal
import threading

from checks import expect
from faults import fault
from system import ANOTHER, GATEWAY

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


class Caller(threading.Thread):
    """Calls the API all the time as a balancer does: through the other gateway when one does not
    take connections. Every other answer that is no success is a complaint."""

    def __init__(self, site):
        super().__init__(daemon=True)
        self.site, self.complaints, self.calls, self.ending = site, [], 0, threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.join()

    def run(self):
        while not self.ending.wait(0.02):
            self.calls += 1
            self._call(self.calls)

    def _call(self, n):
        ports = (GATEWAY, ANOTHER) if n % 2 else (ANOTHER, GATEWAY)
        for port in ports:
            try:
                reply = self._write(n, port) if n % 5 == 0 else self._read(port)
                if reply.status >= 400:
                    self.complaints.append(f"{reply.status} {reply.text}")
                return
            except ConnectionRefusedError:
                continue
            except (OSError, http.client.HTTPException) as error:
                self.complaints.append(f"call {n} was cut off: {error!r}")
                return
        self.complaints.append(f"nobody took call {n}")

    def _read(self, port):
        return self.site.call("GET", "/api/v1/campaigns", port=port)

    def _write(self, n, port):
        body = {"external_id": f"rolling-{n}", "first_name": "Rolling"}
        return self.site.call("POST", "/api/v1/contacts", body, port=port)


@fault("F24", "a rolling restart of every process under load is noticed by nobody", fresh=True)
def rolling_restart(site):
    with site.load() as load, site.another_door("gateway") as door, Caller(site) as caller:
        for name in sorted(site.fleet()):
            if name in ("prepare", "postgres"):
                continue
            if load.left() < 2:
                load.more()
            pid = site.pids()[name]
            os.kill(pid, signal.SIGTERM)
            site.deaths[name] += 1
            site.await_process(name, pid)
        expect(door.stop(), 0, "the other gateway's exit code")
        door.start()
    expect(caller.complaints[:3], [], f"{len(caller.complaints)} of {caller.calls} calls")
    expect(load.unknown, 0, "unknown")
