"""Greeting pictures through the real processes: previews by the API, and pictures that are kept,
asked for over the bus as docs/wire.md tells it. RESOURCE_LOCK: system
"""
import base64
import hashlib
import http.client
import os
import random
import struct
import time
from io import BytesIO

import msgpack
import zmq

from checks import eventually, expect, run
from gateway import World, is_problem
from images import measure
from system import System

PREVIEW = "/api/v1/images/preview"
HEADER = struct.Struct(">HQQBBB3xQQ")
IMAGE_REQUEST, IMAGE_READY = 0x206, 0x301
PNG, JPEG = 1, 2


def preview(headers=None, **wish):
    return fanfare.call("POST", PREVIEW, {"festival": "diwali", "size": "banner", **wish},
                        **(headers or {}))


# ---- previews --------------------------------------------------------------------------------

def a_preview_is_a_picture_of_the_type_and_size_that_was_asked_for():
    for size, pixels in (("square", (1080, 1080)), ("whatsapp", (1200, 628)),
                         ("story", (1080, 1920)), ("banner", (1200, 400))):
        reply = preview(size=size, name="Asha", campaign="Spring Sale", theme="night")
        expect((reply.status, reply.headers["Content-Type"]), (200, "image/jpeg"), reply.text[:200])
        expect(measure(reply.bytes), ("image/jpeg", *pixels))
    reply = preview(format="png", theme="minimal", language="hi")
    expect(reply.headers["Content-Type"], "image/png")
    expect(measure(reply.bytes), ("image/png", 1200, 400))


def a_preview_shows_what_was_asked_for():
    plain = preview(name="Asha").bytes
    expect(preview(name="Asha").bytes, plain, "the same again")
    for other in ({"name": "Ravi"}, {"name": "Asha", "greeting": "Hello"},
                  {"name": "Asha", "campaign": "Sale"}, {"name": "Asha", "theme": "modern"},
                  {"name": "Asha", "festival": "holi"}, {"name": "Asha", "language": "en"}):
        assert preview(**other).bytes != plain, other


def a_preview_as_json_carries_the_same_picture():
    reply = preview({"Accept": "application/json"}, name="Asha")
    picture = base64.b64decode(reply.json["data"], validate=True)
    expect(picture, preview(name="Asha").bytes)
    expect({k: reply.json[k] for k in ("type", "width", "height", "bytes")},
           {"type": "image/jpeg", "width": 1200, "height": 400, "bytes": len(picture)})


def what_cannot_be_drawn_is_told_by_its_field():
    reply = preview(festival="diwalli", theme="loud", size="huge", format="gif", logo="x",
                    colour="red", name="x" * 501)
    fanfare.is_problem(reply, 400, "festival", "theme", "size", "format", "logo", "colour", "name")
    right = {error["field"]: error["expected"] for error in reply.json["errors"]}
    assert "diwali" in right["festival"] and "christmas" in right["festival"], right
    expect((right["theme"], right["size"]), ("one of classic, modern, minimal, night",
                                             "one of square, whatsapp, story, banner"))
    fanfare.is_problem(fanfare.call("POST", PREVIEW, {}), 400, "festival")
    fanfare.is_problem(preview(logo="0" * 64), 400, "logo")
    expect(preview().status, 200)


def a_preview_keeps_nothing():
    before = kept_files()
    reply = preview({"Idempotency-Key": "once"}, name="Gone")
    expect((reply.status, kept_files()), (200, before))
    expect(preview({"Idempotency-Key": "once"}, name="Other").status, 200)
    expect(fanfare.number("SELECT count(*) FROM idempotency WHERE key = 'once'"), 0)


def the_catalogue_is_listed():
    found = fanfare.ok("GET", "festivals")
    christmas = next(f for f in found["data"] if f["id"] == "christmas")
    expect((christmas["next_date"][-6:], christmas["about"], christmas["greetings"]["en"]),
           ("-12-25", False, "Merry Christmas"))
    assert len(found["data"]) > 40
    expect([t["id"] for t in found["themes"]], ["classic", "modern", "minimal", "night"])
    expect(found["sizes"][0], {"id": "square", "name": found["sizes"][0]["name"], "width": 1080,
                               "height": 1080})


def without_an_imager_a_preview_ends_with_the_reason():
    w = World(picture_wait_ms=300)
    try:
        reply = w.post(PREVIEW, {"festival": "diwali"})
        is_problem(reply, 503)
        assert "fanfare-imager" in reply.json["detail"], reply.text
    finally:
        w.actor.stop()


# ---- pictures that are kept ------------------------------------------------------------------

