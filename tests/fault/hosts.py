"""Another host: a network namespace, joined to ours by one link for each thing it talks to, so that
each may break for itself.
"""
import os
import random
import shutil
import subprocess
import urllib.request

from servers import PORT, Server
from system import INGESTER, runs_as

BUS, DATABASE, PROVIDER = LINKS = ("bus", "database", "provider")
BROKERS = (5550, 5700)
WORKER_PORTS = 100
WORKERS = {"renderer-b": ("fanfare-renderer",),
           "sender-b": ("fanfare-sender", "--kind", "sms")}
STATUS = {"renderer-b": 9001, "sender-b": 9002}


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Host:
    """Processes on it find brokers, PostgreSQL and the provider at addresses of ours."""

    def __init__(self, site):
        self.site, self.workers = site, {}
        self.number = random.randrange(1 << 16)
        self.name = f"fan-{self.number}"
        ip("netns", "add", self.name)
        ip("-n", self.name, "link", "set", "lo", "up")
        for link in LINKS:
            self._join(link)
        site.brokers = [f"tcp://{self.ours(BUS)}:{port}" for port in BROKERS]
        site.env["FANFARE_BROKER_PORTS"] = str(WORKER_PORTS)
        site.simulator_at, site.provider_at = "0.0.0.0", self.ours(PROVIDER)

    def _device(self, link, end):
        return f"fan{self.number:x}{link[0]}{end}"

    def _join(self, link):
        near, far = self._device(link, 0), self._device(link, 1)
        ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", self.name)
        ip("addr", "add", self.ours(link) + "/24", "dev", near)
        ip("link", "set", near, "up")
        ip("-n", self.name, "addr", "add", self.its(link) + "/24", "dev", far)
        ip("-n", self.name, "link", "set", far, "up")

    def _address(self, link, end):
        net = (self.number * len(LINKS) + LINKS.index(link)) % (1 << 16)
        return f"10.{net >> 8}.{net & 255}.{end}"

    def ours(self, link):
        """Our address on a link."""
        return self._address(link, 1)

    def its(self, link):
        return self._address(link, 2)

    # ---- what runs there ----

    def server(self):
        """A PostgreSQL of ours that it reaches."""
        return Server(self.site.home, listen=self.ours(DATABASE))

    def start_workers(self):
        home = self.site.home
        state = os.path.join(home, "host-b")
        shutil.copytree(os.path.join(home, "state", "keys"), os.path.join(state, "keys"))
        subprocess.run(["chown", "-R", "fanfare:", state], check=True)
        env = {**self.site.env, "FANFARE_STATE_DIR": state,
               "FANFARE_BROKERS": ",".join(self.site.brokers),
               "FANFARE_DATABASE_URL": f"host={self.ours(DATABASE)} port={PORT} dbname=fanfare"}
        user = runs_as()
        for name, (program, *words) in WORKERS.items():
            words += ["--name", name, "--status-listen", f"{self.its(PROVIDER)}:{STATUS[name]}"]
            if "sender" in program:
                words += ["--public-url", self.site.url(INGESTER)]
            with open(os.path.join(home, "log", name + ".log"), "ab") as log:
                self.workers[name] = subprocess.Popen(
                    ["ip", "netns", "exec", self.name, "setpriv", f"--reuid={user['user']}",
                     f"--regid={user['group']}", "--clear-groups", "--pdeathsig=KILL",
                     os.path.join(self.site.bin, program), *words],
                    env=env, stdout=log, stderr=log, cwd="/")

    def stop_workers(self):
        for worker in self.workers.values():
            worker.terminate()
        for worker in self.workers.values():
            try:
                worker.wait(15)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()

    def dead(self):
        """Names of workers that ended by themselves."""
        return [name for name, worker in self.workers.items() if worker.poll() is not None]

    def incarnation(self, name):
        [line] = [one for one in self.site.log(name) if one["event"] == "process.started"]
        return int(line["text"].split()[-1])

    def attempts(self):
        """How many requests the sender there has made."""
        url = f"http://{self.its(PROVIDER)}:{STATUS['sender-b']}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines
                   if line.startswith("fanfare_attempts_total"))

    def remove(self):
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)

    # ---- what breaks ----

    def cut(self, *links):
        for link in links:
            ip("link", "set", self._device(link, 0), "down")

    def join(self, *links):
        for link in links:
            ip("link", "set", self._device(link, 0), "up")

    def lose_what_it_says(self, link, lost=True):
        ip("-n", self.name, "route", "add" if lost else "del", "blackhole", self.ours(link))

    def lose_what_we_say(self, link, lost=True):
        ip("route", "add" if lost else "del", "blackhole", self.its(link))
