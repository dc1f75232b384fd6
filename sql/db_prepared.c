/*
 * db_prepared — which statements a connection has prepared.
 *
 * The parameter types belong to a prepared statement, so a query that is used with other types (an
 * untyped null first, a number later) is prepared once more, under another name.
 */
#include "sql/db_private.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_ROOM = 64 };

struct fan_prepared {
    struct fan_prepared *next;
    const struct fan_query *query;
    uint32_t serial;
    int count;
    uint32_t types[]; /* type[count] */
};

static const struct fan_args no_args;

static const struct fan_args *args_of(const struct fan_ask *ask)
{
    return ask->args ? ask->args : &no_args;
}

static struct fan_prepared **bucket_of(struct fan_db *db, const struct fan_query *query)
{
    uint64_t hash = (uint64_t)(uintptr_t)query * UINT64_C(0x9e3779b97f4a7c15);

    return &db->prepared[hash >> 58]; /* FAN_DB_BUCKETS is 2^6 */
}

static bool fits(const struct fan_prepared *made, const struct fan_args *args)
{
    if (made->count != args->count)
        return false;
    for (int i = 0; i < args->count; i++) {
        if (args->types[i] != 0 && args->types[i] != made->types[i])
            return false; /* an untyped null goes with any type */
    }
    return true;
}

static const struct fan_prepared *find(struct fan_db *db, const struct fan_ask *ask)
{
    const struct fan_prepared *made = *bucket_of(db, ask->query);

    while (made && (made->query != ask->query || !fits(made, args_of(ask))))
        made = made->next;
    return made;
}

static const struct fan_prepared *remember(struct fan_db *db, const struct fan_ask *ask)
{
    const struct fan_args *args = args_of(ask);
    struct fan_prepared **bucket = bucket_of(db, ask->query);
    struct fan_prepared *made = malloc(sizeof *made + sizeof *made->types * (size_t)args->count);

    if (!made)
        fan_die("out of memory: a prepared statement");
    *made = (struct fan_prepared){
        .next = *bucket,
        .query = ask->query,
        .serial = ++db->last_serial,
        .count = args->count,
    };
    memcpy(made->types, args->types, sizeof *made->types * (size_t)args->count);
    *bucket = made;
    return made;
}

/* The serial makes it unique; the query's name is for people who look at pg_prepared_statements. */
static void name_of(const struct fan_ask *ask, char out[NAME_ROOM])
{
    snprintf(out, NAME_ROOM, "%.40s.%u", ask->query->name, ask->serial);
}

bool fan_db_send_parse(struct fan_db *db, struct fan_ask *ask)
{
    const struct fan_prepared *made = find(db, ask);
    char name[NAME_ROOM];

    ask->parsed = 0;
    if (made) {
        ask->serial = made->serial;
        return true;
    }
    made = remember(db, ask);
    ask->serial = ask->parsed = made->serial;
    name_of(ask, name);
    return PQsendPrepare(db->pg, name, ask->query->sql, made->count, made->types) == 1;
}

bool fan_db_send_execute(struct fan_db *db, const struct fan_ask *ask)
{
    const struct fan_args *args = args_of(ask);
    int binary[FAN_ARGS_MAX];
    char name[NAME_ROOM];

    for (int i = 0; i < args->count; i++)
        binary[i] = 1;
    name_of(ask, name);
    return PQsendQueryPrepared(db->pg, name, args->count, args->values, args->lengths, binary, 1) ==
            1;
}

void fan_db_forget(struct fan_db *db, uint32_t serial)
{
    for (int i = 0; i < FAN_DB_BUCKETS; i++) {
        for (struct fan_prepared **at = &db->prepared[i]; *at; at = &(*at)->next) {
            struct fan_prepared *made = *at;
            if (made->serial != serial)
                continue;
            *at = made->next;
            free(made);
            return;
        }
    }
}

void fan_db_forget_all(struct fan_db *db)
{
    for (int i = 0; i < FAN_DB_BUCKETS; i++) {
        while (db->prepared[i]) {
            struct fan_prepared *made = db->prepared[i];
            db->prepared[i] = made->next;
            free(made);
        }
    }
}
