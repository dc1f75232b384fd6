"""The sandbox seen from outside: what each provider's API refuses, takes and calls back.

Shares no code with it: signatures are computed here, with hmac.
"""
import base64
import hashlib
import hmac
import http.client
import http.server
import json
import os
import re
import smtplib
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from urllib.parse import parse_qsl, urlencode

BINARY = os.path.join(os.environ.get("FAN_BUILD", "build/test"), "bin/fanfare-sandbox")
ACCOUNT = "AC00000000000000000000000000000001"
PHONE = "106540352242922"
AUTH_TOKEN, ACCESS_TOKEN, APP_SECRET = "twilio-word", "meta-word", "app-word"
API_TOKEN = "api-word"


class Receiver(http.server.ThreadingHTTPServer):
    """Takes callbacks and keeps (path, headers, body); refuses as many as `refuse` says."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.got, self.refuse, self.lock = [], 0, threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            refused = self.server.refuse > 0
            self.server.refuse -= refused
            if not refused:
                self.server.got.append((self.path, self.headers, body))
        self.send_response(503 if refused else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


class Sandbox:
    def __init__(self, **settings):
        self.journal_path = os.path.join(tempfile.mkdtemp(), "journal")
        settings = {"listen": "127.0.0.1:0", "smtp_listen": "127.0.0.1:0",
                    "journal": self.journal_path, "twilio_auth_token": AUTH_TOKEN,
                    "meta_access_token": ACCESS_TOKEN, "meta_app_secret": APP_SECRET,
                    "api_token": API_TOKEN, "delay_ms": 10, **settings}
        arguments = [str(word) for name, value in settings.items() for word in (f"--{name}", value)]
        self.process = subprocess.Popen([BINARY, *arguments], stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if found := re.search(r"HTTP on port (\d+), SMTP on port (\d+)", line):
                self.port, self.smtp_port = map(int, found.groups())
                break
        else:
            raise RuntimeError("the sandbox did not start")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.terminate()
        assert self.process.wait(20) == 0, f"exit code {self.process.returncode}"

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read()), answer.headers
        finally:
            connection.close()

    def twilio(self, token=AUTH_TOKEN, account=ACCOUNT, **form):
        login = base64.b64encode(f"{ACCOUNT}:{token}".encode()).decode()
        form = {key: value for key, value in
                {"To": "+14155552671", "From": "+15005550006", "Body": "Hi", **form}.items()
                if value is not None}
        return self.request("POST", f"/2010-04-01/Accounts/{account}/Messages.json",
                            urlencode(form, doseq=True),
                            {"Authorization": "Basic " + login,
                             "Content-Type": "application/x-www-form-urlencoded"})

    def meta(self, token=ACCESS_TOKEN, phone=PHONE, **message):
        message = {"messaging_product": "whatsapp", "to": "14155552671", "type": "text",
                   "text": {"body": "Hi"}, **message}
        message = {key: value for key, value in message.items() if value is not None}
        return self.request("POST", f"/v23.0/{phone}/messages", json.dumps(message),
                            {"Authorization": "Bearer " + token,
                             "Content-Type": "application/json"})

    def api(self, key=None, token=API_TOKEN, **message):
        message = {"to": "+14155552671", "text": "Hi", "id": "1-512-x", **message}
        headers = {"Authorization": "Bearer " + token, **({"Idempotency-Key": key} if key else {})}
        return self.request("POST", "/api/messages", json.dumps(message), headers)

    def stats(self):
        return self.request("GET", "/stats")[1]

    def journal(self):
        with open(self.journal_path, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]


def wait_for(condition, seconds=15):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def same(got, wanted):
    assert got == wanted, f"got {got!r}, wanted {wanted!r}"


# --- Twilio ---------------------------------------------------------------------------------------


def twilio_refuses_what_twilio_refuses():
    cases = [
        (dict(token="wrong"), 401, 20003),
        (dict(account="AC00000000000000000000000000000002"), 404, 20404),
        (dict(To=None), 400, 21604), (dict(To="4155552671"), 400, 21211),
        (dict(To="+1415555267x"), 400, 21211), (dict(To="+0415555267"), 400, 21211),
        (dict(To="+1415"), 400, 21211), (dict(From=None), 400, 21603),
        (dict(From="a name too long"), 400, 21212), (dict(Body=None), 400, 21602),
        (dict(Body="ß" * 1601), 400, 21617), (dict(MediaUrl="ftp://x/y"), 400, 21620),
        (dict(MediaUrl=["http://x/y"] * 11), 400, 21623),
        (dict(StatusCallback="nowhere"), 400, 21609),
        (dict(StatusCallback="http://my_host/x"), 400, 21609),
        (dict(To="+15005550001"), 400, 21211), (dict(To="+15005550002"), 400, 21612),
        (dict(To="+15005550003"), 400, 21408), (dict(To="+15005550004"), 400, 21610),
        (dict(To="+15005550009"), 400, 21614), (dict(From="+15005550001"), 400, 21212),
        (dict(From="+15005550007"), 400, 21606), (dict(From="+15005550008"), 400, 21611),
    ]
    with Sandbox() as sandbox:
        for form, status, code in cases:
            got = sandbox.twilio(**form)
            same((got[0], got[1]["code"], got[1]["status"]), (status, code, status))
        same(sandbox.stats()["twilio"]["refused"], len(cases))
        same([line["id"] for line in sandbox.journal()], [str(code) for _, _, code in cases])


def twilio_answers_201_in_its_own_shape():
    with Sandbox() as sandbox:
        status, message, _ = sandbox.twilio(Body="Grüße 👋", MediaUrl=["http://x/1", "http://x/2"])
        same(status, 201)
        assert re.fullmatch(r"SM[0-9a-f]{32}", message["sid"]), message["sid"]
        same({key: message[key] for key in ("account_sid", "body", "from", "to", "status",
                                            "num_media", "error_code", "date_sent")},
             {"account_sid": ACCOUNT, "body": "Grüße 👋", "from": "+15005550006",
              "to": "+14155552671", "status": "queued", "num_media": "2", "error_code": None,
              "date_sent": None})
        _, pooled, _ = sandbox.twilio(From=None, MessagingServiceSid="MG" + "0" * 32)
        same((pooled["status"], pooled["from"], pooled["num_segments"]), ("accepted", None, "0"))
        assert pooled["sid"] != message["sid"]
        same(sandbox.twilio(Body="ß" * 1600)[0], 201)


def twilio_signature(url, form):
    text = url + "".join(name + value for name, value in sorted(form))
    mac = hmac.new(AUTH_TOKEN.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(mac).decode()


def twilio_calls_back_signed_and_in_order():
    receiver = Receiver()
    with Sandbox(deliver_percent=100, fail_percent=0) as sandbox:
        url = receiver.url("/hooks/7?m=1234567.k5Zq0w")
        _, message, _ = sandbox.twilio(StatusCallback=url)
        wait_for(lambda: len(receiver.got) == 2)
        for (path, headers, body), status in zip(receiver.got, ("sent", "delivered")):
            form = parse_qsl(body.decode(), keep_blank_values=True)
            same(path, "/hooks/7?m=1234567.k5Zq0w")
            same(headers["X-Twilio-Signature"], twilio_signature(url, form))
            form = dict(form)
            same((form["MessageSid"], form["MessageStatus"], form["To"], form["From"]),
                 (message["sid"], status, "+14155552671", "+15005550006"))
        wait_for(lambda: sandbox.stats()["callbacks"]["waiting"] == 0)
        same(sandbox.journal()[0]["token"], "1234567.k5Zq0w")
        same(sandbox.journal()[0]["id"], message["sid"])


def a_failure_after_acceptance_has_a_code():
    receiver = Receiver()
    with Sandbox(deliver_percent=0, fail_percent=100) as sandbox:
        sandbox.twilio(StatusCallback=receiver.url("/h?m=1.x"))
        wait_for(lambda: len(receiver.got) == 2)
        form = dict(parse_qsl(receiver.got[1][2].decode()))
        same(form["MessageStatus"], "undelivered")
        assert re.fullmatch(r"300\d\d", form["ErrorCode"])


def callbacks_are_repeated_until_they_are_taken():
    receiver = Receiver()
    receiver.refuse = 3
    with Sandbox(deliver_percent=100, fail_percent=0) as sandbox:
        sandbox.twilio(StatusCallback=receiver.url("/h?m=1.x"))
        wait_for(lambda: len(receiver.got) == 2)
        wait_for(lambda: sandbox.stats()["callbacks"]["waiting"] == 0)
        same(sandbox.stats()["callbacks"],
             {"delivered": 2, "failed": 3, "given_up": 0, "waiting": 0})


def callbacks_are_given_up_in_the_end():
    with Sandbox(deliver_percent=100, fail_percent=0, callback_tries=2) as sandbox:
        sandbox.twilio(StatusCallback="http://127.0.0.1:9/h?m=1.x")
        wait_for(lambda: sandbox.stats()["callbacks"]["given_up"] == 2)
        same(sandbox.stats()["callbacks"]["waiting"], 0)


def a_full_backlog_tells_senders_to_come_later():
    with Sandbox(callback_backlog=2, delay_ms=60000) as sandbox:
        url = "http://127.0.0.1:9/h?m=1.x"
        same([sandbox.twilio(StatusCallback=url)[0] for _ in range(3)], [201, 201, 429])
        same(sandbox.stats()["callbacks"]["waiting"], 2)


# --- Meta -----------------------------------------------------------------------------------------


def template(name="offer", language="en_US", variables=("Ann", "Oslo"), header=None):
    parameters = [{"type": "text", "text": text} for text in variables]
    components = [{"type": "body", "parameters": parameters}] if variables else []
    if header:
        components.append({"type": "header", "parameters": [{"type": "image", "image": header}]})
    return {"type": "template", "text": None,
            "template": {"name": name, "language": {"code": language}, "components": components}}


def meta_refuses_what_meta_refuses():
    link = {"link": "https://m.example/1.png"}
    cases = [
        (dict(token="wrong"), 401, 190), (dict(phone="1"), 400, 100),
        (dict(messaging_product="sms"), 400, 100), (dict(to=None), 400, 100),
        (dict(to="somebody"), 400, 131009), (dict(recipient_type="crowd"), 400, 100),
        (dict(type="smell"), 400, 100), (dict(text={"body": ""}), 400, 100),
        (dict(text="Hi"), 400, 100), (dict(text={"body": "ß" * 4097}), 400, 100),
        (dict(type="image", image={}), 400, 100),
        (dict(type="image", image={"id": "1", **link}), 400, 100),
        (dict(type="image", image={"link": "file:///x"}), 400, 131009),
        (dict(type="image", image={"caption": "ß" * 1025, **link}), 400, 100),
        (dict(type="audio", audio={"caption": "x", **link}), 400, 100),
        (dict(biz_opaque_callback_data="x" * 513), 400, 100),
        (template(name="unknown"), 404, 132001), (template(language="de"), 404, 132001),
        (template(variables=("Ann",)), 400, 132000), (template(variables=()), 400, 132000),
        (template(variables=("Ann", "")), 400, 131008),
        (template(variables=("Ann", "a\nb")), 400, 100),
        (template(variables=("Ann", "a     b")), 400, 100),
        (template(header=link), 400, 132012),
        (template(name="festival_greeting", variables=("Ann",)), 400, 132012),
    ]
    with Sandbox() as sandbox:
        for message, status, code in cases:
            got = sandbox.meta(**message)
            same((got[0], got[1]["error"]["code"]), (status, code))
        same(sandbox.meta(phone="1")[1]["error"]["error_subcode"], 33)
        same(sandbox.stats()["meta"]["refused"], len(cases) + 1)


def meta_answers_in_its_own_shape():
    image = {"type": "image", "text": None,
             "image": {"link": "https://m.example/1.png", "caption": "Hi"}}
    with Sandbox() as sandbox:
        for message in ({}, image, template(), {"to": "+14155552671"},
                        template(name="hello_world", variables=()),
                        template(name="festival_greeting", variables=("Ann",),
                                 header={"link": "https://m.example/1.png"})):
            status, answer, _ = sandbox.meta(**message)
            same((status, answer["messaging_product"]), (200, "whatsapp"))
            same(answer["contacts"][0]["wa_id"], "14155552671")
            assert answer["messages"][0]["id"].startswith("wamid."), answer
        same(len({line["id"] for line in sandbox.journal()}), 6)


def statuses_of(receiver):
    found = []
    for _, headers, body in receiver.got:
        mac = hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
        same(headers["X-Hub-Signature-256"], "sha256=" + mac)
        delivery = json.loads(body)
        same(delivery["object"], "whatsapp_business_account")
        for entry in delivery["entry"]:
            for change in entry["changes"]:
                same(change["value"]["metadata"]["phone_number_id"], PHONE)
                found += change["value"]["statuses"]
    return found


def meta_calls_back_signed_many_at_a_time():
    receiver = Receiver()
    with Sandbox(meta_webhook_url=receiver.url("/hooks/8"), deliver_percent=100, fail_percent=0,
                 read_percent=100, callback_connections=1, delay_ms=50) as sandbox:
        ids = {}
        for number in range(40):
            token = f"{number}.tok"
            answer = sandbox.meta(biz_opaque_callback_data=token)[1]
            ids[token] = answer["messages"][0]["id"]
        wait_for(lambda: sandbox.stats()["callbacks"]["delivered"] == 120)
    seen = {}
    for status in statuses_of(receiver):
        same(status["id"], ids[status["biz_opaque_callback_data"]])
        same(status["recipient_id"], "14155552671")
        seen.setdefault(status["id"], []).append(status["status"])
    same(set(map(tuple, seen.values())), {("sent", "delivered", "read")})
    same(len(seen), 40)
    assert len(receiver.got) < 120, "no delivery held more than one status"


def meta_failures_carry_errors():
    receiver = Receiver()
    with Sandbox(meta_webhook_url=receiver.url("/hooks/8"), deliver_percent=0,
                 fail_percent=100) as sandbox:
        sandbox.meta()
        wait_for(lambda: receiver.got)
    status, = statuses_of(receiver)
    same(status["status"], "failed")
    assert status["errors"][0]["code"] > 131000 and status["errors"][0]["title"]


# --- e-mail ---------------------------------------------------------------------------------------

MAIL = ("From: news@fanfare.example\r\nTo: ann@example.org\r\nSubject: Hi\r\n"
        "Date: Fri, 20 Nov 2026 06:42:14 +0000\r\n"
        "Message-ID: <{token}@fanfare.example>\r\n\r\nHi\r\n..\r\n.dot\r\n")


def relay(sandbox, login=True):
    client = smtplib.SMTP("127.0.0.1", sandbox.smtp_port, "mail.fanfare.example", timeout=10)
    client.ehlo()
    if login:
        client.login("sandbox", "sandbox")
    return client


def code_of(call, *arguments):
    try:
        call(*arguments)
    except smtplib.SMTPRecipientsRefused as refusal:
        return next(iter(refusal.recipients.values()))[0]
    except smtplib.SMTPResponseException as refusal:
        return refusal.smtp_code
    return 250


def mails_are_taken_over_one_connection():
    with Sandbox() as sandbox, relay(sandbox) as client:
        for number in range(20):
            client.sendmail("bounce@fanfare.example", ["ann@example.org"],
                            MAIL.format(token=f"{number}.tok"))
        lines = sandbox.journal()
        same([line["token"] for line in lines], [f"{number}.tok" for number in range(20)])
        same({(line["verdict"], line["status"], line["to"]) for line in lines},
             {("accepted", 250, "ann@example.org")})


def mails_are_refused_as_relays_refuse_them():
    sender, to, good = "n@fanfare.example", "ann@example.org", MAIL.format(token="1.x")
    with Sandbox(smtp_size_cap=2000) as sandbox:
        with relay(sandbox, login=False) as client:
            same(code_of(client.sendmail, sender, to, good), 530)
            same(code_of(client.login, "sandbox", "wrong"), 535)
            same(code_of(client.login, "sandbox", "sandbox"), 250)
        with relay(sandbox) as client:
            same(code_of(client.sendmail, sender, "nobody@example.org", good), 550)
            same(code_of(client.sendmail, sender, "full@example.org", good), 452)
            same(code_of(client.sendmail, sender, "ann", good), 501)
            same(code_of(client.sendmail, sender, to, good + ("x" * 900 + "\r\n") * 3), 552)
            same(code_of(client.sendmail, sender, to, "Subject: Hi\r\n\r\nHi\r\n"), 554)
            same(code_of(client.sendmail, sender, to, good.replace("Message-ID", "X-Id")), 554)
            same(code_of(client.sendmail, sender, to, good + "x" * 1100 + "\r\n"), 554)
            same(client.docmd("DATA")[0], 503)
            same(client.docmd("SMELL")[0], 500)
            same(code_of(client.sendmail, sender, to, good), 250)
        same(sandbox.stats()["smtp"]["accepted"], 1)


def commands_may_come_in_one_piece():
    with Sandbox(smtp_username="") as sandbox:
        client = smtplib.SMTP("127.0.0.1", sandbox.smtp_port, timeout=10)
        client.send(b"EHLO x\r\nMAIL FROM:<a@b.c> SIZE=500\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n"
                    + MAIL.format(token="2.y").encode() + b".\r\nQUIT\r\n")
        codes = [client.getreply()[0] for _ in range(6)]
        same(codes, [250, 250, 250, 354, 250, 221])
        same(sandbox.journal()[0]["token"], "2.y")


# --- what the drivers write -----------------------------------------------------------------------


def golden_requests(provider):
    """Yield (file name, the fields above the empty line, the body) of a driver's requests."""
    folder = os.path.join(os.environ.get("FAN_SOURCE", "."), "tests/golden/providers", provider,
                          "requests")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            head, _, body = file.read().partition(b"\n\n")
        yield name, dict(line.partition(": ")[::2] for line in head.decode().splitlines()), body


