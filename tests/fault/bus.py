"""Strangers on the bus: they speak the wire as docs/wire.md tells it, and keep none of its rules.
"""
import random
import struct
import threading
import time
from io import BytesIO

import msgpack
import zmq

HEADER = struct.Struct(">HQQBBB3xQQ")
HELLO, CREDIT, HEARTBEAT, BYE, WELCOME, PING, BROKER_ALIVE, WORKER_GONE = range(0x101, 0x109)
RENDER_REQUEST, RESOLVE_REQUEST, SEND_REQUEST, IMPORT_REQUEST = 0x201, 0x202, 0x203, 0x204
SMS = 1


def place(base, offset, ending):
    """An endpoint of the broker at a base address."""
    if base.startswith("ipc://"):
        return base + ending
    host, _, port = base.rpartition(":")
    return f"{host}:{int(port) + offset}"


def pack(number, body, sender, sequence, run=0, kind=0):
    head = HEADER.pack(number, 0, run, 1, 2, kind, sender, sequence)
    return head + msgpack.packb({1: int(time.time() * 1e6)}) + msgpack.packb(body)


def read(frame):
    """Number, run and body."""
    number, _, run, *_ = HEADER.unpack_from(frame)
    maps = msgpack.Unpacker(BytesIO(frame[HEADER.size:]), strict_map_key=False)
    maps.unpack()
    return number, run, maps.unpack()


class News:
    """Listens to all brokers; when workers were declared gone, by incarnation."""

    def __init__(self, brokers):
        self.gone, self.brokers = {}, {}
        self.socket = zmq.Context.instance().socket(zmq.SUB)
        self.socket.setsockopt(zmq.LINGER, 0)
        for base in brokers:
            self.socket.connect(place(base, 2, ".bus"))
        for number in (WORKER_GONE, BROKER_ALIVE):
            self.socket.subscribe(struct.pack(">H", number))
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _work(self):
        while not self.ending.is_set():
            if self.socket.poll(100):
                number, run, body = read(self.socket.recv())
                if number == WORKER_GONE:
                    self.gone.setdefault(run, time.monotonic())
                else:
                    self.brokers[body[1]] = time.monotonic()

    def close(self):
        self.ending.set()
        self.thread.join()
        self.socket.close()


class Worker:
    """Says that it is a worker. grant: how many frames it is willing to take, told again and again.
    reads: whether it takes them; they are kept in frames, as they came."""

    def __init__(self, base, role, takes, kind=0, grant=10, reads=True):
        self.base, self.role, self.takes, self.kind = base, role, takes, kind
        self.grant, self.reads, self.frames = grant, reads, []
        self.me, self.sequence, self.broker, self.met = random.getrandbits(63) | 1, 0, 0, False
        context = zmq.Context.instance()
        self.push, self.news, self.pull = (context.socket(kind) for kind in
                                           (zmq.PUSH, zmq.SUB, zmq.PULL))
        for one in (self.push, self.news, self.pull):
            one.setsockopt(zmq.LINGER, 0)
        self.pull.setsockopt(zmq.RCVHWM, 1)
        self.push.connect(place(base, 0, ".in"))
        self.news.subscribe(struct.pack(">HQQ", WELCOME, 0, self.me))
        self.news.connect(place(base, 2, ".bus"))
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _tell(self, number, body):
        self.sequence += 1
        try:
            self.push.send(pack(number, {1: self.me, **body}, self.me, self.sequence),
                           zmq.NOBLOCK)
        except zmq.Again:
            pass  # the broker is busy

    def _introduce(self):
        if not self.met:
            self._tell(HELLO, {2: self.role, 3: self.kind, 4: self.takes, 5: "stranger", 6: 1,
                               7: 1})
        if self.broker:
            self._tell(HEARTBEAT, {2: self.met})
            self._tell(CREDIT, {2: self.grant, 3: self.grant, 4: self.broker, 5: 0,
                                6: len(self.frames)})

    def _work(self):
        said = 0
        while not self.ending.is_set():
            if time.monotonic() - said > 0.25:
                said = time.monotonic()
                self._introduce()
            if self.news.poll(20):
                _, _, body = read(self.news.recv())
                if not self.broker:
                    self.broker = body[1]
                    self.pull.connect(body[3])
            while (self.reads or not self.met) and self.pull.poll(0):
                frame = self.pull.recv()
                if read(frame)[0] == PING:
                    self.met = True
                else:
                    self.frames.append(frame)

    def close(self, bye=True):
        self.ending.set()
        self.thread.join()
        if bye:
            self._tell(BYE, {})
            time.sleep(0.1)
        for one in (self.push, self.news, self.pull):
            one.close()


class Parrot:
    """Repeats what it has heard: twice, late, in another order, cut short; and talks nonsense."""

    def __init__(self, brokers, draw):
        self.random, self.heard, self.said = draw, [], 0
        context = zmq.Context.instance()
        self.ear, self.pub = context.socket(zmq.SUB), context.socket(zmq.PUB)
        self.pushes = [context.socket(zmq.PUSH) for _ in brokers]
        self.sockets = [self.ear, self.pub, *self.pushes]
        for one in self.sockets:
            one.setsockopt(zmq.LINGER, 0)
        self.ear.subscribe(b"")
        for base, push in zip(brokers, self.pushes):
            self.ear.connect(place(base, 2, ".bus"))
            self.pub.connect(place(base, 1, ".pub"))
            push.connect(place(base, 0, ".in"))

    def listen(self):
        """Keep what is on the bus, but no news of workers' ends: who says so is believed."""
        while self.ear.poll(0):
            frame = self.ear.recv()
            if frame[:2] != struct.pack(">H", WORKER_GONE):
                self.heard.append(frame)
        del self.heard[:-2000]

    def _spoilt(self, frame):
        kind = self.random.randrange(4)
        if kind == 0:
            return frame[:self.random.randrange(len(frame))]
        if kind == 1:
            return frame + self.random.randbytes(self.random.randrange(1, 100))
        if kind == 2:
            return frame[:HEADER.size] + self.random.randbytes(self.random.randrange(200))
        return self.random.randbytes(self.random.randrange(1 << self.random.randrange(1, 17)))

    def say(self, stolen):
        """One round, of what was heard and of frames that were stolen from the way to a worker."""
        for frames, mouths in ((self.heard, [self.pub]), (stolen, self.pushes)):
            some = self.random.sample(frames, min(len(frames), 20))
            for frame in [*some, *some, *reversed(some), *(self._spoilt(frame) for frame in some)]:
                try:
                    self.random.choice(mouths).send(frame, zmq.NOBLOCK)
                    self.said += 1
                except zmq.Again:
                    pass

    def close(self):
        for one in self.sockets:
            one.close()
