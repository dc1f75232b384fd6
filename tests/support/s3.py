"""An object storage that speaks like S3 and believes nobody: a second opinion of our signatures.

Run as a program it prints its port and serves until its standard input ends. One bucket is there,
"pictures" in eu-test-1, for the key AKTEST; "slow-down" and "hang-up" fail as they say. Every
signature, of headers or of a query, is computed anew from what arrived, by the documentation of
Signature Version 4, sharing no code with ours.
"""
import hashlib
import hmac
import sys
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, unquote, urlsplit

KEY, SECRET, REGION = "AKTEST", "test/secret+key", "eu-test-1"
SKEW = timedelta(minutes=15)


class Refused(Exception):
    def __init__(self, status, code):
        super().__init__(code)
        self.status, self.code = status, code


def encoded(text):
    return quote(text, safe="-_.~")


def signature(method, path, query, headers, names, payload, date):
    """By the documentation; headers has lower-case names."""
    pairs = sorted((encoded(name), encoded(value)) for name, value in query)
    canonical = "\n".join([
        method, "/".join(encoded(part) for part in path.split("/")),
        "&".join(f"{name}={value}" for name, value in pairs),
        *(f"{name}:{' '.join(headers[name].split())}" for name in names), "", ";".join(names),
        payload])
    scope = f"{date[:8]}/{REGION}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + SECRET).encode()
    for part in (date[:8], REGION, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def age(date):
    return datetime.now(timezone.utc) - datetime.strptime(
        date, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)


def check_scope(credential, date):
    if credential != f"{KEY}/{date[:8]}/{REGION}/s3/aws4_request":
        raise Refused(403, "InvalidAccessKeyId" if not credential.startswith(KEY + "/")
                      else "AuthorizationHeaderMalformed")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def check_query(self, path, query, headers):
        given = dict(query)
        date, expires = given["X-Amz-Date"], int(given["X-Amz-Expires"])
        check_scope(given["X-Amz-Credential"], date)
        if not 1 <= expires <= 604800 or not -SKEW < age(date) < timedelta(seconds=expires):
            raise Refused(403, "AccessDenied")
        right = signature(self.command, path, [p for p in query if p[0] != "X-Amz-Signature"],
                          headers, given["X-Amz-SignedHeaders"].split(";"), "UNSIGNED-PAYLOAD",
                          date)
        if not hmac.compare_digest(right, given["X-Amz-Signature"]):
            raise Refused(403, "SignatureDoesNotMatch")

    def check_headers(self, path, query, headers, body):
        kind, _, rest = headers.get("authorization", "").partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        date, payload = headers.get("x-amz-date", ""), headers.get("x-amz-content-sha256", "")
        if kind != "AWS4-HMAC-SHA256" or not date or not payload:
            raise Refused(403, "AccessDenied")
        if abs(age(date)) > SKEW:
            raise Refused(403, "RequestTimeTooSkewed")
        check_scope(parts["Credential"], date)
        names = parts["SignedHeaders"].split(";")
        needed = {"host", "x-amz-date", "x-amz-content-sha256"}
        if names != sorted(names) or not needed <= set(names):
            raise Refused(403, "AccessDenied")
        if payload != hashlib.sha256(body).hexdigest():
            raise Refused(400, "XAmzContentSHA256Mismatch")
        right = signature(self.command, path, query, headers, names, payload, date)
        if not hmac.compare_digest(right, parts["Signature"]):
            raise Refused(403, "SignatureDoesNotMatch")

    def check(self, body):
        """Whose object it is, when the signature is right."""
        target = urlsplit(self.path)
        path = unquote(target.path)
        query = parse_qsl(target.query, keep_blank_values=True)
        headers = {name.lower(): value for name, value in self.headers.items()}
        if "X-Amz-Signature" in dict(query):
            self.check_query(path, query, headers)
        else:
            self.check_headers(path, query, headers, body)
        bucket = path.split("/")[1]
        if bucket == "slow-down":
            raise Refused(503, "SlowDown")
        if bucket != "pictures":
            raise Refused(404, "NoSuchBucket")
        return path

    def answer(self, status, content_type=None, body=b""):
        self.send_response(status)
        if content_type:
            self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        objects = self.server.objects
        self.server.requests.append((self.command, self.path))
        if self.path.startswith("/hang-up/"):
            self.close_connection = True
            return
        try:
            if self.server.down:
                raise Refused(503, "ServiceUnavailable")
            path = self.check(body)
            if self.command == "PUT":
                objects[path] = (self.headers["Content-Type"], body)
                self.answer(200)
            elif self.command == "DELETE":
                objects.pop(path, None)
                self.answer(204)
            elif path in objects:
                self.answer(200, *objects[path])
            else:
                raise Refused(404, "NoSuchKey")
        except Refused as refused:
            self.answer(refused.status, "application/xml",
                        f"<Error><Code>{refused.code}</Code></Error>".encode())

    do_GET = do_HEAD = do_PUT = do_DELETE = serve


def start():
    """A server on a port of its own; .server_port, .objects, .requests, .down."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.objects, server.requests, server.down = {}, [], False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


if __name__ == "__main__":
    print(start().server_port, flush=True)
    sys.stdin.read()
