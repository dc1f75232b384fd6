"""The API seen from outside: every route, what it refuses, and who may see what.

The gateway alone runs, on a real PostgreSQL: what other processes would do is written as rows.
"""
import concurrent.futures
import http.client
import json
import socket
import sys
import time
import traceback

from checks import expect
from cluster import Actor, Database
from gateway import CSV, SID, SMS, Reply, World, is_problem

shared = None


def world():
    global shared
    shared = shared or World()
    return shared


# ---- who may ---------------------------------------------------------------------------------

def every_route_but_health_needs_a_key():
    w = world()
    paths = json.loads(w.get("/api/v1/openapi.json").text)["paths"]
    for path, methods in paths.items():
        for method in methods:
            reply = w.call(method.upper(), path.replace("{id}", "1"), key="")
            if path == "/health":
                expect(reply.status, 200)
                continue
            is_problem(reply, 401)
            expect(reply.headers["WWW-Authenticate"], 'Bearer realm="Fanfare"')


def a_wrong_revoked_or_expired_key_is_answered_like_none():
    w = world()
    bad = [w.key[:-1] + ("A" if w.key[-1] != "A" else "B"), "ffk_1", "ffk_x_" + "a" * 43,
           f"ffk_{w.account + 999}_" + "a" * 43, w.key.replace("ffk_", "fxk_")]
    for column in ("revoked_at", "expires_at"):
        key = w.database.key(w.account)
        w.database.sql(f"""UPDATE api_key SET {column} = now() - interval '1 minute'
            WHERE id = (SELECT max(id) FROM api_key)""")
        bad.append(key)
    texts = set()
    for key in bad:
        reply = w.get("/api/v1/campaigns", key=key)
        is_problem(reply, 401)
        texts.add(reply.json["detail"])
    expect(len(texts), 1)


def a_revoked_key_stops_working_within_seconds():
    w = World(key_cache_ms=300)
    expect(w.get("/api/v1/campaigns").status, 200)
    w.database.sql("UPDATE api_key SET revoked_at = now()")
    time.sleep(0.5)
    is_problem(w.get("/api/v1/campaigns"), 401)


def roles_may_what_their_table_says():
    w = world()
    table = [("viewer", 403, 403, 403), ("agent", 400, 403, 403), ("manager", 400, 400, 403),
             ("admin", 400, 400, 400)]
    for role, contacts, campaigns, channels in table:
        key = w.database.key(w.account, role)
        expect(w.get("/api/v1/contacts", key=key).status, 200)
        expect(w.post("/api/v1/contacts", {}, key=key).status, contacts)
        expect(w.post("/api/v1/campaigns", {}, key=key).status, campaigns)
        expect(w.post("/api/v1/channels", {}, key=key).status, channels)


def sending_is_stopped_by_owners_of_the_operators_account_alone():
    w = World()
    path = "/api/v1/control"
    _, other = w.database.account("Other")
    for key in (other, w.database.key(w.account, "admin")):
        is_problem(w.call("PUT", path, {"send_enabled": False, "reason": "x"}, key=key), 403)
        is_problem(w.post(path + "/confirm", key=key), 403)
    is_problem(w.call("PUT", path, {}), 400, "send_enabled")
    is_problem(w.call("PUT", path, {"send_enabled": False}), 400, "reason")
    expect(w.ok("GET", path)["sending"], "enabled")
    for _ in range(2):
        stopped = w.ok("PUT", path, {"send_enabled": False, "reason": "A wrong list"})
        expect((stopped["sending"], stopped["reason"]), ("stopped", "A wrong list"))
    expect(w.get("/health", key="").json["sending"], "stopped")
    expect(w.get(path, key=other).json["reason"], "A wrong list")
    w.channel()
    waits = w.campaign(scheduled_at="2030-01-01T00:00:00Z")
    assert "A wrong list" in w.ok("GET", f"/api/v1/campaigns/{waits['id']}")["hold_reason"]
    resumed = w.ok("PUT", path, {"send_enabled": True})
    expect((resumed["sending"], resumed["reason"]), ("enabled", None))
    expect(w.ok("GET", f"/api/v1/campaigns/{waits['id']}")["hold_reason"], None)
    w.database.sql("UPDATE ctl SET hold_reason = 'a copy'")
    held = w.ok("GET", path)
    expect((held["sending"], held["hold_reason"]), ("held", "a copy"))
    for _ in range(2):
        expect(w.ok("POST", path + "/confirm")["sending"], "enabled")


