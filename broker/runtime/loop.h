/*
 * loop — one thread waits for sockets, timers and signals, and calls back. It is CZMQ's zloop.
 *
 * Callbacks run one at a time; a callback may add and remove anything, itself included.
 */
#ifndef FAN_RUNTIME_LOOP_H
#define FAN_RUNTIME_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct fan_loop;
struct fan_watch; /* a socket being watched */
struct fan_timer;

enum { FAN_READABLE = 1, FAN_WRITABLE = 2 };

typedef void fan_watch_fn(void *context, int fd,
        int ready /* FAN_READABLE | FAN_WRITABLE; errors count as both */);
typedef void fan_timer_fn(void *context);

struct fan_loop *fan_loop_new(void);
void fan_loop_free(struct fan_loop **loop);

/** Watch @fd until unwatched; close it only afterwards. */
struct fan_watch *fan_loop_watch(struct fan_loop *loop, int fd, int events, fan_watch_fn *fn,
        void *context);
void fan_loop_watch_events(struct fan_watch *watch, int events);
void fan_loop_unwatch(struct fan_watch **watch);

/** Call once after @delay_ms, or every @interval_ms. The pointer is good until it fired (once) or
 * was cancelled. */
struct fan_timer *fan_loop_after(struct fan_loop *loop, uint32_t delay_ms, fan_timer_fn *fn,
        void *context);
struct fan_timer *fan_loop_every(struct fan_loop *loop, uint32_t interval_ms, fan_timer_fn *fn,
        void *context);
void fan_loop_cancel(struct fan_timer **timer);

/** Call @fn once, when the callback that is running has returned. */
void fan_loop_soon(struct fan_loop *loop, fan_timer_fn *fn, void *context);

/** Run until fan_loop_stop. */
void fan_loop_run(struct fan_loop *loop);
void fan_loop_stop(struct fan_loop *loop);

#endif
