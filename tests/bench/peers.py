"""What a user would have instead, doing the same blast beside us in the same round.

cblast-fast, cblast-common  a throw-away C program: one process, three threads, no retries, no
                            limits, no error policy; what is reachable on this machine
go-batchupd-c300            Go workers on a Redis list, completions grouped into one UPDATE

A peer prints READY, does the work when it reads a line, prints DONE and its times, and goes when it
reads another. It leaves its rows in outbound_messages.
"""
import json
import os
import shutil
import subprocess
import tempfile

from checks import eventually
from cluster import BIN, free_port
from measure import Window
from ours import POSTGRES
from system import die_with_parent, runs_as

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(os.environ["FAN_BUILD"], "bench")
NO_CONSTRAINTS = """ALTER TABLE outbound_messages
    DROP CONSTRAINT outbound_messages_campaign_id_fkey,
    DROP CONSTRAINT outbound_messages_contact_id_fkey;
  DROP INDEX outbound_campaign_status;
  ALTER TABLE outbound_messages SET (fillfactor = 50)"""
CBLAST = [os.path.join(PROGRAMS, "cblast")]
GO = os.path.join(PROGRAMS, "gopeer")

PEERS = {
    "cblast-fast": {"launch": CBLAST, "sql": NO_CONSTRAINTS},
    "cblast-common": {"launch": CBLAST},
    "go-batchupd-c300": {"launch": [GO, "launch"], "redis": True,
                         "worker": [GO, "worker", "-c", "300", "-batch", "500"]},
}


class Peers:
    """A PostgreSQL for them, set as ours is, and a Redis if there is one."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="fan-peers-", dir="/tmp")
        self.processes = {}

    def __enter__(self):
        if runs_as():
            os.chown(self.folder, runs_as()["user"], runs_as()["group"])
        self.env = {**os.environ, "PGHOST": self.folder, "PGPORT": "5432", "PGUSER": "bench",
                    "PGDATABASE": "postgres"}
        data = os.path.join(self.folder, "pg")
        subprocess.run([BIN + "initdb", "-D", data, "-A", "trust", "-U", "bench", "--locale=C",
                        "-E", "UTF8"], check=True, stdout=subprocess.DEVNULL, cwd="/", **runs_as())
        with open(os.path.join(data, "postgresql.conf"), "a", encoding="utf-8") as file:
            file.write(POSTGRES)
        self._start("postgres", BIN + "postgres", "-D", data, "-k", self.folder,
                    "-c", "listen_addresses=")
        eventually(lambda: subprocess.run([BIN + "pg_isready", "-q"], env=self.env,
                                          check=False).returncode == 0, 20, "PostgreSQL is up")
        if shutil.which("redis-server"):
            port = free_port()
            self.env["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
            self._start("redis", "redis-server", "--port", str(port), "--bind", "127.0.0.1",
                        "--dir", self.folder, "--save", "3600 1 300 100 60 10000")
        return self

    def __exit__(self, *_):
        for name, process in self.processes.items():
            process.send_signal(2 if name == "postgres" else 15)
            process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, name, *words):
        with open(os.path.join(self.folder, name + ".log"), "wb") as log:
            self.processes[name] = subprocess.Popen(words, stdout=log, stderr=log, cwd="/",
                                                    preexec_fn=die_with_parent, **runs_as())

    def missing(self, name):
        """Why a peer cannot run here; None: it can."""
        peer = PEERS[name]
        if not os.access(peer["launch"][0], os.X_OK):
            return f"{os.path.basename(peer['launch'][0])} was not built"
        if peer.get("redis") and "redis" not in self.processes:
            return "there is no redis-server"
        return None

    def sql(self, *words):
        done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *words], env=self.env,
                              check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def run(self, bench, name, size):
        """One blast by a peer, on fresh tables."""
        peer = PEERS[name]
        self.sql("-v", f"n={size}", "-f", os.path.join(HERE, "reference/schema.sql"))
        if "sql" in peer:
            self.sql("-c", peer["sql"])
        self.sql("-c", "CHECKPOINT")
        env = {**self.env, "STUB_URL": bench.stub.url + "/2010-04-01/Accounts/AC1/Messages.json"}
        with Program(peer["launch"], env) as launch, Program(peer.get("worker"), env) as worker:
            groups = {"launch": launch.pid, "worker": worker.pid, "stub": bench.stub.pid,
                      **{key: process.pid for key, process in self.processes.items()}}
            groups = {key: pid for key, pid in groups.items() if pid}
            bench.stub.count()
            with Window(groups, [key for key in ("launch", "worker") if key in groups]) as window:
                launch.go()
                times = json.loads(launch.line("DONE"))
            posts = bench.stub.count()
        books = (*map(int, self.sql("-F", " ", "-c", """SELECT count(*),
            count(*) FILTER (WHERE status = 'sent'), count(DISTINCT provider_id),
            count(DISTINCT contact_id) FROM outbound_messages""").split()), posts)
        return {"rate": size / times["total_s"], "cpu": window.per_thousand(size),
                "memory": window.peak, "other": window.other, "books": books,
                "ok": set(books) == {size}}


class Program:
    """A peer's process; none at all when there are no words."""

    def __init__(self, words, env):
        self.words, self.env, self.pid, self.process = words, env, None, None

    def __enter__(self):
        if self.words:
            self.process = subprocess.Popen(self.words, env=self.env, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, text=True,
                                            preexec_fn=die_with_parent)
            self.pid = self.process.pid
            self.line("READY")
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.kill()
            self.process.communicate()

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def line(self, word):
        """The rest of the line that begins with a word."""
        for line in self.process.stdout:
            if line.startswith(word):
                return line[len(word):].strip()
        raise AssertionError(f"{self.words[0]} ended before it said {word}")
