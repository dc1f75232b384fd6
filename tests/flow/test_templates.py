"""Templates by the API: made, checked, versioned, and who may see them. The gateway alone runs."""
import concurrent.futures
import json

from checks import expect, run
from gateway import SMS, World, is_problem

PATH = "/api/v1/templates"
HELLO = {"message": "Hello {first_name}"}

shared = None


def world():
    global shared
    shared = shared or World()
    return shared


def made(w, name, **more):
    return w.ok("POST", PATH, {"name": name, "kind": "sms", "content": HELLO, **more})


# ---- what a template is ----------------------------------------------------------------------

def a_template_is_made_with_its_first_version():
    w = world()
    reply = w.post(PATH, {"name": " Welcome ", "kind": "sms", "description": "First words",
                          "category": "Service", "tags": ["new", "people"], "content": HELLO,
                          "note": "From the old system"})
    expect(reply.status, 201)
    row = reply.json
    expect(reply.headers["Location"], f"{PATH}/{row['id']}")
    expect({k: row[k] for k in ("name", "kind", "description", "category", "tags", "archived",
                                "version", "latest_version", "content", "note")},
           {"name": "Welcome", "kind": "sms", "description": "First words", "category": "Service",
            "tags": ["new", "people"], "archived": False, "version": 1, "latest_version": 1,
            "content": HELLO, "note": "From the old system"})
    expect(row["author_id"], w.database.number("SELECT min(id) FROM app_user"))
    expect(w.ok("GET", f"{PATH}/{row['id']}"), row)


def every_kind_has_its_parts():
    w = world()
    contents = {
        "sms": {"message": "Hi {name}", "media_url": "https://example.com/a.png"},
        "whatsapp": {"template": {"name": "diwali", "language": "en_US",
                                  "variables": ["{first_name}", "{location}"]}},
        "email": {"subject": "Hi", "preheader": "For {name}", "html": "<p>Hi</p>", "message": "Hi"},
        "voicemail": {"message": "Hello, this is a message for {first_name}."},
    }
    for kind, content in contents.items():
        row = made(w, f"Parts of {kind}", kind=kind, content=content)
        expect(row["content"], content)


def languages_are_kept_as_they_were_written():
    w = world()
    content = {"message": "Hello", "language": "en",
               "languages": {"de": {"message": "Hallo"}, "pt-BR": {"message": "Oi"}}}
    row = made(w, "Languages", content=content)
    expect(row["content"], content)


# ---- what is refused -------------------------------------------------------------------------

def every_fault_is_told_by_its_place():
    w = world()
    is_problem(w.post(PATH, {}), 400, "name", "kind", "content")
    is_problem(w.post(PATH, {"name": " ", "kind": "pigeon", "content": [], "tags": [1],
                             "category": "", "colour": "red"}), 400,
               "name", "kind", "content", "tags[0]", "category", "colour")
    reply = w.post(PATH, {"name": "Faults", "kind": "whatsapp", "content": {
        "message": "{nope}", "subject": "x", "mesage": "x",
        "languages": {"de": {"message": "{auch_nicht}", "text": "x"}, "german": HELLO,
                      "fr": {"template": {"name": "n", "variable": ["x"]}},
                      "it": "Ciao"}}})
    is_problem(reply, 400, "content.message", "content.subject", "content.mesage",
               "content.languages.de.message", "content.languages.de.text",
               "content.languages.german", "content.languages.fr.template.variable",
               "content.languages.it")
    unknown = {e["field"]: e for e in reply.json["errors"]}
    assert "preheader" in unknown["content.mesage"]["expected"], unknown["content.mesage"]
    assert "first_name" in unknown["content.message"]["reason"], unknown["content.message"]
    is_problem(w.post(PATH, {"name": "x", "kind": "sms", "content": {
        "message": "x", "preheader": "y"}}), 400, "content.preheader")


def a_name_is_taken_once():
    w = world()
    first = made(w, "Once")
    is_problem(w.post(PATH, {"name": "Once", "kind": "sms", "content": HELLO}), 409, "name")
    other = made(w, "Twice")
    is_problem(w.call("PATCH", f"{PATH}/{other['id']}", {"name": "Once"}), 409, "name")
    expect(w.ok("PATCH", f"{PATH}/{first['id']}", {"name": "Once"})["name"], "Once")


