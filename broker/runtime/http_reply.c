#include "broker/runtime/http_reply.h"

#include "broker/runtime/http_client.h"

#include <stdio.h>
#include <time.h>

enum { HOUR_MS = 3600 * 1000 };

struct fan_bytes fan_http_header_find(struct fan_bytes headers, const char *name)
{
    struct fan_bytes wanted = fan_bytes_of(name);
    struct fan_bytes found = FAN_NO_BYTES;

    while (headers.at) {
        struct fan_bytes line, field, value;

        headers = fan_bytes_split(headers, '\n', &line);
        if (line.len <= wanted.len || line.at[wanted.len] != ':')
            continue;
        value = fan_bytes_split(line, ':', &field);
        if (fan_bytes_eq_nocase(field, wanted))
            found = fan_bytes_trim(value);
    }
    return found;
}

struct fan_bytes fan_http_reply_header(const struct fan_http_reply *reply, const char *name)
{
    return fan_http_header_find(reply->headers, name);
}

static bool read_date(struct fan_bytes value, fan_time *out)
{
    static const char *const forms[] = {
        "%a, %d %b %Y %H:%M:%S GMT", /* what everybody sends */
        "%A, %d-%b-%y %H:%M:%S GMT", /* RFC 850 */
        "%a %b %e %H:%M:%S %Y",      /* asctime */
    };
    char text[64];

    if (value.len >= sizeof(text))
        return false;
    snprintf(text, sizeof(text), "%.*s", FAN_BYTES_ARG(value));
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct tm parts = { 0 };
        const char *end = strptime(text, forms[i], &parts);

        if (end && *end == '\0') {
            *out = timegm(&parts) * FAN_SECOND;
            return true;
        }
    }
    return false;
}

/* More seconds than a number holds are a number all the same. */
static bool is_digits(struct fan_bytes value)
{
    size_t i = 0;

    while (i < value.len && value.at[i] >= '0' && value.at[i] <= '9')
        i++;
    return value.len > 0 && i == value.len;
}

int64_t fan_http_retry_after(struct fan_bytes value, fan_time now)
{
    int64_t seconds, wait_ms;
    fan_time at;

    if (fan_bytes_i64(value, &seconds)) {
        if (seconds < 0)
            return -1;
        return seconds > HOUR_MS / 1000 ? HOUR_MS : seconds * 1000;
    }
    if (is_digits(value))
        return HOUR_MS;
    if (!read_date(value, &at))
        return -1;
    wait_ms = (at - now) / FAN_MS;
    return wait_ms < 0 ? 0 : wait_ms > HOUR_MS ? HOUR_MS : wait_ms;
}
