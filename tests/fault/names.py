"""A resolver that answers as a fault likes, and processes that ask it and nobody else."""
import os
import random
import socket
import struct
import threading
from collections import Counter

from system import runs_as

NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME = 0, 2, 3
SILENT = None
A = 1

# In a mount namespace of its own, with our resolv.conf in the place of the system's.
ENTER = """mount --bind "$0" /etc/resolv.conf && exec setpriv --reuid={user} --regid={group} \\
    --clear-groups --pdeathsig=TERM "$@" """


class Resolver:
    """answers: name -> a list of addresses, a code, or SILENT; or a function that returns one of
    these for each question for an IPv4 address. Nothing may be kept (a time to live of 0)."""

    def __init__(self, site):
        self.answers, self.asked = {}, Counter()
        self.address = f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}.53"
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.address, 53))
        path = os.path.join(site.home, "resolv.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"nameserver {self.address}\noptions timeout:1 attempts:1\n")
        os.chmod(path, 0o644)
        site.prefix = ["unshare", "--mount", "sh", "-c", ENTER.format(**runs_as()), path]
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self):
        while True:
            question, who = self.socket.recvfrom(4096)
            answer = self._answer(question)
            if answer:
                self.socket.sendto(answer, who)

    def _answer(self, question):
        words, at = [], 12
        while question[at]:
            words.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        kind = struct.unpack_from(">H", question, at + 1)[0]
        name = ".".join(words).lower()
        self.asked[name] += 1
        answer = self.answers.get(name, NO_SUCH_NAME)
        if callable(answer):
            answer = answer() if kind == A else []
        if answer is SILENT:
            return None
        code, found = (answer, []) if isinstance(answer, int) else (NO_ERROR, answer)
        found = found if kind == A else []
        head = question[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(found), 0, 0)
        rows = b"".join(struct.pack(">HHHIH", 0xc00c, A, 1, 0, 4) + socket.inet_aton(address)
                        for address in found)
        return head + question[12:at + 5] + rows
