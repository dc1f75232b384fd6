/*
 * phone — telephone numbers as people write them, made E.164.
 *
 * source  ITU-T E.164; the numbering plans are libphonenumber's
 */
#ifndef FAN_ACTORS_LIB_PERSON_PHONE_H
#define FAN_ACTORS_LIB_PERSON_PHONE_H

#include "proto/bytes.h"
#include "proto/err.h"

enum {
    FAN_PHONE_TEXT = 20,    /* room for an E.164 number with its NUL */
    FAN_PHONE_WRITTEN = 40, /* room for one as people write it, with its NUL */
};

struct fan_phone {
    char e164[FAN_PHONE_TEXT]; /* "+14155552671" */
    bool doubtful; /* the length is right, but no such range is known: plans grow faster than the
                      tables. Worth a warning, no more */
};

/**
 * Read a number.
 *
 * raw      as a person wrote it; extensions are cut off
 * country  two letters, where a number without country code belongs; "": nowhere, such a number is
 *          refused
 * fails    FAN_INVALID  it cannot be anybody's number; the text says why
 */
enum fan_err fan_phone_normalise(struct fan_bytes raw, const char *country, struct fan_phone *out,
        struct fan_why *why) FAN_MUST_CHECK;

/** Write an E.164 number as people do, as within its country ("(415) 555-2671") or from elsewhere
 * ("+1 415-555-2671"); false: it is none. */
bool fan_phone_write(struct fan_bytes e164, bool national, char out[FAN_PHONE_WRITTEN]);

/** Whether there is a country of that name ("US") that numbers can belong to. */
bool fan_phone_country(const char *country);

#endif