def another_accounts_things_are_not_there():
    w = world()
    channel = w.channel(name="Mine alone")
    contact = w.contact(external_id="mine-alone")
    campaign = w.campaign(channel_id=channel["id"], name="Mine alone")
    upload = w.ok("POST", "/api/v1/contacts/import", "phone\n9876500000\n", **CSV)
    _, other = w.database.account("Other")
    for path in (f"contacts/{contact['id']}", f"channels/{channel['id']}",
                 f"campaigns/{campaign['id']}", f"campaigns/{campaign['id']}/messages",
                 f"campaigns/{campaign['id']}/runs", f"imports/{upload['id']}",
                 f"imports/{upload['id']}/errors.csv"):
        expect(w.get("/api/v1/" + path).status, 200)
        is_problem(w.get("/api/v1/" + path, key=other), 404)
    for method, path in (("PATCH", f"campaigns/{campaign['id']}"),
                         ("DELETE", f"campaigns/{campaign['id']}"),
                         ("POST", f"campaigns/{campaign['id']}/send"),
                         ("PATCH", f"channels/{channel['id']}")):
        body = {} if method == "PATCH" else None
        is_problem(w.call(method, "/api/v1/" + path, body, key=other), 404)
    for kind in ("contacts", "channels", "campaigns", "imports"):
        expect(w.get("/api/v1/" + kind, key=other).json["data"], [])
    expect(w.get("/api/v1/events", key=other).json["data"], [])
    is_problem(w.post("/api/v1/campaigns", {"name": "x", "channel_id": channel["id"],
                                            "message": "x"}, key=other), 400, "channel_id")


# ---- the shape of requests -------------------------------------------------------------------

def paths_and_methods_that_are_not_there_are_told_apart():
    w = world()
    is_problem(w.get("/api/v1/nothing"), 404)
    is_problem(w.get("/api/v1/campaigns/x"), 404)
    is_problem(w.get("/api/v1/campaigns/99999999"), 404)
    is_problem(w.get("/api/v1/campaigns/"), 404)
    reply = w.call("PUT", "/api/v1/campaigns")
    is_problem(reply, 405)
    expect(reply.headers["Allow"], "GET, POST")


def bodies_that_are_no_json_object_are_refused():
    w = world()
    for body in ("", "{", "[]", "7", '{"name":1,"name":2}', "[" * 100, '{"name":"\\u0000"}',
                 '{"a":' * 40 + "1" + "}" * 40):
        is_problem(w.post("/api/v1/campaigns", body, **{"Content-Type": "application/json"}), 400)
    is_problem(w.post("/api/v1/campaigns", "name=x", **{"Content-Type": "text/plain"}), 415)
    expect(w.post("/api/v1/campaigns", json.dumps({"name": "x" * 1100000}),
                  **{"Content-Type": "application/json"}).status, 413)
    is_problem(w.call("GET", "/api/v1/campaigns", '{"a":1}'), 400)


def every_fault_of_a_body_is_told_by_name():
    w = world()
    reply = w.post("/api/v1/campaigns", {
        "nam": "typo", "channel": "pigeon", "message": 7, "subject": "x", "scheduled_at": "soon",
        "event_type": "Hybrid", "audience": {"tag": []}, "enabled": "yes", "delivery_policy": "x",
        "retry": "often", "unknown_wait_seconds": -1,
        "sender_id": 424242, "include_image": 1})
    is_problem(reply, 400, "nam", "name", "channel", "scheduled_at", "event_type", "audience.tag",
               "enabled", "delivery_policy", "retry", "unknown_wait_seconds", "sender_id",
               "include_image")
    for error in reply.json["errors"]:
        assert error["reason"], error


def a_repeated_key_gets_the_first_answer():
    w = world()
    body = {"external_id": "once-only", "first_name": "One"}
    first = w.post("/api/v1/contacts", body, **{"Idempotency-Key": "k-1"})
    again = w.post("/api/v1/contacts", body, **{"Idempotency-Key": "k-1"})
    expect((first.status, again.status), (201, 201))
    expect(again.text, first.text)
    expect(again.headers["Idempotent-Replayed"], "true")
    is_problem(w.post("/api/v1/contacts", {"external_id": "another"},
                      **{"Idempotency-Key": "k-1"}), 422)
    is_problem(w.post("/api/v1/contacts", {}, **{"Idempotency-Key": "k-2"}), 400)
    expect(w.post("/api/v1/contacts", body, **{"Idempotency-Key": "k-2"}).status, 200)


def keys_of_requests_are_forgotten_after_a_day():
    w = World()
    for key in ("a", "b"):
        w.post("/api/v1/contacts", {"external_id": key}, **{"Idempotency-Key": key})
    w.database.sql("UPDATE idempotency SET created_at = now() - interval '25 hours'")
    w.post("/api/v1/contacts", {"external_id": "c"}, **{"Idempotency-Key": "c"})
    expect(w.database.sql("SELECT key FROM idempotency"), [["c"]])


def pages_are_bounded_and_counted():
    w = World()
    for n in range(7):
        w.contact(external_id=f"n{n}")
    page = w.ok("GET", "/api/v1/contacts?page=2&page_size=3")
    expect(page["pagination"], {"page": 2, "page_size": 3, "total_count": 7, "total_pages": 3})
    expect([c["external_id"] for c in page["data"]], ["n3", "n2", "n1"])
    expect(w.ok("GET", "/api/v1/contacts?page=9")["data"], [])
    expect(w.ok("GET", "/api/v1/contacts")["pagination"]["page_size"], 20)
    for query in ("page=0", "page=x", "page_size=101", "page_size=0", "page_size="):
        is_problem(w.get("/api/v1/contacts?" + query), 400, query.split("=")[0])


