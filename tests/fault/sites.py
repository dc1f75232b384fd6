"""A system to be ill-treated: two accounts with people and channels, and campaigns under way.

The provider's simulator stands outside: its journal is the truth about what left us. It does what
recipients' numbers say (docs/providers/sandbox.md); nobody in the crowd has such a number.
"""
import contextlib
import hashlib
import json
import os
import secrets
import signal
import time
from collections import Counter
from dataclasses import dataclass

import invariants
from books import message_of
from checks import eventually
from hosts import Host
from names import Resolver
from people import as_csv, people, person
from servers import Server
from system import System
from watch import Watch

AT_MOST_ONCE, AT_LEAST_ONCE = "at_most_once", "at_least_once"
LEASE_S, GRACE_S, UNKNOWN_S, CALM_S = 3, 3, 5, 30
RATE, CONNECTIONS, LATENCY_MS = 250, 16, 80
CALLBACK_MS = 1500  # and up to twice as much: later than a sender is back and could do wrong
CROWD, FOREIGN, FEW, HANDFUL, TROUBLED = 1000, 60, 30, 8, 30
DOUBTFUL = 3  # people whose provider fails, so few that their channel is not left alone for it
SLOWEST = 40  # messages a second, on the busiest machine that this is to pass on
SUPPRESSED = 5  # of each crowd
RESTART_MS = 300
ENDINGS = {"throttled": 429, "failing": 500, "silent": 999}  # of the numbers of people in trouble

SETTINGS = {"SENDER_LEASE_MS": LEASE_S * 1000, "SENDER_SEND_TTL_MS": 1000,
            "SANDBOX_DELAY_MS": CALLBACK_MS, "SANDBOX_LATENCY_MS": LATENCY_MS,
            "LOG_LEVEL": "debug", "SANDBOX_FAULT_PATTERNS": "true", "SCHEDULER_ASK_AGAIN_MS": 2000,
            "AUDIENCE_PAGE": 100, "DRAIN_MS": 3000}


def stranger(n):
    """People of the second account: not one of their words may turn up in the first."""
    return {"external_id": f"canary-{n}", "first_name": f"Canary{n}", "last_name": "Xyzzy",
            "phone": f"+49160{n:08d}", "email": f"canary{n}@xyzzy.example",
            "city": "Xyzzyville", "preferred_product": "Xyzzy"}


@dataclass
class Campaign:
    account: int
    id: int
    run: int
    policy: str
    crowd: int


class Account:
    def __init__(self, site, id, key):
        self.site, self.id, self.key, self.channel = site, id, key, None

    def __enter__(self):
        """What the site asks of the API is asked for this account."""
        self.before, self.site.key = self.site.key, self.key
        return self

    def __exit__(self, *_):
        self.site.key = self.before