def what_the_drivers_write_is_taken():
    templates = "spring_offer:en_US:2,festival:hi:1:image,hello_world:en_US:0,hello_world:de:0," \
                "note:en:3"
    with Sandbox(twilio_auth_token="12345", meta_access_token="EAAGtoken", smtp_username="",
                 meta_templates=templates) as sandbox:
        for provider in ("sms_twilio", "whatsapp_meta"):
            for name, fields, body in golden_requests(provider):
                if name == "api_key.txt":
                    continue  # the sandbox has no API keys
                path = "/" + fields["url"].split("/", 3)[3].removeprefix("twilio/")
                headers = {key: fields[key] for key in ("Authorization", "Content-Type")
                           if key in fields}
                if "username" in fields:
                    login = f"{fields['username']}:{fields['password']}".encode()
                    headers["Authorization"] = "Basic " + base64.b64encode(login).decode()
                status, answer, _ = sandbox.request("POST", path, body, headers)
                assert status in (200, 201), (name, answer)
        with relay(sandbox, login=False) as client:
            for _, fields, body in golden_requests("email_smtp"):
                client.sendmail(fields["mail_from"], fields["mail_to"], body)
        same({(line["verdict"], line["token"]) for line in sandbox.journal()},
             {("accepted", "1234567.k5Zq0w")})