# ---- contacts --------------------------------------------------------------------------------

def a_contact_is_found_by_external_id_then_phone_then_email():
    w = World()
    first = w.contact(external_id="c1", phone="098765 43210", email="Anna@Example.COM",
                      tags=["vip"], attributes={"city": "Pune"})
    expect(first["phone"], "+919876543210")
    expect(first["email"], "Anna@example.com")
    same = w.contact(phone="+919876543210", first_name="Anna", tags=["new"],
                     attributes={"visits": 7})
    expect(same["id"], first["id"])
    expect(same["tags"], ["new", "vip"])
    expect(same["attributes"], {"city": "Pune", "visits": 7})
    expect(w.contact(email="Anna@EXAMPLE.com")["id"], first["id"])
    other = w.contact(external_id="c2", phone="+919876543210")
    assert other["id"] != first["id"]
    expect(w.get(f"/api/v1/contacts/{first['id']}").json["first_name"], "Anna")
    for search in ("c1", "Anna@Example.com", "%2B919876543210"):
        assert w.ok("GET", "/api/v1/contacts?search=" + search)["data"], search
    expect(len(w.ok("GET", "/api/v1/contacts?tag=vip")["data"]), 1)
    expect(w.ok("GET", "/api/v1/contacts?tag=none")["pagination"]["total_count"], 0)


def a_contact_that_nobody_could_reach_is_refused():
    w = world()
    is_problem(w.post("/api/v1/contacts", {"first_name": "Nobody"}), 400, "phone")
    is_problem(w.post("/api/v1/contacts", {"phone": "12", "email": "no"}), 400, "phone", "email")
    is_problem(w.post("/api/v1/contacts", {"external_id": "a", "attributes": {"No!": 1}}), 400,
               "attributes")
    is_problem(w.post("/api/v1/contacts", {"external_id": "a", "tags": [1]}), 400, "tags[0]")


# ---- imports ---------------------------------------------------------------------------------

def a_list_is_cut_into_blocks_that_are_rows():
    w = World()
    rows = "".join(f"98765{n:05d},Name {n},\"Pune, {n}\"\r\n" for n in range(30000))
    reply = w.post("/api/v1/contacts/import?filename=people.csv&tags=vip,%20new&default_country=IN",
                   "\ufeffMobile No.,First Name,Home Town\r\n".encode() + rows.encode(), **CSV)
    expect(reply.status, 202)
    done = reply.json
    expect(reply.headers["Location"], f"/api/v1/imports/{done['id']}")
    expect(done["status"], "running")
    expect(done["tags"], ["new", "vip"])
    expect([c["field"] for c in done["columns"]], ["phone", "first_name", "home_town"])
    assert done["blocks"] > 2, done
    expect(w.database.number("SELECT count(*) FROM import_block"), done["blocks"])
    body = w.database.sql("SELECT sum(length(body)) FROM import_block")[0][0]
    expect(int(body), len(rows))
    expect(w.ok("GET", "/api/v1/imports")["data"][0]["id"], done["id"])
    w.channel()
    w.campaign(message="From {home_town}")


def a_list_may_say_where_its_columns_go_and_feed_a_campaign():
    w = World()
    w.channel()
    campaign = w.campaign()
    mapping = "%7B%22Who%22:%22first_name%22,%22Nr%22:%22phone%22,%22Junk%22:%22%22%7D"
    done = w.ok("POST", f"/api/v1/contacts/import?mapping={mapping}&campaign_id={campaign['id']}",
                "Who;Nr;Junk\nA;9876543210;x\n", **CSV)
    expect([c["field"] for c in done["columns"]], ["first_name", "phone", ""])
    expect(done["delimiter"], ";")
    expect(done["campaign_id"], campaign["id"])
    expect(w.ok("GET", f"/api/v1/campaigns/{campaign['id']}")["audience"]["tags"], done["tags"])


def lists_that_cannot_be_read_are_refused():
    w = World(upload_mib=1)
    path = "/api/v1/contacts/import"
    is_problem(w.post(path, "a,b\n1,2\n", **CSV), 400, "header")
    is_problem(w.post(path, "", **CSV), 400)
    is_problem(w.post(path, "phone\n", **CSV), 400)
    is_problem(w.post(path, "phone\n1\n", **{"Content-Type": "application/json"}), 415)
    is_problem(w.post(path + "?mapping=x&default_country=XX&colour=red", "phone\n1\n", **CSV), 400,
               "mapping", "default_country", "colour")
    is_problem(w.post(path + "?mapping=%7B%22No%22:%22phone%22%7D", "phone\n1\n", **CSV), 400,
               "mapping")
    is_problem(w.post(path + "?campaign_id=4711", "phone\n1\n", **CSV), 404)
    is_problem(w.post(path, "phone\n" + "9876543210\n" * 100000, **CSV), 413)
    expect(w.ok("GET", "/api/v1/imports")["data"], [])
    is_problem(w.post(path, "phone\n1\n", key="", **CSV), 401)


