"""PostgreSQL dies, stays away, fails over, is full, is busy, or does not say what it has done."""
import base64
import hmac
import http.client
import os
import signal
import threading
import time
import urllib.parse

from checks import eventually, expect
from faults import fault
from invariants import instant
from servers import Cutter, Server, Session
from sites import GRACE_S, LEASE_S
from system import INGESTER

POSTGRES = "postgres"
OWN = {"server": {}}
DOWN_S, LONG_DOWN_S = 60, 600
SLICE_S = 2  # what was opened has left, or leaves no more


def rate_between(lines, begin, end):
    return sum(begin <= instant(line) < end for line in lines) / (end - begin)


def resumed(load, back, before):
    """Seconds from the server's return until requests left at 90 % of the rate before, over a
    second; None: they never did, for want of people."""
    lines = load.requests()
    for step in range(300):
        at = back + step / 10
        if rate_between(lines, at, at + 1) >= 0.9 * before:
            return at - back
    return None


@fault("F25", "PostgreSQL stopped at once and started again is worked with as soon as it is back")
def restarted(site):
    with site.load() as load:
        load.more()
        load.await_requests(0.2)
        before = rate_between(load.requests(), time.time() - 2, time.time())
        pid = site.pids()[POSTGRES]
        os.kill(pid, signal.SIGQUIT)
        site.deaths[POSTGRES] += 1
        stopped = time.time()
        eventually(lambda: site.pids()[POSTGRES] not in (0, pid) and load.left() > 0, 60,
                   "PostgreSQL is back")
        back = time.time()
    took = resumed(load, back, before)
    first = min((instant(line) for line in load.requests() if instant(line) > back), default=back)
    print(f"# away for {back - stopped:.1f} s; first request {first - back:.1f} s after its "
          f"return, full rate ({before:.0f}/s) {'never' if took is None else f'{took:.1f} s'}; "
          f"{load.unknown} unknown for a while")
    expect(load.repeated, 0, "repeated")


# ---- away for longer ----

