/*
 * date — instants as people write them, and as they want to read them. Pure.
 */
#ifndef FAN_ACTORS_LIB_LIQUID_DATE_H
#define FAN_ACTORS_LIB_LIQUID_DATE_H

#include "proto/buffer.h"
#include "proto/time.h"

struct fan_moment {
    fan_time at;
    int32_t offset; /* seconds east of UTC, for reading */
    char zone[16];  /* its short name: "UTC", "IST"; "": it has none */
};

/**
 * Read a date: "2026-11-20", RFC 3339, RFC 2822, "20 Nov 2026 10:15 pm", "March 14, 2016",
 * "14.3.2016", a number of seconds since 1970, "now", "today". Without a zone it is UTC, without a
 * date it is that of @now.
 *
 * Returns false when @text is none.
 */
bool fan_date_read(struct fan_bytes text, fan_time now, struct fan_moment *out);

/** Write @moment as Ruby's strftime does, flags and widths included. */
void fan_date_write(const struct fan_moment *moment, struct fan_bytes format,
        struct fan_buffer *out);

struct fan_day {
    int64_t year;
    int month, day;       /* from 1 */
    int weekday, yearday; /* from 0, Sunday; from 0 */
};

/** The day of so many days after 1970-01-01. */
struct fan_day fan_day_of(int64_t days);
int64_t fan_days_to(int64_t year, int month, int day);

extern const char *const fan_month_names[12];
extern const char *const fan_weekday_names[7];

#endif
