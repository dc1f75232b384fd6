/*
 * row — a record of a contact list, made fit to be a contact. Pure.
 *
 * Cells are trimmed; numbers become E.164, addresses comparable. What cannot be used is left out
 * with a warning as long as something remains that says who it is; otherwise the row is rejected.
 */
#ifndef FAN_ACTORS_AUDIENCE_ROW_H
#define FAN_ACTORS_AUDIENCE_ROW_H

#include "actors/lib/person/csv.h"
#include "sql/store/contact_upsert.h"

/* Where a column goes: enum fan_contact_column, or one of these. */
enum row_target {
    ROW_NOWHERE = -1,
    ROW_TAGS = FAN_COLUMN_COUNT,
    ROW_ATTRIBUTES, /* the first attribute; the second is one more, … */
};

enum { ROW_LETTERS = 26 };

/* How to read the records of one import. */
struct row_plan {
    struct fan_arena *arena; /* where rows and what was wrong with them go */
    char delimiter;
    size_t columns;
    int *targets; /* targets[columns] */
    struct fan_texts attributes;
    char default_country[3];
    signed char countries[ROW_LETTERS][ROW_LETTERS]; /* 1: numbers belong there; -1: none; 0: not
                                                        asked yet */
};

/** Plan to read records with @import's columns. */
void row_plan_init(struct row_plan *plan, const struct fan_import_held *import,
        struct fan_arena *arena);

/* A person as one row says. Absent texts: it says nothing. */
struct row {
    struct fan_bytes columns[FAN_COLUMN_COUNT];
    struct fan_bytes *attributes; /* attributes[plan->attributes.len] */
    struct fan_bytes tags;        /* names, between commas, semicolons or bars */
};

/* What was wrong with rows: at[len]. */
struct row_errors {
    struct fan_import_error *at;
    size_t len, room;
};

/** Read a record; what is wrong with it is added to @errors. false: it is rejected. */
bool row_read(struct row_plan *plan, const struct fan_csv_record *record, struct row *out,
        struct row_errors *errors);

#endif