class Site(System):
    """server: what a PostgreSQL of the fault's own is told; without it, `fanfare up` runs one.
    hosts: 2: a renderer and a sender work on another host, too.
    resolver: whether the processes ask a resolver of the fault's own for names."""

    def __init__(self, crowd=CROWD, seed=1, server=None, hosts=1, resolver=False, **settings):
        super().__init__(outside=True, **{"restart_ms": RESTART_MS, **SETTINGS, **settings})
        self.host = Host(self) if hosts > 1 else None
        self.resolver = Resolver(self) if resolver else None
        self.env = {name: value.replace("{home}", self.home) for name, value in self.env.items()}
        self.server = Server(self.home, **server) if server is not None else None
        if self.host:
            self.server = self.host.server()
        self.crowd, self.seed, self.rate, self.connections = crowd, seed, RATE, CONNECTIONS
        self.deaths = Counter()  # by process, those that were wanted
        self.may_crash = False  # the fault itself looks at who died of what

    def start(self):
        first = not self.simulator
        if first and self.server:
            self.server.make()
            self.use(self.server.url())
        super().start()
        if first and self.host:
            self.host.start_workers()
        if first:
            self._settle_in()

    def use(self, url):
        """The database of the processes, and ours."""
        self.database = self.env["FANFARE_DATABASE_URL"] = url

    def broker_bases(self):
        """The brokers' addresses."""
        return self.brokers or [f"ipc://{self.home}/run/broker-{n}" for n in (1, 2)]

    def stop_processes(self):
        """All but the simulator and a server of the fault's own; start() starts them again."""
        self.supervisor.terminate()
        self.supervisor.wait(30)

    def stop(self):
        if self.host:
            self.host.stop_workers()
        super().stop()
        if self.server:
            self.server.remove()
        if self.host:
            self.host.remove()

    def _settle_in(self):
        self.accounts = [Account(self, 1, self.key), self._second_account()]
        crowds = [people(self.crowd, first=1000), [stranger(n) for n in range(FOREIGN)]]
        for account, crowd in zip(self.accounts, crowds):
            with account:
                account.channel = self.sms_channel(rate=self.rate, connections=self.connections)
                self.import_csv(as_csv(crowd), tags="crowd")
                self.import_csv(as_csv(crowd[-FEW:]), tags="few")
                self.import_csv(as_csv(crowd[-HANDFUL:]), tags="handful")
                self.import_csv(as_csv(crowd[-HANDFUL:]), tags="handful")
            self.sql(f"""INSERT INTO suppression (account_id, contact_id, kind, reason)
                SELECT account_id, id, 0, 'test' FROM contact WHERE account_id = {account.id}
                ORDER BY id LIMIT {SUPPRESSED}""")

        with self.accounts[0]:
            self.narrow = self.sms_channel(rate=self.rate, connections=1, name="one at a time")
            for tag, ending in ENDINGS.items():
                troubled = [person(10000 * k + ending) for k in range(1, TROUBLED + 1)]
                self.import_csv(as_csv(troubled), tags=tag)
            doubtful = [person(10000 * (TROUBLED + k) + 500) for k in range(1, DOUBTFUL + 1)]
            self.import_csv(as_csv(doubtful), tags="doubtful")
        self.crowds = {"crowd": self.crowd, "few": FEW, "handful": HANDFUL, "doubtful": DOUBTFUL,
                       **dict.fromkeys(ENDINGS, TROUBLED)}

    def _second_account(self):
        id = self.number("INSERT INTO account (name) VALUES ('Canary') RETURNING account_id")
        key = f"ffk_{id}_{secrets.token_urlsafe(32)}"
        digest = hashlib.blake2b(key.encode(), digest_size=32).hexdigest()
        self.sql(f"""WITH u AS (INSERT INTO app_user (account_id, email, role)
                VALUES ({id}, 'canary@xyzzy.example', 'owner') RETURNING id)
            INSERT INTO api_key (account_id, user_id, name, hash)
            SELECT {id}, id, 'test', '\\x{digest}' FROM u""")
        return Account(self, id, key)

    def ok(self, method, path, body=None, **headers):
        """As a careful client calls: what is answered with 503 is asked again, under one key."""
        headers.setdefault("Idempotency-Key", secrets.token_hex(16))
        whole, end = f"/api/v1/{path}", time.monotonic() + 60
        while True:
            reply = self.call(method, whole, body, **headers)
            if reply.status != 503 or time.monotonic() > end:
                break
            time.sleep(0.2)
        assert reply.status < 300, (method, path, reply.status, reply.text)
        return reply.json

    # ---- campaigns ----

    def begin(self, account, policy, tags=("crowd",), channel=None, **more):
        """Launch a campaign to everybody with one of the tags."""
        with account:
            id = self.campaign(channel or account.channel, message="Hello {first_name}",
                               audience={"tags": list(tags)}, delivery_policy=policy,
                               unknown_wait_seconds=UNKNOWN_S, **more)
            run = self.launch(id)["run_id"]
        crowd = sum(self.crowds[tag] for tag in tags) if account.id == 1 else FOREIGN
        return Campaign(account.id, id, run, policy, crowd)

    def load(self, **more):
        """Campaigns under way: `with site.load() as load:`."""
        return Load(self, **more)

    def narrow_load(self):
        """One campaign to a few, over a single connection: one request at a time, and so at most
        one in doubt when its sender dies."""
        return Load(self, policies=(AT_MOST_ONCE,), foreign=False, tags=("few",),
                    channel=self.narrow)

    def journal_since(self, offset):
        """What the provider wrote down of requests behind a place in its journal."""
        with open(self._path("sandbox.journal"), encoding="utf-8") as file:
            file.seek(offset)
            return [json.loads(line) for line in file if line.endswith("\n")]

    def journal_end(self):
        path = self._path("sandbox.journal")
        return os.path.getsize(path) if os.path.exists(path) else 0

    # ---- faults ----

    def kill(self, name):
        pid = super().kill(name)
        self.deaths[name] += 1
        return pid

    def await_fault(self, fault, seconds=30):
        """Where it fired. A fault that does not happen proves nothing."""
        found = eventually(lambda: self.faults.fired(fault), seconds,
                           f"the fault did not happen: {self.faults.rules.get(fault)}")
        return found[-1]

    def strike(self, place, nth=1, action="kill", process="", seconds=30, **more):
        """Let something happen at a place, and wait until it has and the process is back, or
        stopped. Returns the process's name and number."""
        fault = self.faults.arm(place, nth, action, process=process, **more)
        return self.struck(fault, seconds, back=action in ("kill", "exit"))

    def struck(self, fault, seconds=30, back=True):
        """Wait until what was armed has happened, and its process is back."""
        _, name, pid = self.await_fault(fault, seconds)
        self.faults.disarm(fault)
        if back:
            self.deaths[name] += 1
            self.await_process(name, pid)
        return name, pid

    def start_again(self):
        """After the supervisor's own end: another one counts anew."""
        eventually(lambda: not self.processes(), 10, "everything has ended")
        self.deaths.clear()
        self.start()

    def wake(self, pid):
        os.kill(pid, signal.SIGCONT)

    @contextlib.contextmanager
    def asleep(self, pid):
        """While the block lasts, the process is stopped."""
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                self.wake(pid)


