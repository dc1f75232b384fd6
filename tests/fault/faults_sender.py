"""A sender dies, sleeps or loses its host at every moment of a message's way to the provider."""
from checks import expect
from faults import QUICK, fault


@fault("F01", "a sender killed before it opens a slice leaves nothing unknown", tier=QUICK)
def before_open(site):
    with site.load() as load:
        load.strike("sender.before_open", process="sender-sms")
    expect(load.unknown, 0, "unknown")


@fault("F02", "a sender killed between opening a slice and starting it leaves nothing unknown",
       tier=QUICK)
def opened(site):
    with site.load() as load:
        load.strike("sender.opened", process="sender-sms")
    expect(load.unknown, 0, "unknown")