# --- what goes wrong on request -------------------------------------------------------------------


def patterns_make_recipients_fail():
    with Sandbox(fault_patterns="true") as sandbox:
        same([sandbox.twilio(To="+14155550429")[0] for _ in range(3)], [429, 201, 201])
        same(sandbox.meta(to="14155550429")[1]["error"]["code"], 130429)
        same(sandbox.twilio(To="+14155550500")[0], 500)
        for send in (lambda: sandbox.twilio(To="+14155550999"),
                     lambda: sandbox.meta(to="14155550999")):
            try:
                send()
                raise AssertionError("there was an answer")
            except (http.client.RemoteDisconnected, ConnectionResetError):
                pass
        same([line["status"] for line in sandbox.journal()][-2:], [0, 0])
        with relay(sandbox) as client:
            greylisted = [code_of(client.sendmail, "a@b.c", "ann0429@example.org",
                                  MAIL.format(token="1.x")) for _ in range(2)]
            same(greylisted, [451, 250])
        client = relay(sandbox)
        try:
            client.sendmail("a@b.c", "ann0999@example.org", MAIL.format(token="9.z"))
            raise AssertionError("there was an answer")
        except smtplib.SMTPServerDisconnected:
            pass
        last = sandbox.journal()[-1]
        same((last["token"], last["verdict"], last["status"]), ("9.z", "accepted", 0))


