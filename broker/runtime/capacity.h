/*
 * capacity — how a worker divides, in one lane, the frames it can hold among the brokers.
 *
 * What the brokers may send and what is in flight never exceed the capacity, except that every live
 * broker may always send one frame: frames that a broker holds must not wait for another broker's
 * share to be used. Totals only grow, so that a lost or repeated credit frame does no harm. Pure.
 */
#ifndef FAN_RUNTIME_CAPACITY_H
#define FAN_RUNTIME_CAPACITY_H

#include "broker/runtime/endpoint.h"

struct fan_capacity_line { /* one broker */
    bool live;
    uint64_t came;     /* frames since hello */
    uint64_t finished; /* of those */
    uint64_t told;     /* total last granted */
};

struct fan_capacity {
    uint32_t frames;  /* frames that the worker can hold; 0: it takes none */
    uint64_t orphans; /* frames in flight whose broker has forgotten us */
    struct fan_capacity_line line[FAN_BROKERS_MAX];
};

/** A frame came from @broker. */
void fan_capacity_came(struct fan_capacity *capacity, int broker);

/** A frame is done with, whosever it was. Returns the broker whose credit it gives back, or -1. */
int fan_capacity_finished(struct fan_capacity *capacity);

/** The broker counts from zero: what is in flight belongs to nobody any more. */
void fan_capacity_forgotten(struct fan_capacity *capacity, int broker);

/** The broker fell silent or came back. A silent one's unused grant is free for the others. */
void fan_capacity_live(struct fan_capacity *capacity, int broker, bool live);

/** The total to grant @broker now; remembered as told. */
uint64_t fan_capacity_grant(struct fan_capacity *capacity, int broker);

/** Whether half of a broker's share has come back since it was told. */
bool fan_capacity_is_due(const struct fan_capacity *capacity, int broker);

#endif
