"""The example subscriber agrees with docs/wire.md, reads golden frames and follows a real bus."""
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time

try:
    import msgpack  # noqa: F401
    import zmq
except ImportError:
    print("skipped: python3-zmq and python3-msgpack are not installed")
    sys.exit(77)

ROOT = os.environ.get("FAN_SOURCE", ".")
SCRIPT = os.path.join(ROOT, "docs/examples/subscriber.py")

spec = importlib.util.spec_from_file_location("subscriber", SCRIPT)
subscriber = importlib.util.module_from_spec(spec)
spec.loader.exec_module(subscriber)


def golden(name):
    with open(os.path.join(ROOT, f"tests/golden/wire/{name}.hex"), encoding="ascii") as file:
        return bytes.fromhex("".join(line for line in file if not line.startswith("#")))


def documented_events():
    """The NEWS of 0x04xx as docs/wire.md has them: {number: (name, {key: field})}."""
    with open(os.path.join(ROOT, "docs/wire.md"), encoding="utf-8") as file:
        sections = re.split(r"^### ", file.read(), flags=re.M)
    events = {}
    for section in sections:
        if head := re.match(r"`(\w+)` – 0x(04\w\w), NEWS", section):
            rows = re.findall(r"^\| (\d+) \| (\w+) \|", section, flags=re.M)
            events[int(head[2], 16)] = (head[1], {int(key): field for key, field in rows})
    return events


def it_knows_the_events_of_the_page():
    assert documented_events() == subscriber.EVENTS


def it_knows_the_states_of_the_page():
    with open(os.path.join(ROOT, "docs/wire.md"), encoding="utf-8") as file:
        page = file.read()
    for event, words in subscriber.STATES.items():
        row = ", ".join(f"{number} {word}" for number, word in enumerate(words))
        assert f"{event.removesuffix('_changed')}'s state | {row} |" in page, event


def it_reads_the_golden_frame_of_every_event():
    for name, keys in subscriber.EVENTS.values():
        got, account, run, sent_at, fields = subscriber.decode(golden(name))
        assert (got, account, run, sent_at) == (name, 7, 0x0102030405, 1795156934123456), got
        assert set(fields) == set(keys.values()), fields


def a_base_address_names_the_bus():
    assert subscriber.bus_of("ipc:///run/fanfare/broker") == "ipc:///run/fanfare/broker.bus"
    assert subscriber.bus_of("tcp://10.0.0.1:5550") == "tcp://10.0.0.1:5552"
    assert subscriber.bus_of("tcp://[::1]:5550") == "tcp://[::1]:5552"


def await_subscription(bus, count):
    for _ in range(count):
        assert bus.poll(20000), "nobody subscribed"
        bus.recv()


def it_prints_what_the_bus_carries():
    with tempfile.TemporaryDirectory() as folder:
        bus = zmq.Context.instance().socket(zmq.XPUB)
        bus.bind(f"ipc://{folder}/b.bus")
        command = [sys.executable, SCRIPT, "--account", "7", "--only", "messages_settled",
                   "--only", "chunk_done", f"ipc://{folder}/b"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                await_subscription(bus, 2)
                time.sleep(0.1)
                for name in ("run_changed", "messages_settled", "chunk_done"):
                    bus.send(golden(name))
                lines = [process.stdout.readline() for _ in range(2)]
            finally:
                process.terminate()
    assert lines[0].startswith("2026-11-20T06:42:14.123+00:00 account 7 run 4328719365 "
                               "messages_settled chunk=1000000000001 sent=70002"), lines
    assert "chunk_done" in lines[1] and "finished=True" in lines[1], lines


def main():
    checks = [it_knows_the_events_of_the_page, it_knows_the_states_of_the_page,
              it_reads_the_golden_frame_of_every_event, a_base_address_names_the_bus,
              it_prints_what_the_bus_carries]
    failed = 0
    for check in checks:
        try:
            check()
            print("ok -", check.__name__.replace("_", " "))
        except Exception as problem:  # every check is run, whatever became of the last
            failed += 1
            print("not ok -", check.__name__.replace("_", " "), repr(problem))
    print(f"{len(checks) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
