#include "actors/lib/person/phone.h"

#include "actors/lib/person/phone_parse.h"

enum { RAW_CAP = 128 }; /* bytes */

static const char *reason(enum fan_phone_verdict verdict)
{
    switch (verdict) {
    case FAN_PHONE_NO_COUNTRY:
        return "the number has no known country code";
    case FAN_PHONE_LOCAL:
        return "the number lacks its area code";
    case FAN_PHONE_SHORT:
        return "the number is too short";
    case FAN_PHONE_LONG:
        return "the number is too long";
    case FAN_PHONE_LENGTH:
        return "no number of that country has this length";
    default:
        return "this is not a telephone number";
    }
}

enum fan_err fan_phone_normalise(struct fan_bytes raw, const char *country, struct fan_phone *out,
        struct fan_why *why)
{
    struct fan_bytes text = fan_bytes_trim(raw);
    enum fan_phone_verdict verdict = FAN_PHONE_NO_NUMBER;

    if (text.len > 0 && text.len <= RAW_CAP && fan_bytes_utf8(text))
        verdict = fan_phone_parse(text.at, text.len, country, out->e164, sizeof(out->e164));
    if (verdict > FAN_PHONE_POSSIBLE)
        return fan_fail(why, FAN_INVALID, "%s", reason(verdict));
    out->doubtful = verdict == FAN_PHONE_POSSIBLE;
    return FAN_OK;
}

bool fan_phone_write(struct fan_bytes e164, bool national, char out[FAN_PHONE_WRITTEN])
{
    return e164.len > 1 && e164.len < FAN_PHONE_TEXT && *e164.at == '+' &&
            fan_phone_format(e164.at, e164.len, national, out, FAN_PHONE_WRITTEN);
}

bool fan_phone_country(const char *country)
{
    return fan_phone_has_country(country);
}
