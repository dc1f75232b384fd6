"""Campaigns written in Liquid, through every real process, and `fanfare render`.
RESOURCE_LOCK: system
"""
import json
import subprocess

from books import all_is_final, skips, statistics_are_a_recount
from checks import expect, run
from people import as_csv, people, person
from system import BUILD, System

SMS = ("Hello {{ contact.first_name | upcase }}, "
       "{% if contact.attributes.city == 'Köln' %}see you{% else %}greetings to {{ city }}"
       "{% endif %} - {{ campaign.name }}, "
       "{{ event.date | date: '%-d %b' }}, {{ account.country }}")
MAIL = {"syntax": "liquid",
        "subject": "{{ first_name }} & {{ channel.kind }}",
        "message": "{% for word in contact.attributes.preferred_product %}{{ word }}{% endfor %}",
        "html": "<p>{{ first_name }} {{ '<i>' | raw }}{{ contact.email | hash | size }}</p>"}


def written(p):
    city = "see you" if p["city"] == "Köln" else f"greetings to {p['city']}"
    return f"Hello {p['first_name'].upper()}, {city} - Diwali, 8 Nov, US"


def a_liquid_sms_reaches_each_with_his_own_words():
    channel = fanfare.sms_channel(name="Liquid")
    crowd = people(60)
    fanfare.import_csv(as_csv(crowd), tags="crowd")
    fanfare.sql("UPDATE account SET default_country = 'US'")
    campaign = fanfare.campaign(channel, syntax="liquid", message=SMS, name="Diwali",
                                event_date="2026-11-08T18:00:00Z", audience={"tags": ["crowd"]})
    fanfare.launch(campaign)
    fanfare.await_status(campaign, "completed")
    expect(all_is_final(fanfare, campaign)["sent"], 60)
    texts = {m["address"]: m["content"] for m in fanfare.messages(campaign, status="sent")}
    expect(texts, {p["phone"]: written(p) for p in crowd})
    statistics_are_a_recount(fanfare, campaign)
    expect(fanfare.ok("GET", f"campaigns/{campaign}")["syntax"], "liquid")


def a_liquid_mail_escapes_what_it_must():
    channel = fanfare.email_channel(name="Liquid mail")
    rows = [{**person(700), "first_name": "A<b>&"}]
    fanfare.import_csv(as_csv(rows), tags="mail")
    campaign = fanfare.campaign(channel, **MAIL, audience={"tags": ["mail"]})
    fanfare.launch(campaign)
    fanfare.await_status(campaign, "completed")
    content = fanfare.messages(campaign, status="sent")[0]["content"]
    expect(content["subject"], "A<b>& & email")
    expect(content["text"], rows[0]["preferred_product"])
    expect(content["html"], "<p>A&lt;b&gt;&amp; <i>64</p>")


def a_copy_that_the_template_fails_on_fails_alone():
    channel = fanfare.sms_channel(name="Half")
    rows = [person(710), {**person(711), "city": "0"}]
    fanfare.import_csv(as_csv(rows), tags="half")
    campaign = fanfare.campaign(channel, syntax="liquid", audience={"tags": ["half"]},
                                message="{{ 10 | divided_by: city }}")
    fanfare.launch(campaign)
    fanfare.await_status(campaign, "failed")
    reasons = {m["reason"] for m in fanfare.messages(campaign, status="failed")}
    expect(reasons, {"template"})
    expect(skips(fanfare, campaign), {})


def wrong_templates_are_refused_at_creation():
    channel = fanfare.sms_channel(name="Refused")
    cases = [("Hi {{ contact.frist_name }}", "contact.first_name"),
             ("Hi {{ first_name | shout }}", "no filter"),
             ("a\nb {% if first_name %}", "line 2"),
             ("{{ offer.price }}", "unknown field offer.price"),
             ("{% render 'x' %}", "no partial")]
    for text, said in cases:
        reply = fanfare.post("/api/v1/campaigns", {"name": "x", "channel_id": channel,
                                                   "syntax": "liquid", "message": text})
        fanfare.is_problem(reply, 400, "message")
        assert said in reply.text, reply.text
    reply = fanfare.post("/api/v1/campaigns", {"name": "x", "channel_id": channel,
                                               "syntax": "mustache", "message": "Hi"})
    fanfare.is_problem(reply, 400, "syntax")
    assert "field, liquid" in reply.text, reply.text


def lines_are_rendered_by_the_command():
    asked = [{"template": "Hi {{ name }}", "data": {"name": "Ana"}},
             {"template": "{{ b }}{{ b | raw }}", "data": {"b": "<"}, "html": True},
             {"template": "{% render 'p' with 3 as n %}", "templates": {"p": "n{{ n }}"}},
             {"template": "Hi {name}", "data": {"name": "Ana"}, "syntax": "field"},
             {"template": "\n{% if %}", "data": {}},
             {"template": "{{ 1 | divided_by: 0 }}"},
             {"template": 7}, "no JSON"]
    lines = "".join((line if line == "no JSON" else json.dumps(line)) + "\n" for line in asked)
    done = subprocess.run([f"{BUILD}/bin/fanfare", "render"], input=lines, text=True,
                          capture_output=True, timeout=60, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    expect([a.get("result") for a in answers[:4]], ["Hi Ana", "&lt;<", "n3", "Hi Ana"])
    expect([a.get("line") for a in answers[4:]], [2, 1, 1, 1])
    assert all(a["error"] for a in answers[4:]), answers


with System() as fanfare:
    run([
        a_liquid_sms_reaches_each_with_his_own_words,
        a_liquid_mail_escapes_what_it_must,
        a_copy_that_the_template_fails_on_fails_alone,
        wrong_templates_are_refused_at_creation,
        lines_are_rendered_by_the_command,
    ])
