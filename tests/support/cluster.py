"""A real PostgreSQL for Python tests, and the programs that use it.

FAN_TEST_PG_URL names a server to share (its superuser's URL); without it there is a cluster of its
own below /tmp, removed at exit. Started by root, PostgreSQL runs as user fanfare or postgres.
"""
import atexit
import hashlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time

BIN = "/usr/lib/postgresql/15/bin/"
BUILD = os.environ.get("FAN_BUILD", "build/test")
SOURCE = os.environ.get("FAN_SOURCE", ".")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Cluster:
    """One server; database() makes migrated databases on it."""

    def __init__(self):
        self.folder = None
        self.url = os.environ.get("FAN_TEST_PG_URL") or self._start()

    def _as_user(self):
        if os.geteuid() != 0:
            return {}
        for name in ("fanfare", "postgres"):
            try:
                user = pwd.getpwnam(name)
                return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            except KeyError:
                pass
        raise SystemExit("PostgreSQL refuses root, and there is no user fanfare or postgres")

    def _start(self):
        self.folder = tempfile.mkdtemp(prefix="fan-py-", dir="/tmp")
        user = self._as_user()
        if user:
            os.chown(self.folder, user["user"], user["group"])
        data = os.path.join(self.folder, "data")
        subprocess.run([BIN + "initdb", "-D", data, "-U", "fan_owner", "-A", "trust", "-E", "UTF8",
                        "--locale", "C.UTF-8", "-N"], check=True, stdout=subprocess.DEVNULL,
                       cwd="/", **user)
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen(
                [BIN + "postgres", "-D", data, "-k", self.folder, "-c", "listen_addresses=",
                 "-c", "fsync=off", "-c", "max_connections=50"], stderr=log, cwd="/", **user)
        atexit.register(self._stop)
        url = f"postgresql:///postgres?host={self.folder}&user=fan_owner"
        for _ in range(200):
            if subprocess.run([BIN + "pg_isready", "-q", "-d", url]).returncode == 0:
                return url
            time.sleep(0.05)
        raise SystemExit("PostgreSQL does not start; see " + self.folder + "/log")

    def _stop(self):
        self.process.send_signal(3)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def database(self):
        name = "py_" + secrets.token_hex(6)
        Database(self.url).sql(f"CREATE DATABASE {name}")
        database = Database(self.url.replace("/postgres?", f"/{name}?", 1))
        for path in sorted(os.listdir(os.path.join(SOURCE, "sql/migrations"))):
            with open(os.path.join(SOURCE, "sql/migrations", path), encoding="utf-8") as file:
                database.sql("BEGIN;" + file.read() + "COMMIT;")
        return database


class Database:
    def __init__(self, url):
        self.url = url

    def sql(self, text):
        """Run statements as the superuser; rows as lists of texts."""
        done = subprocess.run(["psql", "-XqAt", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", self.url],
                              input=text, capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(done.stderr)
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def number(self, text):
        return int(self.sql(text)[0][0])

    def account(self, name="Acme", role="owner", country=""):
        """Make an account with a user and a key; returns its id and the key."""
        account = self.number(f"""INSERT INTO account (name, default_country)
            VALUES ('{name}', '{country}') RETURNING account_id""")
        self.sql(f"""INSERT INTO attribute (account_id, name)
            VALUES ({account}, 'location'), ({account}, 'preferred_product')""")
        return account, self.key(account, role)

    def key(self, account, role="owner"):
        key = f"ffk_{account}_{secrets.token_urlsafe(32)}"
        digest = hashlib.blake2b(key.encode(), digest_size=32).hexdigest()
        self.sql(f"""WITH u AS (INSERT INTO app_user (account_id, email, role)
                VALUES ({account}, '{secrets.token_hex(4)}@example.com', '{role}') RETURNING id)
            INSERT INTO api_key (account_id, user_id, name, hash)
            SELECT {account}, id, 'test', '\\x{digest}' FROM u""")
        return key


class Actor:
    """One of our processes, with settings from the environment."""

    def __init__(self, name, database, **settings):
        self.folder = tempfile.mkdtemp(prefix="fan-actor-", dir="/tmp")
        self.log_path = os.path.join(self.folder, "log")
        env = {key: value for key, value in os.environ.items() if not key.startswith("FANFARE_")}
        env.update(FANFARE_DATABASE_URL=database.url.split("&user=")[0],
                   FANFARE_STATE_DIR=self.folder, FANFARE_STATUS_LISTEN="",
                   FANFARE_BROKERS=f"ipc://{self.folder}/broker", FANFARE_DRAIN_MS="2000")
        env.update({f"FANFARE_{name.upper()}_{key.upper()}": str(value)
                    for key, value in settings.items()})
        os.makedirs(os.path.join(self.folder, "keys"))
        for reader in ("sender", "ingester"):
            with open(os.path.join(self.folder, "keys", reader + ".pub"), "w") as file:
                file.write(secrets.token_hex(32) + "\n")
        for secret in ("token", "ingester"):
            with open(os.path.join(self.folder, "keys", secret + ".key"), "w",
                      opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.write(secrets.token_hex(32) + "\n")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([os.path.join(BUILD, "bin/fanfare-" + name)], env=env,
                                            stderr=log)
        atexit.register(self.kill)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        """End it in good order; returns its exit code."""
        self.process.terminate()
        return self.process.wait(10)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
