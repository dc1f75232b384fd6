"""Providers that break, throttle, fall silent, lie, stutter, hang up and have bad certificates.

Each behaviour gets a channel and a campaign to a few people of its own; hostile.py plays the
provider, and its journal says what may have been taken. Those people are so few that the channel is
not left alone over them.
"""
import itertools
import os
import threading
import time
from collections import Counter
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

from checks import eventually, expect
from faults import fault
from hostile import (ACCEPTED, IN_DOUBT, REFUSED, THROTTLED, Certificates, Relay, Twilio, accept,
                     always)
from invariants import FAILED, RETRY, SENT, UNKNOWN_FINAL, instant, messages_of
from names import NO_SUCH_NAME, SERVER_FAILURE, SILENT
from sites import AT_MOST_ONCE, FEW, HANDFUL

REQUEST_S = 2
SHORT = {"SENDER_REQUEST_MS": REQUEST_S * 1000, "SENDER_SEND_TTL_MS": 5000}
SLOW_RATE = 12  # of each of many channels, whose sum must stay below the account's


def channel_to(site, url, rate=SLOW_RATE, **more):
    settings = {"account_sid": site.secret("TWILIO_ACCOUNT_SID"),
                "auth_token": site.secret("TWILIO_AUTH_TOKEN"), "from": "+15005550006",
                "base_url": url}
    site.channels_made = getattr(site, "channels_made", 0) + 1
    return site.channel("sms", "twilio", settings, name=f"hostile {site.channels_made}", rate=rate,
                        connections=site.connections, **more)


def empty_load(site):
    return site.load(policies=(), foreign=False)


def begin(load, channel, tags=("handful",), **more):
    """A campaign over a channel; returns it."""
    site = load.site
    campaign = site.begin(site.accounts[0], AT_MOST_ONCE, tags, channel, **more)
    load.campaigns.append(campaign)
    return campaign


def states(site, campaign):
    """How many messages are in each state."""
    return Counter(row[0] for row in messages_of(site, campaign).values())


def journal(site):
    return os.path.join(site.home, "sandbox.journal")


def try_all(site, behaviours):
    """A provider, a channel and a campaign for each behaviour, all at once. behaviours: name ->
    (behave, the state that all must end in, what a provider is told besides)."""
    providers = {name: Twilio(journal(site), behave, **where)
                 for name, (behave, _, where) in behaviours.items()}
    with empty_load(site) as load:
        began = {name: begin(load, channel_to(site, provider.url))
                 for name, provider in providers.items()}
    wrong = {}
    for name, (_, wanted, _) in behaviours.items():
        found = states(site, began[name])
        if found != {wanted: HANDFUL}:
            wrong[name] = dict(found)
        providers[name].close()
    print(f"# {len(behaviours)} behaviours: {', '.join(behaviours)}")
    expect(wrong, {}, "states, by behaviour")
    return load


# ---- broken ----

BURST_S = 60
PAUSE_MOST_S = 300  # of a channel that is left alone
PROBES_MOST = 20  # single messages to find out whether it is well again
BROKEN = (500, 502, 503, 504)


@fault("F46", "a provider broken for a minute is asked little, and nothing twice that it may have",
       settings=SHORT)
def broken_for_a_minute(site):
    end = time.time() + BURST_S

    def behave(call):
        if time.time() > end:
            return accept(call)
        status = BROKEN[provider.asked.total() % len(BROKEN)]
        return IN_DOUBT, lambda: call.answer(status, "<html>Sorry</html>")
    provider = Twilio(journal(site), behave)
    with empty_load(site) as load:
        campaign = begin(load, channel_to(site, provider.url, rate=site.rate), tags=("crowd",))
        time.sleep(max(0, end - time.time()))
        asked = len(load.requests())
        load.settle(PAUSE_MOST_S + 90)
    provider.close()
    found = states(site, campaign)
    first = min(instant(line) for line in load.requests() if line["verdict"] == ACCEPTED)
    print(f"# {asked} requests while it was broken; {found[SENT]} sent afterwards, the first after "
          f"{first - end:.0f} s; {found[UNKNOWN_FINAL]} in doubt for good")
    expect(found[UNKNOWN_FINAL], asked, "in doubt")
    assert asked <= 2 * site.connections + PROBES_MOST, f"{asked} requests"


