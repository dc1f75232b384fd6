"""Files uploaded through the real gateway and fetched through the real ingester; kept in a folder,
and in an object storage that checks every signature.
"""
import base64
import hashlib
import http.client
import os
import re
import socket
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import s3
from checks import eventually, expect, run
from cluster import Actor, free_port
from gateway import World, is_problem

MIB = 1 << 20


def chunk(kind, content):
    return (struct.pack(">I", len(content)) + kind + content +
            struct.pack(">I", zlib.crc32(kind + content)))


def png(seed, width=8, height=4, more=0):
    pixels = b"".join(b"\0" + bytes([seed, 0, row]) * width for row in range(height))
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"teXt", os.urandom(more))
            + chunk(b"IEND", b""))


class Site:
    """A gateway and an ingester that share a media store."""

    def __init__(self, **store):
        self.outside = free_port()
        public = f"http://127.0.0.1:{self.outside}"
        self.world = World(public_url=public, **store)
        self.state = self.world.actor.folder
        self.ingester = Actor("ingester", self.world.database, listen=f"127.0.0.1:{self.outside}",
                              state_dir=self.state, **store)
        eventually(self.listens, 20, "the ingester listens")

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.outside)) == 0

    def upload(self, content, name="a.png", **more):
        return self.world.post(f"/api/v1/media?name={name}", content, **more)

    def head(self, name, length):
        """The head of an upload, as bytes."""
        return (f"POST /api/v1/media?name={name} HTTP/1.1\r\nHost: x\r\n"
                f"Authorization: Bearer {self.world.key}\r\n"
                f"Content-Length: {length}\r\n\r\n").encode()

    def media(self, content, name="a.png"):
        reply = self.upload(content, name)
        assert reply.status in (200, 201), reply.text
        return reply.json

    def fetch(self, url, method="GET", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.outside, timeout=20)
        try:
            connection.request(method, urlsplit(url).path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def files(self, folder=""):
        return [os.path.join(path, name)
                for path, _, names in os.walk(os.path.join(self.state, "media", folder))
                for name in names]

    def count(self, condition="true"):
        return self.world.database.number(f"SELECT count(*) FROM media WHERE {condition}")


# ---- uploads ----

def a_file_is_kept_and_everybody_with_its_link_gets_it():
    content = png(1, 40, 30)
    reply = site.upload(content, "di%20wali.png", **{"Content-Type": "text/plain"})
    expect(reply.status, 201)
    media = reply.json
    expect(reply.headers["Location"], f"/api/v1/media/{media['id']}")
    expect((media["kind"], media["type"], media["bytes"], media["width"], media["height"]),
           ("image", "image/png", len(content), 40, 30))
    expect(media["sha256"], hashlib.sha256(content).hexdigest())
    expect(media["name"], "di wali.png")
    status, headers, body = site.fetch(media["url"])
    expect((status, body), (200, content))
    expect(headers["Content-Type"], "image/png")
    expect(headers["Content-Length"], str(len(content)))
    expect(headers["X-Content-Type-Options"], "nosniff")
    assert "immutable" in headers["Cache-Control"], headers
    assert "sandbox" in headers["Content-Security-Policy"], headers
    expect(site.world.get(f"/api/v1/media/{media['id']}").json, media)
    expect(site.world.get("/api/v1/media?kind=image").json["data"][0], media)
    expect(site.world.get("/api/v1/media?kind=audio").json["data"], [])


def the_same_bytes_are_the_same_media():
    content = png(2)
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: site.upload(content), range(8)))
    expect({reply.json["id"] for reply in replies}, {replies[0].json["id"]})
    assert {reply.status for reply in replies} <= {200, 201}
    digest = hashlib.sha256(content).hexdigest()
    expect(len([path for path in site.files() if digest in path]), 1)
    expect(site.upload(content).status, 200)


