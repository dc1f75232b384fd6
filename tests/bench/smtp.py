"""Mails to the mail server that costs least, and what libcurl alone hands to it."""
import os
import re
import shutil
import subprocess
import tempfile

import limits
import ours
from checks import eventually
from cluster import free_port
from system import die_with_parent, runs_as

SIZE = 50_000
CONNECTIONS = 50
BODY = "Hi {first_name}, {preferred_product} is on sale in {location}!"


class Sink:
    """Postfix' smtp-sink: takes every mail, keeps none, and counts them."""

    def __init__(self):
        self.program = shutil.which("smtp-sink") or "/usr/sbin/smtp-sink"
        self.port = free_port()

    def exists(self):
        return os.access(self.program, os.X_OK)

    def __enter__(self):
        self.said = tempfile.TemporaryFile()
        self.process = subprocess.Popen([self.program, "-c", f"127.0.0.1:{self.port}", "1024"],
                                        stdout=self.said, stderr=self.said, cwd="/",
                                        preexec_fn=die_with_parent, **runs_as())
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.said.close()

    def count(self):
        """Mails taken so far."""
        size = os.fstat(self.said.fileno()).st_size
        tail = os.pread(self.said.fileno(), 200, max(0, size - 200)).decode()
        found = re.findall(r"mesg=(\d+)", tail)
        return int(found[-1]) if found else 0


def channel(system, sink):
    settings = {"host": "127.0.0.1", "port": str(sink.port), "tls": "none",
                "from_email": "news@fanfare.example", "from_name": "Fanfare"}
    return system.channel("email", "smtp", settings, rate=0, connections=CONNECTIONS)


def run(sink):
    with ours.fanfare() as system:
        ours.fill(system, SIZE, others=False)
        campaign = system.campaign(channel(system, sink), subject="On sale", message=BODY,
                                   audience={"tags": ["sale"]})
        system.sql("CHECKPOINT")
        before = sink.count()
        with ours.window(system, stub=sink.process.pid) as window:
            seconds = ours.launch(system, campaign)
        rows, sent, _, people = ours.books(system, campaign)
        eventually(lambda: sink.count() - before >= SIZE, 5, "the mail server counts all")
        books = (rows, sent, people, sink.count() - before)
        return {"rate": SIZE / seconds, "cpu": window.per_thousand(SIZE), "memory": window.peak,
                "other": window.other, "books": books, "ok": set(books) == {SIZE}}


def in_round(bench):
    sink = Sink()
    if not sink.exists():
        bench.skipped["smtp"] = "there is no smtp-sink"
        return
    with sink:
        bench.measure("smtp", SIZE, lambda: run(sink))
        bench.measure("smtp alone", limits.MAILS, lambda: limits.run(
            "smtplimit", f"smtp://127.0.0.1:{sink.port}", limits.MAILS, CONNECTIONS))
