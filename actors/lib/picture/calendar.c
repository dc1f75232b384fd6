#include "actors/lib/picture/calendar.h"

#include <math.h>

/* source: Fliegel and Van Flandern, 1968 */
long fan_julian_day(int year, int month, int day)
{
    long a = (14 - month) / 12, y = year + 4800 - a, m = month + 12 * a - 3;

    return day + (153 * m + 2) / 5 + 365 * y + y / 4 - y / 100 + y / 400 - 32045;
}

void fan_julian_split(long day, int *year, int *month, int *of_month)
{
    long a = day + 32044, b = (4 * a + 3) / 146097, c = a - 146097 * b / 4;
    long d = (4 * c + 3) / 1461, e = c - 1461 * d / 4, m = (5 * e + 2) / 153;

    *of_month = (int)(e - (153 * m + 2) / 5 + 1);
    *month = (int)(m + 3 - 12 * (m / 10));
    *year = (int)(100 * b + d - 4800 + m / 10);
}

long fan_julian_easter(int year)
{
    int a = year % 19, b = year / 100, c = year % 100;
    int h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    int l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    int m = (a + 11 * h + 22 * l) / 451;
    int n = h + l - 7 * m + 114;

    return fan_julian_day(year, n / 31, n % 31 + 1);
}

long fan_julian_orthodox_easter(int year)
{
    int d = (19 * (year % 19) + 15) % 30;
    int e = (2 * (year % 4) + 4 * (year % 7) - d + 34) % 7;
    int n = d + e + 114;
    int century = year / 100;

    return fan_julian_day(year, n / 31, n % 31 + 1) + century - century / 4 - 2;
}

/* ---- Hebrew ---- */

static bool is_hebrew_leap(int year)
{
    return (7 * year + 1) % 19 < 7;
}

/* Days from the epoch to the first of Tishri, before and after the postponements. */
static long hebrew_elapsed(int year)
{
    long months = (235L * year - 234) / 19, parts = 12084 + 13753 * months;
    long day = 29 * months + parts / 25920;

    return 3 * (day + 1) % 7 < 3 ? day + 1 : day;
}

static long hebrew_new_year(int year)
{
    long before = hebrew_elapsed(year - 1), now = hebrew_elapsed(year);
    long after = hebrew_elapsed(year + 1);
    int delay = after - now == 356 ? 2 : now - before == 382 ? 1 : 0;

    return 347998 + now + delay;
}

static int hebrew_month_days(int year, int month)
{
    long length = hebrew_new_year(year + 1) - hebrew_new_year(year);

    switch (month) {
    case 8: /* Marheshvan */
        return length % 10 == 5 ? 30 : 29;
    case 9: /* Kislev */
        return length % 10 == 3 ? 29 : 30;
    case 12: /* Adar, or Adar I */
        return is_hebrew_leap(year) ? 30 : 29;
    case 2:
    case 4:
    case 6:
    case 10:
    case 13:
        return 29;
    default:
        return 30;
    }
}

long fan_julian_hebrew(int year, int month, int day)
{
    int last = is_hebrew_leap(year) ? 13 : 12;
    long at = hebrew_new_year(year);

    if (month == 12)
        month = last;
    for (int m = 7; m != month; m = m == last ? 1 : m + 1)
        at += hebrew_month_days(year, m);
    return at + day - 1;
}

/* ---- Islamic ---- */

long fan_julian_hijri(int year, int month, int day)
{
    return day + (59L * (month - 1) + 1) / 2 + (year - 1) * 354L + (3L + 11 * year) / 30 + 1948439;
}

/* ---- the moon ---- */

static double sine(double degrees)
{
    return sin(degrees * 3.14159265358979 / 180);
}

/* The @k-th moon since January 2000; half of it is full. */
static double moon(double k, bool full)
{
    double t = k / 1236.85;
    double sun = 2.5534 + 29.10535670 * k, mean = 201.5643 + 385.81693528 * k;
    double node = 160.7108 + 390.67050284 * k, e = 1 - 0.002516 * t;
    double at = 2451550.09766 + 29.530588861 * k + 0.00015437 * t * t;

    at += (full ? -0.40614 : -0.40720) * sine(mean) + (full ? 0.17302 : 0.17241) * e * sine(sun);
    at += (full ? 0.01614 : 0.01608) * sine(2 * mean) + 0.01040 * sine(2 * node);
    at += 0.00737 * e * sine(mean - sun) - 0.00515 * e * sine(mean + sun);
    at += 0.00208 * e * e * sine(2 * sun) - 0.00111 * sine(mean - 2 * node);
    at += -0.00057 * sine(mean + 2 * node) + 0.00056 * e * sine(2 * mean + sun);
    return at - 69.0 / 86400; /* from dynamical to universal time, about now */
}

double fan_moon_after(double from, bool full)
{
    double k = floor((from - 2451550.1) / 29.530588861) - 1 + (full ? 0.5 : 0);
    double at = moon(k, full);

    while (at < from)
        at = moon(++k, full);
    return at;
}
