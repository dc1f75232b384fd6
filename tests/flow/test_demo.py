"""`fanfare demo`: from a contact list to the last receipt, and every number checked."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

FANFARE = os.path.join(os.environ.get("FAN_BUILD", "build/test"), "bin/fanfare")
ROWS = 2500
MEMBERS = ["contacts", "campaigns", "messages", "sent", "delivered", "read", "failed", "skipped",
           "unknown", "seconds", "rate"]


def play(*words):
    """Run the demo once; return what it printed and the object in its last line."""
    done = subprocess.run([FANFARE, "demo", "--once", "--contacts", str(ROWS), *words],
                          capture_output=True, text=True, timeout=130, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, json.loads(done.stdout.splitlines()[-1])


def check(total):
    assert list(total) == MEMBERS, total
    assert total["campaigns"] == 3
    assert ROWS * 0.97 < total["contacts"] < ROWS
    assert total["messages"] == 3 * total["contacts"]
    assert total["messages"] == \
        total["sent"] + total["failed"] + total["skipped"] + total["unknown"]
    assert 0 < total["read"] < total["delivered"] < total["sent"]
    assert total["unknown"] == 0


def every_message_ends_and_every_check_holds(folder):
    before = set(os.listdir("/tmp"))
    said, total = play()
    check(total)
    assert said.count("✓") == 17 and "✗" not in said, said
    assert "rejected" in said and "skipped: no_address" in said, said
    new = {name for name in set(os.listdir("/tmp")) - before if name.startswith("fanfare-demo.")}
    assert not new, f"{new} is left behind"


def a_second_demo_in_one_home_finds_its_channels_and_people(folder):
    home = os.path.join(folder, "home")
    check(play("--home", home)[1])
    said, total = play("--home", home)
    check(total)
    assert "✗" not in said, said


TESTS = [
    every_message_ends_and_every_check_holds,
    a_second_demo_in_one_home_finds_its_channels_and_people,
]


def main():
    failed = 0
    folder = tempfile.mkdtemp(prefix="fan-demo-", dir="/tmp")
    os.chmod(folder, 0o755)
    for test in TESTS:
        try:
            test(folder)
            word = "ok"
        except (AssertionError, OSError, ValueError, subprocess.SubprocessError):
            failed += 1
            word = f"not ok ({traceback.format_exc()})"
        print(word, "-", test.__name__.replace("_", " "), flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
