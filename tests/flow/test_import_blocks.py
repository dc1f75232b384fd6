"""Contact lists taken in block by block, by real processes, into real rows.
RESOURCE_LOCK: system
"""
import concurrent.futures

from checks import eventually, expect, run
from people import as_csv, people, person
from system import System

CROWD = 30000


def contacts(condition="true"):
    return fanfare.number(f"SELECT count(*) FROM contact WHERE {condition}")


def numbers(done):
    return done["rows"], done["created"], done["updated"], done["rejected"]


def a_killed_audience_continues_behind_its_last_block():
    job = fanfare.upload(as_csv(people(CROWD)), tags="crowd")["id"]

    def rows():
        return fanfare.ok("GET", f"imports/{job}")["rows"]
    for share in (1, 3, 5):
        eventually(lambda: rows() >= share * CROWD // 8, 60)
        before = fanfare.kill("audience")
        fanfare.await_process("audience", before)

    def ended():
        now = fanfare.ok("GET", f"imports/{job}")
        return now if now["status"] == "completed" else None
    done = eventually(ended, 60, "the import ends")
    expect(numbers(done), (CROWD, CROWD, 0, 0))
    expect(contacts(), CROWD)
    expect(contacts("external_id IS NULL OR phone IS NULL OR email IS NULL"), 0)
    expect(fanfare.number("SELECT count(*) FROM contact_tag"), CROWD)
    expect(fanfare.number("SELECT count(*) FROM import_block"), 0)


def the_same_list_again_changes_nothing():
    before = fanfare.sql("SELECT max(xmin::text::bigint), count(*) FROM contact")
    done = fanfare.import_csv(as_csv(people(CROWD)), tags="crowd")
    expect(numbers(done), (CROWD, 0, CROWD, 0))
    expect(fanfare.sql("SELECT max(xmin::text::bigint), count(*) FROM contact"), before)


def two_lists_with_the_same_people_make_them_once():
    first = [{**person(n), "external_id": ""} for n in range(CROWD, CROWD + 6000)]
    second = list(reversed(first))
    before = contacts()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda rows: fanfare.import_csv(as_csv(rows)), (first, second)))
    expect(contacts() - before, 6000)
    expect(sum(one["created"] for one in done), 6000)
    expect(sum(one["updated"] for one in done), 6000)


def rows_find_their_people():
    known = [{"external_id": "K1", "phone": "+4915199000001", "email": "k1@example.org"},
             {"external_id": "", "phone": "+4915199000002", "email": "k2@example.org"}]
    fanfare.import_csv(as_csv(known))
    rows = [
        {"external_id": "K1", "phone": "+4915199000009", "first_name": "by id"},
        {"external_id": "", "phone": "+4915199000002", "first_name": "by phone"},
        {"external_id": "K3", "phone": "+4915199000009", "first_name": "somebody else"},
        {"external_id": "", "email": "k2@EXAMPLE.org", "last_name": "by mail"},
        {"external_id": "K5", "email": "k2@example.org", "city": "gets an id"},
    ]
    done = fanfare.import_csv(as_csv(rows))
    expect(numbers(done), (5, 1, 4, 0))
    expect(fanfare.sql("""SELECT external_id, phone, email, first_name, last_name,
            attributes->>'city' FROM contact WHERE external_id IN ('K1', 'K3', 'K5')
            ORDER BY external_id"""),
           [["K1", "+4915199000009", "k1@example.org", "by id", "", ""],
            ["K3", "+4915199000009", "", "somebody else", "", ""],
            ["K5", "+4915199000002", "k2@example.org", "by phone", "by mail", "gets an id"]])


def what_is_wrong_is_kept_for_the_download():
    text = ("external_id,phone,email,country\r\n"
            "E1,(415) 555-2671,e1@example.org,US\r\n"   # line 2: fine
            "E2,12,e2@example.org,US\r\n"               # kept without its phone
            ",12,nobody,US\r\n"                         # nobody is left
            "E4,+14155552672\r\n"                       # columns are missing
            "E5,9820123456,,IN\r\n")
    done = fanfare.import_csv(text)
    expect(numbers(done), (5, 3, 0, 2))
    expect(done["warnings"], 1)
    expect(fanfare.sql(f"""SELECT line, field, warning, record FROM import_error
            WHERE import_id = {done['id']} ORDER BY line, field"""),
           [["3", "phone", "t", "E2,12,e2@example.org,US"],
            ["4", "email", "f", ",12,nobody,US"], ["4", "phone", "f", ",12,nobody,US"],
            ["5", "", "f", "E4,+14155552672"]])
    expect(fanfare.sql("SELECT phone FROM contact WHERE external_id IN ('E1', 'E2', 'E5') "
                       "ORDER BY external_id"), [["+14155552671"], [""], ["+919820123456"]])


def a_tags_column_gives_each_row_its_own():
    text = "external_id,phone,tags\nT1,+4915199100001,gold; north\nT2,+4915199100002,north\n"
    fanfare.import_csv(text, tags="all of them")
    expect(fanfare.sql("""SELECT t.name, count(*) FROM tag t JOIN contact_tag x ON x.tag_id = t.id
            JOIN contact c ON c.id = x.contact_id WHERE c.external_id IN ('T1', 'T2')
            GROUP BY 1 ORDER BY 1"""), [["all of them", "2"], ["gold", "1"], ["north", "2"]])


def a_list_may_feed_one_campaign():
    channel = fanfare.sms_channel()
    campaign = fanfare.campaign(channel, message="Hello {first_name}")
    rows = [{**person(n), "external_id": f"F{n}"} for n in range(50000, 50040)]
    fanfare.import_csv(as_csv(rows), campaign_id=campaign)
    fanfare.launch(campaign)
    fanfare.await_status(campaign, "completed")
    expect({m["address"] for m in fanfare.messages(campaign)}, {row["phone"] for row in rows})


TESTS = [a_killed_audience_continues_behind_its_last_block, the_same_list_again_changes_nothing,
         two_lists_with_the_same_people_make_them_once, rows_find_their_people,
         what_is_wrong_is_kept_for_the_download, a_tags_column_gives_each_row_its_own,
         a_list_may_feed_one_campaign]

with System() as fanfare:
    run(TESTS)