def a_client_that_goes_away_leaves_an_import_that_says_so():
    w = World()
    body = ("phone,first_name\n" + "9876543210,Somebody\n" * 40000).encode()
    with socket.create_connection(("127.0.0.1", w.port)) as client:
        client.sendall(b"POST /api/v1/contacts/import HTTP/1.1\r\nHost: x\r\n"
                       b"Content-Type: text/csv\r\nAuthorization: Bearer " + w.key.encode() +
                       f"\r\nContent-Length: {len(body) + 1000000}\r\n\r\n".encode() + body)
        for _ in range(100):
            if w.database.number("SELECT count(*) FROM import_block") > 1:
                break
            time.sleep(0.05)
    for _ in range(100):
        if w.database.number("SELECT count(*) FROM import WHERE state = 3"):
            break
        time.sleep(0.05)
    found = w.ok("GET", "/api/v1/imports")["data"][0]
    expect(found["status"], "failed")
    assert "cut after" in found["reason"], found


def a_list_that_grows_too_large_on_the_way_fails_with_what_it_has():
    w = World(upload_mib=1)

    def chunks():
        yield b"phone\n"
        for _ in range(40):
            yield b"9876543210\n" * 10000

    connection = http.client.HTTPConnection("127.0.0.1", w.port, timeout=20)
    try:
        connection.request("POST", "/api/v1/contacts/import", chunks(),
                           {**CSV, "Authorization": "Bearer " + w.key}, encode_chunked=True)
        is_problem(Reply(connection.getresponse()), 413)
    except (BrokenPipeError, ConnectionResetError):
        pass  # it hung up while we were still sending
    found = w.ok("GET", "/api/v1/imports")["data"][0]
    expect(found["status"], "failed")


def an_upload_whose_gateway_died_is_ended_by_the_scheduler():
    w = World()
    w.database.sql(f"""INSERT INTO import (account_id, file_name, touched_at) VALUES
        ({w.account}, 'broken off', now() - interval '11 minutes'),
        ({w.account}, 'under way', now())""")
    scheduler = Actor("scheduler", w.database)
    for _ in range(100):
        found = {i["filename"]: i["status"] for i in w.ok("GET", "/api/v1/imports")["data"]}
        if found["broken off"] != "receiving":
            break
        time.sleep(0.1)
    expect(found, {"broken off": "failed", "under way": "receiving"})
    scheduler.kill()


def errors_are_a_file_that_no_spreadsheet_runs():
    w = World()
    done = w.ok("POST", "/api/v1/contacts/import", "phone\n9876543210\n", **CSV)
    w.database.sql(f"""INSERT INTO import_error (account_id, import_id, line, field, reason, record)
        SELECT {w.account}, {done['id']}, n, 'phone', 'too "short"', '=cmd|1' || n
        FROM generate_series(2, 20101) n""")
    reply = w.get(f"/api/v1/imports/{done['id']}/errors.csv")
    lines = reply.text.split("\r\n")
    expect(lines[0], "line,field,severity,reason,record")
    expect(lines[1], '2,"phone",error,"too ""short""","\'=cmd|12"')
    expect(len(lines), 20002)
    rest = w.get(reply.headers["Link"].split(">")[0][1:])
    expect(len(rest.text.split("\r\n")), 102)
    expect(rest.headers["Link"], None)


# ---- channels --------------------------------------------------------------------------------

def a_channels_secrets_are_sealed_and_never_shown():
    w = World()
    channel = w.channel()
    expect(channel["secrets_set"], ["auth_token"])
    for text in (json.dumps(channel), w.get("/api/v1/channels").text,
                 w.get(f"/api/v1/channels/{channel['id']}").text):
        assert "word" not in text, text
    expect(w.database.number("""SELECT count(*) FROM channel WHERE sealed_sender IS NOT NULL
        AND sealed_ingester IS NOT NULL AND position('word'::bytea in sealed_sender) = 0"""), 1)
    assert "word" not in w.actor.log()


def a_channels_fields_are_checked_by_its_providers_table():
    w = world()
    is_problem(w.post("/api/v1/channels", {"kind": "sms", "provider": "pigeon", "name": "x"}), 400,
               "provider")
    bad = {**SMS, "name": "bad", "rate": -1,
           "settings": {"account_sid": "AC1", "from": "!!!", "colour": "red"}}
    reply = w.post("/api/v1/channels", bad)
    is_problem(reply, 400, "settings.account_sid", "settings.from", "settings.colour",
               "settings.auth_token", "rate")
    for error in reply.json["errors"]:
        assert error["expected"], error
    w.channel(name="Taken")
    is_problem(w.post("/api/v1/channels", {**SMS, "name": "Taken"}), 409, "name")