def a_viewer_reads_and_a_manager_writes():
    w = world()
    row = made(w, "Roles")
    one = f"{PATH}/{row['id']}"
    for role, status in (("viewer", 403), ("agent", 403), ("manager", 400)):
        key = w.database.key(w.account, role)
        for path in (PATH, one, one + "/versions"):
            expect(w.get(path, key=key).status, 200)
        expect(w.post(PATH, {}, key=key).status, status)
        expect(w.post(one + "/versions", {}, key=key).status, status)
        expect(w.call("PATCH", one, {"name": ""}, key=key).status, status)


def another_accounts_templates_are_not_there():
    w = world()
    row = made(w, "Mine alone")
    _, other = w.database.account("Other")
    one = f"{PATH}/{row['id']}"
    expect(w.get(PATH, key=other).json["data"], [])
    is_problem(w.get(one, key=other), 404)
    is_problem(w.get(one + "/versions", key=other), 404)
    is_problem(w.call("PATCH", one, {"name": "Yours"}, key=other), 404)
    is_problem(w.post(one + "/versions", {"content": HELLO}, key=other), 404)
    theirs = w.ok("POST", PATH, {"name": "Mine alone", "kind": "sms", "content": HELLO}, key=other)
    assert theirs["id"] != row["id"]


# ---- versions --------------------------------------------------------------------------------

def a_version_is_added_and_none_ever_changes():
    w = world()
    row = made(w, "Versions")
    one = f"{PATH}/{row['id']}"
    second = w.ok("POST", one + "/versions", {"content": {"message": "Hi"}, "note": "Shorter"})
    expect((second["version"], second["content"], second["note"]), (2, {"message": "Hi"},
                                                                   "Shorter"))
    expect(w.ok("GET", one)["version"], 2)
    expect(w.ok("GET", one + "?version=1")["content"], HELLO)
    expect([(v["number"], v["note"]) for v in w.ok("GET", one + "/versions")["data"]],
           [(2, "Shorter"), (1, None)])
    expect(w.ok("GET", one + "/versions?page_size=1&page=2")["pagination"]["total_count"], 2)
    is_problem(w.get(one + "?version=3"), 404)
    is_problem(w.get(one + "?version=0"), 400, "version")
    is_problem(w.post(one + "/versions", {"content": {"message": "{no}"}}), 400,
               "content.message")
    is_problem(w.post(one + "/versions", {"note": "Nothing"}), 400, "content")
    is_problem(w.call("PATCH", one, {"content": HELLO}), 400, "content")
    for statement in ("UPDATE template_version SET note = 'x'", "DELETE FROM template_version"):
        try:
            w.database.sql("SET ROLE fan_gateway; " + statement)
        except AssertionError as refused:
            assert "permission denied" in str(refused), refused
        else:
            raise AssertionError("done: " + statement)


def versions_added_at_the_same_time_get_numbers_of_their_own():
    w = world()
    path = f"{PATH}/{made(w, 'At once')['id']}/versions"
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(lambda n: w.post(path, {"content": {"message": f"Hi {n}"}}),
                                range(6)))
    expect(sorted(r.json["version"] for r in replies), [2, 3, 4, 5, 6, 7])
    for reply in replies:
        expect(w.ok("GET", f"{PATH}/{reply.json['id']}?version={reply.json['version']}")["content"],
               reply.json["content"])


def a_repeated_key_makes_one_version():
    w = world()
    path = f"{PATH}/{made(w, 'Repeated')['id']}/versions"
    first, again = (w.post(path, {"content": HELLO}, **{"Idempotency-Key": "v"}) for _ in range(2))
    expect(json.loads(first.text), json.loads(again.text))
    expect(first.json["version"], 2)


# ---- lists -----------------------------------------------------------------------------------

