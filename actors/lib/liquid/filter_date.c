#include "actors/lib/liquid/filters.h"

#include "actors/lib/liquid/date.h"
#include "actors/lib/liquid/locale.h"

/* What a value says of an instant; false: nothing. */
static bool moment_of(struct fan_exec *exec, struct fan_value value, struct fan_moment *out)
{
    if (value.type != FAN_VALUE_INT)
        return value.type == FAN_VALUE_TEXT &&
                fan_date_read(fan_value_bytes(value), exec->input->now, out);
    if (value.integer > INT64_C(253402300799) || value.integer < INT64_C(-62167219200))
        return false;
    *out = (struct fan_moment){ .at = value.integer * FAN_SECOND, .zone = "UTC" };
    return true;
}

bool fan_filter_date(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_bytes format = fan_exec_text(exec, args[1]);
    struct fan_moment moment;

    (void)count;
    *out = args[0];
    if (!format.len || !moment_of(exec, args[0], &moment))
        return true;
    fan_date_write(&moment, format, fan_exec_scratch(exec));
    return fan_exec_take(exec, out);
}

bool fan_filter_local_time(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_bytes format = fan_exec_text(exec, args[1]);
    struct fan_bytes zone = count > 2 ? fan_exec_text(exec, args[2]) : exec->input->zone;
    struct fan_moment moment;

    *out = args[0];
    if (!format.len || !moment_of(exec, args[0], &moment))
        return true;
    if (!zone.len)
        zone = FAN_LIT("UTC");
    if (!fan_locale_zone(&exec->machine->locale, zone, moment.at, &moment.offset, moment.zone))
        return fan_exec_fail(exec, FAN_INVALID, "there is no time zone \"%.*s\"",
                (int)(zone.len < 40 ? zone.len : 40), zone.at);
    fan_date_write(&moment, format, fan_exec_scratch(exec));
    return fan_exec_take(exec, out);
}
