"""Previews: a content written for somebody, and what is said about it. The gateway alone runs."""
from checks import expect, run
from gateway import World, is_problem

TEMPLATES = "/api/v1/templates"

shared = None


def world():
    global shared
    shared = shared or World()
    return shared


def template(w, name, content, kind="sms"):
    return w.ok("POST", TEMPLATES, {"name": name, "kind": kind, "content": content})["id"]


def preview(w, row, **body):
    return w.ok("POST", f"{TEMPLATES}/{row}/preview", body or None)


def drafted(w, kind, content, **body):
    """The preview of a content that is not saved."""
    row = template(w, f"Draft {w.database.number('SELECT count(*) FROM template')}",
                   {"subject": "x", "message": "x"} if kind == "email" else {"message": "x"}, kind)
    return preview(w, row, content=content, **body)


# ---- for whom --------------------------------------------------------------------------------

def a_contact_sees_what_he_would_get():
    w = world()
    anna = w.contact(external_id="anna", phone="9876543210", first_name="Anna", language="de-AT",
                     attributes={"visits": 7, "location": "Pune"})
    row = template(w, "For Anna", {
        "message": "Hello {name} of {location}, {visits}",
        "languages": {"de": {"message": "Hallo {name} aus {location}, {visits}"}}})
    seen = preview(w, row, contact_id=anna["id"])
    expect({k: seen[k] for k in ("kind", "version", "contact_id", "language", "sendable", "reason",
                                 "parts", "missing")},
           {"kind": "sms", "version": 1, "contact_id": anna["id"], "language": "de",
            "sendable": True, "reason": None, "parts": {"message": "Hallo Anna aus Pune, 7"},
            "missing": []})
    over = preview(w, row, contact_id=anna["id"], language="en",
                   data={"first_name": None, "last_name": "Rao", "visits": 8.5})
    expect((over["language"], over["parts"]), (None, {"message": "Hello Rao of Pune, 8.5"}))


def without_a_contact_data_alone_is_written():
    w = world()
    row = template(w, "For nobody", {"message": "Hi {first_name}, {location}"})
    w.database.sql(f"""UPDATE account SET fallbacks = '{{"first_name": "Customer"}}'
        WHERE account_id = {w.account}""")
    bare = preview(w, row)
    expect((bare["parts"], bare["sendable"], bare["contact_id"]),
           ({"message": "Hi Customer, "}, True, None))
    expect(bare["missing"], [{"field": "first_name", "fallback": "Customer"},
                             {"field": "location", "fallback": None}])
    expect(preview(w, row, data={"first_name": "Ann", "location": "X"})["parts"],
           {"message": "Hi Ann, X"})


def who_would_not_get_it_is_told_why():
    w = world()
    row = template(w, "Reasons", {"message": "{company}"})
    mail_only = w.contact(email="m@example.com", company="C")["id"]
    out = w.contact(phone="9876500001", company="C")["id"]
    blank = w.contact(phone="9876500002")["id"]
    w.database.sql(f"""INSERT INTO suppression (account_id, contact_id, kind, reason)
        VALUES ({w.account}, {out}, 1, 'asked')""")
    for contact, reason in ((mail_only, "no_address"), (out, "suppressed"), (blank, "blank")):
        seen = preview(w, row, contact_id=contact)
        expect((seen["sendable"], seen["reason"]), (False, reason))
    seen = preview(w, row, data={"company": "x" * 1601})
    expect((seen["reason"], seen["characters"], seen["characters_max"]), ("too_long", 1601, 1600))


def a_campaign_is_previewed_with_its_content_or_its_templates():
    w = world()
    w.channel()
    own = w.campaign(message="Own {first_name}")["id"]
    row = template(w, "Of a campaign", {"message": "First"})
    uses = w.campaign(message=None, template_id=row)["id"]
    pinned = w.campaign(message=None, template_id=row, template_version=1)["id"]
    w.ok("POST", f"{TEMPLATES}/{row}/versions", {"content": {"message": "Second"}})
    for campaign, text in ((own, "Own Ann"), (uses, "Second"), (pinned, "First")):
        seen = w.ok("POST", f"/api/v1/campaigns/{campaign}/preview",
                    {"data": {"first_name": "Ann"}})
        expect((seen["kind"], seen["parts"]), ("sms", {"message": text}))
    expect(preview(w, row, version=1)["parts"], {"message": "First"})