def a_list_is_filtered_searched_and_paged():
    w = World()
    made(w, "Diwali greeting", tags=["festival"], category="Greetings")
    made(w, "Eid greeting", kind="whatsapp", tags=["festival", "eid"], category="Greetings")
    made(w, "Invoice", description="Reminds of 100% of a DEBT")
    gone = made(w, "Old one")
    row = w.ok("PATCH", f"{PATH}/{gone['id']}", {"archived": True, "tags": None,
                                                 "description": None})
    expect((row["archived"], row["tags"], row["description"]), (True, [], None))

    def names(query=""):
        return [t["name"] for t in w.ok("GET", PATH + query)["data"]]
    expect(names(), ["Diwali greeting", "Eid greeting", "Invoice"])
    expect(names("?kind=whatsapp"), ["Eid greeting"])
    expect(names("?tag=festival"), ["Diwali greeting", "Eid greeting"])
    expect(names("?tag=festival&kind=sms"), ["Diwali greeting"])
    expect(names("?category=Greetings&search=EID"), ["Eid greeting"])
    expect(names("?search=debt"), ["Invoice"])
    expect(names("?search=100%25"), ["Invoice"])
    expect(names("?search=_"), [])
    expect(names("?archived=true"), ["Old one"])
    expect(names("?page=2&page_size=2"), ["Invoice"])
    first = w.ok("GET", PATH + "?page_size=1")
    expect(first["pagination"]["total_count"], 3)
    assert "content" not in first["data"][0], first
    is_problem(w.get(PATH + "?kind=pigeon&archived=maybe"), 400, "kind", "archived")


def an_archived_template_gets_no_versions_until_it_is_back():
    w = world()
    one = f"{PATH}/{made(w, 'Archived')['id']}"
    w.ok("PATCH", one, {"archived": True})
    is_problem(w.post(one + "/versions", {"content": HELLO}), 409)
    w.ok("PATCH", one, {"archived": False})
    expect(w.ok("POST", one + "/versions", {"content": HELLO})["version"], 2)


# ---- campaigns -------------------------------------------------------------------------------

def launched(w, campaign):
    w.ok("POST", f"/api/v1/campaigns/{campaign['id']}/send")
    run_row = w.ok("GET", f"/api/v1/campaigns/{campaign['id']}/runs")["data"][0]
    content = w.database.sql(f"SELECT content FROM run WHERE id = {run_row['id']}")[0][0]
    return run_row, json.loads(content)


def a_campaign_is_launched_with_the_version_it_names_or_the_newest():
    w = World()
    w.channel()
    w.contact(external_id="a", phone="9876543210")
    row = made(w, "Greeting")
    one = f"{PATH}/{row['id']}"
    follows = w.campaign(message=None, template_id=row["id"])
    stays = w.campaign(message=None, template_id=row["id"], template_version=1)
    expect((follows["template_id"], follows["template_version"]), (row["id"], None))
    expect((stays["template_id"], stays["template_version"]), (row["id"], 1))
    w.ok("POST", one + "/versions", {"content": {"message": "Second"}})
    w.ok("PATCH", one, {"archived": True})
    for campaign, version, text in ((follows, 2, "Second"), (stays, 1, HELLO["message"])):
        run_row, content = launched(w, campaign)
        expect((run_row["template_id"], run_row["template_version"]), (row["id"], version))
        expect(content, {"text": text})
    w.ok("PATCH", one, {"archived": False})
    w.ok("POST", one + "/versions", {"content": {"message": "Third"}})
    expect(w.database.sql("SELECT template_version FROM run ORDER BY id"), [["2"], ["1"]])
    plain, content = launched(w, w.campaign())
    assert "template_id" not in plain, plain
    expect(content, {"text": "Hi {first_name}"})


def a_campaigns_content_is_its_own_or_a_templates():
    w = World()
    w.channel()
    row = made(w, "Mine")
    base = {"name": "x", "channel": "sms"}
    for body, field in (
            ({"template_id": row["id"], "message": "Hi"}, "template_id"),
            ({"template_id": 999999}, "template_id"),
            ({"template_id": row["id"], "template_version": 2}, "template_version"),
            ({"template_version": 1, "message": "Hi"}, "template_version"),
            ({"template_id": made(w, "Chat", kind="whatsapp")["id"]}, "template_id"),
            ({}, "message")):
        is_problem(w.post("/api/v1/campaigns", {**base, **body}), 400, field)
    w.ok("PATCH", f"{PATH}/{row['id']}", {"archived": True})
    is_problem(w.post("/api/v1/campaigns", {**base, "template_id": row["id"]}), 400, "template_id")
    w.ok("PATCH", f"{PATH}/{row['id']}", {"archived": False})
    path = f"/api/v1/campaigns/{w.campaign()['id']}"
    now = w.ok("PATCH", path, {"template_id": row["id"], "template_version": 1})
    assert "message" not in now, now
    is_problem(w.call("PATCH", path, {"message": "Hi"}), 400, "template_id")
    is_problem(w.call("PATCH", path, {"template_id": None}), 400, "message")
    now = w.ok("PATCH", path, {"template_id": None, "message": "Hi"})
    assert "template_id" not in now and now["message"] == "Hi", now
    _, other = w.database.account("Other")
    w.ok("POST", "/api/v1/channels", {"kind": "sms", "provider": "twilio", "name": "Theirs",
                                      "settings": SMS["settings"]}, key=other)
    is_problem(w.post("/api/v1/campaigns", {**base, "template_id": row["id"]}, key=other), 400,
               "template_id")


