/*
 * The chunk protocol: claim, open, journal, send, close, release, take back, replay, retries.
 *
 * One home chunk of N messages, retry chunks made from it, two senders on one host, a keeper (the
 * scheduler, and callbacks), a provider that remembers. A transaction is one atomic step. A pause
 * is just not being scheduled, so every pause at every point is in the state space; a lease may be
 * judged expired at any moment, so no clock is trusted. What a killed process had submitted and
 * PostgreSQL still runs is the same as a kill a little later.
 *
 * What each step stands for (statements in sql/queries/chunk.sql, C in actors/sender/):
 *   claim        chunk_claim. Frames are not modelled: any ready chunk may be claimed at any time,
 *                which is what lost, late and repeated frames come to
 *   INTENT       slot->opened in add_open, and before it journal_begin
 *   open         chunk_lock, chunk_open, chunk_unsendable, in one transaction
 *   start, leave journal_started, then libcurl
 *   answer       journal_answered
 *   close        chunk_close, chunk_close_retry; what they did not close: chunk_evidence (claim_say)
 *   end          chunk_lock_work, chunk_release; no row: forsake() and chunk_evidence
 *   replay       replay.c: close and release in one transaction, then chunk_evidence
 *   Keeper       chunk_release without an owner, chunk_promote, chunk_settle, chunk_receipts,
 *                chunk_cancel
 * A sender holds one chunk at a time here; slots of the journal and claims know nothing of each
 * other. It closes messages one by one: a batch is fewer interleavings. Chunks are not rendered,
 * runs are not paused here: that only refuses what may be refused at any time anyway
 * (LATES).
 *
 * -DALO at_least_once (default at_most_once). -DCALLBACKS, -DHOSTLOSS, -DPOWERLOSS, -DPRECISE and
 * how to run it: README.md. -DBUG_x removes one rule: each must fail.
 */
#ifndef N
#define N 2 /* messages of the home chunk */
#endif
#ifndef SLICE
#define SLICE 2 /* opened at once */
#endif
#ifndef CRASHES
#define CRASHES 1 /* kills of a sender; its next incarnation replays the journal */
#endif
#ifndef REAPS
#define REAPS 1 /* claims taken back from a living owner */
#endif
#ifndef PROMOS
#define PROMOS 1 /* retry chunks that may be made */
#endif
#ifndef DEFNO
#define DEFNO 1 /* answers "not processed, try later" */
#endif
#ifndef LATES
#define LATES 1 /* times that a sender gives up what it has opened and not started */
#endif
#ifndef AMBIG
#define AMBIG 1 /* answers that leave it open */
#endif
#ifndef REPEATS
#define REPEATS 1 /* replies of a commit that were lost */
#endif
#ifndef CANCELS
#define CANCELS 0 /* 1: the run may be cancelled */
#endif
#ifndef SKIPS
#define SKIPS 0 /* recipients who opt out while it runs */
#endif
#define CH (PROMOS + 1)
#define NOBODY 9

/* message.state */
#define PENDING 0
#define RETRY 1
#define UNKNOWN 2
#define SENT 3
#define FINAL 4 /* unknown_final: shown to the operator */
#define FAILED 5 /* tries used up */
#define SKIPPED 6
#define CANCELLED 7
/* chunk.state */
#define ABSENT 0
#define READY 1
#define CLAIMED 2
#define DONE 3
/* what a sender knows of a message of its claim */
#define NOTHING 0 /* not opened, as far as it knows */
#define OPENED 1
#define STARTED 2
#define LEFT 3 /* the bytes are out */
#define ANSWERED 4
#define SAID 5 /* recorded, or nothing to be done */

typedef chunk_t { byte st; byte epoch; byte owner; byte wm; byte n; byte items[N] };
chunk_t c[CH];
byte ms[N];   /* state */
byte work[N]; /* the chunk that answers for the message now */
byte lost[N]; /* lost_epoch: an unknown's, under which it was opened */
/* the home chunk's counters */
byte n_pending = N; byte n_retry; byte n_unknown; byte n_sent; byte n_final; byte n_failed;
byte n_skipped; byte n_cancelled;
/* the provider */
byte asked[N]; /* requests that may have been processed */
byte accepted[N];
bool begun[N]; /* some first byte may have left, or the journal says so */
/* how much of what may still happen has happened */
byte crashes; byte reaps; byte promos; byte defno; byte late; byte ambig; byte repeats; byte skips;
bool gone[N]; /* opted out */
bool cancelled; /* the run */

