"""What libcurl, PostgreSQL and SMTP do alone on this machine, nothing of Fanfare around them."""
import json
import os
import subprocess

PROGRAMS = os.path.join(os.environ["FAN_BUILD"], "bench")
COUNT = 100_000
MAILS = 20_000
CONNECTIONS = 100


def run(*words, env=None):
    """Requests, rows or mails a second, and the CPU of one."""
    done = subprocess.run([os.path.join(PROGRAMS, words[0]), *map(str, words[1:])], env=env,
                          check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    return {"rate": found["rate"], "cpu": {words[0]: found["cpu_us"]}}


def http(bench):
    url = bench.stub.url + "/2010-04-01/Accounts/AC1/Messages.json"
    return run("httplimit", url, COUNT, CONNECTIONS)


def postgres(bench, what, batch):
    return run("pglimit", what, COUNT, batch, env=bench.peers.env)


def in_round(bench):
    bench.measure("libcurl alone", COUNT, lambda: http(bench))
    bench.measure("insert alone", COUNT, lambda: postgres(bench, "insert", 1000))
    bench.measure("update alone", COUNT, lambda: postgres(bench, "update", 500))
