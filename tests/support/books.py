"""Three books are kept of every message, by three programs: the counters that the API shows, the
messages' own rows, and the journal of the provider that was sent to. Here they are compared.
"""
from collections import Counter

from checks import eventually, expect

STATES = ("pending", "retry", "unknown", "sent", "failed", "skipped", "cancelled", "unknown_final",
          "expired")
OPEN = ("pending", "sending", "retry", "unknown")

ROWS = """SELECT {what} FROM run r
  JOIN chunk k ON k.account_id = r.account_id AND k.run_id = r.id
  JOIN message m ON m.account_id = k.account_id AND m.id >> 9 = k.id
  WHERE r.account_id = 1 AND r.campaign_id = {campaign}"""


def rows_of(system, campaign, what):
    return system.sql(ROWS.format(what=what, campaign=campaign))


def recount(system, campaign):
    """The statistics, from the messages alone."""
    what = ["count(*)"]
    what += [f"count(*) FILTER (WHERE m.state = {n})" for n in range(len(STATES))]
    what += [f"count(*) FILTER (WHERE m.progress {test})" for test in ("= 1", ">= 2", ">= 3")]
    counts = rows_of(system, campaign, ", ".join(what))[0]
    names = ("total", *STATES, "undelivered", "delivered", "read")
    return dict(zip(names, map(int, counts)))


def statistics_are_a_recount(system, campaign):
    """Compare them at an instant around which nothing changed; returns the statistics."""
    def quiet():
        before, stats = recount(system, campaign), system.stats(campaign)
        return before == recount(system, campaign) and (before, stats)
    counted, stats = eventually(quiet, 20, "the rows keep still")
    expect({name: stats[name] for name in counted}, counted, "statistics and recount")
    return stats


def all_is_final(system, campaign):
    """Every message has its fate, and the counters tell all of them; returns the statistics."""
    stats = statistics_are_a_recount(system, campaign)
    expect({name: stats[name] for name in OPEN}, dict.fromkeys(OPEN, 0), "what is left open")
    expect(sum(stats[name] for name in STATES), stats["total"], "the sum of all states")
    return stats


def nobody_got_two(lines):
    """No two requests that a provider accepted were for the same message or address."""
    for field in ("token", "to"):
        twice = [value for value, n in Counter(line[field] for line in lines).items() if n > 1]
        expect(twice[:5], [], f"{len(twice)} times the same {field}")


def message_of(line):
    """The id of the message that a line of the journal is about; its token names it."""
    return int(line["token"].split("-")[1])


def sent_is_what_was_accepted(system, campaign, lines):
    """The provider accepted each sent message exactly once, and no other."""
    nobody_got_two(lines)
    accepted = {message_of(line): line["to"].lstrip("+") for line in lines}
    sent = {int(id): address.lstrip("+") for id, address, state
            in rows_of(system, campaign, "m.id, m.address, m.state") if state == "3"}
    missing = {id: to for id, to in sent.items() if accepted.get(id) != to}
    more = {id: to for id, to in accepted.items() if sent.get(id) != to}
    expect((dict(list(missing.items())[:5]), dict(list(more.items())[:5])), ({}, {}),
           f"{len(missing)} sent, but not accepted; {len(more)} accepted, but not sent")


def skips(system, campaign):
    """How many were skipped, by reason."""
    return dict(Counter(message["reason"] for message
                        in system.messages(campaign, status="skipped")))


def callbacks_are_in(system, seconds=30):
    """Wait until the simulator has called back for everything, and every call has been applied."""
    def none_waits():
        tally = system.sandbox_stats()
        return tally and tally["callbacks"]["waiting"] == 0 and tally["callbacks"]
    tally = eventually(none_waits, seconds, "all callbacks are made")
    expect(tally["given_up"], 0, "callbacks given up")
    eventually(system.spool_is_applied, seconds, f"{tally['delivered']} callbacks are applied")


def rollups_agree(system, campaign, names):
    """What analytics adds up from the event log becomes what the counters say."""
    stats = system.stats(campaign)
    sums = ", ".join(f"coalesce(sum({name}), 0)" for name in names)

    def added_up():
        row = system.sql(f"SELECT {sums} FROM stat_minute WHERE campaign_id = {campaign}")[0]
        return dict(zip(names, map(int, row)))
    wanted = {name: stats[name] for name in names}
    try:
        eventually(lambda: added_up() == wanted, 15)
    except AssertionError:
        expect(added_up(), wanted, "roll-ups and statistics")