/* Journals, one a sender: what survives kill -9, because it is written before it is done. */
typedef journal_t {
  byte ch; byte ep; byte inc; bool old_boot; bool it[N]; bool started[N]; byte res[N]
};
journal_t j[2];
bool alive[2]; /* the journal's lock: held for life, by a paused process, too */
byte inc[2];

#define COUNT(s, by) \
  if \
  :: (s) == PENDING -> n_pending = n_pending + by :: (s) == RETRY -> n_retry = n_retry + by \
  :: (s) == UNKNOWN -> n_unknown = n_unknown + by :: (s) == SENT -> n_sent = n_sent + by \
  :: (s) == FINAL -> n_final = n_final + by :: (s) == FAILED -> n_failed = n_failed + by \
  :: (s) == SKIPPED -> n_skipped = n_skipped + by \
  :: (s) == CANCELLED -> n_cancelled = n_cancelled + by \
  fi
/* A message's state and its home's counters move together. */
#define SET(m, s) COUNT(ms[m], -1); ms[m] = s; COUNT(s, 1)

#ifdef BUG_WORK /* promoted messages are still judged by their home chunk's watermark */
#define MINE(m, k) true
#else
#define MINE(m, k) (work[m] == (k))
#endif
#define HOLDS(k, e, who) (c[k].st == CLAIMED && c[k].epoch == (e) && c[k].owner == (who))

/* The end of a claim: what is opened and has no outcome becomes unknown, stamped with the epoch. */
inline release(k, back) {
  q = 0;
  do
  :: q < back -> r = c[k].items[q];
     if
#ifdef BUG_REOPEN /* a take-back makes opened messages dispatchable again */
     :: ms[r] == PENDING && MINE(r, k) -> SET(r, RETRY)
#else
     :: ms[r] == PENDING && MINE(r, k) -> SET(r, UNKNOWN); lost[r] = c[k].epoch
#endif
     :: else
     fi; q++
  :: else -> break
  od;
  c[k].wm = back; c[k].owner = NOBODY; c[k].epoch++;
  c[k].st = (back < c[k].n -> READY : DONE);
  q = 0; r = 0
}

/* Late word about attempt (k, e): accepted counts always, the rest only for an unknown of this very
 * chunk and epoch. */
inline evidence(m, s, k, e) {
  if
  :: s == SENT && ms[m] != SENT && ms[m] != SKIPPED -> SET(m, SENT)
#ifdef BUG_EPOCH_STAMP /* "never started" is believed of any unknown of the chunk */
  :: s == RETRY && ms[m] == UNKNOWN && work[m] == k -> SET(m, RETRY)
#elif defined(BUG_EVIDENCE_ANY) /* … and of any attempt */
  :: s == RETRY && ms[m] == UNKNOWN -> SET(m, RETRY)
#else
  :: s == RETRY && ms[m] == UNKNOWN && work[m] == k && lost[m] == e -> SET(m, RETRY)
#endif
  :: else
  fi
}

inline close(m, s, k, e, who) {
  if
#ifdef BUG_CLOSE_NO_EPOCH /* finds nothing: state and work suffice; it tells a zombie what it is */
  :: ms[m] == PENDING -> SET(m, s);
#else
  :: HOLDS(k, e, who) && ms[m] == PENDING && MINE(m, k) -> SET(m, s);
#endif
     if :: s == UNKNOWN -> lost[m] = e :: else fi
  :: else -> say(m, s, k, e)
  fi
}

/* An outcome as evidence. Who was skipped was never started. */
inline say(m, s, k, e) {
  if
  :: s == SENT || s == RETRY -> evidence(m, s, k, e)
#ifndef BUG_SKIPPED_UNSAID
  :: s == SKIPPED -> evidence(m, RETRY, k, e)
#endif
  :: else
  fi
}

