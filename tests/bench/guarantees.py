"""What it costs that nobody is written to twice and nobody left out, whatever is killed.

Beside each blast runs one by a build that cannot promise it: its senders keep no journal
(FAN_BENCH_UNSAFE, which only this folder builds) and open a chunk as a whole, so that the watermark
moves once a chunk. What was under way when such a sender dies is not known to anybody.
"""
import os
import subprocess

import blast

SIZE = 100_000
SAFE = os.environ["FAN_BUILD"]
UNSAFE = os.path.join(os.path.dirname(SAFE), "unsafe")
WHOLE_CHUNK = 500


def build():
    configure = ["cmake", "-S", ".", "-B", UNSAFE, "-G", "Ninja", "--log-level=WARNING",
                 "-DCMAKE_BUILD_TYPE=Release", "-DFAN_BENCH_UNSAFE=ON"]
    subprocess.run(configure, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", UNSAFE, "--quiet", "programs"], check=True)


def in_round(bench):
    build()
    size = min(SIZE, max(bench.options.sizes))
    if not bench.has("blast", size):
        bench.measure("blast", size, lambda: blast.run(bench, size))
    bench.measure("unsafe", size, lambda: blast.run(bench, size, build=UNSAFE,
                                                    SENDER_SLICE=WHOLE_CHUNK))
