"""The disk of the senders' journal is full, fails, or gives back something else than it got.

What a sender knows of requests in flight stands there alone. So with a disk that does not take it
nothing is sent, and from what is missing or damaged nobody may conclude that nothing was sent.
"""
import contextlib
import glob
import os
import signal
import subprocess
import tempfile
import time

from checks import eventually, expect
from faults import fault
from system import runs_as

SENDER = "sender-sms"
ROOM_KB = 1800  # one journal, and not two
THIN_MB = 3  # behind a disk that promises more
HEAD, SLOT, RECORDS, RECORD, WORD = 4096, 68096, 4096, 128, 12  # bytes (actors/sender/journal.h)


def folder(site):
    return os.path.join(site.home, "state", "journal")


def journals(site):
    return glob.glob(os.path.join(folder(site), "*.journal"))


def log_of(site):
    with open(os.path.join(site.home, "log", SENDER + ".log"), encoding="utf-8") as file:
        return file.read()


def told(site, event, before):
    """The sender's log has one more line of an event."""
    eventually(lambda: log_of(site).count(event) > before.count(event), 20, event)


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def small_disk(path):
    user = runs_as()
    owner = f"uid={user['user']},gid={user['group']}" if user else "uid=0"
    mount("-t", "tmpfs", "-o", f"size={ROOM_KB}k,mode=0700,{owner}", "none", path)


@contextlib.contextmanager
def another_disk(site, bring):
    """The folder of the journals is on another disk, empty at first, while the block lasts."""
    eventually(lambda: len(journals(site)) >= 1, 10)
    bring(folder(site))
    try:
        site.kill(SENDER)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder(site)], check=True)


def kill_and_await(site):
    pid = site.kill(SENDER)
    site.await_process(SENDER, pid)


def fill(path):
    """Write until there is no room."""
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass


@contextlib.contextmanager
def filled(site):
    """There is no byte left on it."""
    path = os.path.join(folder(site), "filler")
    fill(path)
    expect(os.statvfs(folder(site)).f_bavail, 0, "room that is left")
    try:
        yield
    finally:
        os.unlink(path)


def full(site):
    """A journal has its room from the beginning, so a disk that fills up later stops nothing. A
    sender that finds none waits for it, and does not send."""
    with another_disk(site, small_disk):
        eventually(lambda: len(journals(site)) == 1, 20, "a journal on the small disk")
        with filled(site), site.load() as load:
            load.await_requests(0.2)
        before = log_of(site)
        with site.load() as load:
            with site.asleep(site.supervisor.pid):  # the room is taken before anybody else is there
                site.kill(SENDER)
                load.lost_hosts += 1
                for path in journals(site):
                    os.truncate(path, 0)  # its room goes, too
                with filled(site):
                    site.wake(site.supervisor.pid)
                    told(site, "journal.unwritable", before)
                    asked = len(load.requests())
                    time.sleep(3)
                    expect(len(load.requests()), asked, "requests without a journal")
            told(site, "journal.mended", before)
        before = log_of(site)
        with site.load() as load:  # the dead one's journal has the room that the next one lacks
            load.await_requests(0.2)
            load.kill(SENDER)
        told(site, "journal.unwritable", before)
        told(site, "journal.replayed", before)
        told(site, "journal.mended", before)
        pid = site.pids()[SENDER]
    site.kill(SENDER)
    site.await_process(SENDER, pid)


def cut_short(site):
    """The file goes away under a sender, which then dies, or does not."""
    for dies in (False, True):
        before = log_of(site)
        with site.load() as load:
            load.await_requests(0.2)
            for path in journals(site):
                os.truncate(path, 0)
            told(site, "journal.broken", before)
            if dies:
                load.lost_hosts += 1
                load.kill(SENDER)
            else:
                told(site, "journal.mended", before)