inline clear_journal(x) {
  q = 0;
  do
  :: q < N -> j[x].it[q] = false; j[x].started[q] = false; j[x].res[q] = 0; q++
  :: else -> break
  od;
  q = 0; j[x].ch = NOBODY; j[x].ep = 0; j[x].inc = 0; j[x].old_boot = false
}

inline forget_claim() {
  q = 0;
  do :: q < N -> what[q] = NOTHING; ans[q] = 0; q++ :: else -> break od;
  q = 0; k = 0; e = 0; p = 0; hi = 0; to = 0; out = false; fence = false
}

#define CRASH if :: atomic { crashes < CRASHES -> crashes++; goto crashed } :: true fi

#ifdef BUG_REPLAY_LOWERS /* what has no answer counts as never started */
#define NOT_BEGUN(x, m) (j[x].it[m] && j[x].res[m] == 0)
#else
#define NOT_BEGUN(x, m) (j[x].it[m] && j[x].res[m] == 0 && !j[x].started[m])
#endif
/* Another process has the dead one's lock: it records what the journal knows under the claim, ends
 * the claim, and then says all of it again as evidence. */
inline replay_claim(x) {
  k = j[x].ch; e = j[x].ep; id = j[x].inc;
  if
  :: HOLDS(k, e, id) ->
     p = 0;
     do
     :: p < N && j[x].it[p] && j[x].res[p] != 0 -> s = j[x].res[p]; close(p, s, k, e, id); p++
     :: p < N && !(j[x].it[p] && j[x].res[p] != 0) -> p++
     :: else -> break
     od;
     p = c[k].wm; /* down to the first that was begun; after another boot it stays */
     do
     :: !j[x].old_boot && p > 0 && NOT_BEGUN(x, c[k].items[p - 1]) -> p--
     :: else -> break
     od;
     release(k, p)
  :: else
  fi;
  p = 0; s = 0
}
inline replay_evidence(x) {
  p = 0;
  do
  :: p < N ->
     if
     :: j[x].it[p] && j[x].res[p] != 0 -> s = j[x].res[p]; say(p, s, k, e)
     :: j[x].it[p] && j[x].res[p] == 0 && !j[x].started[p] && !j[x].old_boot ->
        evidence(p, RETRY, k, e)
     :: else
     fi; p++
  :: else -> break
  od;
  p = 0; s = 0
}

inline write_intent() {
  j[me].ch = k; j[me].ep = e; j[me].inc = id; q = hi;
  do :: q < to -> j[me].it[c[k].items[q]] = true; q++ :: else -> break od;
  q = 0
}

/* One statement; it answers which messages of the slice may be sent. */
inline open_slice() {
  if
#ifdef BUG_OPEN_NO_EPOCH
  :: c[k].st == CLAIMED && c[k].wm == hi ->
#else
  :: HOLDS(k, e, id) && c[k].wm == hi && !cancelled ->
#endif
     c[k].wm = to;
     if
     :: repeats < REPEATS -> repeats++; out = true /* the reply was lost */
     :: true -> read_slice()
     fi
  :: else -> out = true
  fi
}
inline read_slice() {
  do
  :: hi < to -> m = c[k].items[hi];
#ifdef BUG_OPEN_NO_STATE
     what[m] = OPENED; assert(ms[m] != SENT); /* known to be sent, and sent again */
#else
     if
     :: ms[m] != PENDING || work[m] != k || gone[m] ->
        what[m] = ANSWERED; ans[m] = SKIPPED; j[me].res[m] = SKIPPED
     :: else -> what[m] = OPENED
     fi;
#endif
     hi++
  :: else -> break
  od;
  m = 0
}

