/*
 * dates — when a festival is, by a rule. Pure.
 *
 * A rule is one of
 *   fixed MM-DD              a day of the Gregorian calendar
 *   weekday N WDAY MM        the Nth (1 to 5, -1: the last) mon … sun of a month
 *   after MM-DD WDAY         the first mon … sun from that day on
 *   easter +D                days after Western Easter
 *   orthodox +D              days after Orthodox Easter
 *   hebrew MM-DD             month 1 is Nisan, 7 Tishri; Adar is 12, the second one in a leap year
 *   hijri MM-DD              by the tabular Islamic calendar
 *   newmoon MM-DD +D ±H      D days after the first new moon from that day on, H hours east of UTC
 *   fullmoon MM-DD +D ±H     the same of the full moon
 *   any                      no day: each has their own
 *
 * Where sight of the moon or priests decide (hijri, newmoon, fullmoon), the day may be off by one,
 * seldom by more: fan_date_rule.about.
 */
#ifndef FAN_LIB_PICTURE_DATES_H
#define FAN_LIB_PICTURE_DATES_H

#include "proto/bytes.h"
#include "proto/err.h"

enum fan_date_kind {
    FAN_DATE_FIXED = 1,
    FAN_DATE_WEEKDAY,
    FAN_DATE_AFTER,
    FAN_DATE_EASTER,
    FAN_DATE_ORTHODOX,
    FAN_DATE_HEBREW,
    FAN_DATE_HIJRI,
    FAN_DATE_NEW_MOON,
    FAN_DATE_FULL_MOON,
    FAN_DATE_ANY,
};

struct fan_date_rule {
    enum fan_date_kind kind;
    int month, day;
    int nth, weekday; /* of WEEKDAY and AFTER; 0 is Sunday */
    int offset;       /* days */
    int hours;        /* east of UTC, of the moons */
    bool about;
};

struct fan_date {
    int year, month, day; /* Gregorian */
};

/** fails FAN_INVALID: the text says what is wrong. */
enum fan_err fan_date_rule_read(struct fan_bytes text, struct fan_date_rule *out,
        struct fan_why *why) FAN_MUST_CHECK;

/** The first day by this rule that is not before @from (years 1900 to 2200); all zero for "any". */
struct fan_date fan_date_next(const struct fan_date_rule *rule, struct fan_date from);

#endif