def a_channel_that_describes_its_requests_is_checked_as_a_whole():
    w = world()

    def complaint(**settings):
        reply = w.post("/api/v1/channels", {"kind": "api", "provider": "http", "name": "api",
            "settings": {"url": "https://api.example.com/v1", **settings}})
        is_problem(reply, 400)
        return reply.fields()

    expect(complaint(url="https://{address}.example.com/"), ["settings.url"])
    expect(complaint(url="https://api.example.com/{nobody}"), ["settings.url"])
    expect(complaint(body='{"to":{address}}'), ["settings.body"])
    expect(complaint(body='{"to":"{phone}"}'), ["settings.body"])
    expect(complaint(headers="X-Text: {text}"), ["settings.headers"])
    expect(complaint(headers="Content-Length: 7"), ["settings.headers"])
    expect(complaint(headers="no header"), ["settings.headers"])
    expect(complaint(success_statuses="2xx"), ["settings.success_statuses"])
    expect(complaint(id_path="a..b"), ["settings.id_path"])
    expect(complaint(idempotency_header="Idempotency-Key"), ["settings.idempotency_ttl_s"])
    expect(complaint(idempotency_ttl_s="60"), ["settings.idempotency_header"])
    expect(complaint(signature_header="X-Signature"), ["settings.signature_secret"])
    expect(complaint(username="ann", password="x", bearer_token="y"), ["settings.bearer_token"])
    channel = w.ok("POST", "/api/v1/channels", {
        "kind": "api", "provider": "http", "name": "api", "settings": {
            "url": "https://api.example.com/v1?to={address}", "bearer_token": "hush",
            "body": '{"a":["{text}",{"b":{}}]}', "idempotency_header": "Idempotency-Key",
            "idempotency_ttl_s": 86400}})
    expect(channel["secrets_set"], ["bearer_token"])
    assert "bearer_token" not in channel["settings"]


def a_channel_can_be_changed_but_its_secrets_only_all_at_once():
    w = World()
    channel = w.channel(settings={**SMS["settings"], "api_key_sid": "SK" + "0" * 32,
                                  "api_key_secret": "hush"})
    path = f"/api/v1/channels/{channel['id']}"
    changed = w.ok("PATCH", path, {"rate": 5, "enabled": False,
                                   "settings": {"from": "+15005550009"}})
    expect((changed["rate"], changed["enabled"]), (5.0, False))
    expect(changed["settings"]["account_sid"], SID)
    expect(changed["settings"]["from"], "+15005550009")
    expect(sorted(changed["secrets_set"]), ["api_key_secret", "auth_token"])
    expect(w.database.number("SELECT interval_us FROM channel_pace"), 200000)
    is_problem(w.call("PATCH", path, {"settings": {"auth_token": "new"}}), 400,
               "settings.api_key_secret")
    w.ok("PATCH", path, {"settings": {"auth_token": "new", "api_key_secret": "hush"}})
    is_problem(w.call("PATCH", path, {"kind": "email"}), 400, "kind")


# ---- campaigns -------------------------------------------------------------------------------

def a_campaign_keeps_what_it_was_given():
    w = World()
    channel = w.channel()
    w.contact(external_id="a", tags=["vip", "new"])
    given = {"name": "Diwali", "description": "Lights", "channel_id": channel["id"],
             "message": "Hi {first_name}", "audience": {"tags": ["vip", "new"]},
             "campaign_type": "festival", "festival_type": "diwali", "greeting_text": "Shubh",
             "include_image": True, "image_theme": "gold", "event_type": "Virtual",
             "event_date": "2030-11-08T06:30:00Z", "owner_name": "O", "owner_email": "o@x.org",
             "scheduled_at": "2030-11-01T12:00:00+05:30", "start_date": "2030-10-01T00:00:00Z",
             "end_date": "2030-12-01T00:00:00Z", "delivery_policy": "at_least_once",
             "retry": "patient", "unknown_wait_seconds": 60}
    made = w.ok("POST", "/api/v1/campaigns", given)
    expect(made["display_id"], 1)
    expect(made["status"], "scheduled")
    expect(made["scheduled_at"], "2030-11-01T06:30:00Z")
    expect(made["audience"], {"tags": ["new", "vip"]})
    for name in set(given) - {"scheduled_at", "audience"}:
        expect((name, made[name]), (name, given[name]))
    expect(made["stats"]["total"], 0)
    second = w.ok("POST", "/api/v1/campaigns", {"title": "Two", "channel": "sms", "message": "x",
                                                "target_tags": ["vip"]})
    expect((second["display_id"], second["status"], second["name"]), (2, "draft", "Two"))
    listed = w.ok("GET", "/api/v1/campaigns?status=scheduled&channel=sms")
    expect([c["id"] for c in listed["data"]], [made["id"]])
    expect(w.ok("GET", "/api/v1/campaigns?channel=email")["data"], [])
    is_problem(w.get("/api/v1/campaigns?status=sleeping&channel=pigeon"), 400, "status", "channel")


