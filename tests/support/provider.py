"""A server that takes what Twilio takes and answers as it is told to, for as long as it is told to.

    provider = Provider()
    provider.answer = Provider.BROKEN      # or a function of (number, how often it was asked)
"""
import hashlib
import http.server
import json
import threading
import time
from urllib.parse import parse_qsl

SID = "AC00000000000000000000000000000001"


class Provider(http.server.ThreadingHTTPServer):
    """Keeps every request: (monotonic instant, number, status of the answer)."""

    ACCEPTED = 201, {}, None
    BROKEN = 500, {}, {"code": 20500, "message": "Broken", "status": 500}
    THROTTLED = 429, {"Retry-After": "1"}, {"code": 20429, "message": "Too many", "status": 429}
    UNKNOWN_LOGIN = 401, {}, {"code": 20003, "message": "Authenticate", "status": 401}
    # 503 of which the provider says that nothing was done: tried again
    NOT_DONE = 400, {}, {"code": 20503, "message": "Later", "status": 400}

    # 400 as for a number that cannot be: failed at once
    NO_NUMBER = 400, {}, {"code": 21211, "message": "No number", "status": 400}

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port=0, answer=ACCEPTED):
        super().__init__(("127.0.0.1", port), Handler)
        self.got, self.lock, self.answer = [], threading.Lock(), answer
        self.times = {}
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def decide(self, number):
        with self.lock:
            self.times[number] = self.times.get(number, 0) + 1
            answer = self.answer
            if callable(answer):
                answer = answer(number, self.times[number])
            self.got.append((time.monotonic(), number, answer[0]))
            return answer

    def asked(self, since=0.0, status=None):
        with self.lock:
            return [one for one in self.got if one[0] >= since and status in (None, one[2])]

    def channel(self, system, **more):
        settings = {"base_url": self.url, "account_sid": SID, "from": "+15005550006",
                    "auth_token": "secret"}
        more = {"name": f"to {self.server_port} {time.monotonic()}", **more}
        return system.channel("sms", "twilio", settings, **more)

    def handle_error(self, request, client_address):
        pass  # who asked was killed


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        to = dict(parse_qsl(body))["To"]
        status, headers, content = self.server.decide(to)
        content = content or {"sid": "SM" + hashlib.md5(to.encode()).hexdigest(),
                              "status": "queued", "to": to, "error_code": None}
        text = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": len(text)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass
