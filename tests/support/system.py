"""A whole Fanfare for Python tests, and what its users have: the API, the provider simulator, psql.

`fanfare up` runs in a home of its own below /tmp, with a private PostgreSQL, on ports of its own,
so that several may run beside each other. Started by root, all of it is user fanfare's. It ends
with the test, however that ends; when the test ends badly, it says what the processes logged.
"""
import contextlib
import ctypes
import http.client
import json
import os
import pwd
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

from checks import eventually, expect
from fault_points import FaultPoints

BUILD = os.environ.get("FAN_BUILD", "build/test")
SOURCE = os.environ.get("FAN_SOURCE", ".")
PORTS = 32  # 30 that `fanfare up` takes from its --port on, and two for a simulator outside
GATEWAY, INGESTER, SANDBOX = range(3)
OUTSIDE, ANOTHER = 30, 29  # the simulator's when it stands outside, and another door's
SPOOL_HEAD = 48  # bytes that each file of the spool begins with
LOG_LINES = 30  # of each process, shown when a test fails: the last, or what a crash says
CRASH = re.compile(r"ERROR: \w+Sanitizer|runtime error:|assertion")

# Nothing here outlives a power failure, so nobody needs to wait for disks.
POSTGRES = "fsync = off\nsynchronous_commit = on\nfull_page_writes = off\nshared_buffers = 64MB\n"


def runs_as():
    """What subprocess needs to run something as the user that everything runs as."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("fanfare")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def reserve_ports():
    """The first of PORTS free ports, and a socket whose closing gives them back to other tests."""
    for base in random.sample(range(10000, 19600, PORTS), 300):
        lock = socket.socket(socket.AF_UNIX)
        try:
            lock.bind(f"\0fanfare-test-{base}")
            for port in range(base, base + PORTS):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
            return base, lock
        except OSError:
            lock.close()
    raise AssertionError("no free ports")


def die_with_parent():
    """To be called in a child: the end of the test, even by kill -9, asks it to stop."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Reply:
    def __init__(self, response):
        self.status, self.headers = response.status, response.headers
        self.bytes = response.read()
        self.text = self.bytes.decode(errors="replace")

    @property
    def json(self):
        return json.loads(self.text)

    def fields(self):
        """What a problem document complains of."""
        return [error["field"] for error in self.json.get("errors", [])]