def another_account_has_its_own():
    content = png(3)
    media = site.media(content)
    account, key = site.world.database.account("Other")
    is_problem(site.world.get(f"/api/v1/media/{media['id']}", key=key), 404)
    is_problem(site.world.call("DELETE", f"/api/v1/media/{media['id']}", key=key), 404)
    other = site.upload(content, key=key)
    expect(other.status, 201)
    expect(site.world.call("DELETE", f"/api/v1/media/{other.json['id']}", key=key).status, 204)
    expect(site.fetch(media["url"])[0], 200)


def what_is_wrong_is_refused_by_name():
    page = b"<html><script>alert(1)</script></html>" * 10
    before = site.count()
    is_problem(site.upload(page, **{"Content-Type": "image/png"}), 415)
    is_problem(site.upload(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), 415)
    is_problem(site.upload(png(4)[:20]), 415)
    for name in ("", "..", "a%2f..", "a%0ab", "x" * 201):
        is_problem(site.upload(png(4), name), 400, "name")
    is_problem(site.upload(png(4), key="wrong"), 401)
    is_problem(site.upload(png(4), key=site.world.database.key(site.world.account, "viewer")), 403)
    is_problem(site.world.post("/api/v1/media?name=a.png"), 400)
    expect(site.count(), before)
    expect(site.files("incoming"), [])


def what_is_too_large_is_refused_while_it_comes():
    is_problem(site.upload(png(5, more=16 * MIB)), 413)
    connection = socket.create_connection(("127.0.0.1", site.world.port), timeout=20)
    with connection:
        connection.sendall(site.head("a.pdf", 101 * MIB))
        assert b" 413 " in connection.recv(4096).split(b"\r\n")[0]
    expect(site.files("incoming"), [])


def an_account_may_keep_so_much_and_no_more():
    before = site.media(png(15))
    site.world.database.sql(f"""INSERT INTO media (account_id, hash, type, bytes, name)
        VALUES ({site.world.account}, sha256('all'), 'application/pdf', 10240::bigint << 20,
            'x')""")
    reply = site.upload(png(16))
    is_problem(reply, 507)
    expect(reply.json["title"], "Insufficient Storage")
    assert "10240" in reply.json["detail"], reply.text
    expect(site.files("incoming"), [])
    _, key = site.world.database.account("Thrifty")
    expect(site.upload(png(16), key=key).status, 201)
    site.world.database.sql("DELETE FROM media WHERE hash = sha256('all')")
    expect(site.upload(png(16)).status, 201)
    expect(site.upload(png(15)).json["id"], before["id"])


def memory_does_not_grow_with_a_file():
    def resident():
        with open(f"/proc/{site.world.actor.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) // 1024

    site.media(b"%PDF-1.7\n" + os.urandom(4 * MIB), "a.pdf")
    before = resident()
    media = site.media(b"%PDF-1.7\n" + os.urandom(90 * MIB), "b.pdf")
    assert resident() - before < 30, (before, resident())
    expect(media["kind"], "document")
    expect(site.world.call("DELETE", f"/api/v1/media/{media['id']}").status, 204)


def a_client_that_goes_away_leaves_nothing():
    before = site.count()
    connection = socket.create_connection(("127.0.0.1", site.world.port))
    connection.sendall(site.head("a.png", 5000) + png(6))
    eventually(lambda: site.files("incoming"), 10)
    connection.close()
    eventually(lambda: not site.files("incoming"), 10)
    expect(site.count(), before)


# ---- links ----

def a_link_that_was_changed_leads_nowhere():
    url = site.media(png(7))["url"]
    token = url.split("/")[-2]
    for i in range(0, len(token), 7):
        wrong = token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1:]
        expect(site.fetch(url.replace(token, wrong))[0], 404)
    for path in ("/media/", "/media", "/media/../etc/passwd", "/media/%2e%2e/keys/token.key",
                 f"/media/{token[:-1]}/a.png", "/media/1.1.9999999999.1.x.y/a.png"):
        expect(site.fetch(path)[0], 404)
    expect(site.fetch(url.replace("a.png", "..%2f..%2fkeys%2ftoken.key"))[2], png(7))
    expect(site.fetch(url, "POST")[0], 405)


