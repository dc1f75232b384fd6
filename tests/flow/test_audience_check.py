"""A campaign's audience looked at before it is launched. The gateway alone runs."""
from checks import expect, run
from gateway import World, is_problem


def check(w, campaign, **more):
    return w.ok("POST", f"/api/v1/campaigns/{campaign['id']}/check", **more)


def reasons(seen):
    return {r["reason"]: (r["count"], r["contact_ids"]) for r in seen["not_sendable"]}


def missing(seen):
    return {f["field"]: (f["missing"], f["contact_ids"]) for f in seen["fields"]}


def crowd(w, count, tag=""):
    """People with numbers of their own, made all at once; every tenth has no first name."""
    w.database.sql(f"""
        WITH c AS (INSERT INTO contact (account_id, phone, first_name, attributes)
          SELECT {w.account}, '+9198{count}' || lpad(i::text, 6, '0'),
            CASE WHEN i % 10 > 0 THEN 'N' || i END, '{{"location": "Pune"}}'
          FROM generate_series(1, {count}) i RETURNING id),
        t AS (INSERT INTO tag (account_id, name) SELECT {w.account}, '{tag}' WHERE '{tag}' <> ''
          RETURNING id)
        INSERT INTO contact_tag SELECT {w.account}, t.id, c.id FROM c, t""")


def everybody_is_told_apart_by_why_he_would_not_get_it():
    w = World()
    w.channel()
    whole = w.contact(external_id="whole", phone="9876500001", first_name="A", company="C",
                      tags=["vip"])["id"]
    w.contact(phone="9876500002", company="C", tags=["vip", "new"])
    nowhere = w.contact(email="a@example.com", tags=["vip"])["id"]
    out = w.contact(phone="9876500003", tags=["vip"])["id"]
    twin = w.contact(external_id="twin", phone="9876500001", tags=["vip"])["id"]
    blank = w.contact(external_id="blank", phone="9876500004", tags=["new"])["id"]
    other = w.contact(external_id="other", phone="9876500004")["id"]
    w.database.sql(f"""INSERT INTO suppression (account_id, contact_id, kind, reason)
        VALUES ({w.account}, {out}, 0, 'asked'), ({w.account}, {whole}, 3, 'asked')""")
    campaign = w.campaign(message="{first_name}{company}{location}",
                          audience={"tags": ["vip", "new"]})
    seen = check(w, campaign)
    expect((seen["audience"], seen["checked"], seen["exact"], seen["sendable"],
            seen["sms_segments"]), (6, 6, True, 2, 2))
    expect(reasons(seen), {"no_address": (1, [nowhere]), "suppressed": (1, [out]),
                           "duplicate": (1, [twin]), "blank": (1, [blank])})
    lacks = missing(seen)
    expect(set(lacks), {"first_name", "company", "location"})
    expect((lacks["first_name"][0], lacks["company"], lacks["location"][0]), (2, (1, [blank]), 3))
    everybody = check(w, w.campaign(message="Hi"))
    expect((everybody["audience"], everybody["sendable"], everybody["fields"]), (7, 3, []))
    expect(reasons(everybody)["duplicate"], (2, [twin, other]))


def each_is_written_to_in_his_language_and_syntax():
    w = World()
    w.channel()
    people = [w.contact(phone=f"987650001{n}", language=tongue)["id"]
              for n, tongue in enumerate(("de", "de-AT", "fr", None, "pt"))]
    campaign = w.campaign(message="Hi", languages={
        "de": {"message": "Hallo {first_name}"},
        "pt": {"syntax": "liquid", "message": "{{ 1 | divided_by: 0 }}"}})
    seen = check(w, campaign)
    expect([(x["language"], x["count"]) for x in seen["languages"]],
           [(None, 2), ("de", 2), ("pt", 1)])
    expect(missing(seen), {"first_name": (2, people[:2])})
    expect(reasons(seen), {"template": (1, [people[4]])})
    assert seen["not_sendable"][0]["fails"], seen


def a_field_has_the_accounts_word_and_ten_examples():
    w = World()
    w.channel()
    crowd(w, 300)
    w.database.sql("""UPDATE account SET fallbacks = '{"first_name": "Friend"}'""")
    seen = check(w, w.campaign(message="Hi {first_name} of {location}"))
    expect((seen["sendable"], seen["sms_segments"]), (300, 300))
    first = seen["fields"][0]
    expect((first["field"], first["fallback"], first["missing"], len(first["contact_ids"])),
           ("first_name", "Friend", 30, 10))
    expect(seen["fields"][1]["missing"], 0)


def a_large_audience_is_looked_at_in_even_parts():
    w = World()
    w.channel()
    crowd(w, 5000)
    crowd(w, 6000, tag="many")
    campaigns = [(w.campaign(message="Hi {first_name}"), 11000),
                 (w.campaign(message="Hi {first_name}", audience={"tags": ["many"]}), 6000)]
    for campaign, audience in campaigns:
        seen = check(w, campaign)
        expect((seen["audience"], seen["exact"]), (audience, False))
        assert 4900 <= seen["checked"] <= 5000, seen["checked"]
        expect(seen["sendable"], seen["checked"])
        lacking, _ = missing(seen)["first_name"]
        assert 450 <= lacking <= 550, seen
    w.database.sql(f"""UPDATE contact SET phone = '+915550000000'
        WHERE id IN (SELECT id FROM contact ORDER BY id DESC LIMIT 3000)""")
    twins = reasons(check(w, campaigns[1][0]))["duplicate"][0]
    assert 2300 <= twins <= 2600, twins


def liquid_that_computes_for_long_has_its_time():
    w = World()
    w.channel()
    crowd(w, 4000)
    seen = check(w, w.campaign(syntax="liquid", message="""x{% for i in (1..200) %}
        {%- for j in (1..100) %}{% assign k = j | plus: i %}{% endfor -%}{% endfor %}"""))
    expect((seen["audience"], seen["exact"], seen["not_sendable"]), (4000, False, []))
    assert 0 < seen["checked"] < 4000, seen
    expect(seen["sendable"], seen["checked"])


def what_is_not_there_or_not_anybodys_is_refused():
    w = World()
    w.channel()
    campaign = w.campaign(message="Hi")
    expect(check(w, campaign)["checked"], 0)
    expect(check(w, campaign, key=w.database.key(w.account, "viewer"))["audience"], 0)
    is_problem(w.post("/api/v1/campaigns/999999/check"), 404)
    _, other = w.database.account("Other")
    is_problem(w.post(f"/api/v1/campaigns/{campaign['id']}/check", key=other), 404)
    is_problem(w.post(f"/api/v1/campaigns/{campaign['id']}/check", {}), 400)


run([value for name, value in list(globals().items())
     if callable(value) and getattr(value, "__module__", "") == "__main__" and "_" in name])