class Asker:
    """Asks for pictures over the bus, and hears the answers."""

    def __init__(self):
        context = zmq.Context.instance()
        self.me, self.count = random.getrandbits(62) | 1, 0
        self.push, self.news = context.socket(zmq.PUSH), context.socket(zmq.SUB)
        for one in (self.push, self.news):
            one.setsockopt(zmq.LINGER, 0)
        self.push.connect(f"ipc://{fanfare.home}/run/broker-1.in")
        self.news.subscribe(struct.pack(">HQ", IMAGE_READY, 1))
        for number in (1, 2):
            self.news.connect(f"ipc://{fanfare.home}/run/broker-{number}.bus")
        time.sleep(0.5)  # a subscription takes a while, and nobody says when it is made

    def ask(self, **more):
        wish = {"festival": "diwali", "theme": "classic", "size": "banner", "format": JPEG, **more}
        self.count += 1
        body = {1: self.me, 2: self.count, 3: wish["festival"], 4: wish["theme"], 5: wish["size"],
                6: wish["format"]}
        body.update({key: wish[name] for key, name in ((9, "name"), (11, "logo")) if name in wish})
        head = HEADER.pack(IMAGE_REQUEST, 1, 0, 1, 2, 0, self.me, self.count)
        now = int(time.time() * 1e6)
        self.push.send(head + msgpack.packb({1: now, 2: now + 60000000}) + msgpack.packb(body))
        return self._hear()

    def _hear(self):
        while True:
            assert self.news.poll(60000), "no answer came"
            maps = msgpack.Unpacker(BytesIO(self.news.recv()[HEADER.size:]), strict_map_key=False)
            maps.unpack()
            body = maps.unpack()
            if (body[1], body[2]) == (self.me, self.count):
                return body


def kept_files():
    found = []
    for folder, _, names in os.walk(os.path.join(fanfare.home, "state/media/1")):
        found += [os.path.join(folder, name) for name in names]
    return sorted(found)


def counted(result):
    port = int(fanfare.fleet()["imager"]["status"].rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    line = f'fanfare_pictures_total{{result="{result}"}} '
    return int(float(next(row for row in text.splitlines() if row.startswith(line)).split()[1]))


def a_picture_is_kept_under_its_hash_and_drawn_once():
    asker, drawn, found = Asker(), counted("drawn"), counted("found")
    answer = asker.ask(name="Kept")
    (path,) = [path for path in kept_files() if answer[10].hex() in path]
    with open(path, "rb") as file:
        picture = file.read()
    expect(hashlib.sha256(picture).digest(), answer[10])
    expect((answer[6], answer[7], answer[8], answer[9]), (JPEG, len(picture), 1200, 400))
    assert 11 not in answer, "the picture itself is for previews"
    expect(measure(picture), ("image/jpeg", 1200, 400))
    expect(preview(name="Kept").bytes, picture)
    before = kept_files()
    again = asker.ask(name="Kept")
    expect({k: again[k] for k in range(6, 11)}, {k: answer[k] for k in range(6, 11)})
    expect((counted("drawn"), counted("found")), (drawn + 2, found + 1))  # and one preview
    os.remove(path)  # what is gone is drawn again
    expect((asker.ask(name="Kept")[10], kept_files()), (answer[10], before))
    expect(counted("drawn"), drawn + 3)


def a_logo_of_the_store_is_drawn():
    asker = Asker()
    logo = asker.ask(format=PNG, name="Logo")[10]
    plain, marked = asker.ask(name="Marked"), asker.ask(name="Marked", logo=logo)
    assert plain[10] != marked[10], "the logo is not to be seen"
    reply = preview(name="Marked", logo=logo.hex())
    expect(hashlib.sha256(reply.bytes).digest(), marked[10])


def a_request_that_cannot_be_met_is_answered_with_its_reason():
    asker = Asker()
    for field, wrong in (("festival", "none"), ("format", 7), ("logo", b"short"),
                         ("logo", b"0" * 32)):
        answer = asker.ask(**{field: wrong})
        expect((answer[3], answer.get(5)), (1, field), answer.get(4))
    assert 10 in asker.ask(name="After"), "the next one is drawn"


TESTS = [a_preview_is_a_picture_of_the_type_and_size_that_was_asked_for,
         a_preview_shows_what_was_asked_for, a_preview_as_json_carries_the_same_picture,
         what_cannot_be_drawn_is_told_by_its_field, a_preview_keeps_nothing,
         the_catalogue_is_listed, a_picture_is_kept_under_its_hash_and_drawn_once,
         a_logo_of_the_store_is_drawn, a_request_that_cannot_be_met_is_answered_with_its_reason,
         without_an_imager_a_preview_ends_with_the_reason]

with System(GATEWAY_PICTURE_WAIT_MS=60000, IMAGER_DEADLINE_MS=30000) as fanfare:
    eventually(lambda: preview().status == 200, 60, "the first picture is drawn")
    run(TESTS)