class System:
    """Fanfare, up. `with System(...) as fanfare:`; keywords are settings, as environment variables
    without FANFARE_: SANDBOX_DELAY_MS=50.

    outside: the provider simulator is no child of `fanfare up` and survives what befalls it.
    restart_ms: how long `fanfare up` pauses, at most, before it starts a process again.
    another: workers to start one more of
    brokers: where they listen instead of in the home"""

    def __init__(self, build=BUILD, outside=False, postgres=POSTGRES, another=(), restart_ms=None,
                 brokers=(), **settings):
        self.bin = os.path.join(os.path.abspath(build), "bin")
        self.home = tempfile.mkdtemp(prefix="fan-up-", dir="/tmp")
        self.base, self._ports = reserve_ports()
        self.outside, self.another, self.restart_ms = outside, another, restart_ms
        self.brokers = brokers
        self.sandbox = OUTSIDE if outside else SANDBOX  # the port behind it takes mail
        self.simulator_at = self.provider_at = "127.0.0.1"  # where it listens, and is found
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith(("FANFARE_", "PG"))}
        self.env.update({f"FANFARE_{name}": str(value) for name, value in settings.items()})
        with open(self._path("postgresql.conf"), "w", encoding="utf-8") as file:
            file.write(postgres)
        self.faults = FaultPoints(self._path("fault"))
        self.env["FAN_FAULT_DIR"] = self.faults.folder
        user = runs_as()
        if user:
            for path in (self.home, self._path("postgresql.conf")):
                os.chown(path, user["user"], user["group"])
        self.database = f"host={self._path('run')} user=fan_owner dbname=fanfare"
        self.prefix = []  # a command that runs what follows it, as the user it is to be
        self.supervisor = self.simulator = None
        open(self._path("out"), "w", encoding="utf-8").close()

    # ---- its life ----

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__(True)
            raise
        return self

    def __exit__(self, failed, *_):
        try:
            if failed:
                self.print_logs()
        finally:
            self.stop()
            self._ports.close()
            shutil.rmtree(self.home, ignore_errors=True)

    def start(self):
        """Start everything, and wait until all of it is ready."""
        words = ["up", "--home", self.home, "--port", str(self.base), "--sandbox"]
        words += ["--without", "sandbox"] if self.outside else []
        words += [word for name in self.another for word in ("--another", name)]
        words += [word for address in self.brokers for word in ("--broker", address)]
        words += ["--restart-ms", str(self.restart_ms)] if self.restart_ms else []
        began = len(self._read("out"))
        self.supervisor = self._run("fanfare", words)

        def is_up():
            expect(self.supervisor.poll(), None, "`fanfare up` ended")
            return "Fanfare is up." in self._read("out")[began:]
        eventually(is_up, 60, "`fanfare up` says that it is up")
        self.key = self._read("api-key").strip()
        if self.outside and not self.simulator:
            self.env["FANFARE_CONFIG"] = self._path("sandbox.conf")
            self.simulator = self._run("fanfare-sandbox", [
                "--listen", f"{self.simulator_at}:{self.base + self.sandbox}",
                "--status-listen", "",
                "--smtp-listen", f"127.0.0.1:{self.base + self.sandbox + 1}",
                "--journal", self._path("sandbox.journal")])
            del self.env["FANFARE_CONFIG"]
            eventually(self.sandbox_stats, 10, "the simulator answers")

    def _run(self, program, words):
        with open(self._path("out"), "ab") as out:
            return subprocess.Popen([*self.prefix, os.path.join(self.bin, program), *words],
                                    env=self.env, stdout=out, stderr=out, cwd="/",
                                    preexec_fn=die_with_parent,
                                    **({} if self.prefix else runs_as()))

    def stop(self):
        """End it in good order."""
        if self.supervisor and self.supervisor.poll() is None:
            self.supervisor.terminate()
            try:
                self.supervisor.wait(30)
            except subprocess.TimeoutExpired:
                self.kill_all()
        if self.simulator:
            self.simulator.kill()
            self.simulator.wait()

    def kill_supervisor(self):
        self.supervisor.kill()
        self.supervisor.wait()

    def kill_all(self):
        """kill -9 everything at once."""
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.supervisor.wait()

    def _path(self, name):
        return os.path.join(self.home, name)

    def _read(self, name):
        with open(self._path(name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def print_logs(self):
        folder = self._path("log")
        print("--- fanfare up:", self._read("out"), sep="\n")
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            lines = self._read(os.path.join("log", name)).splitlines()
            crashes = [n for n, line in enumerate(lines) if CRASH.search(line)]
            begin = crashes[0] if crashes else max(0, len(lines) - LOG_LINES)
            print(f"--- {name}, {len(lines)} lines:", *lines[begin:begin + LOG_LINES], sep="\n")
        print("--- end of logs", flush=True)

    # ---- its processes ----

    def fleet(self):
        """What the supervisor says of each process, by name."""
        return {p["name"]: p for p in json.loads(self._read("fleet.json"))["processes"]}

    def pids(self):
        try:
            return {name: process["pid"] for name, process in self.fleet().items()}
        except FileNotFoundError:
            return {}

    def processes(self):
        """The numbers of all processes that live in this home, the supervisor's among them."""
        return [int(name) for name in os.listdir("/proc") if name.isdigit() and self._is_ours(name)]

    def _is_ours(self, pid):
        try:
            return os.readlink(f"/proc/{pid}/cwd").startswith(self.home)
        except OSError:
            return False

    def kill(self, name):
        """kill -9 a process by its name; returns its number."""
        pid = self.pids()[name]
        assert pid and self._is_ours(pid), f"{name} does not run"
        os.kill(pid, signal.SIGKILL)
        return pid

    def await_process(self, name, before, seconds=30):
        """Wait until another process than number before does its work."""
        def is_back():
            process = self.fleet()[name]
            return process["state"] == "ready" and process["pid"] != before
        eventually(is_back, seconds, f"{name} is started again")

    @contextlib.contextmanager
    def another_door(self, name):
        """One more gateway or ingester, which nobody supervises, on the port ANOTHER; yields its
        process. It may be ended, and started again by the block's own start()."""
        with open(f"/proc/{self.pids()[name]}/environ", "rb") as file:
            words = [word.decode().partition("=") for word in file.read().split(b"\0") if word]
        env = {key: value for key, _, value in words
               if key not in ("FANFARE_SUPERVISED", "NOTIFY_SOCKET")}
        door = Door(self, name, env)
        door.start()
        try:
            yield door
        finally:
            door.stop()

    # ---- its API ----

    def url(self, port, path=""):
        return f"http://127.0.0.1:{self.base + port}{path}"

    def call(self, method, path, body=None, key=None, port=GATEWAY, **headers):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        headers["Authorization"] = "Bearer " + (self.key if key is None else key)
        connection = http.client.HTTPConnection("127.0.0.1", self.base + port, timeout=30)
        try:
            connection.request(method, path, body.encode() if body else None, headers)
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body=None):
        return self.call("POST", path, body)

    def ok(self, method, path, body=None, **headers):
        reply = self.call(method, "/api/v1/" + path, body, **headers)
        assert reply.status < 300, (method, path, reply.status, reply.text)
        return reply.json

    def is_problem(self, reply, status, *fields):
        expect(reply.status, status, reply.text)
        expect(reply.headers["Content-Type"], "application/problem+json")
        assert reply.json["title"] and reply.json["detail"], reply.text
        for field in fields:
            assert field in reply.fields(), (field, reply.text)

    def upload(self, text, **query):
        """Begin an import of CSV; returns it."""
        path = "contacts/import?" + urllib.parse.urlencode(query)
        return self.ok("POST", path, text, **{"Content-Type": "text/csv"})

    def import_csv(self, text, seconds=60, **query):
        """Import CSV; returns the import when it has ended."""
        job = self.upload(text, **query)["id"]

        def ended():
            now = self.ok("GET", f"imports/{job}")
            return now if now["status"] in ("completed", "failed") else None
        done = eventually(ended, seconds, "the import ends")
        expect(done["status"], "completed", done["reason"])
        return done

    # ---- channels and campaigns ----

    def slow_down(self, table, seconds):
        """Let every statement that inserts into a table last longer, to be met in its middle."""
        self.sql(f"""CREATE FUNCTION test_slow_{table}() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END $$;
            CREATE TRIGGER slow BEFORE INSERT ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION test_slow_{table}();""")

    def speed_up(self, table):
        self.sql(f"DROP TRIGGER slow ON {table}; DROP FUNCTION test_slow_{table}();")

    def secret(self, name):
        for line in self._read("sandbox.conf").splitlines():
            key, _, value = line.partition("=")
            if key == "FANFARE_SANDBOX_" + name:
                return value
        raise KeyError(name)

    def channel(self, kind, provider, settings, **more):
        more = {"name": f"{kind} by {provider}", "rate": 2000, "connections": 16, **more}
        return self.ok("POST", "channels", {"kind": kind, "provider": provider,
                                            "settings": settings, **more})["id"]

    def sms_channel(self, **more):
        settings = {"account_sid": self.secret("TWILIO_ACCOUNT_SID"),
                    "auth_token": self.secret("TWILIO_AUTH_TOKEN"),
                    "from": "+15005550006",
                    "base_url": f"http://{self.provider_at}:{self.base + self.sandbox}"}
        return self.channel("sms", "twilio", settings, **more)

    def whatsapp_channel(self, **more):
        """With statuses: the simulator is told where they go, and started again."""
        settings = {"phone_number_id": self.secret("META_PHONE_NUMBER_ID"),
                    "access_token": self.secret("META_ACCESS_TOKEN"),
                    "app_secret": self.secret("META_APP_SECRET"),
                    "base_url": self.url(self.sandbox)}
        channel = self.channel("whatsapp", "meta", settings, **more)
        hook = self.url(INGESTER, f"/hooks/1/{channel}")
        with open(self._path("sandbox.conf"), "a", encoding="utf-8") as file:
            file.write(f"FANFARE_SANDBOX_META_WEBHOOK_URL={hook}\n")
        before = self.pids()["sandbox"]
        os.kill(before, signal.SIGTERM)
        self.await_process("sandbox", before)
        return channel

    def email_channel(self, **more):
        settings = {"host": "127.0.0.1", "port": str(self.base + self.sandbox + 1), "tls": "none",
                    "username": self.secret("SMTP_USERNAME"),
                    "password": self.secret("SMTP_PASSWORD"),
                    "from_email": "news@fanfare.example", "from_name": "Zoë’s Läden"}
        return self.channel("email", "smtp", settings, **more)

    def campaign(self, channel, **content):
        body = {"name": "A campaign", "channel_id": channel, **content}
        return self.ok("POST", "campaigns", body)["id"]

    def launch(self, campaign, **body):
        return self.ok("POST", f"campaigns/{campaign}/send", body or None)

    def stats(self, campaign):
        return self.ok("GET", f"campaigns/{campaign}")["stats"]

    def await_status(self, campaign, *wanted, seconds=60, pause=0.05):
        """Wait until the campaign is in one of these states; returns it."""
        def has_come():
            reply = self.get(f"/api/v1/campaigns/{campaign}")
            now = reply.json if reply.status == 200 else {}
            return now if now.get("status") in wanted else None
        what = f"campaign {campaign} is {' or '.join(wanted)}"
        return eventually(has_come, seconds, what, pause)

    def messages(self, campaign, **query):
        """All its messages."""
        found, page = [], 1
        while True:
            words = urllib.parse.urlencode({**query, "page": page, "page_size": 100})
            part = self.ok("GET", f"campaigns/{campaign}/messages?{words}")["data"]
            found += part
            if len(part) < 100:
                return found
            page += 1

    # ---- its spool ----

    def spool_is_applied(self):
        """Whether the ingester's forwarder has come to the end of what callbacks it had taken."""
        folder = self._path("state/spool/ingester")
        try:
            with open(os.path.join(folder, "cursor"), "rb") as file:
                segment, offset = struct.unpack("<QQ", file.read(16))
            sizes = {int(name[:-4], 16): os.path.getsize(os.path.join(folder, name))
                     for name in os.listdir(folder) if name.endswith(".seg")}
        except (OSError, struct.error):
            return False  # none was taken yet, or a file has just gone
        return all(size <= (SPOOL_HEAD if one > segment else offset)
                   for one, size in sizes.items() if one >= segment)

    # ---- its rows ----

    def sql(self, text):
        """Run statements as the database's owner; rows as lists of texts."""
        done = subprocess.run(
            ["psql", "-XqAt", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", self.database],
            input=text, capture_output=True, text=True, cwd="/", **runs_as())
        if done.returncode:
            raise AssertionError(done.stderr)
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def number(self, text):
        return int(self.sql(text)[0][0])

    def journal(self, provider, verdict="accepted"):
        """What the simulator wrote down of each request, in order."""
        with open(self._path("sandbox.journal"), encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        return [line for line in lines if line["provider"] == provider
                and verdict in (None, line["verdict"])]

    def sandbox_stats(self):
        """What the simulator has counted; None: it does not answer."""
        try:
            with urllib.request.urlopen(self.url(self.sandbox, "/stats"), timeout=10) as answer:
                return json.load(answer)
        except urllib.error.URLError:
            return None

    def log(self, name):
        """The JSON lines that a process logged."""
        lines = self._read(f"log/{name}.log").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


class Door:
    def __init__(self, system, name, env):
        self.system, self.name, self.env, self.process = system, name, env, None

    def start(self):
        system = self.system
        with open(system._path(f"log/{self.name}-2.log"), "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(system.bin, "fanfare-" + self.name), "--name", self.name + "-2",
                 "--listen", f"127.0.0.1:{system.base + ANOTHER}", "--status-listen", ""],
                env=self.env, stderr=log, cwd=system.home, preexec_fn=die_with_parent, **runs_as())
        eventually(self.listens, 20, f"{self.name}-2 listens")

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.system.base + ANOTHER)) == 0

    def stop(self):
        """End it in good order; returns its exit code."""
        self.process.terminate()
        return self.process.wait(20)


class Stream:
    """The API's server-sent events."""

    def __init__(self, system):
        self.connection = http.client.HTTPConnection("127.0.0.1", system.base + GATEWAY, timeout=30)
        self.connection.request("GET", "/api/v1/events/stream",
                                headers={"Authorization": "Bearer " + system.key})
        self.response = self.connection.getresponse()
        expect(self.response.status, 200)
        expect(self.response.headers["Content-Type"], "text/event-stream")

    def next(self, name):
        """The next event of that name."""
        found = None
        while True:
            line = self.response.readline().decode()
            assert line, "the stream ended"
            if line.startswith("event: "):
                found = line[7:].strip()
            elif line.startswith("data: ") and found == name:
                return json.loads(line[6:])

    def close(self):
        self.connection.close()