def link(key, media, expires):
    """A link as docs/media.md describes it, made without our code."""
    def plain(raw):
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    text = (f"{site.world.account}.{media['id']}.{expires}.1."
            + plain(bytes.fromhex(media["sha256"])))
    mac = hashlib.blake2b(b"media:" + text.encode(), key=key, digest_size=16).digest()
    return f"/media/{text}.{plain(mac)}/a.png"


def a_link_that_has_expired_leads_nowhere():
    media, now = site.media(png(14)), int(time.time())
    with open(os.path.join(site.state, "keys/token.key"), encoding="ascii") as file:
        key = bytes.fromhex(file.read().strip())
    expect(site.fetch(link(key, media, now + 60))[0], 200)
    cached = site.fetch(link(key, media, now + 99))[1]["Cache-Control"]
    assert 60 < int(re.search(r"max-age=(\d+)", cached)[1]) <= 99, cached
    expect(site.fetch(link(key, media, now - 1))[0], 404)
    expect(site.fetch(link(key[::-1], media, now + 60))[0], 404)
    expect(site.fetch(link(key, {**media, "sha256": "00" * 32}, now + 60))[0], 404)


def a_file_may_be_fetched_in_parts():
    content = b"%PDF-1.7\n" + bytes(range(256)) * 40
    url = site.media(content, "a.pdf")["url"]
    whole = len(content)
    for wanted, first, last in (("0-9", 0, 9), ("100-", 100, whole - 1),
                                ("-5", whole - 5, whole - 1),
                                (f"5-{whole * 2}", 5, whole - 1), (f"-{whole * 2}", 0, whole - 1)):
        status, headers, body = site.fetch(url, Range=f"bytes={wanted}")
        expect((wanted, status, headers["Content-Range"]),
               (wanted, 206, f"bytes {first}-{last}/{whole}"))
        expect(body, content[first:last + 1])
    for wanted in (f"{whole}-", "-0"):
        status, headers, _ = site.fetch(url, Range=f"bytes={wanted}")
        expect((status, headers["Content-Range"]), (416, f"bytes */{whole}"))
    for wanted in ("bytes=1-2,5-6", "bytes=9-2", "lines=1-2", "bytes=x-", "bytes=-"):
        expect(site.fetch(url, Range=wanted)[::2], (200, content))
    _, headers, _ = site.fetch(url)
    tag = headers["ETag"]
    expect(site.fetch(url, Range="bytes=0-3", **{"If-Range": tag})[0], 206)
    expect(site.fetch(url, Range="bytes=0-3", **{"If-Range": '"other"'})[0], 200)
    expect(site.fetch(url, **{"If-None-Match": tag})[0::2], (304, b""))


def head_says_the_same_without_the_file():
    content = png(8)
    url = site.media(content)["url"]
    status, headers, body = site.fetch(url, "HEAD")
    expect((status, body, headers["Content-Length"], headers["Content-Type"]),
           (200, b"", str(len(content)), "image/png"))


# ---- removing ----

def what_is_used_stays_and_then_goes():
    media = site.media(png(9))
    path = f"/api/v1/media/{media['id']}"
    channel = site.world.ok("GET", "/api/v1/channels")["data"]
    if not channel:
        site.world.channel()
    campaign = site.world.campaign(media_url=media["url"])
    is_problem(site.world.call("DELETE", path), 409)
    expect(site.fetch(media["url"])[0], 200)
    site.world.call("DELETE", f"/api/v1/campaigns/{campaign['id']}")
    template = site.world.ok("POST", "/api/v1/templates", {
        "name": "Picture", "kind": "sms", "content": {"message": "Hi", "media_url": media["url"]}})
    is_problem(site.world.call("DELETE", path), 409)
    site.world.ok("PATCH", f"/api/v1/templates/{template['id']}", {"archived": True})
    expect(site.world.call("DELETE", path).status, 204)
    expect(site.fetch(media["url"])[0], 404)
    is_problem(site.world.get(path), 404)
    is_problem(site.world.call("DELETE", path), 404)
    expect([name for name in site.files() if media["sha256"] in name], [])
    expect(site.upload(png(9)).status, 201)