def what_cannot_be_previewed_is_told_by_its_place():
    w = world()
    row = template(w, "Bad requests", {"message": "Hi"})
    path = f"{TEMPLATES}/{row}/preview"
    is_problem(w.post(path, {"contact_id": 999999, "data": {"nope": 1, "name": "x", "phone": 7,
                                                            "location": []}, "colour": "red"}),
               400, "contact_id", "data.nope", "data.name", "data.phone", "data.location",
               "colour")
    is_problem(w.post(path, {"data": []}), 400, "data")
    is_problem(w.post(path, {"content": {"message": "{nope}"}}), 400, "content.message")
    is_problem(w.post(path, {"content": {"text": "x"}}), 400, "content.text")
    is_problem(w.post(path, {"content": {"message": "x"}, "version": 1}), 400, "version")
    is_problem(w.post(path, {"version": 2}), 404)
    is_problem(w.post(f"{TEMPLATES}/999999/preview", {}), 404)
    _, other = w.database.account("Other")
    is_problem(w.post(path, {}, key=other), 404)
    stranger = w.ok("POST", "/api/v1/contacts", {"external_id": "s"}, key=other)["id"]
    is_problem(w.post(path, {"contact_id": stranger}), 400, "contact_id")
    expect(w.post(path, {}, key=w.database.key(w.account, "viewer")).status, 200)


def liquid_is_written_and_what_it_cannot_do_is_told():
    w = world()
    content = {"syntax": "liquid", "message": "{{ first_name | default: 'you' | upcase }}"
               " of {{ account.name }}{% if location %} in {{ location }}{% endif %}",
               "languages": {"de": {"message": "{{ 7 | divided_by: visits }}"}}}
    w.contact(external_id="visits", attributes={"visits": 1})
    seen = drafted(w, "sms", content, data={"location": "Pune"})
    expect((seen["parts"], seen["fails"]), ({"message": "YOU of Acme in Pune"}, None))
    expect([m["field"] for m in seen["missing"]], ["first_name"])
    expect(drafted(w, "sms", content, language="de", data={"visits": 2})["parts"],
           {"message": "3"})
    seen = drafted(w, "sms", content, language="de", data={"visits": 0})
    expect((seen["sendable"], seen["reason"]), (False, "template"))
    assert "0" in seen["fails"], seen
    campaign = w.campaign(syntax="liquid", channel_id=w.channel(name="Texts of mine")["id"],
                          message="{{ campaign.name }} by {{ channel.name }}")
    expect(w.ok("POST", f"/api/v1/campaigns/{campaign['id']}/preview")["parts"],
           {"message": "Diwali by Texts of mine"})


# ---- sizes and warnings ----------------------------------------------------------------------

def warned(seen):
    return [warning["field"] for warning in seen["warnings"]]


def an_sms_tells_its_parts_and_what_forces_ucs2():
    w = world()
    one = drafted(w, "sms", {"message": "{first_name}"}, data={"first_name": "a" * 158 + "€"})
    expect(one["sms"], {"encoding": "GSM-7", "units": 160, "segments": 1, "left": 0,
                        "forcing": []})
    expect(warned(one), [])
    two = drafted(w, "sms", {"message": "a" * 161})
    expect((two["sms"]["segments"], warned(two)), (2, ["message"]))
    wide = drafted(w, "sms", {"message": "Olá, coração 👋"})
    expect((wide["sms"]["encoding"], wide["sms"]["segments"], warned(wide)),
           ("UCS-2", 1, ["message"]))
    expect([c["character"] + " " + c["code_point"] for c in wide["sms"]["forcing"]],
           ["á U+00E1", "ç U+00E7", "ã U+00E3", "👋 U+1F44B"])


def whatsapp_is_warned_of_what_the_provider_refuses():
    w = world()
    text = drafted(w, "whatsapp", {"message": "Hi"})
    expect((warned(text), "sms" in text, text["characters_max"]), (["message"], False, 4096))
    expect(drafted(w, "whatsapp", {"message": "Hi", "media_url": "u"})["characters_max"], 1024)
    approved = drafted(w, "whatsapp", {"template": {
        "name": "diwali", "language": "en", "variables": ["{first_name}", "a     b"]}},
        data={"first_name": "x\ny" + "z" * 1020})
    expect(approved["parts"]["template"]["variables"], ["x y" + "z" * 1020, "a     b"])
    expect(warned(approved), ["template.variables"] * 2)
    clean = drafted(w, "whatsapp", {"template": {"name": "n", "variables": ["A"]}})
    expect((clean["parts"]["template"]["language"], warned(clean)), (None, []))


def a_mail_is_warned_of_what_readers_miss():
    w = world()
    seen = drafted(w, "email", {"subject": "Hi {name}", "preheader": "For {name}",
                                "html": "<body><p>{name}</p>{location}"},
                   data={"first_name": "<A>", "location": "x" * 110000})
    expect(seen["parts"]["subject"], "Hi <A>")
    assert seen["parts"]["html"].startswith("<body><div"), seen["parts"]["html"][:80]
    assert "For &lt;A&gt;</div><p>&lt;A&gt;</p>" in seen["parts"]["html"][:300]
    expect(warned(seen), ["html", "message"])
    expect(warned(drafted(w, "email", {"subject": "x", "html": "<p>x", "message": "x"})), [])


run([value for name, value in list(globals().items())
     if callable(value) and getattr(value, "__module__", "") == "__main__" and "_" in name])
