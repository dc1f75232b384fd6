/*
 * decide/site — whether this is the database that people know, or a copy of it.
 *
 * Pure. A database that was restored, cloned or set back does not know what was sent since: it
 * would send it again. It must send nothing until a person confirms it.
 */
#ifndef FAN_ACTORS_LIB_DECIDE_SITE_H
#define FAN_ACTORS_LIB_DECIDE_SITE_H

#include "proto/site.h"

/**
 * Compare.
 *
 * confirmed       as it was when a person, or the first start, took it for the right one
 * trust_failover  a newer timeline is fine: standbys are synchronous, a promoted one lacks nothing.
 *                 Its files, those of a base backup, are another's: that is believed only of one
 *                 that this host knows and that lacks nothing of what this host has seen
 *
 * Returns why it must be confirmed, as a sentence for people; NULL when it is the one.
 */
const char *fan_site_differs(const struct fan_site *confirmed, const struct fan_site *now,
        const struct fan_site_seen *seen, bool trust_failover);

#endif