/* The bytes are out; the provider decides. */
inline transmit(m) {
#ifndef ALO
  assert(asked[m] == 0); /* at_most_once: no second request that may have been processed */
  assert(ms[m] != CANCELLED);
#else
  assert(asked[m] <= crashes + reaps + ambig); /* only after a crash, a reap, a lost answer */
#endif
  asked[m]++; what[m] = LEFT;
  if
  :: accepted[m]++; ans[m] = SENT
  :: ambig < AMBIG -> ambig++; accepted[m]++; ans[m] = UNKNOWN
  :: ambig < AMBIG -> ambig++; ans[m] = UNKNOWN
  :: defno < DEFNO -> defno++; asked[m]--; ans[m] = RETRY /* documented as not processed */
  fi
}
inline journal_answer(m) {
#ifdef BUG_STARTED_AFTER
  j[me].started[m] = true;
#endif
  j[me].res[m] = ans[m]; what[m] = ANSWERED;
  if :: ans[m] == RETRY -> begun[m] = false :: else fi
}
inline record(m) {
  s = ans[m]; close(m, s, k, e, id); s = 0;
  if
  :: what[m] = SAID; ans[m] = 0
  :: repeats < REPEATS -> repeats++ /* the reply was lost: once more, any time later */
  fi
}

inline forsake() {
  q = p;
  do
  :: q < to -> m = c[k].items[q];
     if :: what[m] <= OPENED -> evidence(m, RETRY, k, e) :: else fi; q++
  :: else -> break
  od;
  m = 0; q = 0
}
inline end_claim() {
  if
#ifdef BUG_UNOPEN /* lower the watermark without asking whether the claim is still mine */
  :: out -> c[k].wm = p; q = p;
     if :: c[k].st == DONE -> c[k].st = READY :: else fi;
     do
     :: q < c[k].n -> m = c[k].items[q];
        if :: ms[m] == UNKNOWN -> SET(m, PENDING) :: else fi; q++
     :: else -> break
     od; q = 0; m = 0
#endif
  :: HOLDS(k, e, id) ->
     if :: out && p < c[k].wm -> release(k, p) :: else -> release(k, c[k].wm) fi
  :: else -> forsake()
  fi
}

#define IDLE(m) (what[m] != STARTED && what[m] != LEFT && what[m] != ANSWERED)
#if N == 3
#define ALL_IDLE (IDLE(0) && IDLE(1) && IDLE(2))
#else
#define ALL_IDLE (IDLE(0) && IDLE(1))
#endif
#if CANCELS > 0 /* what is started and still connecting does not begin */
#define NOT_BEGINNING(m) \
  :: atomic { cancelled && what[m] == STARTED -> what[m] = LEFT; ans[m] = RETRY }
#else
#define NOT_BEGINNING(m)
#endif
#define FLIGHT(m) \
  :: atomic { what[m] == STARTED -> transmit(m) } \
  NOT_BEGINNING(m) \
  :: atomic { what[m] == LEFT -> journal_answer(m) } \
  :: atomic { what[m] == ANSWERED -> record(m) }
/* Whoever takes a chunk and never hears of it will not act on it: its lease ends. */
#define TAKE(x) \
  :: atomic { c[x].st == READY && !cancelled -> c[x].st = CLAIMED; c[x].epoch++; \
       if \
       :: repeats < REPEATS -> repeats++; c[x].owner = NOBODY \
       :: true -> k = x; e = c[k].epoch; c[k].owner = id; p = c[k].wm; hi = p; to = p; goto claimed \
       fi }

