/*
 * site — what tells one installation's database from any other.
 */
#ifndef FAN_PROTO_SITE_H
#define FAN_PROTO_SITE_H

#include "proto/bytes.h"
#include "proto/time.h"

/* What tells a database from others. What is not known, 0 or absent, is not compared. */
struct fan_site {
    struct fan_bytes id;      /* drawn when it was first used */
    int64_t system;           /* of its PostgreSQL cluster, drawn by initdb */
    int64_t timeline;         /* counts promotions and recoveries to an earlier time */
    int64_t database, tables; /* PostgreSQL's numbers of the database and of a table of ours */
    fan_time files_at;        /* when the cluster's PG_VERSION came to be where it is */
    struct fan_bytes machine; /* on which it is, when it is on ours */
    int64_t position;         /* how much was written to its log; only grows */
};

/* What this host noted of the database that it worked with last. */
struct fan_site_seen {
    struct fan_bytes id; /* absent: it has worked with none */
    int64_t timeline, position;
};

#endif
