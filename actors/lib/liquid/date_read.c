/*
 * Reading: the time of day is found first, then the zone behind it, then the date in what is left.
 */
#include "actors/lib/liquid/date.h"

#include "actors/lib/liquid/scan.h"

#include <stdio.h>

enum { TEXT_MAX = 128 };

const char *const fan_month_names[12] = { "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December" };
const char *const fan_weekday_names[7] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday",
    "Friday", "Saturday" };

/* What is known of a date; -1: nothing. */
struct parts {
    int64_t year;
    int month, day, hour, minute, second, micro, offset;
    bool has_year, has_offset;
    char zone[16];
};

/* ---- the calendar (source: Hinnant, chrono-compatible low-level date algorithms) ---- */

int64_t fan_days_to(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct fan_day fan_day_of(int64_t days)
{
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);
    int64_t year = yoe + era * 400 + (month <= 2);

    return (struct fan_day){
        .year = year,
        .month = month,
        .day = (int)(doy - (153 * mp + 2) / 5 + 1),
        .weekday = (int)(((days + 4) % 7 + 7) % 7),
        .yearday = (int)(days - fan_days_to(year, 1, 1)),
    };
}

/* ---- pieces of text ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Digits at @at, at most @most of them; returns how many. */
static int number(const char *at, int most, int *out)
{
    int len = 0;

    for (*out = 0; len < most && is_digit(at[len]); len++)
        *out = *out * 10 + (at[len] - '0');
    return len;
}

/* The month or weekday that a word begins like; -1: none. Three letters suffice. */
static int named(const char *word, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (lower(word[0]) == lower(names[i][0]) && lower(word[1]) == names[i][1] &&
                lower(word[2]) == names[i][2])
            return i;
    return -1;
}

static bool word_starts(const char *text, const char *at)
{
    return at == text || !fan_scan_is_word(at[-1]);
}

/* ---- zones ---- */

static const char *read_offset(const char *at, struct parts *out)
{
    int hours, minutes = 0, len = number(at + 1, 2, &hours);
    const char *rest = at + 1 + len;

    if (len == 0)
        return at;
    if (*rest == ':')
        rest++;
    rest += number(rest, 2, &minutes);
    out->offset = (*at == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    out->has_offset = true;
    return rest;
}

static const char *read_zone(const char *at, struct parts *out)
{
    static const struct {
        const char *name;
        int hours;
    } zones[] = { { "utc", 0 }, { "gmt", 0 }, { "est", -5 }, { "edt", -4 }, { "cst", -6 },
        { "cdt", -5 }, { "mst", -7 }, { "mdt", -6 }, { "pst", -8 }, { "pdt", -7 }, { "z", 0 } };

    while (*at == ' ')
        at++;
    if ((*at == '+' || *at == '-') && is_digit(at[1]))
        return read_offset(at, out);
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        size_t len = strlen(zones[i].name);

        if (strncasecmp(at, zones[i].name, len) != 0 || fan_scan_is_word(at[len]))
            continue;
        out->offset = zones[i].hours * 3600;
        out->has_offset = true;
        for (size_t k = 0; k < len && len > 1; k++)
            out->zone[k] = (char)(at[k] & ~0x20);
        if (len == 1)
            memcpy(out->zone, "UTC", 4);
        at += len;
        return (*at == '+' || *at == '-') && is_digit(at[1]) ? read_offset(at, out) : at;
    }
    return at;
}

/* ---- the time of day ---- */

static const char *read_fraction(const char *at, struct parts *out)
{
    int scale = 100000;

    if ((*at != '.' && *at != ',') || !is_digit(at[1]))
        return at;
    for (at++; is_digit(*at); at++, scale /= 10)
        out->micro += (*at - '0') * scale;
    return at;
}

static const char *read_half(const char *at, struct parts *out)
{
    const char *word = at;

    while (*word == ' ')
        word++;
    if ((lower(*word) != 'a' && lower(*word) != 'p') || lower(word[1]) != 'm' ||
            fan_scan_is_word(word[2]))
        return at;
    out->hour = out->hour % 12 + (lower(*word) == 'p' ? 12 : 0);
    return word + 2;
}

/* hh:mm[:ss[.frac]] [am] [zone], blanked out once read. */
static void read_time(char *text, struct parts *out)
{
    for (char *at = text; *at; at++) {
        const char *end;
        int len = word_starts(text, at) || (at > text && lower(at[-1]) == 't')
                ? number(at, 2, &out->hour)
                : 0;

        if (!len)
            continue;
        if (at[len] == ':' && is_digit(at[len + 1])) {
            end = at + len + 1;
            end += number(end, 2, &out->minute);
            if (*end == ':' && is_digit(end[1])) {
                end += 1;
                end += number(end, 2, &out->second);
                end = read_fraction(end, out);
            }
            end = read_half(end, out);
        } else {
            end = read_half(at + len, out); /* "10 pm" */
            if (end == at + len)
                continue;
        }
        end = read_zone(end, out);
        if (at > text && lower(at[-1]) == 't')
            at--;
        memset(at, ' ', (size_t)(end - at));
        return;
    }
    out->hour = -1;
}

/* ---- the date ---- */

static int64_t full_year(int year, int digits)
{
    return digits > 2 ? year : year + (year < 69 ? 2000 : 1900);
}

static void set_year(struct parts *out, int year, int digits)
{
    out->year = full_year(year, digits);
    out->has_year = true;
}

