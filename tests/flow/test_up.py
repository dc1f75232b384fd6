"""`fanfare up`: the processes of a machine started, killed one by one and at once, and stopped."""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import traceback

FANFARE = os.path.join(os.environ.get("FAN_BUILD", "build/test"), "bin/fanfare")
PORTS = 30      # used from the first one on
READY_S = 120   # with sanitizers, on two busy cores


def free_ports():
    """Return a port whose followers are free, too."""
    for first in range(20000 + os.getpid() % 400 * 30, 60000, PORTS):
        taken = False
        for port in range(first, first + PORTS):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                taken = taken or probe.connect_ex(("127.0.0.1", port)) == 0
        if not taken:
            return first
    raise SystemExit("no free ports")


def wait_until(true, seconds, what):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def alive(pid):
    """Whether a process runs; a zombie that nobody has waited for yet does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as text:
            return text.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Up:
    def __init__(self, home=None):
        self.folder = tempfile.mkdtemp(prefix="fan-up-", dir="/tmp")
        os.chmod(self.folder, 0o755)
        self.home = os.path.join(self.folder, home or "home")
        self.port = free_ports()
        self.process = None

    def start(self, *words):
        """Start it in the background, with more words, and wait for its banner."""
        env = {name: value for name, value in os.environ.items()
               if not name.startswith("FANFARE_")}
        self.said = open(os.path.join(self.folder, "said"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [FANFARE, "up", "--home", self.home, "--port", str(self.port), "--sandbox",
             *words],
            env=env, stdout=self.said, stderr=self.said)
        wait_until(lambda: "stop " in self.text() or self.process.poll() is not None, READY_S,
                   "the banner")
        assert self.process.poll() is None, self.text()

    def text(self):
        with open(self.said.name, encoding="utf-8") as text:
            return text.read()

    def fleet(self):
        with open(os.path.join(self.home, "fleet.json"), encoding="utf-8") as text:
            return {process["name"]: process for process in json.load(text)["processes"]}

    def key(self):
        with open(os.path.join(self.home, "api-key"), encoding="utf-8") as text:
            return text.read().strip()

    def ask(self, method, path, body=None, port=None, key=True):
        """Return (status, JSON) of a request; (0, None) when there is no answer."""
        wire = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=10)
        headers = {"Authorization": "Bearer " + self.key()} if key else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            wire.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = wire.getresponse()
            return answer.status, json.loads(answer.read() or "null")
        except OSError:
            return 0, None
        finally:
            wire.close()

    def pids(self):
        """Every process below the supervisor."""
        found, parents = [], [self.process.pid]
        while parents:
            done = subprocess.run(["pgrep", "-P", ",".join(map(str, parents))],
                                  capture_output=True, text=True, check=False)
            parents = [int(pid) for pid in done.stdout.split()]
            found += parents
        return found

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


def everything_comes_up_and_is_healthy(up):
    up.start()
    fleet = up.fleet()
    assert fleet["prepare"]["state"] == "done"
    for name, process in fleet.items():
        if name != "prepare":
            assert process["state"] == "ready", name
        if process["status"]:
            status, health = up.ask("GET", "/health", port=int(process["status"].split(":")[1]))
            assert status == 200 and health["ok"], (name, health)
    assert up.ask("GET", "/health", key=False)[0] == 200


def the_key_is_shown_once_and_kept_for_its_owner_alone(up):
    path = os.path.join(up.home, "api-key")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert up.key() in up.text()
    assert up.ask("GET", "/api/v1/stats")[0] == 200
    assert up.ask("GET", "/api/v1/stats", key=False)[0] == 401


def nothing_runs_as_root(up):
    for pid in [up.process.pid, *up.pids()]:
        with open(f"/proc/{pid}/status", encoding="utf-8") as text:
            assert not re.search(r"^Uid:(\t\d+)*\t0\b", text.read(), re.M), pid


def a_second_one_on_the_same_home_is_refused(up):
    done = subprocess.run([FANFARE, "up", "--home", up.home, "--port", str(up.port)],
                          capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert f"already runs in {up.home} (process {up.process.pid})" in done.stderr


def status_shows_processes_and_campaigns(up):
    done = subprocess.run([FANFARE, "status", "--home", up.home, "--url",
                           f"http://127.0.0.1:{up.port}"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"gateway +ready +healthy", done.stdout), done.stdout


def kill_and_await(up, name):
    before = up.fleet()[name]
    os.kill(before["pid"], signal.SIGKILL)

    def is_back():
        now = up.fleet()[name]
        return now["state"] == "ready" and now["pid"] != before["pid"]

    wait_until(is_back, 60, f"{name} is back")
    assert up.fleet()[name]["restarts"] == before["restarts"] + 1


def each_process_that_is_killed_is_started_again(up):
    for name in up.fleet():
        if name not in ("postgres", "prepare"):
            kill_and_await(up, name)


def a_killed_postmaster_recovers_and_nothing_else_restarts(up):
    before = {name: process["pid"] for name, process in up.fleet().items()
              if name not in ("postgres", "prepare")}
    status, contact = up.ask("POST", "/api/v1/contacts", {"phone": "+12025550123"})
    assert status in (200, 201), contact
    kill_and_await(up, "postgres")
    wait_until(lambda: up.ask("GET", f"/api/v1/contacts/{contact['id']}")[0] == 200, 60,
               "the gateway has its database again")
    assert before == {name: up.fleet()[name]["pid"] for name in before}


def when_the_supervisor_is_killed_all_end_and_the_next_continues(up):
    key, pids = up.key(), up.pids()
    count = up.ask("GET", "/api/v1/stats")[1]["contacts"]
    assert count > 0 and len(pids) > 10
    up.process.kill()
    up.process.wait()
    wait_until(lambda: not any(map(alive, pids)), 5, "all children are gone")
    up.start()
    assert up.key() == key and key not in up.text()
    assert up.ask("GET", "/api/v1/stats")[1]["contacts"] == count


def it_stops_in_order_and_leaves_nothing(up):
    pids = up.pids()
    begun = time.monotonic()
    up.process.terminate()
    assert up.process.wait(30) == 0, up.text()
    assert time.monotonic() - begun < 15
    assert not any(map(alive, pids))
    with open(os.path.join(up.home, "log/postgres.log"), encoding="utf-8") as log:
        assert log.read().rstrip().endswith("database system is shut down")


def a_home_with_a_long_path_has_its_sockets_elsewhere(up):
    far = Up(os.path.join("a" * 60, "b" * 60))
    try:
        far.start()
        with open("/proc/net/unix", encoding="ascii") as text:
            sockets = re.findall(r"(/tmp/fanfare-\d+-[0-9a-f]{8})/notify$", text.read(), re.M)
        assert len(sockets) == 1 and not os.path.exists(os.path.join(far.home, "run"))
        assert far.ask("GET", "/api/v1/stats")[0] == 200
        far.process.terminate()
        assert far.process.wait(30) == 0
        assert not os.path.exists(sockets[0])
    finally:
        far.close()


def of_a_worker_there_may_be_many(up):
    many = Up()
    try:
        many.start("--another", "sender-sms", "--another", "renderer", "--another", "sender-sms")
        fleet = many.fleet()
        ports = {int(process["status"].split(":")[1]): name for name, process in fleet.items()
                 if process["status"]}
        for name in ("sender-sms", "sender-sms-2", "sender-sms-3", "renderer-2"):
            assert fleet[name]["state"] == "ready" and name in ports.values(), (name, fleet)
        for port, name in ports.items():
            assert many.ask("GET", "/health", port=port)[0] == 200, name
    finally:
        many.close()


def a_missing_program_is_named_before_anything_starts(up):
    folder = tempfile.mkdtemp(prefix="fan-up-", dir="/tmp")
    os.chmod(folder, 0o755)
    try:
        alone = shutil.copy(FANFARE, folder)
        done = subprocess.run([alone, "up", "--home", up.home], capture_output=True, text=True,
                              timeout=60, check=False)
        assert done.returncode == 1
        assert folder + "/fanfare-broker cannot be run" in done.stderr, done.stderr
    finally:
        shutil.rmtree(folder)


def a_setting_that_nobody_knows_stops_it_before_anything_starts(up):
    for name, value, said in (("FANFARE_COLOUR", "red", "no process has a setting FANFARE_COLOUR"),
                              ("FANFARE_LOG_LEVEL", "loud", "must be error|warn|info|debug")):
        done = subprocess.run([FANFARE, "up", "--home", up.home + "-none"], capture_output=True,
                              text=True, timeout=60, check=False,
                              env={**os.environ, name: value})
        assert done.returncode == 1 and said in done.stderr, (name, done.stderr)
    assert not os.path.exists(up.home + "-none")


def a_port_in_use_is_named_before_anything_starts(up):
    port = free_ports()
    with socket.create_server(("127.0.0.1", port + 1)):
        done = subprocess.run([FANFARE, "up", "--home", up.home + "-busy", "--port", str(port)],
                              capture_output=True, text=True, timeout=60, check=False)
    shutil.rmtree(up.home + "-busy", ignore_errors=True)
    assert done.returncode == 1 and f"port {port + 1} is in use" in done.stderr, done.stderr


def wrong_usage_is_explained(up):
    for words, said in ((["nope"], 'no command "nope"'), (["up", "--nope"], "no option --nope"),
                        (["up", "--port", "70000"], "--port is 70000"), (["send"], "CAMPAIGN"),
                        (["up", "--without", "x", "--home", up.home + "-x"], 'no process "x"'),
                        (["up", "--another", "ingester", "--home", up.home + "-x"],
                         'no worker "ingester"'),
                        (["up", *9 * ["--another", "renderer"], "--home", up.home + "-x"],
                         "processes more than usual"),
                        (["up", *3 * ["--broker", "tcp://127.0.0.1:1"], "--home", up.home + "-x"],
                         "3 brokers were given"),
                        (["up", "--broker", "localhost", "--home", up.home + "-x"],
                         '"localhost" is no ipc:// or tcp:// address')):
        done = subprocess.run([FANFARE, *words], capture_output=True, text=True, timeout=60,
                              check=False)
        assert done.returncode != 0 and said in done.stderr, (words, done.stderr)
        shutil.rmtree(up.home + "-x", ignore_errors=True)


TESTS = [
    everything_comes_up_and_is_healthy,
    the_key_is_shown_once_and_kept_for_its_owner_alone,
    nothing_runs_as_root,
    a_second_one_on_the_same_home_is_refused,
    status_shows_processes_and_campaigns,
    each_process_that_is_killed_is_started_again,
    a_killed_postmaster_recovers_and_nothing_else_restarts,
    when_the_supervisor_is_killed_all_end_and_the_next_continues,
    it_stops_in_order_and_leaves_nothing,
    a_missing_program_is_named_before_anything_starts,
    a_setting_that_nobody_knows_stops_it_before_anything_starts,
    a_port_in_use_is_named_before_anything_starts,
    wrong_usage_is_explained,
    a_home_with_a_long_path_has_its_sockets_elsewhere,
    of_a_worker_there_may_be_many,
]


def main():
    failed = 0
    up = Up()
    try:
        for test in TESTS:
            begun = time.monotonic()
            try:
                test(up)
                word = "ok"
            except (AssertionError, OSError, KeyError, subprocess.SubprocessError):
                failed += 1
                word = f"not ok ({traceback.format_exc()})"
            print(f"{word} - {test.__name__.replace('_', ' ')} "
                  f"({time.monotonic() - begun:.1f} s)", flush=True)
        if failed and up.process:
            print(up.text())
    finally:
        up.close()
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