def a_template_is_checked_when_the_campaign_is_made():
    w = World()
    w.channel()
    w.channel(kind="email", provider="smtp", name="Mail",
              settings={"host": "mail.example.com", "from_email": "news@example.com"})
    base = {"name": "x", "channel": "sms"}
    reply = w.post("/api/v1/campaigns", {**base, "message": "Hi {frist_name}"})
    is_problem(reply, 400, "message")
    assert "first_name, last_name" in reply.text and "preferred_product" in reply.text
    is_problem(w.post("/api/v1/campaigns", base), 400, "message")
    is_problem(w.post("/api/v1/campaigns", {**base, "message": "x" * 1601}), 400, "message")
    is_problem(w.post("/api/v1/campaigns", {**base, "message": "x", "subject": "y"}), 400,
               "subject")
    mail = {"name": "x", "channel": "email"}
    is_problem(w.post("/api/v1/campaigns", {**mail, "message": "x"}), 400, "subject")
    w.ok("POST", "/api/v1/campaigns", {**mail, "subject": "{name}", "html": "<p>{company}</p>"})
    is_problem(w.post("/api/v1/campaigns", {"name": "x", "channel": "whatsapp", "message": "x"}),
               400, "channel")
    is_problem(w.post("/api/v1/campaigns", {**base, "message": "x",
                                            "scheduled_at": "2020-01-01T00:00:00Z"}), 400,
               "scheduled_at")
    is_problem(w.post("/api/v1/campaigns", {**base, "message": "x",
                                            "audience": {"tags": ["nobody"]}}), 400,
               "audience.tags[0]")


def only_what_was_not_launched_can_be_changed():
    w = World()
    w.channel()
    campaign = w.campaign(scheduled_at="2030-01-01T00:00:00Z", image_theme="gold")
    path = f"/api/v1/campaigns/{campaign['id']}"
    changed = w.ok("PATCH", path, {"name": "New", "scheduled_at": None})
    expect((changed["name"], changed["status"], changed["message"], changed["image_theme"]),
           ("New", "draft", "Hi {first_name}", "gold"))
    is_problem(w.call("PATCH", path, {"message": "{nope}"}), 400, "message")
    expect(w.call("DELETE", path).status, 204)
    is_problem(w.get(path), 404)
    w.contact(external_id="a", phone="9876543210")
    launched = w.campaign()
    w.ok("POST", f"/api/v1/campaigns/{launched['id']}/send")
    is_problem(w.call("PATCH", f"/api/v1/campaigns/{launched['id']}", {"name": "x"}), 409)


def what_never_ran_is_deleted_and_what_ran_is_cancelled_and_archived():
    w = World()
    w.channel()
    w.contact(external_id="a", phone="9876543210")
    for waits in (w.campaign(), w.campaign(scheduled_at="2030-01-01T00:00:00Z")):
        path = f"/api/v1/campaigns/{waits['id']}"
        expect(w.call("DELETE", path).status, 204)
        is_problem(w.get(path), 404)
    launched = w.campaign(name="Launched")
    path = f"/api/v1/campaigns/{launched['id']}"
    w.ok("POST", path + "/send")
    for _ in range(2):
        expect(w.call("DELETE", path).status, 204)
        now = w.ok("GET", path)
        expect((now["status"], now["archived"]), ("cancelled", True))
    expect([c["id"] for c in w.ok("GET", "/api/v1/campaigns?archived=true")["data"]],
           [launched["id"]])
    expect(w.ok("GET", "/api/v1/campaigns")["data"], [])
    is_problem(w.get("/api/v1/campaigns?archived=maybe"), 400, "archived")


def a_campaign_is_paused_resumed_and_cancelled_in_the_states_that_allow_it():
    w = World()
    w.channel()
    w.contact(external_id="a", phone="9876543210")

    def does(word, campaign, status):
        reply = w.post(f"/api/v1/campaigns/{campaign}/{word}")
        expect((reply.status, reply.json.get("status")), (200, status))
        expect(bool(reply.json["paused_at"]), status == "paused")

    def may_not(word, campaign):
        is_problem(w.post(f"/api/v1/campaigns/{campaign}/{word}"), 409)
    draft = w.campaign()["id"]
    for word in ("pause", "resume", "cancel"):
        may_not(word, draft)
        is_problem(w.post(f"/api/v1/campaigns/999999/{word}"), 404)
    w.ok("POST", f"/api/v1/campaigns/{draft}/send")
    for _ in range(2):
        does("pause", draft, "paused")
        expect(w.ok("GET", f"/api/v1/campaigns/{draft}/runs")["data"][0]["status"], "paused")
    for _ in range(2):
        does("resume", draft, "preparing")
        expect(w.ok("GET", f"/api/v1/campaigns/{draft}/runs")["data"][0]["status"], "preparing")
    for _ in range(2):
        does("cancel", draft, "cancelled")
    may_not("pause", draft)
    may_not("resume", draft)
    later = w.campaign(scheduled_at="2030-01-01T00:00:00Z")["id"]
    does("pause", later, "paused")
    is_problem(w.post(f"/api/v1/campaigns/{later}/send"), 409)
    does("resume", later, "scheduled")
    does("cancel", later, "cancelled")
    expect(w.ok("GET", f"/api/v1/campaigns/{later}/runs")["data"], [])