/* 2016-03-14, 2016/3/14, 14.3.2016, and years of two digits in front. */
static bool read_numbers(const char *text, struct parts *out)
{
    for (const char *at = text; *at; at++) {
        int a, b, c, m, n, k;

        if (!is_digit(*at) || !word_starts(text, at))
            continue;
        m = number(at, 6, &a);
        if (!strchr("-/.", at[m]) || !at[m] || !is_digit(at[m + 1]))
            continue;
        n = number(at + m + 1, 2, &b);
        if (at[m + 1 + n] != at[m])
            continue;
        k = number(at + m + n + 2, 6, &c);
        if (!k)
            continue;
        set_year(out, k > 2 ? c : a, k > 2 ? k : m);
        out->month = b;
        out->day = k > 2 ? a : c;
        return true;
    }
    return false;
}

/* 101530 or 1015 behind 20160314T */
static void read_compact_time(const char *at, struct parts *out)
{
    int value, len = number(at, 6, &value);

    if (len != 4 && len != 6)
        return;
    out->second = len == 6 ? value % 100 : 0;
    value /= len == 6 ? 100 : 1;
    out->minute = value % 100;
    out->hour = value / 100;
    read_zone(at + len, out);
}

/* 20160314, 20160314T101530Z */
static bool read_digits(const char *text, struct parts *out)
{
    for (const char *at = text; *at; at++) {
        int len = 0, all;

        while (is_digit(at[len]))
            len++;
        if (len != 8 || !word_starts(text, at)) {
            at += len ? len - 1 : 0;
            continue;
        }
        number(at, 8, &all);
        set_year(out, all / 10000, 4);
        out->month = all / 100 % 100;
        out->day = all % 100;
        if (lower(at[8]) == 't')
            read_compact_time(at + 9, out);
        return true;
    }
    return false;
}

static bool is_letter(char c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}

/* The day that stands before a month's name: 14, 14th. */
static bool before_day(const char *text, const char *month, int *day)
{
    const char *at = month, *end;

    while (at > text && strchr(" ,-./", at[-1]))
        at--;
    if (at - text >= 3 && is_letter(at[-1]) && is_letter(at[-2]) && is_digit(at[-3]))
        at -= 2;
    end = at;
    while (at > text && is_digit(at[-1]))
        at--;
    return at < end && end - at <= 2 && number(at, 2, day);
}

/* 14 March 2016, March 14, 2016, 14-Mar-16, March 2016 */
static bool read_month(const char *text, struct parts *out)
{
    for (const char *at = text; at[0] && at[1] && at[2]; at++) {
        int month = word_starts(text, at) || is_digit(at[-1]) ? named(at, fan_month_names, 12) : -1;
        int value, len;

        if (month < 0)
            continue;
        out->month = month + 1;
        bool day = before_day(text, at, &out->day);
        while (*at && !is_digit(*at))
            at++;
        len = number(at, 6, &value);
        if (!day && len > 0 && len <= 2) {
            out->day = value;
            for (at += len; *at && !is_digit(*at);)
                at++;
            len = number(at, 6, &value);
        }
        if (len > 0)
            set_year(out, value, len);
        return true;
    }
    return false;
}

static bool has_weekday(const char *text)
{
    for (const char *at = text; at[0] && at[1] && at[2]; at++)
        if (word_starts(text, at) && named(at, fan_weekday_names, 7) >= 0)
            return true;
    return false;
}

/* ---- together ---- */

static bool complete(struct parts *parts, fan_time now, bool dated, struct fan_moment *out)
{
    int64_t seconds = now / FAN_SECOND;
    struct fan_day today = fan_day_of((seconds - ((seconds % 86400) + 86400) % 86400) / 86400);

    if (!parts->has_year)
        parts->year = today.year;
    if (!dated)
        parts->month = today.month, parts->day = today.day;
    if (!parts->month)
        parts->month = 1;
    if (!parts->day)
        parts->day = 1;
    if (parts->month > 12 || parts->hour > 24 || parts->minute > 59 || parts->second > 60 ||
            parts->year > 9999 || parts->day > 31) /* 30 February is 2 March, as Ruby has it */
        return false;
    if (parts->hour < 0)
        parts->hour = 0;
    out->at = (fan_days_to(parts->year, parts->month, parts->day) * 86400 + parts->hour * 3600 +
                      parts->minute * 60 + parts->second - parts->offset) *
                    FAN_SECOND +
            parts->micro;
    out->offset = parts->offset;
    memcpy(out->zone, parts->zone, sizeof out->zone);
    if (!parts->has_offset)
        memcpy(out->zone, "UTC", 4);
    return true;
}

static bool read_seconds(struct fan_bytes text, struct fan_moment *out)
{
    int64_t seconds;

    for (size_t i = 0; i < text.len; i++)
        if (!is_digit(text.at[i]))
            return false;
    if (!fan_bytes_i64(text, &seconds) || seconds > INT64_C(253402300799))
        return false;
    *out = (struct fan_moment){ .at = seconds * FAN_SECOND, .zone = "UTC" };
    return true;
}

bool fan_date_read(struct fan_bytes text, fan_time now, struct fan_moment *out)
{
    struct parts parts = { 0 };
    char copy[TEXT_MAX + 4] = { 0 };
    bool dated;

    text = fan_scan_trim(text);
    if (!text.len || text.len > TEXT_MAX || memchr(text.at, '\0', text.len))
        return false;
    if (fan_bytes_eq_nocase(text, FAN_LIT("now")) || fan_bytes_eq_nocase(text, FAN_LIT("today"))) {
        *out = (struct fan_moment){ .at = now, .zone = "UTC" };
        return true;
    }
    if (read_seconds(text, out))
        return true;
    memcpy(copy, text.at, text.len);
    read_time(copy, &parts);
    dated = read_numbers(copy, &parts) || read_month(copy, &parts) || read_digits(copy, &parts);
    if (!dated && parts.hour < 0 && !has_weekday(copy))
        return false;
    return complete(&parts, now, dated, out);
}
