"""What must hold at every moment is looked at every second, beside the fault."""
import os
import threading

RSS_MOST, FDS_MOST = 700 << 20, 400  # with sanitizers, which take several times the memory
EVERY_S = 1.0

# Every counter of every home chunk beside its recount: one statement, so one snapshot.
COUNTERS = """SELECT c.account_id, c.id, c.n, m.n FROM (
    SELECT account_id, id, ARRAY[n_pending, n_retry, n_unknown, n_sent, n_failed, n_skipped,
      n_cancelled, n_unknown_final, n_expired, n_undelivered, n_delivered, n_read]::bigint[] AS n
    FROM chunk WHERE run_id IN ({runs}) AND NOT is_retry) c
  CROSS JOIN LATERAL (SELECT ARRAY[
      {states}, count(*) FILTER (WHERE progress = 1), count(*) FILTER (WHERE progress >= 2),
      count(*) FILTER (WHERE progress >= 3)] AS n
    FROM message WHERE account_id = c.account_id AND id >= c.id << 9 AND id < (c.id + 1) << 9) m
  WHERE c.n <> m.n LIMIT 5"""
STATES = ", ".join(f"count(*) FILTER (WHERE state = {n})" for n in range(9))


def wrong_counters(site, runs):
    """I6: chunks whose counters are not the recount of their messages."""
    return site.sql(COUNTERS.format(runs=runs, states=STATES))


class Watch:
    """A thread beside a load; what it saw is told by complaints()."""

    def __init__(self, site, load):
        self.site, self.load = site, load
        self.looks, self.seen, self.most = 0, [], {}
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def stop(self):
        self.ending.set()
        self.thread.join()

    def _work(self):
        while not self.ending.wait(EVERY_S):
            self._look_at_counters()
            for name, pid in self.site.pids().items():
                self._look_at_process(name, pid)

    def _look_at_counters(self):
        try:
            wrong = wrong_counters(self.site, self.load.runs)
        except AssertionError:
            return  # PostgreSQL is away
        self.looks += 1
        if wrong:
            self.seen.append(f"I6: counters and recount differ while running: {wrong}")

    def _look_at_process(self, name, pid):
        if not pid or name == "postgres":
            return
        try:
            with open(f"/proc/{pid}/statm", encoding="ascii") as file:
                rss = int(file.read().split()[1]) * 4096
            fds = len(os.listdir(f"/proc/{pid}/fd"))
        except (OSError, IndexError):
            return
        old = self.most.get(name, (0, 0))
        self.most[name] = (max(rss, old[0]), max(fds, old[1]))

    def complaints(self):
        bad = [f"I10: {name} had {rss >> 20} MiB and {fds} descriptors"
               for name, (rss, fds) in self.most.items() if rss > RSS_MOST or fds > FDS_MOST]
        return self.seen[:3] + bad