proctype Sender(byte me) {
  byte id, k, e, p, hi, to, m, q, r, s; /* p: started below; hi: opened; to: intended */
  bool out, fence;                   /* out: nothing more may be opened or started */
  byte what[N], ans[N];
restart:
  atomic { alive[me] = true; inc[me]++ }
  if
  :: j[me].ch != NOBODY ->
     atomic { replay_claim(me) }
     CRASH;
     atomic { replay_evidence(me) }
     CRASH;
     atomic { clear_journal(me); k = 0; e = 0 }
  :: else
  fi;
  id = me * 4 + inc[me];
again:
  do
  TAKE(0)
#if PROMOS > 0
  TAKE(1)
#endif
#if PROMOS > 1
  TAKE(2)
#endif
  :: atomic { n_pending == 0 && n_retry == 0 && n_unknown == 0 -> goto over }
  od;
claimed:
  do
  /* the next slice, once this one is started */
  :: atomic { !out && p == hi && hi < c[k].n ->
       to = (hi + SLICE < c[k].n -> hi + SLICE : c[k].n);
#ifndef BUG_INTENT_AFTER
       write_intent()
#endif
     };
     CRASH;
     atomic { open_slice() }
#ifdef BUG_INTENT_AFTER
     CRASH;
     atomic { write_intent() }
#endif
  :: atomic { p < hi && what[c[k].items[p]] == SAID -> p++ }
  :: atomic { p < hi && what[c[k].items[p]] == ANSWERED -> p++ }
  :: atomic { !out && p < hi && what[c[k].items[p]] == OPENED ->
#ifndef BUG_STARTED_AFTER
       j[me].started[c[k].items[p]] = true;
#endif
       begun[c[k].items[p]] = true; what[c[k].items[p]] = STARTED; p++ }
  FLIGHT(0)
  FLIGHT(1)
#if N == 3
  FLIGHT(2)
#endif
  :: atomic { !out && late < LATES && p < hi -> late++; out = true } /* too late, or a drain */
#if CANCELS > 0
  :: atomic { !out && cancelled -> out = true } /* the news of it */
#endif
  :: atomic { ALL_IDLE && (p == c[k].n || out) ->
       end_claim();
       if
       :: repeats < REPEATS -> repeats++; /* the reply was lost: it is ended again */ out = true
       :: goto ended
       fi }
  :: atomic { crashes < CRASHES -> crashes++; goto crashed }
  od;
ended:
  CRASH; /* the claim is over, the journal does not know yet */
  atomic { clear_journal(me); forget_claim(); goto again }
crashed:
  atomic {
    alive[me] = false; forget_claim();
#if defined(POWERLOSS) || defined(BUG_POWERLOSS) /* pages are lost, each by itself */
    if
    :: true
    :: j[me].ch != NOBODY ->
       q = 0;
       do
       :: q < N ->
          if
          :: true
          :: j[me].res[q] = 0
          :: j[me].res[q] = 0; j[me].started[q] = false
          fi; q++
       :: else -> break
       od; q = 0;
#ifndef BUG_POWERLOSS /* whoever replays it takes it for whole */
       j[me].old_boot = true
#endif
    fi;
#endif
#ifdef HOSTLOSS /* the host is gone with its journal */
    if :: true :: clear_journal(me) fi;
#endif
  }
  goto restart;
over:
  alive[me] = false
}

#define GONE_OWNER(k) \
  (!((c[k].owner == inc[0] && alive[0]) || (c[k].owner == 4 + inc[1] && alive[1])))
#define TAKE_BACK(k) \
  :: atomic { c[k].st == CLAIMED && reaps < REAPS -> reaps++; release(k, c[k].wm) } \
  /* without limit for those whose owner is gone: they are always taken back in the end */ \
  :: atomic { c[k].st == CLAIMED && GONE_OWNER(k) -> release(k, c[k].wm) }

/* Of a cancelled run: what nobody holds, and retries. */
#ifdef BUG_CANCEL_HELD
#define HELD(k) (c[k].st == CLAIMED)
#else
#define HELD(k) false
#endif
#define SWEEP(k) \
  :: atomic { cancelled && (c[k].st == READY || HELD(k)) -> x = 0; \
       do \
       :: x < c[k].n -> q = c[k].items[x]; \
          if :: ms[q] == PENDING && work[q] == k -> SET(q, CANCELLED) :: else fi; x++ \
       :: else -> break \
       od; \
       c[k].st = DONE; c[k].epoch++; x = 0; q = 0 }

