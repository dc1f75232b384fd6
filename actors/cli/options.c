#include "actors/cli/options.h"

static const struct fan_option *find(const struct fan_option *table, struct fan_bytes name)
{
    for (; table->type != FAN_OPTION_END; table++) {
        if (fan_bytes_eq_text(name, table->name))
            return table;
    }
    return NULL;
}

static void append(struct fan_texts *list, struct fan_bytes text, struct fan_arena *arena)
{
    struct fan_bytes *grown = fan_arena_array(arena, list->len + 1, sizeof(*grown));

    for (size_t i = 0; i < list->len; i++)
        grown[i] = list->at[i];
    grown[list->len] = text;
    *list = (struct fan_texts){ grown, list->len + 1 };
}

static enum fan_err store(const struct fan_option *option, struct fan_bytes value, void *to,
        struct fan_arena *arena, struct fan_why *why)
{
    int64_t number;

    switch (option->type) {
    case FAN_OPTION_NUMBER:
        if (!fan_bytes_i64(value, &number) || number < 0 || number > UINT32_MAX)
            return fan_fail_field(why, FAN_INVALID, option->name,
                    "--%s is \"%.*s\", but must be a whole number", option->name,
                    FAN_BYTES_ARG(value));
        *(uint32_t *)to = (uint32_t)number;
        break;
    case FAN_OPTION_TEXT:
        *(const char **)to = fan_bytes_cstr(value, arena);
        break;
    case FAN_OPTION_TEXTS:
        append(to, value, arena);
        break;
    default:
        *(bool *)to = true;
    }
    return FAN_OK;
}

enum fan_err fan_options_read(const struct fan_option *table, void *into, int count, char **words,
        struct fan_texts *arguments, struct fan_arena *arena, struct fan_why *why)
{
    bool ended = false;

    for (int i = 0; i < count; i++) {
        struct fan_bytes word = fan_bytes_of(words[i]), name, value;
        const struct fan_option *option;

        if (ended || !fan_bytes_starts(word, FAN_LIT("--"))) {
            append(arguments, word, arena);
            continue;
        }
        ended = word.len == 2;
        if (ended)
            continue;
        value = fan_bytes_split((struct fan_bytes){ word.at + 2, word.len - 2 }, '=', &name);
        option = find(table, name);
        if (!option)
            return fan_fail(why, FAN_INVALID, "there is no option --%.*s", FAN_BYTES_ARG(name));
        if (value.at && option->type == FAN_OPTION_FLAG)
            return fan_fail(why, FAN_INVALID, "--%s takes no value", option->name);
        if (!value.at && option->type != FAN_OPTION_FLAG && ++i < count)
            value = fan_bytes_of(words[i]);
        if (!value.at && option->type != FAN_OPTION_FLAG)
            return fan_fail(why, FAN_INVALID, "--%s wants a value: %s", option->name,
                    option->value);
        enum fan_err err = store(option, value, (char *)into + option->offset, arena, why);
        if (err)
            return err;
    }
    return FAN_OK;
}
