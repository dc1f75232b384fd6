"""Templates as files: written, read again, and refused whole. The gateway alone runs."""
import csv
import io

from checks import expect, run
from gateway import CSV, World, is_problem

PATH = "/api/v1/templates"

CONTENTS = {
    "A mail": ("email", {"subject": "Hi {name}", "html": "<p>\"Hi\", {name}</p>\r\n",
                         "preheader": "Short, sweet", "message": "Hi\nyou", "language": "en",
                         "languages": {"de": {"subject": "Hallo", "message": "Hallo; du"},
                                       "pt-BR": {"subject": "Oi", "message": "Oi"}}}),
    "Approved": ("whatsapp", {"template": {"name": "diwali", "language": "en_US",
                                           "variables": ["{first_name}", "a, \"b\""]}}),
    "Formula": ("sms", {"message": "=HYPERLINK(1)"}),
    "Quoted": ("sms", {"message": "'=1"}),
    "Quotes": ("sms", {"message": "''-1 and 'x'"}),
    "Liquid": ("sms", {"syntax": "liquid",
                       "message": "{% if name %}{{ name }}{% else %}x{% endif %}"}),
}


def exported(w, query="", **more):
    reply = w.get(PATH + "/export.csv" + query, **more)
    expect((reply.status, reply.headers["Content-Type"]), (200, "text/csv; charset=utf-8"))
    return reply.text


def imported(w, text, **more):
    return w.post(PATH + "/import", text.encode(), **CSV, **more)


def templates(w, **more):
    rows = w.ok("GET", PATH + "?page_size=100", **more)["data"]
    return {row["name"]: w.ok("GET", f"{PATH}/{row['id']}", **more) for row in rows}


def filled():
    w = World()
    for name, (kind, content) in CONTENTS.items():
        w.ok("POST", PATH, {"name": name, "kind": kind, "content": content, "category": "C",
                            "description": "@home, \"1\"", "tags": ["a", "b c"], "note": "First"})
    return w


def what_is_written_can_be_read_by_another_account():
    w = filled()
    _, other = w.database.account("Other")
    text = exported(w)
    reply = imported(w, text, key=other)
    expect(reply.json, {"rows": 8, "created": 6, "versions": 0, "unchanged": 0})
    ours, theirs = templates(w), templates(w, key=other)
    expect(set(theirs), set(CONTENTS))
    for name, row in ours.items():
        for member in ("kind", "description", "category", "tags", "content", "note", "version"):
            expect(theirs[name][member], row[member], f"{name}, {member}")
    expect(exported(w, key=other), text)


def a_file_read_again_changes_nothing_and_another_wording_makes_a_version():
    w = filled()
    text = exported(w)
    expect(imported(w, text).json, {"rows": 8, "created": 0, "versions": 0, "unchanged": 6})
    expect(imported(w, text.replace("Hallo; du", "Tag; du").replace("@home", "@work")).json,
           {"rows": 8, "created": 0, "versions": 1, "unchanged": 5})
    now = templates(w)
    expect(now["A mail"]["version"], 2)
    expect(now["A mail"]["content"]["languages"]["de"]["message"], "Tag; du")
    expect(now["Formula"]["description"], "@work, \"1\"")


def spreadsheets_run_no_cell():
    w = filled()
    cells = [cell for row in csv.reader(io.StringIO(exported(w))) for cell in row]
    assert "'=HYPERLINK(1)" in cells and "''=1" in cells, cells
    for cell in cells:
        assert not cell.startswith(("=", "+", "-", "@")), cell


def a_file_may_be_as_spreadsheets_write_it():
    w = World()
    reply = imported(w, "\ufeffKind;NAME;language;message\r\nsms;One;;Hi\r\n\r\nsms;Two;en;Ho\r\n"
                        "sms;One;de;Hallo\r\nsms;Two;de;Heda")
    expect(reply.json, {"rows": 4, "created": 2, "versions": 0, "unchanged": 0})
    rows = templates(w)
    expect(rows["One"]["content"], {"message": "Hi", "languages": {"de": {"message": "Hallo"}}})
    expect(rows["Two"]["content"]["language"], "en")


def mistakes_are_told_by_line_and_nothing_is_taken():
    w = World()
    w.ok("POST", PATH, {"name": "Chat", "kind": "whatsapp", "content": {"message": "x"}})
    head = "name,kind,language,message,tags,template,variables\n"
    for text, *fields in (
            ("", None), (head, None), ("name,message\nx,y\n", "header"),
            ("name,kind,colour\nx,sms,red\n", "header"), ("name,kind,name\nx,sms,x\n", "header"),
            (head + "Good,sms,,Hi\nBad,sms,,{nope}\n,pigeon,,Hi\n",
             "lines[3].message", "lines[4].name", "lines[4].kind"),
            (head + "A,sms,,Hi\nA,sms,,Ho\n", "lines[3].language"),
            (head + "A,sms,,Hi\nA,sms,german,Ho\n", "lines[2].languages.german"),
            (head + "A,sms,,Hi\nA,sms,de,{no}\n", "lines[2].languages.de.message"),
            (head + "A,whatsapp,,,,n,not a list\n", "lines[2].variables"),
            (head + "A,whatsapp,,Hi,,,\"[\"\"x\"\"]\"\n", "lines[2].template"),
            (head + "Good,sms,,Hi\nChat,sms,,Hi\n", "lines[3].kind"),
            (head + "A,sms,,Hi,,,,,\n", "lines[2]"),
            (head + "A,sms,,\xff\n", None)):
        raw = text.encode("latin-1" if "\xff" in text else "utf-8")
        reply = w.post(PATH + "/import", raw, **CSV)
        is_problem(reply, 400, *[field for field in fields if field])
        expect(list(templates(w)), ["Chat"])
    is_problem(w.post(PATH + "/import", "x", **{"Content-Type": "application/json"}), 415)
    rows = "".join(f"N{n},sms,,Hi\n" for n in range(2001))
    is_problem(imported(w, head + rows), 400, "lines")


def an_archived_name_is_not_taken_and_a_viewer_only_writes_files():
    w = World()
    one = w.ok("POST", PATH, {"name": "Old", "kind": "sms", "content": {"message": "x"}})
    text = exported(w)
    w.ok("PATCH", f"{PATH}/{one['id']}", {"archived": True})
    expect(len(exported(w).splitlines()), 1)
    expect(exported(w, "?archived=true"), text)
    is_problem(imported(w, text), 400, "lines[2].name")
    viewer = w.database.key(w.account, "viewer")
    exported(w, key=viewer)
    is_problem(imported(w, text, key=viewer), 403)
    is_problem(w.get(PATH + "/export.csv?kind=pigeon"), 400, "kind")


def a_thousand_templates_are_one_file():
    w = World()
    head = "name,kind,message\n"
    expect(imported(w, head + "".join(f"N{n:04d},sms,Hi\n" for n in range(1000))).json["created"],
           1000)
    expect(len(exported(w).splitlines()), 1001)
    imported(w, head + "One more,voicemail,Hi\n")
    expect(w.get(PATH + "/export.csv").status, 413)
    expect(len(exported(w, "?kind=sms").splitlines()), 1001)


run([value for name, value in list(globals().items())
     if callable(value) and getattr(value, "__module__", "") == "__main__" and "_" in name])