# ---- too fast for it ----

def throttle_once(*headers):
    def behave(call):
        if call.times > 1:
            return accept(call)
        return THROTTLED, lambda: call.answer(429, {"code": 20429, "status": 429}, headers)
    return behave


def in_two_seconds():
    return format_datetime(datetime.now(timezone.utc) + timedelta(seconds=2), usegmt=True)


@fault("F47", "a provider that wants us slower is obeyed, for an hour at most, and it costs no try",
       settings=SHORT)
def throttled(site):
    cases = {"no word when": (), "in a second": ("Retry-After: 1",),
             "at a date": (f"Retry-After: {in_two_seconds()}",),
             "at a date gone by": ("Retry-After: Fri, 31 Dec 1999 23:59:59 GMT",),
             "garbage": ("Retry-After: soon\t1e9",), "less than nothing": ("Retry-After: -5",),
             "beyond all numbers": ("Retry-After: " + "9" * 400,)}
    still = set(cases) - {"beyond all numbers"}
    load = try_all(site, {name: (throttle_once(*cases[name]), SENT, {}) for name in still})
    cost = site.number(f"""SELECT count(*) FROM message m JOIN chunk c
        ON c.account_id = m.account_id AND c.id = m.id >> 9
        WHERE c.run_id IN ({load.runs}) AND m.attempt > m.free_tries""")
    expect(cost, 0, "messages that a throttle cost a try")
    an_hour_at_most(site, "Retry-After: 31536000")
    an_hour_at_most(site, "Retry-After: " + "9" * 400)


def an_hour_at_most(site, header):
    """Who is told to wait for a year waits for an hour; nobody here waits for that."""
    provider = Twilio(journal(site), throttle_once(header))
    with empty_load(site) as load:
        campaign = begin(load, channel_to(site, provider.url))

        def due():
            rows = site.sql(f"""SELECT m.due / 1e6 FROM message m JOIN chunk c
                ON c.account_id = m.account_id AND c.id = m.id >> 9
                WHERE c.run_id = {campaign.run} AND m.state = {RETRY}""")
            return [float(row[0]) - time.time() for row in rows]
        waits = eventually(due, 30, "something is to be tried again")
        time.sleep(2)
        asked = len(load.requests())
        site.ok("POST", f"campaigns/{campaign.id}/cancel")
    provider.close()
    print(f"# {header[:30]}: {asked} requests, the next one after {min(waits):.0f} to "
          f"{max(waits):.0f} s")
    assert min(waits) > 3000 and max(waits) < 3900, f"it waits for {waits} s"
    assert asked <= site.connections + 1, f"{asked} requests to one who wants us to wait"


# ---- silent ----

@fault("F48", "a provider that takes requests and never answers is asked once for each",
       settings=SHORT)
def silent(site):
    def hang(call):
        time.sleep(10 * REQUEST_S)
    load = try_all(site, {"silence": (always(IN_DOUBT, hang), UNKNOWN_FINAL, {})})
    expect(load.repeated, 0, "repeated")


# ---- talking nonsense ----

def ghost(call):
    """An answer too many, which must not be taken for that to the next request on the connection:
    that one is refused."""
    if call.times == 1 and int(call.to[-1]) % 2:
        return ACCEPTED, lambda: call.accept() and call.accept()
    return REFUSED, lambda: call.answer(400, {"code": 21211, "status": 400})


def drip(call):
    call.drip((byte for byte in "HTTP/1.1 200 OK\r\nX: " + "y" * 10000), 0.3)


def endless(call):
    call.send("HTTP/1.1 200 OK\r\n\r\n")
    call.flood(bytes(65536))