def a_removal_that_was_cut_is_completed():
    media = site.media(png(10))
    site.world.database.sql(f"UPDATE media SET state = 2 WHERE id = {media['id']}")
    is_problem(site.upload(png(10)), 409)
    is_problem(site.world.get(f"/api/v1/media/{media['id']}"), 404)
    expect(site.world.call("DELETE", f"/api/v1/media/{media['id']}").status, 204)
    expect(site.upload(png(10)).status, 201)


def an_upload_that_was_cut_is_not_shown_and_may_be_repeated():
    content = png(11)
    media = site.media(content)
    site.world.database.sql(f"UPDATE media SET state = 0 WHERE id = {media['id']}")
    for path in site.files():
        if media["sha256"] in path:
            os.unlink(path)
    is_problem(site.world.get(f"/api/v1/media/{media['id']}"), 404)
    again = site.upload(content)
    expect((again.status, again.json["id"]), (201, media["id"]))
    expect(site.fetch(again.json["url"])[2], content)


# ---- an object storage ----

def the_same_works_with_an_object_storage():
    content = png(12)
    media = bucket.media(content)
    expect([body for _, body in storage.objects.values()], [content])
    status, headers, _ = bucket.fetch(media["url"])
    expect(status, 302)
    where = urlsplit(headers["Location"])
    connection = http.client.HTTPConnection(where.netloc, timeout=20)
    connection.request("GET", f"{where.path}?{where.query}")
    answer = connection.getresponse()
    expect((answer.status, answer.headers["Content-Type"], answer.read()),
           (200, "image/png", content))
    connection.close()
    expect(bucket.files("incoming"), [])
    expect(bucket.world.call("DELETE", f"/api/v1/media/{media['id']}").status, 204)
    expect(storage.objects, {})


def a_storage_that_is_away_is_a_clear_error():
    storage.down = True
    reply = bucket.upload(png(13))
    is_problem(reply, 503)
    assert s3.SECRET not in reply.text
    expect(bucket.world.get("/api/v1/media").json["data"], [])
    expect(bucket.files("incoming"), [])
    storage.down = False
    expect(bucket.upload(png(13)).status, 201)


TESTS = [a_file_is_kept_and_everybody_with_its_link_gets_it, the_same_bytes_are_the_same_media,
         another_account_has_its_own, what_is_wrong_is_refused_by_name,
         what_is_too_large_is_refused_while_it_comes, an_account_may_keep_so_much_and_no_more,
         memory_does_not_grow_with_a_file,
         a_client_that_goes_away_leaves_nothing, a_link_that_was_changed_leads_nowhere,
         a_link_that_has_expired_leads_nowhere,
         a_file_may_be_fetched_in_parts, head_says_the_same_without_the_file,
         what_is_used_stays_and_then_goes, a_removal_that_was_cut_is_completed,
         an_upload_that_was_cut_is_not_shown_and_may_be_repeated,
         the_same_works_with_an_object_storage, a_storage_that_is_away_is_a_clear_error]

storage = s3.start()
site = Site()
bucket = Site(media_s3_endpoint=f"http://127.0.0.1:{storage.server_port}",
              media_s3_bucket="pictures", media_s3_region=s3.REGION, media_s3_key=s3.KEY,
              media_s3_secret=s3.SECRET)
run(TESTS)
