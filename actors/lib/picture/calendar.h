/*
 * calendar — days counted, and the calendars that festivals are kept by. Pure.
 *
 * A day is its Julian day number at noon: 2451545 is 2000-01-01.
 */
#ifndef FAN_LIB_PICTURE_CALENDAR_H
#define FAN_LIB_PICTURE_CALENDAR_H

#include <stdbool.h>

long fan_julian_day(int year, int month, int day);
void fan_julian_split(long day, int *year, int *month, int *of_month);

/** Western Easter. source: the anonymous Gregorian algorithm (Meeus, Astronomical Algorithms) */
long fan_julian_easter(int year);
/** Orthodox Easter. source: Meeus' Julian algorithm */
long fan_julian_orthodox_easter(int year);

/** A day of Hebrew @year; see dates.h for months. source: Dershowitz, Reingold */
long fan_julian_hebrew(int year, int month, int day);
/** A day of the tabular Islamic calendar (leap years 2, 5, 7, 10, 13, 16, 18, 21, 24, 26, 29). */
long fan_julian_hijri(int year, int month, int day);

/** The first new (or full) moon at or after a Julian date with fraction, in UTC; within minutes.
 * source: Meeus, Astronomical Algorithms, chapter 49, its larger terms */
double fan_moon_after(double from, bool full);

#endif
