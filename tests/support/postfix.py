"""A real mail server for Python tests: Postfix from Debian, with a configuration, a queue and a
port of its own, next to whatever the machine runs. It delivers into one Maildir, and ends with the
test.

Needs root: Postfix is started by no one else.
"""
import email
import email.policy
import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile

from checks import eventually, skip
from system import die_with_parent

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.test
mynetworks = 127.0.0.0/8
mydestination =
local_recipient_maps =
virtual_mailbox_domains = example.org
virtual_mailbox_base = {folder}
virtual_mailbox_maps = texthash:{folder}/users
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_recipient_restrictions = reject_unauth_destination
smtpd_tls_security_level = {tls}
smtpd_tls_chain_files = {folder}/tls.pem
smtpd_tls_loglevel = 1
smtpd_peername_lookup = no
"""

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
anvil unix - - n - 1 anvil
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """`with Postfix(users) as relay:`; users are the addresses at example.org that exist.

    tls    "may": as the client likes; "encrypt": nothing without STARTTLS"""

    def __init__(self, users, tls="may"):
        if os.geteuid() != 0 or not shutil.which("postfix"):
            skip("Postfix is started by root, with the package postfix")
        self.folder = tempfile.mkdtemp(prefix="fan-postfix-", dir="/tmp")
        os.chmod(self.folder, 0o755)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        owner = pwd.getpwnam("postfix")
        for name in ("config", "queue", "data", "inbox"):
            os.mkdir(self._path(name))
        for name in ("data", "inbox"):
            os.chown(self._path(name), owner.pw_uid, owner.pw_gid)
        values = {"folder": self.folder, "port": self.port, "tls": tls, "uid": owner.pw_uid,
                  "gid": grp.getgrnam("postfix").gr_gid}
        self._write("config/main.cf", MAIN.format(**values))
        self._write("config/master.cf", MASTER.format(**values))
        self._write("users", "".join(f"{user} inbox/\n" for user in users))
        self.certificate = self._make_certificate()
        self.process = None

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _write(self, name, text):
        with open(self._path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def _make_certificate(self):
        """Signed by itself, for 127.0.0.1."""
        key, certificate = self._path("key.pem"), self._path("certificate.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=mail.test", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", key, "-out", certificate], check=True, capture_output=True)
        with open(key, encoding="ascii") as one, open(certificate, encoding="ascii") as other:
            self._write("tls.pem", one.read() + other.read())
        return certificate

    def __enter__(self):
        config = self._path("config")
        subprocess.run(["postfix", "-c", config, "check"], check=True)  # also makes its queues
        self.process = subprocess.Popen(["/usr/lib/postfix/sbin/master", "-c", config, "-s"],
                                        env={**os.environ, "MAIL_CONFIG": config},
                                        preexec_fn=die_with_parent)

        def greets():
            with socket.socket() as probe:
                probe.settimeout(2)
                if probe.connect_ex(("127.0.0.1", self.port)) != 0:
                    return False
                return probe.recv(3) == b"220"
        try:
            eventually(greets, 20, "Postfix greets")
        except BaseException:
            self.__exit__(True)
            raise
        return self

    def __exit__(self, failed, *_):
        try:
            if failed and os.path.exists(self._path("log")):
                print("--- postfix:", *self.log().splitlines()[-40:], sep="\n")
        finally:
            self.process.terminate()
            self.process.wait(20)
            shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        with open(self._path("log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def mails(self):
        """What has been delivered, by the address it was delivered to."""
        found = {}
        new = self._path("inbox/new")
        for name in os.listdir(new) if os.path.isdir(new) else ():
            with open(os.path.join(new, name), "rb") as file:
                mail = email.message_from_binary_file(file, policy=email.policy.default)
            found.setdefault(mail["Delivered-To"], []).append(mail)
        return found