class Caller:
    """Calls back, again and again, about messages that the provider calls back for, too: each call
    must be taken, and all but one change nothing. Measures how long each call takes."""

    def __init__(self, site, lines, every_s=0.02):
        self.site, self.every_s = site, every_s
        self.lines = [line for line in lines if line["verdict"] == "accepted"
                      and line["token"].startswith("1-")][:200]
        assert self.lines, "nothing to call back for"
        self.channel = site.accounts[0].channel
        self.secret = site.secret("TWILIO_AUTH_TOKEN").encode()
        self.sid = site.secret("TWILIO_ACCOUNT_SID")
        self.took, self.statuses, self.ending = [], [], threading.Event()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _call(self, connection, line):
        path = f"/hooks/1/{self.channel}?m={line['token']}"
        fields = {"MessageSid": line["id"], "MessageStatus": "sent", "To": line["to"],
                  "AccountSid": self.sid}
        text = self.site.url(INGESTER, path) + "".join(k + fields[k] for k in sorted(fields))
        signature = base64.b64encode(hmac.digest(self.secret, text.encode(), "sha1")).decode()
        connection.request("POST", path, urllib.parse.urlencode(fields), {
            "X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def _work(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.site.base + INGESTER, timeout=10)
        for n in range(1 << 30):
            if self.ending.wait(self.every_s):
                return
            began = time.monotonic()
            try:
                status = self._call(connection, self.lines[n % len(self.lines)])
            except OSError:
                connection.close()
                status = 0
            self.took.append(time.monotonic() - began)
            self.statuses.append(status)

    def end(self):
        self.ending.set()
        self.thread.join()
        took = sorted(self.took)
        return len(took), 1000 * took[len(took) // 2], 1000 * took[len(took) * 99 // 100]


@fault("F26", "PostgreSQL away for a minute costs no callback, and nothing is begun without it",
       settings=OWN)
def away(site):
    lasts = LONG_DOWN_S if site.long else DOWN_S
    with site.load() as load:
        load.await_requests(0.3)
        eventually(lambda: site.number("SELECT count(*) FROM message WHERE progress > 0") > 20, 30,
                   "some callbacks are in")
        called = load.requests()
        site.server.stop()
        gone = time.time()
        caller = Caller(site, called)
        time.sleep(lasts)
        count, median, p99 = caller.end()
        late = [line for line in load.requests() if instant(line) > gone + SLICE_S]
        site.server.start()
        back = time.time()
    refused = [status for status in caller.statuses if status // 100 != 2]
    first = min((instant(line) for line in load.requests() if instant(line) > back), default=back)
    print(f"# away for {lasts} s: {count} callbacks, median {median:.1f} ms, p99 {p99:.1f} ms, "
          f"{len(refused)} refused; {len(late)} requests begun; first one {first - back:.1f} s "
          f"after its return; {load.unknown} unknown for a while")
    expect(refused, [], "callbacks that were not taken")
    expect(len(late), 0, "requests begun without PostgreSQL")
    expect(load.repeated, 0, "repeated")


# ---- what it has done, and does not say ----

@fault("F27", "a commit whose answer is lost is found out, whatever was committed", settings=OWN,
       fresh=True)
def answers_cut_off(site):
    cutter = Cutter(site.server, site.random)
    site.stop_processes()
    site.use(site.server.url([cutter.folder]))
    site.start()
    site.database = site.server.url()  # ours is not cut
    cutter.cutting = True
    with site.load() as load:
        load.settle()
        cutter.cutting = False
    sorts = sorted(cutter.cuts)
    done = {name for sort in sorts for name in sort[1:]}
    print(f"# {sum(cutter.cuts.values())} answers cut off, of {len(sorts)} sorts of transactions "
          f"by {len({sort[0] for sort in sorts})} processes; {load.unknown} unknown for a while")
    for name in ("chunk_claim", "chunk_open", "chunk_sent", "chunk_receipts"):
        assert any(one.startswith(name) for one in done), f"{name} was never cut: {sorted(done)}"
    expect(load.repeated, 0, "repeated")


@fault("F28", "a failover to a synchronous standby loses nothing and doubles nothing",
       settings={**OWN, "SCHEDULER_TRUST_FAILOVER": "true"}, fresh=True)
def failover(site):
    """Its files are a base backup's; it is trusted, because it lacks nothing that was seen."""
    standby = Server(site.home, "standby")
    standby.follow(site.server)
    site.stop_processes()
    site.use(site.server.url([site.server.folder, standby.folder]) +
             " target_session_attrs=read-write")
    site.start()
    try:
        with site.load() as load:
            load.await_requests(0.3)
            site.server.stop()
            gone = time.time()
            standby.promote()
            eventually(lambda: load.left() >= 0, 30, "the standby takes over")
            taken_over = time.time()
        first = min((instant(line) for line in load.requests() if instant(line) > taken_over),
                    default=taken_over)
        print(f"# taken over after {taken_over - gone:.1f} s, first request {first - gone:.1f} s "
              f"after the primary's end; {load.unknown} unknown for a while")
        expect(load.repeated, 0, "repeated")
        expect(site.sql("SELECT hold_reason FROM ctl"), [[""]], "nobody had to confirm it")
        expect(site.sql("SELECT timeline FROM site"), [["2"]], "it is the right one now")
    finally:
        site.stop_processes()
        standby.remove()


# ---- full ----

@fault("F31", "a full data volume is waited out", needs=("tmpfs",), fresh=True,
       settings={"server": {"small": ("data", 160)}})
def data_volume_full(site):
    with site.load() as load:
        load.more()
        load.await_requests(0.05)
        ballast = site.server.fill_up()
        eventually(lambda: site.server.log_count("No space left on device"), 60,
                   "somebody notices that there is no room")
        time.sleep(5)
        complaints = site.server.log_count("No space left on device")
        os.unlink(ballast)
    print(f"# {complaints} statements met a full volume; {load.unknown} unknown for a while")
    expect(load.repeated, 0, "repeated")


@fault("F32", "a full WAL volume, upon which PostgreSQL panics, is waited out", needs=("tmpfs",),
       fresh=True, settings={"server": {
           "small": ("wal", 48), "settings": "min_wal_size = 4MB\nmax_wal_size = 16MB\n"}})
def wal_volume_full(site):
    with site.load() as load:
        load.more()
        load.await_requests(0.05)
        ballast = site.server.fill_up()
        eventually(lambda: site.server.log_count("PANIC"), 60, "PostgreSQL panics")
        time.sleep(5)
        os.unlink(ballast)
        if site.server.process.poll() is not None:
            site.server.start()
        eventually(site.server.answers, 60, "PostgreSQL is back")
    print(f"# {site.server.log_count('PANIC')} panics; {load.unknown} unknown for a while")
    expect(load.repeated, 0, "repeated")


# ---- busy ----

def take_all_connections(site):
    """Every one that is not kept for the superuser, also those that were ours."""
    hogs = []

    def none_is_left():
        while True:
            try:
                hogs.append(Session(site.server, "fan_analytics"))
            except ConnectionError:
                break
        return site.number("""SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE usename LIKE 'fan%' AND application_name NOT IN ('hog', 'psql')""") == 0
    eventually(none_is_left, 60, "all connections are taken")
    return hogs


@fault("F33", "taken connections, a locked table and an idle transaction are waited out",
       settings=OWN)
def crowded_out(site):
    with site.load() as load:
        load.await_requests(0.1)
        hogs = take_all_connections(site)
        time.sleep(10)
        for hog in hogs:
            hog.close()
    print(f"# {len(hogs)} connections taken for 10 s; {load.unknown} unknown for a while")
    expect(load.repeated, 0, "repeated")
    with site.load() as load:
        load.await_requests(0.2)
        hog = Session(site.server)
        hog.run("BEGIN; LOCK TABLE message IN ACCESS EXCLUSIVE MODE")
        time.sleep(10)
        hog.run("COMMIT")
        hog.close()
    print(f"# message locked for 10 s; {load.unknown} unknown for a while")
    expect(load.repeated, 0, "repeated")
    with site.load() as load:
        load.await_requests(0.2)
        hog = Session(site.server)
        hog.run(f"""BEGIN; SELECT FROM chunk WHERE run_id IN ({load.runs}) FOR UPDATE;
            SELECT FROM run WHERE id IN ({load.runs}) FOR UPDATE; SELECT FROM channel FOR UPDATE""")
        time.sleep(LEASE_S + GRACE_S + 5)
        hog.close()
    print(f"# rows locked for {LEASE_S + GRACE_S + 5} s; {load.unknown} unknown for a while")
    expect(load.repeated, 0, "repeated")


# Most are told at once what the server says when it gives a statement up; some wait for it.
STUMBLE = """CREATE FUNCTION test_stumble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF random() < 0.005 THEN PERFORM pg_sleep(6); END IF;
    IF random() < 0.2 THEN RAISE EXCEPTION 'canceling statement due to statement timeout'
      USING ERRCODE = 'query_canceled'; END IF;
    RETURN NULL; END $$"""
TABLES = ("chunk", "message", "run", "event", "provider_event", "channel")


@fault("F34", "a fifth of all statements ending in a time-out slows down and does no more",
       settings=OWN)
def timeouts(site):
    site.sql(STUMBLE + ";" + ";".join(
        f"""CREATE TRIGGER stumble BEFORE INSERT OR UPDATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION test_stumble()""" for table in TABLES))
    try:
        with site.load() as load:
            for _ in range(400):
                time.sleep(0.05)
                site.sql("""SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE
                    usename LIKE 'fan%' AND state = 'active' AND application_name <> 'psql'
                    AND random() < 0.2""")
            site.sql(";".join(f"DROP TRIGGER stumble ON {table}" for table in TABLES))
    finally:
        site.sql("DROP FUNCTION IF EXISTS test_stumble CASCADE")
    given_up = site.server.log_count("canceling statement due to")
    print(f"# {given_up} statements given up; {load.unknown} unknown for a while")
    expect(load.repeated, 0, "repeated")
