"""What comes in from outside, and the programs that take it, die in the middle of it."""
import http.client
import threading
from collections import Counter

from checks import eventually, expect
from faults import QUICK, fault
from sites import AT_MOST_ONCE, Campaign
from system import ANOTHER, GATEWAY

INGESTER = "ingester"


@fault("F16", "fifty triggers of one campaign at once, through two gateways, make one run")
def fifty_triggers(site):
    with site.load() as load, site.another_door("gateway"):
        id = site.campaign(site.accounts[0].channel, message="Hello {first_name}",
                           audience={"tags": ["few"]})
        replies, together = [], threading.Barrier(50)

        def trigger(port):
            together.wait()
            replies.append(site.call("POST", f"/api/v1/campaigns/{id}/send", port=port))
        threads = [threading.Thread(target=trigger, args=(port,))
                   for port in 25 * (GATEWAY, ANOTHER)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect(Counter(reply.status for reply in replies), Counter({202: 1, 409: 49}))
        runs = {reply.json["run_id"] for reply in replies}
        expect(len(runs), 1, f"runs in the replies {runs}")
        load.campaigns.append(Campaign(1, id, runs.pop(), AT_MOST_ONCE, site.crowds["few"]))


@fault("F17", "a gateway killed during a POST with an Idempotency-Key does it once", tier=QUICK)
def gateway(site):
    """The client asks again until it is answered."""
    for moment in ("handled", "before_commit", "committed"):
        body = {"external_id": f"once-{moment}", "first_name": "Once"}
        fault = site.faults.arm("gateway." + moment)
        lost = []

        def answer():
            try:
                return site.call("POST", "/api/v1/contacts", body, **{"Idempotency-Key": moment})
            except (OSError, http.client.HTTPException) as error:
                lost.append(error)
        reply = eventually(answer, 30, "the gateway answers")
        site.struck(fault)
        assert lost, "the first try was not cut off"
        again = site.call("POST", "/api/v1/contacts", body, **{"Idempotency-Key": moment})
        expect((reply.status, again.status), (201, 201))
        expect(again.text, reply.text)
        expect(again.headers["Idempotent-Replayed"], "true")
        if moment == "committed":
            expect(reply.headers["Idempotent-Replayed"], "true")
        expect(site.number(f"""SELECT count(*) FROM contact WHERE account_id = 1
            AND external_id = 'once-{moment}'"""), 1)


@fault("F18", "an ingester killed around each step of taking a callback loses and doubles none",
       tier=QUICK)
def callbacks(site):
    with site.load() as load:
        for moment in ("before_append", "appended", "synced", "before_answer", "answered"):
            load.strike("ingester." + moment, nth=20, process=INGESTER)


@fault("F19", "a forwarder killed around its commit applies every callback once")
def forwarder(site):
    with site.load() as load:
        for moment in ("collected", "before_commit", "committed", "noted"):
            load.strike("forwarder." + moment, nth=2, process=INGESTER)


@fault("F49", "a provider that takes a message and closes the connection is asked once", tier=QUICK)
def closed_behind_our_back(site):
    with site.load(foreign=False, tags=("crowd", "silent")) as load:
        pass
    expect(load.repeated, 0, "repeated")
    assert load.unknown >= 2 * site.crowds["silent"], f"only {load.unknown} were closed upon us"
