"""Callbacks: a campaign's receipts, signed as Twilio signs them, taken and applied.

Two of each message, "sent" and some time later "delivered", written before the clock starts and
sent over kept connections. A run counts only when each was answered 200 and every message is
delivered.

Alone: callbacks.py [messages] [a second; 0: as fast as answers come] [connections] [away]

away  1: PostgreSQL stands still until all is taken
"""
import base64
import hashlib
import hmac
import json
import os
import signal
import struct
import subprocess
import sys
import time
import urllib.parse
from contextlib import contextmanager, nullcontext

import measure
import ours
from checks import eventually
from system import INGESTER

MESSAGES = 100_000
CONNECTIONS = 64
LAG = 2000  # messages between "sent" and "delivered" of one
SETTLED_S = 1  # before the clock starts
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
LOAD = os.path.join(os.environ["FAN_BUILD"], "bench", "callback_load")


class Writer:
    """Writes callbacks as Twilio would send them."""

    def __init__(self, system, channel):
        self.url = system.url(INGESTER)
        self.host = self.url.removeprefix("http://")
        self.hook = f"/hooks/1/{channel}?m="
        self.account = system.secret("TWILIO_ACCOUNT_SID")
        self.key = hmac.new(system.secret("TWILIO_AUTH_TOKEN").encode(), digestmod="sha1")

    def request(self, line, status):
        path = self.hook + line["token"]
        sid = "SM" + hashlib.md5(line["token"].encode()).hexdigest()
        fields = {"ApiVersion": "2010-04-01", "SmsSid": sid, "SmsStatus": status,
                  "MessageStatus": status, "MessageSid": sid, "AccountSid": self.account,
                  "To": line["to"], "From": "+15005550006"}
        text = self.url + path + "".join(name + fields[name] for name in sorted(fields))
        mac = self.key.copy()
        mac.update(text.encode())
        body = urllib.parse.urlencode(fields)
        return (f"POST {path} HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: {FORM}\r\n"
                f"Content-Length: {len(body)}\r\nAccept: */*\r\n"
                f"User-Agent: TwilioProxy/1.1\r\nX-Home-Region: us1\r\n"
                f"I-Twilio-Idempotency-Token: {sid}\r\n"
                f"X-Twilio-Signature: {base64.b64encode(mac.digest()).decode()}\r\n\r\n"
                f"{body}").encode()


def write_file(path, writer, lines):
    """All callbacks of these messages; returns how many."""
    count = 0
    with open(path, "wb") as file:
        for i in range(len(lines) + LAG):
            for at, status in ((i, "sent"), (i - LAG, "delivered")):
                if 0 <= at < len(lines):
                    request = writer.request(lines[at], status)
                    file.write(struct.pack("<I", len(request)) + request)
                    count += 1
    return count


def prepare(system, messages):
    """Send so many messages, to a provider that says nothing afterwards, and write what it would
    say; returns the file and how many callbacks it holds."""
    system.import_csv(ours.contacts(0, messages), seconds=900, tags="sale", filename="sale.csv")
    channel = system.sms_channel(rate=0, connections=64)
    campaign = system.campaign(channel, message=ours.MESSAGE, audience={"tags": ["sale"]})
    ours.launch(system, campaign)
    path = os.path.join(system.home, "callbacks")
    return path, write_file(path, Writer(system, channel), system.journal("twilio"))


def load(system, path, rate=0, connections=CONNECTIONS):
    """Send a file; returns what the load generator measured."""
    words = [LOAD, str(system.base + INGESTER), str(connections), str(rate), path]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


@contextmanager
def postgres_asleep(system):
    """Every process of PostgreSQL stands still."""
    roots = {"postgres": system.pids()["postgres"]}
    family = measure.trees(roots, measure.snapshot(), roots)["postgres"]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in family:
            os.kill(pid, signal.SIGCONT)


def delivered(system):
    return system.number("SELECT coalesce(sum(n_delivered), 0)::bigint FROM chunk")


def run(messages, rate=0, connections=CONNECTIONS, away=False):
    """One flood, on a fresh system; rate: callbacks a second, 0: as fast as answers come."""
    with ours.fanfare(SANDBOX_DELIVER_PERCENT=0) as system:
        path, count = prepare(system, messages)
        system.sql("CHECKPOINT")
        time.sleep(SETTLED_S)
        with ours.window(system) as window:
            with postgres_asleep(system) if away else nullcontext():
                told = load(system, path, rate, connections)
            eventually(lambda: delivered(system) >= messages, 600, "all is applied")
        books = (delivered(system) * 2, told["statuses"].get("200", 0))
        return {"rate": count / window.seconds, "taken": told["per_second"], "told": told,
                "cpu": window.per_thousand(count), "memory": window.peak, "other": window.other,
                "books": books, "ok": set(books) == {count}}


def in_round(bench):
    bench.measure("callbacks", 2 * MESSAGES, lambda: run(MESSAGES))


def main():
    words = [int(word) for word in sys.argv[1:]]
    found = run(*(words or [50_000]))
    told = found["told"]
    print(f"taken {found['taken']:,.0f} a second, taken and applied {found['rate']:,.0f} a second; "
          f"{'the books agree' if found['ok'] else found['books']}; "
          f"others used {found['other']:.0%}")
    print(f"answers {told['statuses']}, without {told['lost']}: median {told['p50_ms']:.2f} ms, "
          f"99 of 100 within {told['p99_ms']:.2f} ms, all within {told['max_ms']:.2f} ms")
    for name, ms in sorted(found["cpu"].items(), key=lambda item: -item[1]):
        if ms >= 0.05:
            print(f"  {name:<16}{ms:6.1f} ms of CPU a thousand")


if __name__ == "__main__":
    main()
