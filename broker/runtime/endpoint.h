/*
 * endpoint — the addresses that a broker derives from its one base address, known to both sides.
 *
 *   base ipc:///run/fanfare/broker   takes <base>.in  publishes <base>.pub  bus <base>.bus
 *                                    worker n: <base>.w<n>
 *   base tcp://10.0.0.1:5550         ports +0, +1, +2; worker n: +10+n
 */
#ifndef FAN_RUNTIME_ENDPOINT_H
#define FAN_RUNTIME_ENDPOINT_H

#include "proto/bytes.h"
#include "proto/err.h"

enum fan_endpoint {
    FAN_ENDPOINT_IN,     /* the broker's PULL: whatever goes to one worker, and to the broker */
    FAN_ENDPOINT_PUB,    /* the broker's XSUB: actors' news */
    FAN_ENDPOINT_BUS,    /* the broker's XPUB: everybody's news */
    FAN_ENDPOINT_WORKER, /* the broker's PUSH for one worker */
};

enum {
    FAN_ENDPOINT_TEXT = 128, /* room for an endpoint with its NUL */
    FAN_BROKERS_MAX = 8,     /* in one list */
};

/**
 * Name one of a broker's endpoints.
 *
 * worker  n of a worker's endpoint; otherwise 0
 * fails   FAN_INVALID  @base is no ipc:// path or tcp:// host and port that has room for it
 */
enum fan_err fan_endpoint_name(struct fan_bytes base, enum fan_endpoint which, uint32_t worker,
        char out[FAN_ENDPOINT_TEXT], struct fan_why *why) FAN_MUST_CHECK;

/** How many workers' endpoints a broker can have at one time below @base. */
uint32_t fan_endpoint_workers(struct fan_bytes base);

/**
 * The endpoint that a broker @named, as seen by who reaches that broker at @base: a broker that
 * listens on every interface ("tcp://0.0.0.0:5560") does not know by what name it is reached.
 */
void fan_endpoint_seen_from(struct fan_bytes base, struct fan_bytes named,
        char out[FAN_ENDPOINT_TEXT]);

#endif
