"""A PostgreSQL that a fault owns: stopped for as long as it likes, full, followed by a standby, or
behind a proxy that cuts answers off.
"""
import ctypes
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
from collections import Counter

from checks import eventually
from cluster import BIN
from system import POSTGRES, runs_as

PORT = 5432  # only a part of the socket's name
SETTINGS = POSTGRES + """log_error_verbosity = terse
autovacuum_naptime = 15s
client_connection_check_interval = 1s
"""


def die_at_once_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)  # PR_SET_PDEATHSIG; immediate shutdown


class Server:
    """In a folder of its own, and its socket there too.

    listen: an address of this machine where other hosts find it too
    small: (folder, MiB): "data" or "wal" lies on a volume of so much room
    settings: further lines of postgresql.conf"""

    def __init__(self, home, name="server", small=None, settings="", listen=""):
        self.folder = os.path.join(home, name)
        self.data, self.wal = os.path.join(self.folder, "data"), os.path.join(self.folder, "wal")
        self.small, self.settings, self.process = small, settings, None
        self.mounted, self.listen = None, listen

    def url(self, hosts=None):
        return f"host={','.join(hosts or [self.folder])} user=fan_owner dbname=fanfare"

    # ---- its life ----

    def make(self):
        self._make_folders()
        command = [BIN + "initdb", "-D", self.data, "-X", self.wal, "-U", "fan_owner", "-A",
                   "trust", "-E", "UTF8", "--locale", "C.UTF-8", "-N", "--no-instructions"]
        if self.small and self.small[0] == "wal":
            command.append("--wal-segsize=1")
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **runs_as())
        self.configure(SETTINGS + f"listen_addresses = '{self.listen}'\n" + self.settings)
        with open(os.path.join(self.data, "pg_hba.conf"), "a", encoding="utf-8") as file:
            file.write("host all all all trust\n")
        self.start()
        self.sql("CREATE DATABASE fanfare", "postgres")

    def _make_folders(self):
        for path in (self.folder, self.data, self.wal):
            os.makedirs(path, exist_ok=True)
            self._give_away(path)
        if self.small:
            self.mounted = getattr(self, self.small[0])
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.small[1]}m", "fanfare",
                            self.mounted], check=True)
            self._give_away(self.mounted)

    def _give_away(self, path):
        user = runs_as()
        if user:
            os.chown(path, user["user"], user["group"])
        os.chmod(path, 0o700)

    def configure(self, text):
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as file:
            file.write(text)

    def follow(self, primary):
        """Become the standby of another server, which waits for us at every commit from now on."""
        os.makedirs(self.folder)
        self._give_away(self.folder)
        subprocess.run([BIN + "pg_basebackup", "-D", self.data, "-R", "-c", "fast", "--waldir",
                        self.wal, "-d", f"host={primary.folder} user=fan_owner"],
                       check=True, cwd="/", **runs_as())
        self.start()
        primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'", "postgres")
        primary.sql("SELECT pg_reload_conf()", "postgres")
        synchronous = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
        eventually(lambda: primary.sql(synchronous, "postgres"), 30, "the standby follows")

    def promote(self):
        self.sql("SELECT pg_promote()", "postgres")

    def start(self):
        """Start it, and wait until it lets people in."""
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [BIN + "postgres", "-D", self.data, "-k", self.folder, "-p", str(PORT)],
                stdout=log, stderr=log, cwd="/", preexec_fn=die_at_once_with_parent, **runs_as())
        eventually(self.is_ready, 60, "PostgreSQL starts")

    def is_ready(self):
        assert self.process.poll() is None, "PostgreSQL ended; see " + self.folder + "/log"
        return self.answers()

    def answers(self):
        return subprocess.run([BIN + "pg_isready", "-q", "-h", self.folder, "-p", str(PORT)],
                              check=False).returncode == 0

    def stop(self, how=signal.SIGQUIT):
        """SIGQUIT: at once, as if it had crashed; SIGINT: in good order."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(60)

    def remove(self):
        self.stop()
        if self.mounted:
            subprocess.run(["umount", "-l", self.mounted], check=False)
            self.mounted = None

    # ---- what it says ----

    def sql(self, text, database="fanfare"):
        done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U",
                               "fan_owner", database], input=text, capture_output=True, text=True,
                              cwd="/", check=False)
        if done.returncode:
            raise AssertionError(done.stderr)
        return done.stdout.splitlines()

    def log_count(self, pattern):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return len(re.findall(pattern, file.read()))

    def fill_up(self):
        """Leave no byte free on its small volume; returns the file to remove."""
        path = os.path.join(self.mounted, "ballast")
        with open(path, "wb", buffering=0) as file:
            for size in (1 << 20, 4096):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue  # full, but perhaps for smaller pieces
        return path

    def free(self):
        return shutil.disk_usage(self.mounted).free


class Session:
    """A connection that does nothing unless it is told to: a hog."""

    def __init__(self, server, user="fan_owner"):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(os.path.join(server.folder, f".s.PGSQL.{PORT}"))
        words = f"user\0{user}\0database\0fanfare\0application_name\0hog\0\0".encode()
        self.socket.sendall(struct.pack(">II", 8 + len(words), 3 << 16) + words)
        self.await_ready()

    def await_ready(self):
        file = self.socket.makefile("rb")
        while True:
            head = file.read(5)
            if len(head) < 5:
                raise ConnectionError("the server hung up")
            body = file.read(struct.unpack(">I", head[1:])[0] - 4)
            if head[:1] == b"E":
                raise ConnectionError(body.replace(b"\0", b" ").decode())
            if head[:1] == b"Z":
                return

    def run(self, sql):
        text = sql.encode() + b"\0"
        self.socket.sendall(b"Q" + struct.pack(">I", 4 + len(text)) + text)
        self.await_ready()

    def close(self):
        self.socket.close()


class Cutter:
    """A proxy in front of a server. While it cuts, the answer to a commit is lost now and then, and
    the connection with it: each sort of transaction at its first time, others by chance.

    A sort is the process and the names of its statements."""

    def __init__(self, server, random):
        self.server, self.random, self.cutting = server, random, False
        self.cuts, self.lock = Counter(), threading.Lock()
        self.folder = server.folder + "-cut"
        os.makedirs(self.folder)
        os.chmod(self.folder, 0o755)
        path = os.path.join(self.folder, f".s.PGSQL.{PORT}")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chmod(path, 0o777)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            upstream = socket.socket(socket.AF_UNIX)
            try:
                upstream.connect(os.path.join(self.server.folder, f".s.PGSQL.{PORT}"))
            except OSError:
                client.close()
                continue
            Line(self, client, upstream)

    def wants(self, sort):
        """Whether to cut this one's answer off."""
        with self.lock:
            wanted = self.cutting and (not self.cuts[sort] or self.random.random() < 0.01)
            self.cuts[sort] += wanted
        return wanted