/* At any time: a lease has ended, retries are due, unknowns run out of time, a callback comes. */
proctype Keeper() {
  byte k, q, r, x;
  do
  TAKE_BACK(0)
#if PROMOS > 0
  TAKE_BACK(1)
  :: atomic { n_retry > 0 && promos < PROMOS ->
       promos++; k = promos; x = 0; q = 0;
       do
       :: x < N && ms[x] == RETRY -> c[k].items[q] = x; q++; SET(x, PENDING); work[x] = k; x++
       :: x < N && ms[x] != RETRY -> x++
       :: else -> break
       od;
       c[k].n = q; c[k].st = READY; k = 0; q = 0; x = 0 }
#endif
#if PROMOS > 1
  TAKE_BACK(2)
#endif
#ifdef PRECISE /* the policy waits until every dead sender's journal has been replayed */
#define REPLAYED(x) (j[x].ch == NOBODY || (alive[x] && j[x].inc == x * 4 + inc[x]))
  :: atomic { n_unknown > 0 && REPLAYED(0) && REPLAYED(1) -> x = 0;
#else
  :: atomic { n_unknown > 0 -> x = 0;
#endif
       do :: x < N && ms[x] != UNKNOWN -> x++ :: else -> break od;
#ifdef ALO
       if :: promos < PROMOS -> SET(x, RETRY) :: else -> SET(x, FINAL) fi;
#else
       SET(x, FINAL);
#endif
       x = 0 }
  /* tries used up */
  :: atomic { n_retry > 0 && promos == PROMOS -> x = 0;
       do :: x < N && ms[x] != RETRY -> x++ :: else -> break od;
       SET(x, FAILED); x = 0 }
#ifdef BUG_NO_LOCK /* somebody replays the journal of a process that is only paused */
  :: atomic { alive[0] && j[0].ch != NOBODY && repeats < REPEATS -> repeats++; k = j[0].ch;
       r = j[0].inc; if :: c[k].st == CLAIMED && c[k].epoch == j[0].ep -> release(k, c[k].wm) :: else fi;
       x = 0;
       do
       :: x < N && j[0].it[x] && !j[0].started[x] && j[0].res[x] == 0 ->
          r = j[0].ep; evidence(x, RETRY, k, r); x++
       :: x < N && !(j[0].it[x] && !j[0].started[x] && j[0].res[x] == 0) -> x++
       :: else -> break
       od; k = 0; x = 0; r = 0 }
#endif
#ifdef CALLBACKS
  :: atomic { accepted[0] > 0 && ms[0] != SENT && ms[0] != SKIPPED -> SET(0, SENT) }
#endif
#if CANCELS > 0
  :: atomic { !cancelled -> cancelled = true }
  SWEEP(0)
#if PROMOS > 0
  SWEEP(1)
#endif
  :: atomic { cancelled && n_retry > 0 -> x = 0;
       do :: x < N && ms[x] != RETRY -> x++ :: else -> break od;
       SET(x, CANCELLED); x = 0 }
#endif
#if SKIPS > 0
  :: atomic { skips < SKIPS -> skips++; gone[0] = true }
#endif
  :: n_pending == 0 && n_retry == 0 && n_unknown == 0 -> break
  od
}

/* After every transaction: counters equal a recount, and nothing is called sent that was not
 * accepted. At the end nothing is left (an invalid end state otherwise). */
#if N == 3
#define CNT(s) ((ms[0] == s) + (ms[1] == s) + (ms[2] == s))
#else
#define CNT(s) ((ms[0] == s) + (ms[1] == s))
#endif
#define COUNT_OK (n_pending == CNT(PENDING) && n_retry == CNT(RETRY) && n_unknown == CNT(UNKNOWN) \
  && n_sent == CNT(SENT) && n_final == CNT(FINAL) && n_failed == CNT(FAILED) \
  && n_skipped == CNT(SKIPPED) && n_cancelled == CNT(CANCELLED))
#define HONEST (!(ms[0] == SENT && accepted[0] == 0) && !(ms[1] == SENT && accepted[1] == 0))
#ifdef PRECISE /* with its journal, a message never started never ends as unknown */
#define EXACT (!(ms[0] == FINAL && !begun[0]) && !(ms[1] == FINAL && !begun[1]))
#else
#define EXACT true
#endif
proctype Check() {
end:
  atomic { !(COUNT_OK && HONEST && EXACT) -> assert(false) }
}

init {
  byte i;
  atomic {
    do :: i < N -> c[0].items[i] = i; i++ :: else -> break od;
    c[0].st = READY; c[0].n = N; c[0].owner = NOBODY; j[0].ch = NOBODY; j[1].ch = NOBODY; i = 0;
    run Sender(0); run Sender(1); run Keeper(); run Check()
  }
}
