"""Providers that answer as no provider should: they stand outside and are as bad as they are told.

They take what Twilio's API or a mail relay takes, write it into the simulator's journal before they
answer, and then do as their behaviour says. A behaviour is a verdict for the journal, and what is
done with the connection; "failed" is whatever may have been taken, and leaves it in doubt.
"""
import hashlib
import json
import os
import re
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections import Counter
from datetime import datetime, timezone
from urllib.parse import parse_qs, parse_qsl, urlsplit

ACCEPTED, REFUSED, THROTTLED, IN_DOUBT = "accepted", "refused", "throttled", "failed"
MOST = 64 << 20  # bytes of an answer that does not end, in case somebody listens


class Journal:
    def __init__(self, path, provider):
        self.path, self.provider = path, provider

    def write(self, to, token, verdict, id="", status=0):
        at = datetime.now(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")
        line = json.dumps({"at": at, "provider": self.provider, "to": to, "token": token,
                           "verdict": verdict, "id": id, "status": status}) + "\n"
        fd = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(fd, line.encode())
        finally:
            os.close(fd)


class Listener:
    """Takes connections, each on a thread of its own."""

    def __init__(self, address=("127.0.0.1", 0), tls=None):
        self.tls, self.connections, self.open = tls, 0, set()
        self.socket = socket.create_server(address, backlog=256)
        self.host, self.port = self.socket.getsockname()[:2]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            self.open.add(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, plain):
        client = plain
        try:
            plain.settimeout(120)
            if self.tls:
                client = self.tls().wrap_socket(plain, server_side=True)
            self.serve(client)
        except (OSError, ValueError):
            pass
        finally:
            self.open.discard(plain)
            client.close()

    def close(self):
        """Also of what hangs on connections."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)  # or who waits for a connection still gets one
        except OSError:
            pass
        self.socket.close()
        for client in list(self.open):
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


# ---- Twilio ----

class Call:
    """A request, and the connection to answer it on."""

    def __init__(self, client, path, form, times):
        self.client, self.path, self.form, self.times = client, path, form, times
        self.to = form["To"]
        self.token = parse_qs(urlsplit(form["StatusCallback"]).query)["m"][0]
        self.id = "SM" + hashlib.md5(self.token.encode()).hexdigest()

    def send(self, text):
        self.client.sendall(text if isinstance(text, bytes) else text.encode())

    def answer(self, status, body="", headers=(), reason="So"):
        body = body if isinstance(body, str) else json.dumps(body)
        lines = [f"HTTP/1.1 {status} {reason}", *headers]
        if status != 204:
            lines.append(f"Content-Length: {len(body.encode())}")
        self.send("\r\n".join(lines) + "\r\n\r\n" + body)
        return True

    def accept(self):
        return self.answer(201, {"sid": self.id, "status": "queued", "error_code": None})

    def drip(self, pieces, pause_s):
        for piece in pieces:
            self.send(piece)
            time.sleep(pause_s)

    def flood(self, piece):
        for _ in range(MOST // len(piece)):
            self.send(piece)

    def reset(self):
        """The connection's end is a RST."""
        plain = self.client
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        plain.close()


class Twilio(Listener):
    """behave(call) returns the verdict and what to do; that returns whether to go on."""

    def __init__(self, journal, behave, **where):
        self.journal, self.behave = Journal(journal, "hostile"), behave
        self.asked, self.lock = Counter(), threading.Lock()
        super().__init__(**where)
        self.url = f"http{'s' if self.tls else ''}://{self.host}:{self.port}"

    def serve(self, client):
        file = client.makefile("rb")
        while True:
            line = file.readline(65536).decode()
            if not line:
                return
            headers = {}
            while (head := file.readline(65536).decode().strip()):
                name, _, value = head.partition(":")
                headers[name.lower()] = value.strip()
            body = file.read(int(headers.get("content-length", 0)))
            if len(body) < int(headers.get("content-length", 0)):
                return
            form = dict(parse_qsl(body.decode()))
            if "To" not in form:
                return  # it is asked what became of a message, and does not say
            with self.lock:
                self.asked[form["To"]] += 1
                call = Call(client, line.split()[1], form, self.asked[form["To"]])
                verdict, act = self.behave(call)
                self.journal.write(call.to, call.token, verdict, call.id)
            if not act():
                return


def always(verdict, act):
    """The same for every call; act(call)."""
    return lambda call: (verdict, lambda: act(call))


def accept(call):
    return ACCEPTED, call.accept


# ---- mail ----

class Relay(Listener):
    """A mail relay. script: verb -> what to say instead of the usual, as text or as a function of
    the connection that returns whether it goes on. Verbs: BANNER EHLO AUTH MAIL RCPT DATA DOT QUIT,
    and WITHIN, the middle of a mail, where there is nothing to say but goodbye.

    taken: what the journal says of a mail whose DOT is not answered as usual.
    times: so often it keeps to the script for each verb"""

    USUAL = {"BANNER": "220 relay.example ESMTP",
             "EHLO": "250-relay.example\r\n250 AUTH PLAIN LOGIN", "AUTH": "235 2.7.0 in",
             "MAIL": "250 2.1.0 ok", "RCPT": "250 2.1.5 ok",
             "DATA": "354 go on", "DOT": "250 2.0.0 queued", "QUIT": "221 bye", "RSET": "250 ok"}

    def __init__(self, journal, script, taken=IN_DOUBT, times=1 << 30, **where):
        self.journal, self.script, self.taken = Journal(journal, "smtp"), script, taken
        self.times = times
        self.verbs, self.lock = Counter(), threading.Lock()
        super().__init__(**where)

    def _keeps_to_script(self, verb):
        with self.lock:
            self.verbs[verb] += 1
            return verb in self.script and self.verbs[verb] <= self.times

    def _say(self, client, verb, scripted):
        """False: the conversation is over."""
        word = self.script[verb] if scripted else self.USUAL.get(verb, "500 what?")
        if callable(word):
            return word(client)
        client.sendall(word.encode() + b"\r\n")
        return not word.startswith("421")

    def serve(self, client):
        file, to = client.makefile("rb"), ""
        if not self._say(client, "BANNER", self._keeps_to_script("BANNER")):
            return
        while line := file.readline(4096):
            words = line.decode(errors="replace").split()
            verb = words[0].upper() if words else ""
            verb = "EHLO" if verb == "HELO" else verb
            if verb == "RCPT":
                to = re.search(rb"<(.*?)>", line).group(1).decode()
            scripted = self._keeps_to_script(verb)
            if verb == "AUTH" and len(words) < 3 and not scripted:
                client.sendall(b"334 \r\n")
                file.readline(4096)
            if not self._say(client, verb, scripted) or verb == "QUIT":
                return
            if verb == "DATA" and not scripted and not self._mail(client, file, to):
                return

    def _mail(self, client, file, to):
        token = ""
        while (line := file.readline(1 << 20)) not in (b".\r\n", b""):
            found = re.match(rb"Message-ID: <([^@>]*)@", line, re.I)
            token = found.group(1).decode() if found else token
            if found and self._keeps_to_script("WITHIN"):
                self.journal.write(to, token, self.taken, token)
                return False
        if not line:
            return False  # cut off before its end: nothing was taken
        scripted = self._keeps_to_script("DOT")
        self.journal.write(to, token, self.taken if scripted else ACCEPTED, token)
        return self._say(client, "DOT", scripted)


# ---- certificates ----

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
NAMES = {"good": ("IP:127.0.0.1", 9), "other": ("DNS:other.example", 9),
         "expired": ("IP:127.0.0.1", 0)}


class Certificates:
    """An authority (ca.pem), and what it signed: good, expired within a second, and good for
    another host."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder)
        os.chmod(folder, 0o755)
        self._openssl("req", "-x509", *KEY, "-subj", "/CN=test authority", "-days", "9", "-keyout",
                      "ca.key", "-out", "ca.pem")
        for name, (host, days) in NAMES.items():
            self._sign(name, host, days)

    def _openssl(self, *words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=self.folder)

    def _sign(self, name, host, days):
        with open(os.path.join(self.folder, name + ".ext"), "w", encoding="ascii") as file:
            file.write(f"subjectAltName={host}\n")
        self._openssl("req", *KEY, "-subj", f"/CN={name}", "-keyout", name + ".key", "-out",
                      name + ".csr")
        self._openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                      "-CAcreateserial", "-days", str(days), "-extfile", name + ".ext", "-out",
                      name + ".pem")

    def context(self, name):
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(os.path.join(self.folder, name + ".pem"),
                             os.path.join(self.folder, name + ".key"))
        return made
