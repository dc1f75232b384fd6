"""The tools of the build: the tally of the test run, and the generators of SQL tables."""
import os
import subprocess
import sys
import tempfile

from arch import ROOT, run

sys.path.insert(0, os.path.join(ROOT, "tests"))
import tally

TALLIES = [
    # ctest's word, what the program printed, what counts
    ("Passed", ["[  PASSED  ] 2 test(s).", "[  SKIPPED ] 1 test(s), listed below:"], [2, 0, 1]),
    ("***Failed", ["[  PASSED  ] 2 test(s).", "[  FAILED  ] 1 test(s), listed below:"], [2, 1, 0]),
    ("Passed", ["3 passed, 0 failed", "[  PASSED  ] 2 test(s)."], [5, 0, 0]),
    ("Passed", ["4 passed, 0 failed, 2 skipped"], [4, 0, 2]),
    ("Passed", ["log: 4 passed, 0 failed today"], [0, 1, 0]),
    ("***Failed", ["[  PASSED  ] 2 test(s).", "LeakSanitizer: detected memory leaks"], [2, 1, 0]),
    ("***Timeout", [], [0, 1, 0]),
    ("***Skipped", ["no such server here"], [0, 0, 1]),
]


def a_program_counts_by_what_it_says_and_how_it_ends():
    for status, lines, expected in TALLIES:
        if (found := tally.judge(status, lines)) != expected:
            yield f"{status} {lines}: {found}, not {expected}"


def generate(script, files):
    """Run one of the generators over {file name: text}; return (exit code, what it wrote)."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
                out.write(text)
        done = subprocess.run(["awk", "-f", os.path.join(ROOT, "sql", script), *files],
                              cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def a_query_becomes_the_same_text_in_c():
    status, text = generate("queries.awk", {"chunk.sql": (
        "-- name: chunk_claim\n-- Why.\nselect '\\x', \"b\" -> '??/'\n\nwhere id = $1 ;\n\n"
        "-- name: chunk_load\nselect 1\n")})
    for part in (r'''"select '\\x', \"b\" -> '\?\?/'\n"''', '"where id = $1",', "fan_q_chunk_load",
                 '.file = "chunk"', "    &fan_q_chunk_claim,\n    &fan_q_chunk_load,\n    NULL,"):
        if status or part not in text:
            yield f"missing: {part}"
    if "Why" in text:
        yield "comments are not part of the statement"


def a_query_twice_or_without_a_statement_or_name_is_refused():
    for text in ("-- name: a\nselect 1;\n-- name: a\nselect 2;\n",
                 "-- name: a\n-- name: b\nselect 1\n", "select 1;\n",
                 "-- name: Bad Name\nselect 1;\n", "-- name: a\n"):
        if not generate("queries.awk", {"x.sql": text})[0]:
            yield f"accepted: {text!r}"


def migrations_are_kept_to_the_byte_and_without_a_gap():
    status, text = generate("migrations.awk", {"0001_base.sql": "-- \"why\"\n\nselect 1;\n",
                                               "0002_more.sql": "select 2;\n"})
    for part in (r'"-- \"why\"\n"', r'"\n"', ".number = 2", '.name = "0002_more"'):
        if status or part not in text:
            yield f"missing: {part}"
    for names in (["0002_base.sql"], ["0001_a.sql", "0003_b.sql"], ["1_a.sql"]):
        if not generate("migrations.awk", {name: "select 1;\n" for name in names})[0]:
            yield f"accepted: {names}"


run([
    a_program_counts_by_what_it_says_and_how_it_ends,
    a_query_becomes_the_same_text_in_c,
    a_query_twice_or_without_a_statement_or_name_is_refused,
    migrations_are_kept_to_the_byte_and_without_a_gap,
])