def a_throttle_lets_so_many_through_a_second():
    with Sandbox(throttle=5) as sandbox:
        statuses = [sandbox.twilio()[0] for _ in range(30)]
        assert 5 <= statuses.count(201) <= 15 and 429 in statuses, statuses
        same(sandbox.stats()["twilio"]["throttled"], statuses.count(429))


def answers_wait_for_the_latency():
    with Sandbox(latency_ms=150) as sandbox:
        started = time.monotonic()
        same(sandbox.twilio()[0], 201)
        same(sandbox.meta()[0], 200)
        assert time.monotonic() - started >= 0.3


def a_killed_sandbox_has_written_every_answer_down():
    sandbox = Sandbox()
    answered = 0
    killer = threading.Timer(1, sandbox.process.kill)
    killer.start()
    try:
        while True:
            sandbox.twilio()
            answered += 1
    except OSError:
        pass
    except http.client.HTTPException:
        pass
    sandbox.process.wait()
    assert answered <= len(sandbox.journal()) <= answered + 1
    assert answered > 10


# --- the API with keys ----------------------------------------------------------------------------


def the_api_refuses_and_takes():
    cases = [(dict(token="wrong"), 401, "unauthorized"), (dict(to="4155552671"), 400, "bad_number"),
             (dict(text=""), 400, "no_text"), (dict(text="x" * 4097), 413, "too_long"),
             (dict(key="k" * 256), 400, "bad_key"), (dict(to="+14155550429"), 429, "too_many"),
             (dict(to="+14155550500"), 500, "internal")]
    with Sandbox(fault_patterns="true") as sandbox:
        for message, status, code in cases:
            got = sandbox.api(**message)
            same((got[0], got[1]["error"]["code"]), (status, code))
        same(sandbox.request("POST", "/api/messages", "[", {
            "Authorization": "Bearer " + API_TOKEN})[1]["error"]["code"], "bad_json")
        first, second = sandbox.api(), sandbox.api()
        same((first[0], second[0]), (201, 201))
        assert first[1]["message"]["id"] != second[1]["message"]["id"], "without a key both count"


