"""The model of the chunk protocol is searched whole within small bounds, and it finds every rule
that is missing.

A search counts only when spin says that it was complete; a missing rule only when spin shows how it
goes wrong. tests/model/run searches further.

TIMEOUT: 900
"""
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from checks import run

MODEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "chunk.pml")
COMPILER = ["ccache", "gcc"] if shutil.which("ccache") else ["gcc"]
DEPTH = 20_000  # steps; the longest history within the bounds has some 400
MEGABYTES = 900  # of states, in each of the searches that run at the same time
MEGABYTES_FURTHER = 4000

# What holds -> bounds within which every history is looked at.
SHORT = {
    "what was never started never ends as unknown":
        "-DREAPS=0 -DPRECISE -DAMBIG=0",
    "nobody is asked for twice though claims and replies are lost":
        "-DDEFNO=0 -DAMBIG=0 -DLATES=0",
    "nobody is asked for twice though journals are lost and callbacks come first":
        "-DREPEATS=0 -DLATES=0 -DDEFNO=0 -DCALLBACKS -DHOSTLOSS -DPOWERLOSS",
    "nobody who is cancelled is asked for":
        "-DCANCELS=1 -DREPEATS=0 -DLATES=0 -DDEFNO=0 -DAMBIG=0",
    "at least once nobody is asked for again without a reason":
        "-DALO -DREPEATS=0 -DLATES=0 -DAMBIG=0 -DDEFNO=0 -DCALLBACKS",
}
LONG = {
    "nobody is asked for twice": "",
    "what was never started never ends as unknown, whatever comes": "-DREAPS=0 -DPRECISE",
    "nobody is asked for twice with slices that overlap": "-DSLICE=1 -DREPEATS=0",
    "nobody is asked for twice though the host is lost": "-DREPEATS=0 -DHOSTLOSS",
    "nobody is asked for twice though the power fails": "-DREPEATS=0 -DPOWERLOSS",
    "nobody is asked for twice though callbacks come first": "-DREPEATS=0 -DCALLBACKS",
    "nobody is asked for twice though replies are lost and callbacks come first":
        "-DCALLBACKS -DAMBIG=0",
    "at least once nobody is asked for again without a reason, whatever comes":
        "-DALO -DREPEATS=0 -DCALLBACKS -DLATES=0",
    "nobody who is cancelled is asked for, whatever comes": "-DCANCELS=1 -DLATES=0 -DREPEATS=0",
    "who opts out and was never started does not end as unknown":
        "-DREAPS=0 -DPRECISE -DSKIPS=1",
}

# Rule -> the define that removes it, and bounds that are small and show it.
RULES = {
    "open asks whether the claim is mine":
        "-DBUG_OPEN_NO_EPOCH -DCRASHES=0 -DLATES=0 -DREPEATS=0 -DAMBIG=0",
    "what is below the watermark is not dispatched again": "-DBUG_REOPEN",
    "only the owner lowers the watermark": "-DBUG_UNOPEN",
    "started is journaled before the first byte": "-DBUG_STARTED_AFTER",
    "the intent is journaled before the open":
        "-DBUG_INTENT_AFTER -DREAPS=0 -DPRECISE",
    "after another boot a missing record proves nothing": "-DBUG_POWERLOSS",
    "only a dead process's journal is replayed":
        "-DBUG_NO_LOCK -DREAPS=0 -DCRASHES=0 -DLATES=0 -DAMBIG=0",
    "a replay lowers the watermark over nothing that was started": "-DBUG_REPLAY_LOWERS",
    "never started counts only for the epoch that opened it": "-DBUG_EPOCH_STAMP",
    "never started counts only for the chunk that opened it": "-DBUG_EVIDENCE_ANY",
    "a message belongs to one chunk at a time": "-DBUG_WORK -DREAPS=0 -DPRECISE",
    "what a sender holds is not cancelled":
        "-DBUG_CANCEL_HELD -DCANCELS=1 -DREPEATS=0 -DLATES=0 -DDEFNO=0 -DAMBIG=0",
    "open leaves out what is settled": "-DBUG_OPEN_NO_STATE -DALO -DCALLBACKS",
    "who was skipped is said to be never started":
        "-DBUG_SKIPPED_UNSAID -DSKIPS=1 -DREAPS=0 -DPRECISE -DREPEATS=0",
}


def shell(*command, cwd):
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
    return done.stdout


def search(defines, optimize, megabytes):
    """Return what spin's searcher says at its end."""
    with tempfile.TemporaryDirectory(prefix="fanfare-model-") as place:
        said = shell("spin", *defines.split(), "-a", MODEL, cwd=place)
        assert "rror" not in said, said
        shell(*COMPILER, optimize, "-DSAFETY", "-DCOLLAPSE", "-DVECTORSZ=512",
              f"-DMEMLIM={megabytes}", "-c", "-o", "pan.o", "pan.c", cwd=place)
        shell("gcc", "-o", "pan", "pan.o", cwd=place)
        return shell("./pan", f"-m{DEPTH}", cwd=place)


def number(report, pattern):
    found = re.search(pattern, report)
    assert found, report
    return int(found[1])


def is_searched_whole(report, defines):
    for word in ("Search not completed", "max search depth", "MEMLIM", "out of memory"):
        assert word not in report, f"{defines}: {report}"
    assert number(report, r"errors: (\d+)") == 0, f"{defines}: {report}"
    states = number(report, r"(\d+) states, stored")
    print(f"# {states:,} states: {defines}")


def is_missed(report, defines):
    assert number(report, r"errors: (\d+)") == 1, f"{defines}: nothing goes wrong\n{report}"
    assert re.search(r"pan:1: (assertion violated|invalid end state)", report), report


def tests(pool, cases, judge, prefix="", optimize="-O0", megabytes=MEGABYTES):
    """Begin all searches of a table; return a test for each that waits for its end."""
    out = []
    for name, defines in cases.items():
        report = pool.submit(search, defines, optimize, megabytes)
        out.append(lambda report=report, defines=defines: judge(report.result(), defines))
        out[-1].__name__ = prefix + name
    return out


def main():
    further = "--further" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--further"]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        # Compiling with -O2 takes longer than the short searches.
        if further:
            found = tests(pool, LONG, is_searched_whole, "", "-O2", MEGABYTES_FURTHER)
        else:
            found = tests(pool, SHORT, is_searched_whole)
            found += tests(pool, RULES, is_missed, "it is missed when not: ")
        run(found)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"# {spent.ru_utime + spent.ru_stime:.0f} s of CPU, "
          f"at most {spent.ru_maxrss // 1024} MB in one process")


if __name__ == "__main__":
    main()
