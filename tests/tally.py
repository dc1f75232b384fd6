"""Read `ctest --verbose`, show what failed, and end with "N passed, N failed[, N skipped]".

The count is of test functions, not programs: cmocka's summary lines and plain tally lines are added
up. A program that ended badly without naming a failure, or without a tally, is one failure.
"""
import re
import sys

OUTPUT = re.compile(r"^(\d+): (.*)$")
RESULT = re.compile(r"^\s*\d+/\d+ Test +#(\d+): (\S+) \.* *(.*?)\s*([\d.]+) sec")
PLAIN = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")
CMOCKA = re.compile(r"^\[  (PASSED |FAILED |SKIPPED)\s*\] (\d+) test\(s\)")


def count(lines):
    """Return [passed, failed, skipped] of one program, or None when it did not say."""
    total, told = [0, 0, 0], False
    for line in lines:
        if plain := PLAIN.match(line):
            total = [old + int(new or 0) for old, new in zip(total, plain.groups())]
        elif cmocka := CMOCKA.match(line):
            total[("PASSED ", "FAILED ", "SKIPPED").index(cmocka[1])] += int(cmocka[2])
        else:
            continue
        told = True
    return total if told else None


def judge(status, lines):
    """Return what one program adds to the total."""
    if "Skipped" in status:
        return [0, 0, 1]
    total = count(lines)
    if "Passed" not in status and (total is None or total[1] == 0):
        return [total[0] if total else 0, 1, total[2] if total else 0]
    return total or [0, 1, 0]


def main():
    total, output = [0, 0, 0], {}
    for line in sys.stdin:
        line = line.rstrip("\n")
        if said := OUTPUT.match(line):
            lines = output.setdefault(said[1], [])
            lines.append(said[2])
            if said[2].startswith("Test timeout computed to be:"):
                lines.clear()  # so far ctest spoke; from here on, the test
            continue
        if not (result := RESULT.match(line)):
            continue
        number, name, status, seconds = result.groups()
        lines = output.pop(number, [])
        mine = judge(status, lines)
        total = [old + new for old, new in zip(total, mine)]
        if mine[1]:
            why = "no tally line" if status == "Passed" and count(lines) is None else status
            print(f"\n--- {name}: {why}", *lines, f"--- end of {name}\n", sep="\n")
        word = "FAIL" if mine[1] else "ok" if mine[0] else "skip"
        print(f"{word:4} {name}  {mine[0]}/{sum(mine)}  {seconds} s", flush=True)
    passed, failed, skipped = total
    if passed + failed == 0:
        print("no test ran")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