def endless_chunks(call):
    call.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    call.flood(b"10000\r\n" + bytes(65536) + b"\r\n")


def giant_header(call):
    call.send("HTTP/1.1 200 OK\r\nX: ")
    call.flood(b"y" * 65536)


def many_headers(call):
    call.send("HTTP/1.1 200 OK\r\n")
    call.flood(b"X: y\r\n" * 8192)


def endless_continues(call):
    call.flood(b"HTTP/1.1 100 Continue\r\n\r\n" * 2048)


def says(text):
    """Says that, and hangs up."""
    return always(IN_DOUBT, lambda call: call.send(text))


def answers(*args):
    return always(IN_DOUBT, lambda call: call.answer(*args))


NONSENSE = {
    "a byte now and then": always(IN_DOUBT, drip),
    "an endless body": always(IN_DOUBT, endless),
    "endless chunks": always(IN_DOUBT, endless_chunks),
    "an endless header": always(IN_DOUBT, giant_header),
    "endless headers": always(IN_DOUBT, many_headers),
    "endless continues": always(IN_DOUBT, endless_continues),
    "chunked garbage": says("HTTP/1.1 201 OK\r\nTransfer-Encoding: chunked\r\n\r\nbanana\r\n{}"),
    "200 with HTML": answers(200, "<html>Welcome to the hotel's WLAN</html>"),
    "204": answers(204),
    "a number for an id": answers(201, {"sid": 17}),
    "no id": answers(201, {"sid": ""}),
    "an id without end": answers(201, {"sid": "SM" + "0" * 100000}),
    "a list": answers(201, "[" * 50000),
    "less than announced": says("HTTP/1.1 201 OK\r\nContent-Length: 100\r\n\r\n{\"sid\": \"SM1"),
    "no HTTP": says("SSH-2.0-OpenSSH_9.2p1\r\n"),
    "a status that is none": says("HTTP/1.1 2x1 OK\r\nContent-Length: 2\r\n\r\n{}"),
    "nothing": says(""),
    "a reset": always(IN_DOUBT, lambda call: call.reset()),
}


@fault("F50", "answers that are slow, endless or nonsense are cut short and leave it in doubt",
       settings=SHORT)
def nonsense(site):
    load = try_all(site, {name: (behave, UNKNOWN_FINAL, {}) for name, behave in NONSENSE.items()})
    expect(load.repeated, 0, "repeated")
    provider = Twilio(journal(site), ghost)
    with empty_load(site) as load:
        begin(load, channel_to(site, provider.url))
    provider.close()
    print(f"# most memory of the sender: {load.watch.most['sender-sms'][0] >> 20} MiB")


# ---- half a word ----

def half_close(call):
    """Says half of it, and that there is no more to come; goes on listening."""
    call.send("HTTP/1.1 201 OK\r\nContent-Length: 60\r\n\r\n{\"sid\": ")
    call.client.shutdown(1)
    time.sleep(3 * REQUEST_S)


def alert(call):
    """An alert that is not even encrypted, in the middle of the body."""
    call.send("HTTP/1.1 201 OK\r\nContent-Length: 60\r\n\r\n{\"sid\": ")
    os.write(call.client.fileno(), b"\x15\x03\x03\x00\x02\x02\x50")  # alert, fatal, internal error


def cut_without_goodbye(call):
    """An answer whose end is the connection's, which ends without close_notify."""
    call.send("HTTP/1.1 201 OK\r\n\r\n{\"sid\": \"SM1")
    call.client.shutdown(2)


@fault("F51", "half an answer leaves it in doubt, at a wrong certificate nothing leaves",
       fresh=True, settings={**SHORT, "SENDER_CA_FILE": "{home}/ca/ca.pem"})
