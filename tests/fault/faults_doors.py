"""What comes in from outside, and the programs that take it, die in the middle of it."""
from checks import expect
from faults import QUICK, fault

INGESTER = "ingester"


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
