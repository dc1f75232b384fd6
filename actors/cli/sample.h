/*
 * sample — a contact list as people's spreadsheets are: many countries and scripts, and mistakes.
 *
 * Pure: the same number gives the same rows, for ever. Telephone numbers are of ranges set aside
 * for fiction where a country has one, and mail addresses of domains that belong to nobody.
 */
#ifndef FAN_CLI_SAMPLE_H
#define FAN_CLI_SAMPLE_H

#include "proto/buffer.h"
#include "proto/err.h"

#include <stdio.h>

struct fan_sample_name {
    const char *native; /* as its bearer writes it */
    const char *ascii;  /* as it stands in a mail address */
};

enum { FAN_SAMPLE_NAMES = 6, FAN_SAMPLE_CITIES = 3, FAN_SAMPLE_ROWS = 12000 };

struct fan_sample_country {
    const char *code;     /* "FR" */
    const char *language; /* "fr" */
    const char *phone;    /* international form, '#' stands for a digit: "+33 6 39 98 ## ##" */
    uint32_t phones;      /* how many numbers that form has */
    struct fan_sample_name first[FAN_SAMPLE_NAMES], last[FAN_SAMPLE_NAMES];
    const char *cities[FAN_SAMPLE_CITIES];
};

extern const struct fan_sample_country fan_sample_countries[]; /* ends with code NULL */

/* What is wrong with a row. */
enum fan_sample_flaw {
    FAN_SAMPLE_FINE,
    FAN_SAMPLE_NO_PHONE,
    FAN_SAMPLE_NO_EMAIL,
    FAN_SAMPLE_BAD_PHONE,
    FAN_SAMPLE_BAD_EMAIL,
    FAN_SAMPLE_NOBODY,    /* nothing to reach them by */
    FAN_SAMPLE_REPEATED,  /* an earlier row again, with the same external id */
    FAN_SAMPLE_TWIN,      /* somebody else with an earlier row's phone */
    FAN_SAMPLE_TOO_LONG,  /* more cells than columns */
    FAN_SAMPLE_TOO_SHORT, /* fewer */
    FAN_SAMPLE_QUOTES,    /* broken quoting */
    FAN_SAMPLE_LATIN_1,   /* not UTF-8 */
    FAN_SAMPLE_FLAWS,
};

enum fan_sample_flaw fan_sample_flaw_of(uint32_t row);

void fan_sample_header(struct fan_buffer *out);
/** Add row number @row, from 0, with its line end. */
void fan_sample_row(uint32_t row, struct fan_buffer *out);
/** Write a whole list. fails FAN_UNAVAILABLE */
enum fan_err fan_sample_write(uint32_t rows, FILE *to, struct fan_why *why) FAN_MUST_CHECK;

/** Write the country's form with the digits of @number, below country->phones. */
void fan_sample_phone(const struct fan_sample_country *country, uint32_t number, char *out,
        size_t room);

#endif