class Load:
    """One campaign for each policy, and one of another account. At the end of the block everything
    must come to rest and be right."""

    def __init__(self, site, policies=(AT_MOST_ONCE, AT_LEAST_ONCE), foreign=True, **how):
        self.site, self.policies, self.foreign, self.how = site, policies, foreign, how
        self.campaigns = []
        self.lost_hosts = 0  # senders that died with their journals
        self.cuts = 0  # from PostgreSQL, of hosts with senders, for longer than unknowns wait
        self.kills = 0  # of senders, or stops of them: requests in flight may be repeated
        self.pauses = []  # (campaign, from, until): instants in between nothing may leave

    def __enter__(self):
        self.since = self.site.journal_end()
        self.more()
        self.watch = Watch(self.site, self)
        return self

    def more(self):
        """The same campaigns once more."""
        own, other = self.site.accounts
        for policy in self.policies:
            self.campaigns.append(self.site.begin(own, policy, **self.how))
        if self.foreign:
            self.campaigns.append(self.site.begin(other, AT_MOST_ONCE))

    def __exit__(self, failed, *_):
        try:
            if not failed:
                self.settle()
        finally:
            self.watch.stop()
        if not failed:
            invariants.check(self.site, self)

    @property
    def runs(self):
        return ", ".join(str(campaign.run) for campaign in self.campaigns)

    def requests(self):
        """What the provider was asked since the load began."""
        return self.site.journal_since(self.since)

    def strike_new(self, place, nth=1, process=""):
        """As strike, and the same campaigns once more meet it: for what happens at their begin."""
        fault = self.site.faults.arm(place, nth, process=process)
        self.more()
        return self.struck(fault)

    def await_requests(self, share):
        """Wait until a share of all messages has reached the provider."""
        wanted = share * sum(campaign.crowd for campaign in self.campaigns)
        eventually(lambda: len(self.requests()) >= wanted, 60, f"{wanted:.0f} requests")

    def strike(self, place, **more):
        """As the site's; a sender that dies or sleeps may leave requests in doubt."""
        return self._count(self.site.strike(place, **more))

    def struck(self, fault, **more):
        return self._count(self.site.struck(fault, **more))

    def _count(self, struck):
        self.kills += struck[0].startswith("sender")
        return struck

    def kill(self, name):
        """kill -9, and wait until it is back."""
        pid = self.site.kill(name)
        self.kills += name.startswith("sender")
        self.site.await_process(name, pid)

    def settle(self, seconds=LEASE_S + GRACE_S + UNKNOWN_S + CALM_S + 30):
        """I9: everything ends within the lease, the grace, the wait for evidence, a while, and what
        the sending itself takes."""
        seconds += sum(campaign.crowd for campaign in self.campaigns) / SLOWEST
        eventually(lambda: self.left() == 0, seconds, "I9: the runs end", pause=0.2)
        invariants.callbacks_come_to_rest(self.site)

    def left(self):
        """How many runs have not ended; -1: PostgreSQL does not say."""
        try:
            return self.site.number(
                f"SELECT count(*) FROM run WHERE id IN ({self.runs}) AND ended_at IS NULL")
        except AssertionError:
            return -1

    @property
    def unknown(self):
        """How many messages were unknown at some time."""
        return self.site.number(f"""SELECT count(*) FROM message m
            JOIN chunk c ON c.account_id = m.account_id AND c.id = m.id >> 9
            WHERE c.run_id IN ({self.runs}) AND m.lost_epoch > 0""")

    @property
    def repeated(self):
        """How many requests were for a message that had been accepted before."""
        accepted = [message_of(line) for line in self.requests() if line["verdict"] == "accepted"]
        return len(accepted) - len(set(accepted))
