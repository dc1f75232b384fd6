"""A channel that points at a server of one's own, as README.md shows it. RESOURCE_LOCK: system

The server takes what Twilio takes, and answers as it is told to, by the last digits of the number.
"""
import base64
import hashlib
import hmac
import http.server
import json
import os
import re
import subprocess
import threading
import time
import urllib.error
import urllib.request
from urllib.parse import parse_qsl, urlencode

from books import all_is_final, statistics_are_a_recount
from checks import eventually, expect, run
from people import as_csv, person
from system import GATEWAY, INGESTER, System

SOURCE = os.environ.get("FAN_SOURCE", ".")
SID = "AC00000000000000000000000000000001"
TOKEN = "secret"

# status, headers and body of an answer; none: the connection is cut
ANSWERS = {
    "0429": (429, {"Retry-After": "1"}, {"code": 20429, "message": "Too many", "status": 429}),
    "1610": (400, {}, {"code": 21610, "message": "They said STOP", "status": 400}),
    "0500": (500, {}, {"code": 20500, "message": "Broken", "status": 500}),
    "0200": (200, {}, {"surprise": True}),
    "0999": None,
}


class Server(http.server.ThreadingHTTPServer):
    """Keeps every request: (path, headers, form)."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.got, self.lock = [], threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def keep(self, request):
        """Returns how often this recipient has been asked for."""
        with self.lock:
            self.got.append(request)
            return sum(form["To"] == request[2]["To"] for _, _, form in self.got)

    def requests_to(self, phone):
        with self.lock:
            return [request for request in self.got if request[2]["To"] == phone]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(parse_qsl(body, strict_parsing=True))
        times = self.server.keep((self.path, self.headers, form))
        accepted = (201, {}, {"sid": "SM" + hashlib.md5(form["To"].encode()).hexdigest(),
                              "status": "queued", "to": form["To"], "error_code": None})
        answer = ANSWERS.get(form["To"][-4:], accepted)
        if answer and answer[0] == 429 and times > 1:
            answer = accepted
        if not answer:
            self.close_connection = True
            return
        status, headers, content = answer
        text = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": len(text)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


def channel_to(url):
    settings = {"base_url": url, "account_sid": SID, "from": "+15005550006", "auth_token": TOKEN}
    return fanfare.channel("sms", "twilio", settings, name=f"own {time.monotonic()}")


def campaign_to(tag, phones, text="Hi", url=None):
    """Send to some numbers; returns the campaign and its messages by number when it has ended."""
    channel = channel_to(url or server.url)
    rows = [{**person(n), "external_id": phone, "phone": phone} for n, phone in enumerate(phones)]
    fanfare.import_csv(as_csv(rows), tags=tag)
    campaign = fanfare.campaign(channel, message=text, audience={"tags": [tag]})
    fanfare.launch(campaign)
    fanfare.await_status(campaign, "completed", "failed")
    all_is_final(fanfare, campaign)
    return campaign, {m["address"]: m for m in fanfare.messages(campaign)}


def call_back(request, status, code="", secret=TOKEN):
    """Call back as Twilio does for a request; returns the status of the answer."""
    path, _, form = request
    url = form["StatusCallback"]
    fields = {"MessageSid": "SM" + hashlib.md5(form["To"].encode()).hexdigest(),
              "MessageStatus": status, "To": form["To"], "AccountSid": SID}
    if code:
        fields["ErrorCode"] = code
    text = url + "".join(name + fields[name] for name in sorted(fields))
    signature = base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha1")).decode()
    call = urllib.request.Request(url, urlencode(fields).encode(),
                                  {"X-Twilio-Signature": signature})
    try:
        with urllib.request.urlopen(call, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


def the_readme_is_true_word_by_word():
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as file:
        script = re.search(r"In another terminal:\s+```sh\n(.*?)```", file.read(), re.S)[1]
    for there, here in (("http://127.0.0.1:8080", fanfare.url(GATEWAY)),
                        ("/var/lib/fanfare ", fanfare.home + " "),
                        ("http://127.0.0.1:8082", server.url)):
        assert there in script, f"README.md no longer says {there}"
        script = script.replace(there, here)
    done = subprocess.run(["bash", "-eu"], input=script, text=True, capture_output=True,
                          cwd=fanfare.home)
    assert done.returncode == 0 and not done.stderr, done
    assert '"errors"' not in done.stdout, done.stdout
    eventually(lambda: len(server.got) == 2, 10, "both people were written to: " + done.stdout)
    expect({form["To"]: form["Body"] for _, _, form in server.got},
           {"+919812345678": "Hello Asha in Pune!", "+5491123456789": "Hello Juan in Salta!"})
    fanfare.await_status(1, "completed")
    expect(all_is_final(fanfare, 1)["sent"], 2)


def requests_are_what_the_provider_wants():
    text = "Grüße, {first_name} & co = 100% + ✓"
    _, messages = campaign_to("shape", ["+4915199990001"], text)
    [(path, headers, form)] = server.requests_to("+4915199990001")
    expect(path, f"/2010-04-01/Accounts/{SID}/Messages.json")
    expect(headers["Authorization"],
           "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode())
    expect(headers["Content-Type"], "application/x-www-form-urlencoded")
    expect((form["From"], form["Body"]), ("+15005550006", "Grüße, Asha & co = 100% + ✓"))
    sid = "SM" + hashlib.md5(b"+4915199990001").hexdigest()
    expect(messages["+4915199990001"]["provider_id"], sid)
    assert form["StatusCallback"].startswith(fanfare.url(INGESTER, "/hooks/1/")), form


def only_signed_callbacks_count_and_each_once():
    phones = ["+4915199990011", "+4915199990012", "+4915199990013"]
    campaign, _ = campaign_to("calls", phones)
    one, two = [server.requests_to(phone)[0] for phone in phones[:2]]
    expect(call_back(one, "delivered", secret="guessed"), 403)
    time.sleep(1)
    expect(fanfare.stats(campaign)["delivered"], 0)
    for status in ("sent", "read", "delivered", "delivered", "read"):
        expect(call_back(one, status) // 100, 2)
    expect(call_back(two, "undelivered", code="30005") // 100, 2)
    eventually(lambda: fanfare.stats(campaign)["undelivered"] == 1, 10, "the callbacks count")
    stats = statistics_are_a_recount(fanfare, campaign)
    expect([stats[name] for name in ("sent", "delivered", "read", "undelivered")], [3, 1, 1, 1])
    messages = {m["address"]: m for m in fanfare.messages(campaign)}
    expect([messages[phone]["progress"] for phone in phones], ["read", "undelivered", None])
    expect(messages[phones[1]]["code"], "30005")


def every_answer_has_its_outcome():
    """What may have been taken is never sent again; what was not taken, is."""
    wanted = {"+4915199990429": ("sent", 2), "+4915199991610": ("failed", 1),
              "+4915199990500": ("unknown_final", 1), "+4915199990200": ("unknown_final", 1),
              "+4915199990999": ("unknown_final", 1), "+4915199990003": ("sent", 1)}
    campaign, messages = campaign_to("answers", list(wanted))
    expect({phone: (messages[phone]["status"], len(server.requests_to(phone)))
            for phone in wanted}, wanted)
    expect(messages["+4915199991610"]["code"], "21610")
    late = server.requests_to("+4915199990999")[0]
    expect(call_back(late, "delivered") // 100, 2)
    eventually(lambda: fanfare.stats(campaign)["delivered"] == 1, 10, "the late word counts")
    stats = statistics_are_a_recount(fanfare, campaign)
    expect((stats["sent"], stats["unknown_final"]), (3, 2))
    _, again = campaign_to("stopped", ["+4915199991610"])
    expect(again.popitem()[1]["status"], "skipped")


def who_is_away_for_a_while_misses_nothing():
    gone = Server()
    gone.shutdown()
    gone.server_close()
    fanfare.import_csv(as_csv([{**person(n), "external_id": f"away {n}"} for n in range(900, 905)]),
                       tags="away")
    campaign = fanfare.campaign(channel_to(gone.url), message="Hi", audience={"tags": ["away"]})
    fanfare.launch(campaign)

    def was_tried_often():
        return all(m["attempts"] > 3 for m in fanfare.messages(campaign))
    eventually(was_tried_often, 90, "a server that is away costs no try")
    back = Server(gone.server_port)
    fanfare.await_status(campaign, "completed", seconds=90)
    expect(all_is_final(fanfare, campaign)["sent"], 5)
    expect(len(back.got), 5)


TESTS = [the_readme_is_true_word_by_word, requests_are_what_the_provider_wants,
         only_signed_callbacks_count_and_each_once, every_answer_has_its_outcome,
         who_is_away_for_a_while_misses_nothing]

server = Server()
with System(SCHEDULER_UNKNOWN_WAIT_MS=3000) as fanfare:
    run(TESTS)