def a_known_key_is_answered_as_before():
    with Sandbox(fault_patterns="true") as sandbox:
        first, second, other = (sandbox.api(key) for key in ("one", "one", "two"))
        same(first[:2], second[:2])
        same((first[2]["Idempotency-Replayed"], second[2]["Idempotency-Replayed"]), (None, "true"))
        assert other[1]["message"]["id"] != first[1]["message"]["id"]
        got = sandbox.api("one", text="Hello")
        same((got[0], got[1]["error"]["code"]), (422, "key_reused"))
        same([sandbox.api("three", to="+14155550429")[0] for _ in range(3)], [429, 201, 201])
        try:
            sandbox.api("four", to="+14155550999")
            raise AssertionError("it was answered")
        except (http.client.RemoteDisconnected, ConnectionError):
            pass
        same(sandbox.api("four", to="+14155550999")[0], 201)
        same([(line["key"], line["verdict"]) for line in sandbox.journal()], [
            ("one", "accepted"), ("one", "replayed"), ("two", "accepted"), ("one", "reused"),
            ("three", "throttled"), ("three", "accepted"), ("three", "replayed"),
            ("four", "accepted"), ("four", "replayed")])
        same(sandbox.stats()["api"], {"accepted": 4, "refused": 0, "throttled": 1, "failed": 0,
                                      "known": 4})