def tls(site):
    made = Certificates(os.path.join(site.home, "ca"))
    good, contexts = made.context("good"), {n: made.context(n) for n in ("other", "expired")}
    secure = {"tls": lambda: good}
    try_all(site, {
        "half closed": (always(IN_DOUBT, half_close), UNKNOWN_FINAL, {}),
        "half closed over TLS": (always(IN_DOUBT, half_close), UNKNOWN_FINAL, secure),
        "an alert": (always(IN_DOUBT, alert), UNKNOWN_FINAL, secure),
        "cut without goodbye": (always(IN_DOUBT, cut_without_goodbye), UNKNOWN_FINAL, secure),
        "over TLS": (accept, SENT, secure),
    })
    for name, bad in contexts.items():
        now = {"tls": bad}
        provider = Twilio(journal(site), accept, tls=lambda: now["tls"])
        with empty_load(site) as load:
            campaign = begin(load, channel_to(site, provider.url))
            eventually(lambda: states(site, campaign)[RETRY], 30, "some are to be tried again")
            expect(len(load.requests()), 0, f"requests to a server with a certificate: {name}")
            tried, now["tls"] = provider.connections, good
        print(f"# {name}: {tried} connections before it was put right")
        expect(states(site, campaign), {SENT: HANDFUL}, name)
        provider.close()


# ---- names ----

@fault("F52", "a name not to be found out is nobody's failure, and one that changes is followed",
       needs=("mounts",), settings={**SHORT, "resolver": True})
def names(site):
    resolver = site.resolver
    names_that_cannot_be_found_out(site, resolver)
    names_that_change(site, resolver)


def accept_and_hang_up(call):
    def act():
        call.answer(201, {"sid": call.id, "status": "queued", "error_code": None},
                    ("Connection: close",))
        return False
    return ACCEPTED, act


def names_that_change(site, resolver):
    """One is at another address at each question, and every message needs a new connection; one
    moves, and nobody is left where it was."""
    flipping = [Twilio(journal(site), accept_and_hang_up)]
    flipping.append(Twilio(journal(site), accept_and_hang_up,
                           address=("127.0.0.2", flipping[0].port)))
    addresses = itertools.cycle([[provider.host] for provider in flipping])
    resolver.answers["flipping.test"] = lambda: next(addresses)
    old = Twilio(journal(site), accept)
    resolver.answers["moving.test"] = [old.host]
    with empty_load(site) as load:
        began = [begin(load, channel_to(site, f"http://{name}.test:{port}", rate=2), tags=("few",))
                 for name, port in (("flipping", flipping[0].port), ("moving", old.port))]
        eventually(lambda: len(old.asked) > 5, 30, "it is sending")
        new = Twilio(journal(site), accept, address=("127.0.0.2", old.port))
        resolver.answers["moving.test"] = [new.host]
        old.close()
        load.settle(120)
    print(f"# a name that changes at each question: {[len(one.asked) for one in flipping]} at its "
          f"addresses; one that moved: {len(old.asked)} before, {len(new.asked)} afterwards")
    for provider in (*flipping, new):
        assert provider.asked, f"nobody came to {provider.url}"
        provider.close()
    expect([dict(states(site, campaign)) for campaign in began], [{SENT: FEW}] * 2)


def names_that_cannot_be_found_out(site, resolver):
    cases = {"nowhere": NO_SUCH_NAME, "failing": SERVER_FAILURE, "silent": SILENT, "empty": [],
             "many": [f"127.0.0.{n}" for n in range(2, 26)] + ["127.0.0.1"]}
    providers = {name: Twilio(journal(site), accept) for name in cases}
    for name, answer in cases.items():
        resolver.answers[f"{name}.test"] = answer
    with empty_load(site) as load:
        began = {name: begin(load, channel_to(site, f"http://{name}.test:{provider.port}"))
                 for name, provider in providers.items()}
        for name in set(cases) - {"many"}:
            eventually(lambda: states(site, began[name])[RETRY], 30, f"{name}: to be tried again")
            expect(providers[name].connections, 0, f"{name}: connections")
            resolver.answers[f"{name}.test"] = ["127.0.0.1"]
        load.settle(200)
    for provider in providers.values():
        provider.close()
    print(f"# questions: {dict(resolver.asked)}")
    expect({name: dict(states(site, began[name])) for name in cases},
           {name: {SENT: HANDFUL} for name in cases})


