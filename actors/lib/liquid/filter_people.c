/*
 * What a message to a person needs and Liquid does not have.
 */
#include "actors/lib/liquid/filters.h"

#include "actors/lib/liquid/locale.h"
#include "actors/lib/liquid/number.h"
#include "actors/lib/person/phone.h"

/* phone, phone: "national", phone: "e164"; what is no number stays as it is. */
bool fan_filter_phone(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_bytes text = fan_exec_text(exec, args[0]);
    struct fan_bytes style = count > 1 ? fan_exec_text(exec, args[1]) : FAN_LIT("international");
    bool national = fan_bytes_eq_text(style, "national");
    char number[FAN_PHONE_WRITTEN];

    *out = args[0];
    if (!national && !fan_bytes_eq_text(style, "international") &&
            !fan_bytes_eq_text(style, "e164"))
        return fan_exec_fail(exec, FAN_INVALID, "phone knows national, international and e164");
    if (fan_bytes_eq_text(style, "e164") || !fan_phone_write(text, national, number))
        return true;
    *out = fan_value_text(fan_bytes_dup(fan_bytes_of(number), exec->arena));
    return fan_exec_spend(exec, 100);
}

/* Whether @text is a decimal number, as money is written. */
static bool is_amount(struct fan_bytes text)
{
    size_t digits = 0, points = 0;

    for (size_t i = 0; i < text.len; i++) {
        digits += text.at[i] >= '0' && text.at[i] <= '9';
        points += text.at[i] == '.';
    }
    return digits && digits < 30 && points < 2 && digits + points + (*text.at == '-') == text.len;
}

/* money: currency, locale */
bool fan_filter_money(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_bytes amount = fan_exec_text(exec, args[0]), currency = fan_exec_text(exec, args[1]);
    struct fan_bytes locale = count > 2 ? fan_exec_text(exec, args[2]) : exec->input->locale;

    *out = args[0];
    if (!is_amount(amount))
        return true;
    if (!fan_locale_money(&exec->machine->locale, amount, currency, locale, fan_exec_scratch(exec)))
        return fan_exec_fail(exec, FAN_INVALID, "there is no currency \"%.*s\"",
                (int)(currency.len < 40 ? currency.len : 40), currency.at);
    return fan_exec_take(exec, out) && fan_exec_spend(exec, 20);
}

/* plural: one, other, few: …; # in the text is the number */
bool fan_filter_plural(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_value number = fan_number_of(args[0]), named, form = args[1];
    struct fan_bytes shown = fan_exec_text(exec, args[0]), text;
    const char *category = fan_locale_plural(&exec->machine->locale, shown, exec->input->locale);
    struct fan_buffer *buffer;

    (void)number;
    named = fan_filter_named(args, count, category);
    if (named.type != FAN_VALUE_NIL)
        form = named;
    else if (strcmp(category, "one") != 0 && count > 2 && args[2].type != FAN_VALUE_MAP)
        form = args[2];
    text = fan_exec_text(exec, form);
    buffer = fan_exec_scratch(exec);
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] == '#')
            fan_buffer_add_bytes(buffer, shown);
        else
            fan_buffer_add_char(buffer, text.at[i]);
    return fan_exec_take(exec, out) && fan_exec_spend(exec, 10);
}
