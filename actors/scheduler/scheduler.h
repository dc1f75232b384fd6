/*
 * scheduler — what its files share.
 */
#ifndef FAN_ACTORS_SCHEDULER_SCHEDULER_H
#define FAN_ACTORS_SCHEDULER_SCHEDULER_H

#include "actors/lib/decide/start.h"
#include "actors/lib/decide/turns.h"
#include "actors/lib/decide/window.h"
#include "broker/runtime/actor.h"
#include "broker/runtime/db_watch.h"
#include "sql/store/run.h"

struct scheduler_settings {
    uint32_t sweep_ms;         /* how often every live run is looked at */
    uint32_t window;           /* chunks of one run on their way at once */
    uint32_t window_all;       /* chunks of all runs */
    uint32_t ask_again_ms;     /* what was asked and has not moved is asked again */
    uint32_t look_up_after_ms; /* unknowns are asked for at their provider */
    uint32_t unknown_wait_ms;  /* unknowns wait for evidence so long, unless their campaign says */
    uint32_t unknown_wait_mail_ms;
    uint32_t depose_ms;          /* a leader that is silent for so long is replaced */
    uint32_t keep_events;        /* days */
    bool trust_failover;         /* a promoted standby lacks nothing */
    uint32_t late_start_grace_s; /* how late a campaign may start by itself, unless it says */
    uint32_t pause_dead_minute;  /* so many messages that die within a minute pause their run */
    uint32_t pause_dead_percent; /* or such a part of all its recipients' */
    uint32_t pause_dead_least;   /* if that are no fewer */
    const char *control_user;    /* owns the tables: makes partitions */
};

/* What is remembered of a live run between two looks. */
struct live {
    fan_id account, run;
    struct fan_window *window;
    fan_time resolve_asked; /* elapsed, or a page came of it; 0: not yet */
    fan_time lost_asked;    /* elapsed */
    uint64_t round;         /* the sweep that saw it last */
    uint32_t wants;         /* chunks that it had when it was looked at last, at most its window */
    uint32_t share;         /* chunks that it may have on its way in this sweep */
    bool announced;         /* its campaign is known to be running */
    fan_time told_stop;     /* elapsed: senders were told to stop; 0: not yet */
};

struct scheduler {
    struct fan_actor *actor;
    struct fan_db *lock; /* stays idle but for the leader's lock */
    struct fan_db *control;
    struct fan_db *statistics; /* the owner's as well: nobody waits while tables are read */
    struct fan_db_watch *statistics_watch;
    fan_time statistics_at;   /* elapsed: not before */
    struct fan_timer *waking; /* a sweep is about to run because something happened */
    fan_time waking_at;       /* elapsed: when */
    fan_time depose_at;       /* elapsed: when the leader's silence is next looked at */
    struct live *runs;        /* runs[count], in no order */
    size_t count, room;
    uint64_t round;
    uint64_t turn;      /* counts sweeps: another run is first each time */
    fan_time deaths_at; /* elapsed, when deaths are next counted */
    fan_time upkeep_at; /* elapsed, when partitions and old events are next looked after */
    struct fan_clock_watch clock;
    fan_time site_told; /* elapsed: when it was told that this cannot be known */
    struct fan_metric *live_runs, *leader, *asked_again, *taken_back, *paused;
    bool leading;
    bool statistics_asked; /* and not gathered yet */
    bool starts_held;      /* the database's clock was put forward a moment ago */
    bool site_known;       /* since we lead it was looked whether this database is a copy */
    bool stopped;          /* nothing may be sent: the kill switch, or this database is held */
};

/** Look at one run: ask for what is due, take back what expired, end it when nothing is left. One
 * turn. */
void scheduler_look(struct scheduler *self, struct live *live, const struct fan_run_live *row);

/** Take back what a worker that is gone had claimed and not begun, in one run. */
void scheduler_worker_gone(struct scheduler *self, const struct live *live, uint64_t worker);

/** Look whether this database is a copy that must be confirmed; sets site_known. */
void scheduler_check_site(struct scheduler *self);

/** Read what holds for the whole installation. */
void scheduler_read_control(struct scheduler *self);

/** Sweep soon, once for all that happens within a moment. */
void scheduler_wake(struct scheduler *self);

/** Launch scheduled campaigns whose time has come. */
void scheduler_launch_due(struct scheduler *self);

/** Pause runs of which too many messages died. */
void scheduler_count_deaths(struct scheduler *self);

/** Ask for the imports that wait: a frame may have been lost, or their worker died. */
void scheduler_ask_imports(struct scheduler *self);

/** Fail the uploads that broke off together with the gateway that received them. */
void scheduler_end_uploads(struct scheduler *self);

/** Gather the statistics of tables that have grown by far, in the background. */
void scheduler_statistics(struct scheduler *self);

/** Partitions ahead, old events dropped. */
void scheduler_upkeep(struct scheduler *self);

#endif