class ThinDisk:
    """A disk that promises sixty megabytes and has three: what is written fails later, when nobody
    waits for it any more."""

    def __init__(self):
        self.place = tempfile.mkdtemp(prefix="fan-thin-", dir="/tmp")
        self.device = None

    def __call__(self, path):
        image = os.path.join(self.place, "image")
        mount("-t", "tmpfs", "-o", f"size={THIN_MB}m", "none", self.place)
        with open(image, "wb") as file:
            file.truncate(64 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-E",
                        "lazy_itable_init=1,nodiscard", image], check=True)
        self.device = subprocess.run(["losetup", "-f", "--show", image], check=True,
                                     capture_output=True, text=True).stdout.strip()
        mount(self.device, path)
        user = runs_as()
        if user:
            os.chown(path, user["user"], user["group"])

    def fill(self):
        """The rest of what stands behind it goes."""
        fill(os.path.join(self.place, "filler"))

    def sync(self, path):
        """Let what is written be written; that it fails is wanted."""
        subprocess.run(["sync", "-f", path], check=False, stderr=subprocess.DEVNULL)
        return True

    def remove(self):
        subprocess.run(["losetup", "-d", self.device], check=True)
        subprocess.run(["umount", "--lazy", self.place], check=True)
        os.rmdir(self.place)


def failing(site):
    """What the sender wrote never comes to the disk. It hears of it, stops, and goes on when there
    is a disk again."""
    disk, before = ThinDisk(), log_of(site)
    with site.load() as load:
        load.kills += 1
        with another_disk(site, disk):
            eventually(lambda: len(journals(site)) == 1, 20, "a journal on the thin disk")
            pid = site.pids()[SENDER]
            disk.fill()
            load.more()
            load.await_requests(0.2)
            eventually(lambda: disk.sync(folder(site)) and "journal.broken" in
                       log_of(site)[len(before):], 20, "journal.broken", pause=0.5)
            asked = len(load.requests())
            time.sleep(2)
            expect(len(load.requests()), asked, "requests with a journal that is lost")
        load.lost_hosts += 1
        site.kill(SENDER)
        site.await_process(SENDER, pid)
    disk.remove()


def bits(path, places):
    """Turn the lowest bit at each place."""
    with open(path, "r+b") as file:
        for place in places:
            file.seek(place)
            was = file.read(1)
            file.seek(place)
            file.write(bytes([was[0] ^ 1]))


def forget_records(path):
    """Every page of records is one on which nothing was begun; the heads of the slots remain."""
    with open(path, "r+b") as file:
        for slot in range((os.path.getsize(path) - HEAD) // SLOT):
            file.seek(HEAD + slot * SLOT + RECORDS)
            file.write(bytes(SLOT - RECORDS))


def turn_words(path):
    """Of each record, whether it was started is wrong: those that were look as if they were not."""
    slots = (os.path.getsize(path) - HEAD) // SLOT
    bits(path, [HEAD + slot * SLOT + RECORDS + n * RECORD + WORD
                for slot in range(slots) for n in range(0, 500)])


def lower_intent(path):
    """What was opened is missing in each slot."""
    with open(path, "r+b") as file:
        for slot in range((os.path.getsize(path) - HEAD) // SLOT):
            file.seek(HEAD + slot * SLOT + 32)
            file.write(bytes(4))


def cut_off(path):
    os.truncate(path, os.path.getsize(path) // 2)


def damaged(site):
    """While nobody runs, the dead sender's journal loses pages, its end, or single bits."""
    for damage in (forget_records, turn_words, lower_intent, cut_off):
        with site.load() as load:
            load.await_requests(0.3)
            with site.asleep(site.supervisor.pid):
                pid = site.pids()[SENDER]
                os.kill(pid, signal.SIGKILL)
                site.deaths[SENDER] += 1
                load.kills += 1
                load.lost_hosts += 1
                for path in journals(site):
                    damage(path)
            site.await_process(SENDER, pid)
    unreadable(site)


def unreadable(site):
    """A journal that cannot be read is no reason to die, however often it is looked at."""
    with site.load() as load:
        load.await_requests(0.3)
        broken = site.faults.arm("sender.read_journal", 1, "fail", times=1, process=SENDER)
        load.lost_hosts += 1
        load.kill(SENDER)
        site.await_fault(broken)
        site.faults.disarm(broken)


@fault("F61", "a journal whose disk is full, fails or tears stops the sending and doubles nobody",
       needs=("root", "tmpfs"), fresh=True)
def journal_disk(site):
    full(site)
    cut_short(site)
    failing(site)
    damaged(site)