def a_launch_answers_its_run_and_how_many_it_is_for():
    w = World()
    w.channel()
    for n in range(5):
        w.contact(external_id=f"p{n}", phone=f"987654321{n}", tags=["vip"] if n < 3 else [])
    campaign = w.campaign(audience={"tags": ["vip"]})
    path = f"/api/v1/campaigns/{campaign['id']}/send"
    reply = w.post(path)
    expect(reply.status, 202)
    launch = reply.json
    expect((launch["campaign_id"], launch["messages_queued"], launch["status"]),
           (campaign["id"], 3, "preparing"))
    again = w.post(path)
    is_problem(again, 409)
    expect(again.json["run_id"], launch["run_id"])
    expect(w.ok("GET", f"/api/v1/campaigns/{campaign['id']}/runs")["data"][0]["id"],
           launch["run_id"])
    kinds = [e["type"] for e in w.ok("GET", "/api/v1/events?limit=1000")["data"]]
    assert "run_changed" in kinds and "campaign_changed" in kinds, kinds


def a_launch_may_name_its_people():
    w = World()
    w.channel()
    people = [w.contact(external_id=f"p{n}", phone=f"987654321{n}")["id"] for n in range(3)]
    campaign = w.campaign()
    path = f"/api/v1/campaigns/{campaign['id']}/send"
    is_problem(w.post(path, {"contact_ids": []}), 400, "contact_ids")
    is_problem(w.post(path, {"contact_ids": "all"}), 400, "contact_ids")
    is_problem(w.post(path, {"contact_ids": [people[0], -1]}), 400, "contact_ids[1]")
    is_problem(w.post(path, {"customer_ids": people}), 400, "customer_ids")
    missing = w.post(path, {"contact_ids": [people[0], 999999]})
    is_problem(missing, 404)
    assert "999999" in missing.json["detail"], missing.text
    launch = w.ok("POST", path, {"contact_ids": [people[2], people[0], people[2]]})
    expect(launch["messages_queued"], 2)
    expect(w.database.sql("SELECT contact_ids FROM run")[0][0], f"{{{people[0]},{people[2]}}}")


def launches_at_the_same_time_make_one_run():
    w = World()
    w.channel()
    w.contact(external_id="a", phone="9876543210")
    campaign = w.campaign()
    path = f"/api/v1/campaigns/{campaign['id']}/send"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: w.post(path), range(8)))
    expect(sorted(r.status for r in replies), [202] + [409] * 7)
    expect(len({r.json["run_id"] for r in replies}), 1)
    expect(w.database.number("SELECT count(*) FROM run"), 1)


def what_cannot_go_out_is_not_launched():
    w = World()
    channel = w.channel()
    campaign = w.campaign(enabled=False)
    path = f"/api/v1/campaigns/{campaign['id']}"
    is_problem(w.post(path + "/send"), 409)
    w.ok("PATCH", path, {"enabled": True})
    w.ok("PATCH", f"/api/v1/channels/{channel['id']}", {"enabled": False})
    is_problem(w.post(path + "/send"), 409)


# ---- what became of it -----------------------------------------------------------------------

def launched_with_messages(w):
    """A campaign with one claimed chunk of six messages; two are being sent."""
    w.channel()
    people = [w.contact(external_id=f"p{n}", phone=f"987654321{n}")["id"] for n in range(6)]
    campaign = w.campaign()
    run = w.ok("POST", f"/api/v1/campaigns/{campaign['id']}/send")["run_id"]
    channel = campaign["channel_id"]
    w.database.sql(f"""
        INSERT INTO chunk (account_id, id, run_id, channel_id, state, epoch, size, watermark,
            n_pending, n_sent, n_failed, n_skipped, contacts)
          VALUES ({w.account}, 7, {run}, {channel}, 2, 1, 6, 5, 3, 1, 1, 1,
            ARRAY{people}::bigint[]);
        INSERT INTO message (account_id, id, contact_id, state, address, body, reason, progress)
        SELECT {w.account}, 7 * 512 + i, (ARRAY{people}::bigint[])[i + 1],
          (ARRAY[3, 4, 5, 0, 0, 0])[i + 1], '+91987654321' || i, 'Hi', (ARRAY[0,0,2,0,0,0])[i + 1],
          (ARRAY[2,0,0,0,0,0])[i + 1]
        FROM generate_series(0, 5) i;
        UPDATE run SET state = 1, resolved = true; UPDATE campaign SET state = 3;""")
    return campaign["id"]