class Line:
    """One connection through the proxy."""

    def __init__(self, cutter, client, upstream):
        self.cutter, self.client, self.upstream = cutter, client, upstream
        self.asked = 0  # how many answers that end with "ready" are to come
        self.cut_at = None  # the number of the one that is lost
        self.name, self.names, self.within = "", [], False
        for work in (self._requests, self._answers):
            threading.Thread(target=self._until_closed, args=(work,), daemon=True).start()

    def _until_closed(self, work):
        try:
            work()
        except OSError:
            pass
        for end in (self.client, self.upstream):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    @staticmethod
    def _messages(file):
        """Type and whole text of each message."""
        while True:
            head = file.read(5)
            if len(head) < 5:
                return
            yield head[:1], head + file.read(struct.unpack(">I", head[1:])[0] - 4)

    def _requests(self):
        file = self.client.makefile("rb")
        size = file.read(4)
        if len(size) < 4:
            return
        text = file.read(struct.unpack(">I", size)[0] - 4)
        words = text[4:].split(b"\0")
        if b"application_name" in words:
            self.name = words[words.index(b"application_name") + 1].decode()
        self.asked = 1  # the greeting
        self.upstream.sendall(size + text)
        waiting = b""
        for kind, message in self._messages(file):
            waiting += message
            if kind == b"B":
                statement = message[5:].split(b"\0")[1].decode()
                self.names.append(statement.rpartition(".")[0])
            if kind in b"SQHX":
                if kind in b"SQ":
                    self._on_sync()
                self.upstream.sendall(waiting)
                waiting = b""

    def _on_sync(self):
        self.asked += 1
        ends = "commit" in self.names or ("begin" not in self.names and not self.within)
        self.within = ("begin" in self.names or self.within) and "commit" not in self.names \
            and "rollback" not in self.names
        if ends and self.names and self.cut_at is None:
            sort = (self.name, *(name for name in self.names if name != "set_account"))
            if self.cutter.wants(sort):
                self.cut_at = self.asked
        if not self.within:
            self.names = []

    def _answers(self):
        """Pass them on, but for the word that the commit was done, or of all that it came with."""
        file, count, deaf = self.upstream.makefile("rb"), 0, False
        whole = self.cutter.random.random() < 0.5
        for kind, message in self._messages(file):
            count += kind == b"Z"
            if self.cut_at is not None and count == self.cut_at:
                return
            deaf = deaf or (self.cut_at is not None and count == self.cut_at - 1
                            and (whole or kind == b"C" and message[5:] == b"COMMIT\0"))
            if not deaf:
                self.client.sendall(message)
