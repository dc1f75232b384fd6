/*
 * Days are counted in eras of 400 years that begin on the first of March, so that the leap day is
 * the last day of its year and months have a closed form.
 */
#include "proto/time.h"

#include <stdio.h>

enum { DAYS_PER_ERA = 146097, DAYS_TO_1970 = 719468 };

struct date {
    int64_t year;
    unsigned month; /* 1–12 */
    unsigned day;   /* 1–31 */
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t days_of(struct date date)
{
    int64_t year = date.month > 2 ? date.year : date.year - 1;
    int64_t era = floor_div(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t month = (date.month + 9) % 12; /* March is 0 */
    int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
}

static struct date date_of(int64_t days)
{
    int64_t shifted = days + DAYS_TO_1970;
    int64_t era = floor_div(shifted, DAYS_PER_ERA);
    int64_t day = shifted - era * DAYS_PER_ERA;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* March is 0 */

    return (struct date){
        .year = year + era * 400 + (month >= 10),
        .month = (unsigned)(month < 10 ? month + 3 : month - 9),
        .day = (unsigned)(day_of_year - (153 * month + 2) / 5 + 1),
    };
}

const char *fan_time_text(fan_time at, char out[FAN_TIME_TEXT])
{
    int64_t seconds = floor_div(at, FAN_SECOND);
    int64_t days = floor_div(seconds, 86400);
    int fraction = (int)((at % FAN_SECOND + FAN_SECOND) % FAN_SECOND);
    int of_day = (int)(seconds - days * 86400);
    struct date date = date_of(days);
    int len = snprintf(out, FAN_TIME_TEXT, "%04lld-%02u-%02uT%02d:%02d:%02d", (long long)date.year,
            date.month, date.day, of_day / 3600, of_day / 60 % 60, of_day % 60);

    if (fraction)
        len += snprintf(out + len, FAN_TIME_TEXT - (size_t)len, ".%06d", fraction);
    snprintf(out + len, FAN_TIME_TEXT - (size_t)len, "Z");
    return out;
}

/* Reading takes what it read off the front of the text. */

static bool take_char(struct fan_bytes *text, char c)
{
    if (!text->len || text->at[0] != c)
        return false;
    text->at++;
    text->len--;
    return true;
}

static bool take_digit(struct fan_bytes *text, unsigned *digit)
{
    if (!text->len || text->at[0] < '0' || text->at[0] > '9')
        return false;
    *digit = (unsigned)(text->at[0] - '0');
    text->at++;
    text->len--;
    return true;
}

static bool take_number(struct fan_bytes *text, int digits, unsigned *out)
{
    unsigned digit;

    for (*out = 0; digits > 0; digits--) {
        if (!take_digit(text, &digit))
            return false;
        *out = *out * 10 + digit;
    }
    return true;
}

static unsigned days_in(unsigned year, unsigned month)
{
    static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

static bool take_date(struct fan_bytes *text, int64_t *days)
{
    unsigned year, month, day;

    if (!take_number(text, 4, &year) || !take_char(text, '-') || !take_number(text, 2, &month) ||
            !take_char(text, '-') || !take_number(text, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in(year, month))
        return false;
    *days = days_of((struct date){ year, month, day });
    return true;
}

/* Second 60 is a leap second, which our scale does not have: it falls on the next second. */
static bool take_clock(struct fan_bytes *text, int64_t *seconds)
{
    unsigned hour, minute, second;

    if (!take_number(text, 2, &hour) || !take_char(text, ':') || !take_number(text, 2, &minute) ||
            !take_char(text, ':') || !take_number(text, 2, &second))
        return false;
    *seconds = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second <= 60;
}

/* Digits behind the sixth are cut off. */
static bool take_fraction(struct fan_bytes *text, int64_t *micros)
{
    unsigned digit;
    int64_t unit = 100000;

    *micros = 0;
    if (!take_char(text, '.'))
        return true;
    if (!take_digit(text, &digit))
        return false;
    do {
        *micros += digit * unit;
        unit /= 10;
    } while (take_digit(text, &digit));
    return true;
}

static bool take_zone(struct fan_bytes *text, int64_t *seconds)
{
    bool east = take_char(text, '+');
    unsigned hours, minutes;

    *seconds = 0;
    if (!east && (take_char(text, 'Z') || take_char(text, 'z')))
        return true;
    if (!east && !take_char(text, '-'))
        return false;
    if (!take_number(text, 2, &hours) || !take_char(text, ':') || !take_number(text, 2, &minutes))
        return false;
    *seconds = (int64_t)(hours * 3600 + minutes * 60) * (east ? 1 : -1);
    return hours < 24 && minutes < 60;
}

bool fan_time_parse(struct fan_bytes text, fan_time *out)
{
    int64_t days, seconds, micros, zone;

    if (!take_date(&text, &days) || !(take_char(&text, 'T') || take_char(&text, 't')))
        return false;
    if (!take_clock(&text, &seconds) || !take_fraction(&text, &micros) ||
            !take_zone(&text, &zone) || text.len)
        return false;
    *out = (days * 86400 + seconds - zone) * FAN_SECOND + micros;
    return true;
}
