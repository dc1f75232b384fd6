/*
 * db_error — what PostgreSQL's refusals ask of the caller.
 *
 * PostgreSQL quotes values in some of its texts (invalid input syntax for type integer: "…").
 * Values are people's data, so its text is passed on only for those classes of errors that speak of
 * our statements and of the server's state.
 */
#include "sql/db_private.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

struct rule {
    const char *prefix; /* of the SQLSTATE; the first match holds */
    enum fan_err err;
    bool tell; /* pass PostgreSQL's text on */
};

static const struct rule rules[] = {
    { "40", FAN_CONFLICT, true },       /* deadlock, serialisation failure */
    { "26000", FAN_CONFLICT, true },    /* no such prepared statement: it is made again */
    { "08", FAN_UNAVAILABLE, true },    /* connection */
    { "25006", FAN_UNAVAILABLE, true }, /* the server became a standby */
    { "25P03", FAN_UNAVAILABLE, true }, /* we were idle for too long inside a transaction */
    { "53", FAN_UNAVAILABLE, true },    /* disk full, too many connections, out of memory */
    { "55", FAN_UNAVAILABLE, true },    /* lock not available in time, object in use */
    { "57", FAN_UNAVAILABLE, true },    /* time-out, shutdown, crash of another session */
    { "58", FAN_UNAVAILABLE, true },    /* the server's files */
    { "XX", FAN_UNAVAILABLE, false },   /* internal; among them "tuple concurrently updated" */
    { "42", FAN_INVALID, true },        /* the statement does not fit the schema */
    { "", FAN_INVALID, false },
};

static const char *field_of(const PGresult *result, int field)
{
    const char *text = PQresultErrorField(result, field);

    return text ? text : "";
}

static const char *state_of(const PGresult *result)
{
    return field_of(result, PG_DIAG_SQLSTATE);
}

bool fan_db_result_ok(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

bool fan_db_result_fatal(const PGresult *result)
{
    const char *severity = field_of(result, PG_DIAG_SEVERITY_NONLOCALIZED);

    return strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0;
}

bool fan_db_result_lost(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_BAD_RESPONSE ||
            (status == PGRES_FATAL_ERROR && *state_of(result) == '\0');
}

/* A plan whose columns changed under it has no SQLSTATE of its own. */
static bool is_changed_plan(const PGresult *result)
{
    return strcmp(state_of(result), "0A000") == 0 &&
            strcmp(field_of(result, PG_DIAG_SOURCE_FUNCTION), "RevalidateCachedQuery") == 0;
}

bool fan_db_result_stale(const PGresult *result)
{
    return strcmp(state_of(result), "26000") == 0 || is_changed_plan(result);
}

static const struct rule *rule_for(const char *state)
{
    const struct rule *rule = rules;

    while (strncmp(state, rule->prefix, strlen(rule->prefix)) != 0)
        rule++;
    return rule;
}

/* The line of @sql that the server points at; it counts characters, from 1. */
static int line_of(const PGresult *result, const char *sql)
{
    long position = strtol(field_of(result, PG_DIAG_STATEMENT_POSITION), NULL, 10);
    int line = 1;

    for (; *sql && position > 1; sql++) {
        line += *sql == '\n';
        position -= ((unsigned char)sql[1] & 0xc0) != 0x80; /* a character ends here */
    }
    return line;
}

static enum fan_err judge_constraint(const PGresult *result, const char *name, struct fan_why *why)
{
    const char *constraint = field_of(result, PG_DIAG_CONSTRAINT_NAME);

    if (!*constraint)
        constraint = field_of(result, PG_DIAG_COLUMN_NAME); /* not null */
    return fan_fail_field(why, FAN_INVALID, constraint,
            "%s: the constraint on %s refused a row (%s)", name, constraint, state_of(result));
}

enum fan_err fan_db_judge(const PGresult *result, const char *name, const char *sql,
        struct fan_why *why)
{
    const char *state = state_of(result);
    const struct rule *rule = rule_for(state);
    const char *text = field_of(result, PG_DIAG_MESSAGE_PRIMARY);

    if (is_changed_plan(result))
        return fan_fail(why, FAN_CONFLICT, "%s: a table changed under it (%s)", name, state);
    if (strncmp(state, "23", 2) == 0)
        return judge_constraint(result, name, why);
    if (!rule->tell)
        return fan_fail(why, rule->err, "%s: the server refused it (%s)", name, state);
    if (sql && *field_of(result, PG_DIAG_STATEMENT_POSITION))
        return fan_fail(why, rule->err, "%s, line %d: %s (%s)", name, line_of(result, sql), text,
                state);
    return fan_fail(why, rule->err, "%s: %s (%s)", name, text, state);
}