def a_key_is_under_way_and_then_forgotten():
    with Sandbox(api_work_ms=400, api_key_ttl_s=1) as sandbox:
        first, second = sandbox.api("one"), sandbox.api("one")
        same((first[0], second[0], second[2]["Retry-After"]), (201, 409, "1"))
        wait_for(lambda: sandbox.api("one")[0] == 201)
        wait_for(lambda: sandbox.api("one")[1].get("message") not in (None, first[1]["message"]))
        same([line["verdict"] for line in sandbox.journal()].count("accepted"), 2)


def wrong_settings_stop_the_start():
    for name, value in (("meta_templates", "offer"), ("smtp_listen", "nowhere"),
                        ("journal", "/nowhere/at/all"), ("no_such_setting", "1")):
        done = subprocess.run([BINARY, "--listen", "127.0.0.1:0", "--smtp_listen", "127.0.0.1:0",
                               f"--{name}", value], capture_output=True, text=True, timeout=20,
                              check=False)
        assert done.returncode in (64, 70) and name in done.stderr, done


TESTS = [
    twilio_refuses_what_twilio_refuses, twilio_answers_201_in_its_own_shape,
    twilio_calls_back_signed_and_in_order, a_failure_after_acceptance_has_a_code,
    callbacks_are_repeated_until_they_are_taken, callbacks_are_given_up_in_the_end,
    a_full_backlog_tells_senders_to_come_later, meta_refuses_what_meta_refuses,
    meta_answers_in_its_own_shape, meta_calls_back_signed_many_at_a_time,
    meta_failures_carry_errors, mails_are_taken_over_one_connection,
    mails_are_refused_as_relays_refuse_them, commands_may_come_in_one_piece,
    what_the_drivers_write_is_taken,
    patterns_make_recipients_fail, a_throttle_lets_so_many_through_a_second,
    answers_wait_for_the_latency, a_killed_sandbox_has_written_every_answer_down,
    the_api_refuses_and_takes, a_known_key_is_answered_as_before,
    a_key_is_under_way_and_then_forgotten, wrong_settings_stop_the_start,
]


def main():
    failed = 0
    for test in TESTS:
        try:
            test()
            print("ok -", test.__name__.replace("_", " "))
        except Exception:  # whatever it is, it is this test's
            failed += 1
            print("not ok -", test.__name__.replace("_", " "))
            traceback.print_exc()
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