def messages_are_shown_with_the_state_they_are_in():
    w = World()
    path = f"/api/v1/campaigns/{launched_with_messages(w)}"
    listed = w.ok("GET", path + "/messages")
    expect([m["status"] for m in listed["data"]],
           ["pending", "sending", "sending", "skipped", "failed", "sent"])
    expect(listed["pagination"]["total_count"], 6)
    first = listed["data"][-1]
    expect((first["address"], first["content"], first["progress"]),
           ("+919876543210", "Hi", "delivered"))
    expect(listed["data"][3]["reason"], "suppressed")
    for status, count in (("pending", 1), ("sending", 2), ("sent", 1), ("unknown", 0)):
        page = w.ok("GET", f"{path}/messages?status={status}")
        expect((status, len(page["data"]), page["pagination"]["total_count"]),
               (status, count, count))
    is_problem(w.get(path + "/messages?status=lost"), 400, "status")
    stats = w.ok("GET", path)["stats"]
    expect([stats[k] for k in ("total", "pending", "sending", "sent", "failed", "skipped")],
           [6, 1, 2, 1, 1, 1])
    expect(w.ok("GET", "/api/v1/stats")["messages"]["total"], 6)


def the_event_log_is_read_by_cursor():
    w = World()
    for n in range(5):
        w.channel(name=f"c{n}")
    first = w.ok("GET", "/api/v1/events?limit=3")
    rest = w.ok("GET", "/api/v1/events?after=" + first["next"])
    expect([len(first["data"]), len(rest["data"])], [3, 2])
    expect(first["data"][0]["type"], "channel_changed")
    w.campaign()
    expect(w.ok("GET", "/api/v1/events?after=" + rest["next"])["data"][0]["body"]["status"],
           "draft")
    assert first["data"][0]["body"]["channel"] > 0
    is_problem(w.get("/api/v1/events?after=x"), 400, "after")


class Stream:
    def __init__(self, w):
        self.connection = http.client.HTTPConnection("127.0.0.1", w.port, timeout=10)
        self.connection.request("GET", "/api/v1/events/stream",
                                headers={"Authorization": "Bearer " + w.key})
        self.response = self.connection.getresponse()
        expect(self.response.status, 200)
        expect(self.response.headers["Content-Type"], "text/event-stream")

    def next(self, name):
        """The next event of that name."""
        found = None
        while True:
            line = self.response.readline().decode().rstrip("\n")
            if line.startswith("event: "):
                found = line[7:]
            elif line.startswith("data: ") and found == name:
                return json.loads(line[6:])


def progress_is_streamed_from_the_present_state_on():
    w = World()
    campaign = launched_with_messages(w)
    stream = Stream(w)
    now = stream.next("campaign.progress")
    expect((now["campaign_id"], now["status"], now["stats"]["sending"]), (campaign, "running", 2))
    w.database.sql("""UPDATE message SET state = 3 WHERE state = 0;
        UPDATE chunk SET n_sent = 4, n_pending = 0, state = 3, watermark = 6;
        UPDATE campaign SET state = 5, ended_at = now()""")
    while now["status"] != "completed":
        now = stream.next("campaign.progress")
    expect((now["stats"]["sent"], now["rate_per_second"], now["finish_at"]), (4, 0, None))
    done = w.ok("POST", "/api/v1/contacts/import", "phone\n9876543210\n", **CSV)
    expect(stream.next("import.progress")["id"], done["id"])
    other = Stream(w)
    expect(other.next("campaign.progress")["stats"]["sent"], 4)
    expect(w.actor.stop(), 0)


# ---- when the database is away ---------------------------------------------------------------

def without_the_database_only_health_tells_why():
    w = World()
    w.ok("GET", "/api/v1/campaigns")
    name = w.database.sql("SELECT current_database()")[0][0]
    server = Database(World.cluster.url)
    server.sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    reply = w.get("/health", key="")
    expect(reply.status, 503)
    expect((reply.json["ok"], reply.json["error"]), (False, "Database unreachable"))
    reply = w.get("/api/v1/campaigns")
    is_problem(reply, 503)
    expect(reply.headers["Retry-After"], "1")
    server.sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    expect(w.get("/health", key="").status, 200)


TESTS = [value for name, value in list(globals().items())
         if callable(value) and getattr(value, "__module__", "") == "__main__"
         and "_" in name and name not in ("is_problem", "launched_with_messages")]


def main():
    failed = 0
    wanted = sys.argv[1:]
    tests = [t for t in TESTS if not wanted or any(word in t.__name__ for word in wanted)]
    for test in tests:
        try:
            test()
            print("ok -", test.__name__.replace("_", " "), flush=True)
        except Exception:
            failed += 1
            print("not ok -", test.__name__.replace("_", " "))
            traceback.print_exc(file=sys.stdout)
    print(f"{len(tests) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
