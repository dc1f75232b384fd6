#!/usr/bin/env python3
"""Print what happens in Fanfare, as it happens: a subscriber written from docs/wire.md alone.

    subscriber.py ipc:///run/fanfare/broker
    subscriber.py --account 7 tcp://10.0.0.1:5550 tcp://10.0.0.2:5550
    subscriber.py --only messages_settled --key me.secret --server-key '<Z85>' tcp://10.0.0.1:5550

Each argument is a broker's base address; events come from all of them. Needs python3-zmq and
python3-msgpack. A frame is a hint and may be lost: who must not miss an event reads the event log.
"""
import argparse
import struct
import sys
from datetime import datetime, timedelta, timezone
from io import BytesIO

import msgpack
import zmq

HEADER = struct.Struct(">HQQBBB3xQQ")  # number, account, run, version, lane, kind, sender, sequence
VERSION = 1

# The events: number -> (name, {key: field}). An unknown number or key is printed as it is.
EVENTS = {
    0x0401: ("run_changed", {1: "campaign", 2: "state"}),
    0x0402: ("chunks_planned", {1: "chunks", 2: "recipients", 3: "skipped"}),
    0x0404: ("messages_settled", {1: "chunk", 2: "sent", 3: "failed", 4: "retry", 5: "unknown",
                                  6: "skipped", 7: "cancelled"}),
    0x0405: ("chunk_done", {1: "chunk", 2: "finished"}),
    0x0406: ("receipts_applied", {1: "delivered", 2: "read", 3: "undelivered", 4: "flagged"}),
    0x0407: ("import_changed", {1: "import", 2: "rows", 3: "state"}),
    0x0408: ("campaign_changed", {1: "campaign", 2: "state"}),
    0x0409: ("channel_changed", {1: "channel"}),
    0x040A: ("control_changed", {}),
    0x0410: ("channel_health_changed", {1: "channel", 2: "state", 3: "reason", 4: "wait_ms"}),
}

# A state travels plus one, because zero means "not said".
STATES = {
    "run_changed": ("preparing", "running", "paused", "completed", "failed", "cancelled"),
    "campaign_changed": ("draft", "scheduled", "preparing", "running", "paused", "completed",
                         "failed", "cancelled"),
    "import_changed": ("receiving", "running", "completed", "failed"),
    "channel_health_changed": ("closed", "open", "half_open"),
}


def bus_of(base):
    """The endpoint of a broker's bus, from the broker's base address."""
    if base.startswith("ipc://"):
        return base + ".bus"
    host, _, port = base.rpartition(":")
    return f"{host}:{int(port) + 2}"


def prefix_of(number, account):
    return struct.pack(">HQ", number, account) if account else struct.pack(">H", number)


def instant(micros):
    at = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=micros)
    return at.isoformat(timespec="milliseconds")


def decode(frame):
    """Read a frame: (name, account, run, sent at, fields). Raises ValueError for what is none."""
    if len(frame) < HEADER.size:
        raise ValueError("shorter than a header")
    number, account, run, version, *_ = HEADER.unpack_from(frame)
    if version != VERSION:
        raise ValueError(f"wire version {version}")
    maps = msgpack.Unpacker(BytesIO(frame[HEADER.size:]), strict_map_key=False)
    envelope, body = maps.unpack(), maps.unpack()
    name, keys = EVENTS.get(number, (f"0x{number:04x}", {}))
    fields = {keys.get(key, key): value for key, value in body.items()}
    words = STATES.get(name, ())
    if 1 <= fields.get("state", 0) <= len(words):
        fields["state"] = words[fields["state"] - 1]
    return name, account, run, envelope.get(1, 0), fields


def describe(frame):
    name, account, run, sent_at, fields = decode(frame)
    where = f"account {account}" + (f" run {run}" if run else "")
    return " ".join([instant(sent_at), where, name, *(f"{k}={v}" for k, v in fields.items())])


def open_socket(options):
    socket = zmq.Context.instance().socket(zmq.SUB)
    for number, (name, _) in EVENTS.items():
        if not options.only or name in options.only:
            socket.subscribe(prefix_of(number, options.account))
    for base in options.base:
        socket.connect(bus_of(base))
    return socket


def main():
    names = [name for name, _ in EVENTS.values()]
    parser = argparse.ArgumentParser(description="Print Fanfare's events as they happen.")
    parser.add_argument("base", nargs="+", help="a broker's base address")
    parser.add_argument("--account", type=int, default=0, help="only this account's events")
    parser.add_argument("--only", action="append", choices=names, metavar="EVENT",
                        help="only this event, and others so named: " + ", ".join(names))
    options = parser.parse_args()
    socket = open_socket(options)
    while True:
        frame = socket.recv()
        try:
            print(describe(frame), flush=True)
        except Exception as problem:  # whatever came, the next frame may be a good one
            print(f"a frame of {len(frame)} bytes is not readable: {problem}", file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