# ---- mail relays ----

def says_and_hangs_up(text):
    def act(client):
        client.sendall(text.encode() + b"\r\n")
        return False
    return act


def hangs(client):
    time.sleep(10 * REQUEST_S)
    return False


def hangs_up(client):
    return False


VERBS = ("BANNER", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "DOT")
LONG = "250 2.0.0 " + "y" * 8192
MANY = "\r\n".join(["250-y"] * 999 + ["250 AUTH PLAIN LOGIN"])


def relay_cases():
    """name -> (script, what becomes of the mails while the relay is so, the journal's word)"""
    cases = {}
    for verb in VERBS:
        later = "454 4.7.0 later" if verb == "AUTH" else "451 4.3.0 later"
        cases[f"{verb} 4xx"] = ({verb: later}, RETRY, REFUSED)
        cases[f"{verb} 421"] = ({verb: says_and_hangs_up("421 4.3.2 closing")}, RETRY, REFUSED)
    for verb in ("MAIL", "RCPT", "DATA", "DOT"):
        cases[f"{verb} 5xx"] = ({verb: "550 5.0.0 no"}, FAILED, REFUSED)
    cases["BANNER 5xx"] = ({"BANNER": "554 no SMTP service here"}, RETRY, REFUSED)
    cases["EHLO 5xx"] = ({"EHLO": "550 access denied"}, RETRY, REFUSED)
    cases["AUTH 5xx"] = ({"AUTH": "535 5.7.8 no"}, RETRY, REFUSED)
    for verb in ("BANNER", "EHLO", "MAIL", "RCPT", "DATA"):
        cases[f"{verb} hangs"] = ({verb: hangs}, RETRY, REFUSED)
        cases[f"{verb} cut"] = ({verb: hangs_up}, RETRY, REFUSED)
    cases["DOT hangs"] = ({"DOT": hangs}, UNKNOWN_FINAL, IN_DOUBT)
    cases["DOT cut"] = ({"DOT": hangs_up}, UNKNOWN_FINAL, IN_DOUBT)
    cases["cut within the mail"] = ({"WITHIN": hangs_up}, UNKNOWN_FINAL, IN_DOUBT)
    cases["DOT nonsense"] = ({"DOT": "banana"}, UNKNOWN_FINAL, IN_DOUBT)
    cases["a line of 8 KiB"] = ({"MAIL": LONG}, SENT, ACCEPTED)
    cases["a thousand lines"] = ({"EHLO": MANY}, RETRY, REFUSED)
    return cases


def relay_channel(site, name, relay):
    return site.channel("email", "smtp", {
        "host": "127.0.0.1", "port": str(relay.port), "tls": "none", "username": "u",
        "password": "p", "from_email": "news@fanfare.example"}, name=f"relay {name}", rate=50,
        connections=site.connections)


@fault("F53", "a relay that refuses, hangs or hangs up at any verb is understood", settings=SHORT)
def relays(site):
    """What is refused for now is sent when the relay is well again, which is soon."""
    cases = relay_cases()
    relays = {name: Relay(journal(site), script, taken, times=2 if state == RETRY else 1 << 30)
              for name, (script, state, taken) in cases.items()}
    with empty_load(site) as load:
        began = {name: begin(load, relay_channel(site, name, relay), subject="Hello", retry="fast")
                 for name, relay in relays.items()}
        load.settle(300)
    for relay in relays.values():
        relay.close()
    wanted = {name: {SENT if state == RETRY else state: HANDFUL}
              for name, (_, state, _) in cases.items()}
    found = {name: dict(states(site, began[name])) for name in cases}
    print(f"# {len(cases)} behaviours of relays")
    expect({name: found[name] for name in cases if found[name] != wanted[name]}, {}, "states")