def variants_are_kept_as_they_were_written():
    w = World()
    w.channel()
    row = made(w, "A variant", content={"message": "First", "languages": {"de": {"message": "D"}}})
    variants = [{"message": "Hi {name}", "languages": {"de": {"message": "Hallo"}}},
                {"name": "By template", "weight": 2, "template_id": row["id"]}]
    campaign = w.campaign(message=None, variants=variants)
    expect(campaign["variants"],
           [{"name": "A", "weight": 1, **variants[0]},
            {**variants[1], "template_version": 1}])
    expect([v["stats"]["total"] for v in campaign["variant_stats"]], [0, 0])
    w.ok("POST", f"{PATH}/{row['id']}/versions", {"content": {"message": "Second"}})
    path = f"/api/v1/campaigns/{campaign['id']}"
    expect(w.ok("PATCH", path, {"name": "Still"})["variants"], campaign["variants"])
    for variant, text in ((1, "Hi Ann"), (2, "First")):
        expect(w.ok("POST", path + "/preview", {"variant": variant, "data": {
            "first_name": "Ann"}})["parts"], {"message": text})
    is_problem(w.post(path + "/preview", {"variant": 3}), 400, "variant")
    is_problem(w.call("PATCH", path, {"message": "One"}), 400, "variants")
    is_problem(w.call("PATCH", path, {"variants": None}), 400, "message")
    plain = w.ok("PATCH", path, {"variants": None, "message": "One"})
    assert "variants" not in plain and plain["message"] == "One", plain
    again = w.ok("PATCH", path, {"variants": variants})
    assert "message" not in again, again
    uses = w.ok("PATCH", path, {"variants": None, "template_id": row["id"]})
    assert "variants" not in uses and uses["template_id"] == row["id"], uses


def faults_of_variants_are_told_by_their_place():
    w = world()
    w.channel(name="Of variants")
    base = {"name": "x", "channel": "sms"}
    good = {"message": "Hi"}
    chat = made(w, "Chat variant", kind="whatsapp")["id"]
    for body, *fields in (
            ({"variants": []}, "variants"), ({"variants": [good]}, "variants"),
            ({"variants": [good] * 6}, "variants"), ({"variants": "A"}, "variants"),
            ({"variants": [good, 7]}, "variants[1]"),
            ({"variants": [good, {}]}, "variants[1].message"),
            ({"variants": [good, {"message": "{no}", "colour": "red"}]},
             "variants[1].message", "variants[1].colour"),
            ({"variants": [{**good, "weight": 0}, {**good, "name": ""}]},
             "variants[0].weight", "variants[1].name"),
            ({"variants": [{**good, "name": "B"}, good]}, "variants[1].name"),
            ({"variants": [good, {**good, "languages": {"german": good}}]},
             "variants[1].languages.german"),
            ({"variants": [good, good], "message": "Hi"}, "variants"),
            ({"variants": [good, {"template_id": 999999}]}, "variants[1].template_id"),
            ({"variants": [good, {"template_id": chat}]}, "variants[1].template_id"),
            ({"variants": [good, {**good, "template_id": chat}]}, "variants[1].template_id"),
            ({"variants": [good, good], "template_id": chat}, "template_id")):
        is_problem(w.post("/api/v1/campaigns", {**base, **body}), 400, *fields)


run([value for name, value in list(globals().items())
     if callable(value) and getattr(value, "__module__", "") == "__main__" and "_" in name])
