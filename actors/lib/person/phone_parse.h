/*
 * phone_parse — libphonenumber, as C sees it.
 */
#ifndef FAN_ACTORS_LIB_PERSON_PHONE_PARSE_H
#define FAN_ACTORS_LIB_PERSON_PHONE_PARSE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum fan_phone_verdict {
    FAN_PHONE_VALID,
    FAN_PHONE_POSSIBLE,   /* the length is right, the range is not known */
    FAN_PHONE_NO_NUMBER,  /* nothing that could be read as one */
    FAN_PHONE_NO_COUNTRY, /* no country code, or one that does not exist */
    FAN_PHONE_LOCAL,      /* an area code is missing */
    FAN_PHONE_SHORT,
    FAN_PHONE_LONG,
    FAN_PHONE_LENGTH, /* between two lengths that exist */
    FAN_PHONE_BROKEN, /* the library threw */
};

/** Parse text[len]; @e164 (with its NUL, e164[size]) is written for the first two verdicts. */
enum fan_phone_verdict fan_phone_parse(const char *text, size_t len, const char *country,
        char *e164, size_t size);

/** Write the number text[len], which begins with +, for its own country or for all others; 0: it is
 * none, or out[size] is too small. */
int fan_phone_format(const char *text, size_t len, int national, char *out, size_t size);

/** Whether there are numbers in @country ("US"). */
int fan_phone_has_country(const char *country);

#ifdef __cplusplus
}
#endif

#endif
