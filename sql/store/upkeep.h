/*
 * store/upkeep — what the owner of the tables does now and then.
 */
#ifndef FAN_SQL_STORE_UPKEEP_H
#define FAN_SQL_STORE_UPKEEP_H

#include "sql/db.h"

/** Gather statistics of one table that has grown by far since they were last gathered, if there is
 * one, so that plans fit it. Adds to a batch; the only column of the answer is the table. */
void fan_upkeep_add_analyze(struct fan_batch *batch);

#endif
