"""E-mail to a real mail server: Postfix takes it, refuses it, and delivers it.
RESOURCE_LOCK: system

What was delivered is read by Python's parser, which shares no code with what wrote it.
"""
import datetime
import email.utils
import re
import smtplib

from books import all_is_final
from checks import eventually, expect, run
from people import as_csv, people, person
from postfix import Postfix
from system import INGESTER, System

SUBJECT = "{first_name} 🎉, neu für Sie in {city}"
TEXT = "Grüß Gott {first_name} {last_name},\n.\n{preferred_product}\n" + "lange Zeile " * 120
HTML = "<p>Grüß Gott <b>{first_name}</b></p>"
SENDER = "Zoë’s \"Läden\", Köln"


def channel_to(relay, **settings):
    settings = {"host": "127.0.0.1", "port": str(relay.port), "tls": "none",
                "from_email": "news@shop.example", "from_name": SENDER, **settings}
    channels = fanfare.ok("GET", "channels")["data"]
    return fanfare.channel("email", "smtp", settings, name=f"mail {len(channels)}")


def filled(text, p):
    for name, value in p.items():
        text = text.replace("{" + name + "}", value)
    return text


def campaign_to(channel, tag, rows):
    fanfare.import_csv(as_csv(rows), tags=tag)
    campaign = fanfare.campaign(channel, subject=SUBJECT, message=TEXT, html=HTML,
                                audience={"tags": [tag]})
    fanfare.launch(campaign)
    return campaign


def mails_arrive_as_they_were_written():
    rows = [p for p in people(120) if "{" not in p["first_name"]]
    channel = channel_to(plain, reply_to="help@shop.example", ehlo_name="sender.test",
                         return_path="bounce+{token}@shop.example",
                         unsubscribe_mailto="leave+{token}@shop.example")
    campaign = campaign_to(channel, "all", rows)
    fanfare.await_status(campaign, "completed")
    expect(all_is_final(fanfare, campaign)["sent"], len(rows))
    eventually(lambda: len(plain.mails()) == len(rows), 30, "everything is delivered")
    by_id = {m["provider_id"]: m for m in fanfare.messages(campaign)}
    delivered = plain.mails()
    for p in rows:
        [mail] = delivered[p["email"]]
        expect(by_id[mail["Message-ID"].strip("<>")]["address"], p["email"])
        headers_are_right(mail, p)
        parts_are_right(mail, p)


def headers_are_right(mail, p):
    expect(mail["From"].addresses[0].display_name, SENDER)
    expect(mail["From"].addresses[0].addr_spec, "news@shop.example")
    expect(mail["To"].addresses[0].addr_spec, p["email"])
    expect(mail["Reply-To"].addresses[0].addr_spec, "help@shop.example")
    expect(mail["Subject"], filled(SUBJECT, p))
    expect(mail["MIME-Version"], "1.0")
    written = email.utils.parsedate_to_datetime(mail["Date"])
    age = datetime.datetime.now(datetime.timezone.utc) - written
    assert abs(age.total_seconds()) < 300, mail["Date"]
    token = re.fullmatch(r"<([a-z0-9-]+)@shop\.example>", mail["Message-ID"])[1]
    expect(mail["Return-Path"], f"<bounce+{token}@shop.example>")
    link = fanfare.url(INGESTER, "/u/" + token)
    expect([word.strip(" <>") for word in mail["List-Unsubscribe"].split(",")],
           [link, f"mailto:leave+{token}@shop.example"])
    expect(mail["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")
    assert mail["Received"].startswith("from sender.test "), mail["Received"]
    for name, value in mail.raw_items():
        assert value.isascii() and len(value.splitlines()[0]) < 998, (name, value)


def parts_are_right(mail, p):
    expect(mail.get_content_type(), "multipart/alternative")
    expect([part.get_content_type() for part in mail.iter_parts()], ["text/plain", "text/html"])
    text, html = [part.get_content() for part in mail.iter_parts()]
    expect(text.rstrip("\n"), filled(TEXT, p).rstrip("\n"))
    escaped = p["first_name"].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    expect(html.rstrip("\n").replace("&quot;", '"').replace("&#39;", "'"),
           HTML.replace("{first_name}", escaped))


def who_is_unknown_there_has_failed_with_the_servers_code():
    rows = [person(1), {**person(501), "email": "gone@example.org"}]
    campaign = campaign_to(channel_to(plain, reply_to="a@b.example"), "some", rows)
    fanfare.await_status(campaign, "completed")
    expect(all_is_final(fanfare, campaign)["sent"], 1)
    found = {m["address"]: (m["status"], m["code"]) for m in fanfare.messages(campaign)}
    expect(found["gone@example.org"], ("failed", "550 5.1.1"))
    expect(found["p1@example.org"][0], "sent")
    again = campaign_to(channel_to(plain, reply_to="c@d.example"), "again", [rows[1]])
    fanfare.await_status(again, "completed", "failed")
    expect([m["reason"] for m in fanfare.messages(again)], ["suppressed"])


def starttls_is_spoken_and_the_certificate_checked():
    with smtplib.SMTP("127.0.0.1", encrypted.port) as bare:
        expect(bare.docmd("MAIL FROM:<a@b.example>")[0], 530)
    campaign = campaign_to(channel_to(encrypted, tls="starttls"), "safe", people(5, first=20))
    fanfare.await_status(campaign, "completed")
    expect(all_is_final(fanfare, campaign)["sent"], 5)
    eventually(lambda: len(encrypted.mails()) == 5, 20, "everything is delivered")
    for mails in encrypted.mails().values():
        assert "with ESMTPS" in mails[0]["Received"], mails[0]["Received"]


def a_stranger_with_a_certificate_of_his_own_gets_nothing():
    campaign = campaign_to(channel_to(stranger, tls="starttls"), "unsafe", people(2, first=30))
    eventually(lambda: fanfare.stats(campaign)["retry"] == 2, 30, "both wait for another try")
    expect(stranger.mails(), {})
    assert "SSL_accept error" in stranger.log(), stranger.log()


TESTS = [mails_arrive_as_they_were_written, who_is_unknown_there_has_failed_with_the_servers_code,
         starttls_is_spoken_and_the_certificate_checked,
         a_stranger_with_a_certificate_of_his_own_gets_nothing]
USERS = [person(n)["email"] for n in range(120)]

with Postfix(USERS) as plain, Postfix(USERS, tls="encrypt") as encrypted, \
        Postfix(USERS) as stranger, System(SENDER_CA_FILE=encrypted.certificate) as fanfare:
    run(TESTS)
