#include "actors/lib/liquid/filters.h"

#include "actors/lib/liquid/locale.h"
#include "actors/lib/liquid/number.h"
#include "actors/lib/liquid/scan.h"

static bool give(struct fan_value *out, struct fan_bytes text)
{
    *out = fan_value_text(text);
    return true;
}

bool fan_filter_integer(struct fan_exec *exec, struct fan_value value, int64_t *out)
{
    return fan_integer_of(value, out) || fan_exec_fail(exec, FAN_INVALID, "not an integer");
}

/* ---- put together ---- */

static bool joined(struct fan_exec *exec, struct fan_value a, struct fan_value b,
        struct fan_value *out)
{
    struct fan_bytes first = fan_exec_text(exec, a), second = fan_exec_text(exec, b);
    struct fan_buffer *buffer = fan_exec_scratch(exec);
    bool safe = a.safe && b.safe;

    fan_buffer_add_bytes(buffer, first);
    fan_buffer_add_bytes(buffer, second);
    if (!fan_exec_take(exec, out))
        return false;
    out->safe = safe;
    return true;
}

bool fan_filter_append(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    (void)count;
    return joined(exec, args[0], args[1], out);
}

bool fan_filter_prepend(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    (void)count;
    return joined(exec, args[1], args[0], out);
}

/* ---- case ---- */

static bool cased(struct fan_exec *exec, char how, struct fan_value value, struct fan_value *out)
{
    struct fan_bytes text = fan_exec_text(exec, value);

    if (!fan_locale_case(how, text, fan_exec_scratch(exec)))
        return give(out, text);
    return fan_exec_take(exec, out);
}

bool fan_filter_upcase(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    (void)count;
    return cased(exec, 'u', args[0], out);
}

bool fan_filter_downcase(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    (void)count;
    return cased(exec, 'l', args[0], out);
}

bool fan_filter_capitalize(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_bytes text = fan_exec_text(exec, args[0]);
    size_t first = fan_text_prefix(text, 1);
    struct fan_value head, tail;

    (void)count;
    if (!cased(exec, 'u', fan_value_text((struct fan_bytes){ text.at, first }), &head) ||
            !cased(exec, 'l',
                    fan_value_text((struct fan_bytes){ text.at + first, text.len - first }), &tail))
        return false;
    return joined(exec, head, tail, out);
}

/* ---- white space ---- */

static struct fan_bytes stripped(struct fan_bytes text, bool front, bool end)
{
    while (front && text.len && (fan_scan_is_space(*text.at) || !*text.at))
        text.at++, text.len--;
    while (end && text.len && (fan_scan_is_space(text.at[text.len - 1]) || !text.at[text.len - 1]))
        text.len--;
    return text;
}

bool fan_filter_strip(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    (void)count;
    return give(out, stripped(fan_exec_text(exec, args[0]), true, true));
}

bool fan_filter_lstrip(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    (void)count;
    return give(out, stripped(fan_exec_text(exec, args[0]), true, false));
}

bool fan_filter_rstrip(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    (void)count;
    return give(out, stripped(fan_exec_text(exec, args[0]), false, true));
}

/* Line ends, with the CR before them, become @instead. */
static void replace_newlines(struct fan_bytes text, const char *instead, struct fan_buffer *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\r' && i + 1 < text.len && text.at[i + 1] == '\n')
            continue;
        if (text.at[i] == '\n')
            fan_buffer_add_text(out, instead);
        else
            fan_buffer_add_char(out, text.at[i]);
    }
}

bool fan_filter_strip_newlines(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_bytes text = fan_exec_text(exec, args[0]);

    (void)count;
    replace_newlines(text, "", fan_exec_scratch(exec));
    return fan_exec_take(exec, out);
}

/* In HTML the text is escaped first: the breaks are meant, the rest may be anything. */
bool fan_filter_newline_to_br(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    bool html = exec->input->escape == FAN_LIQUID_HTML;
    struct fan_value text = args[0];

    if (html && !args[0].safe && !fan_filter_escape(exec, args, count, &text))
        return false;
    struct fan_bytes lines = fan_exec_text(exec, text);
    replace_newlines(lines, "<br />\n", fan_exec_scratch(exec));
    if (!fan_exec_take(exec, out))
        return false;
    out->safe = html;
    return true;
}

/* ---- HTML ---- */

static size_t find_text(struct fan_bytes text, size_t from, struct fan_bytes what)
{
    const char *found =
            from <= text.len ? memmem(text.at + from, text.len - from, what.at, what.len) : NULL;

    return found ? (size_t)(found - text.at) : SIZE_MAX;
}

/* Where what begins at @at ends, if it goes as a whole: comments, scripts and styles do. */
static size_t block_end(struct fan_bytes text, size_t at, bool closed[3])
{
    static const struct {
        struct fan_bytes begin, end;
    } blocks[] = {
        { FAN_LIT("<script"), FAN_LIT("</script>") },
        { FAN_LIT("<!--"), FAN_LIT("-->") },
        { FAN_LIT("<style"), FAN_LIT("</style>") },
    };
    struct fan_bytes rest = { text.at + at, text.len - at };

    for (size_t i = 0; i < 3; i++) {
        size_t end;

        if (closed[i] || !fan_bytes_starts(rest, blocks[i].begin))
            continue;
        end = find_text(text, at + blocks[i].begin.len, blocks[i].end);
        if (end != SIZE_MAX)
            return end + blocks[i].end.len;
        closed[i] = true; /* there is no end any more: do not look again */
    }
    return 0;
}

static void strip_blocks(struct fan_bytes text, struct fan_buffer *out)
{
    bool closed[3] = { false };
    size_t from = 0;

    for (size_t at = 0; at < text.len;) {
        size_t end = text.at[at] == '<' ? block_end(text, at, closed) : 0;

        if (!end) {
            at++;
            continue;
        }
        fan_buffer_add(out, text.at + from, at - from);
        from = at = end;
    }
    if (from < text.len)
        fan_buffer_add(out, text.at + from, text.len - from);
}

bool fan_filter_strip_html(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_bytes text = fan_exec_text(exec, args[0]);
    struct fan_value rest;

    (void)count;
    strip_blocks(text, fan_exec_scratch(exec));
    if (!fan_exec_take(exec, &rest))
        return false;
    text = fan_value_bytes(rest);
    struct fan_buffer *buffer = fan_exec_scratch(exec);
    for (size_t at = 0; at < text.len;) {
        const char *open = memchr(text.at + at, '<', text.len - at);
        size_t from = open ? (size_t)(open - text.at) : text.len;
        const char *close = open ? memchr(open, '>', text.len - from) : NULL;

        fan_buffer_add(buffer, text.at + at, (close ? from : text.len) - at);
        at = close ? (size_t)(close - text.at) + 1 : text.len;
    }
    return fan_exec_take(exec, out);
}

/* ---- replace and remove ---- */

static bool replaced(struct fan_exec *exec, const struct fan_value *args, size_t count, bool all,
        struct fan_value *out)
{
    struct fan_bytes text = fan_exec_text(exec, args[0]), what = fan_exec_text(exec, args[1]);
    struct fan_bytes instead = count > 2 ? fan_exec_text(exec, args[2]) : FAN_LIT("");
    struct fan_buffer *buffer = fan_exec_scratch(exec);
    size_t at = 0;

    do {
        size_t found = find_text(text, at, what), step = 0;

        if (found == SIZE_MAX)
            break;
        fan_buffer_add(buffer, text.at + at, found - at);
        fan_buffer_add_bytes(buffer, instead);
        at = found + what.len;
        if (!what.len) /* between all characters */
            step = fan_text_prefix((struct fan_bytes){ text.at + at, text.len - at }, 1);
        if (!what.len && (!all || !step))
            break;
        fan_buffer_add(buffer, text.at + at, step);
        at += step;
    } while (all && !buffer->overflowed && (at < text.len || !what.len));
    if (at < text.len)
        fan_buffer_add(buffer, text.at + at, text.len - at);
    return fan_exec_take(exec, out);
}

bool fan_filter_replace(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    return replaced(exec, args, count, true, out);
}

bool fan_filter_replace_first(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    return replaced(exec, args, count, false, out);
}

bool fan_filter_replace_last(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_bytes text = fan_exec_text(exec, args[0]), what = fan_exec_text(exec, args[1]);
    struct fan_bytes instead = count > 2 ? fan_exec_text(exec, args[2]) : FAN_LIT("");
    struct fan_buffer *buffer = fan_exec_scratch(exec);
    size_t at;

    if (what.len > text.len)
        return give(out, text);
    for (at = text.len - what.len; at > 0 && memcmp(text.at + at, what.at, what.len) != 0;)
        at--;
    if (what.len && memcmp(text.at + at, what.at, what.len) != 0)
        return give(out, text);
    fan_buffer_add(buffer, text.at, at);
    fan_buffer_add_bytes(buffer, instead);
    fan_buffer_add(buffer, text.at + at + what.len, text.len - at - what.len);
    return fan_exec_take(exec, out);
}

bool fan_filter_remove(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    return replaced(exec, args, count, true, out);
}

bool fan_filter_remove_first(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    return replaced(exec, args, count, false, out);
}

bool fan_filter_remove_last(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    return fan_filter_replace_last(exec, args, count, out);
}

/* ---- parts ---- */

/* Make @from and @length places in what has @size of them; false: there are none. */
static bool cut(int64_t size, int64_t *from, int64_t *length)
{
    if (*from < 0)
        *from += size;
    if (*from < 0 || *from > size || *length < 0)
        return false;
    if (*length > size - *from)
        *length = size - *from;
    return true;
}

bool fan_filter_slice(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    int64_t from, length = 1;
    struct fan_bytes text;

    if (!fan_filter_integer(exec, args[1], &from) ||
            (count > 2 && fan_value_true(args[2]) && !fan_filter_integer(exec, args[2], &length)))
        return false;
    if (args[0].type == FAN_VALUE_LIST) {
        bool some = cut((int64_t)args[0].list->len, &from, &length);

        *out = fan_filter_list(exec, args[0].list->items + (some ? from : 0),
                some ? (size_t)length : 0);
        return true;
    }
    text = fan_exec_text(exec, args[0]);
    if (!cut((int64_t)fan_text_characters(text), &from, &length))
        return give(out, FAN_LIT(""));
    size_t skip = fan_text_prefix(text, (size_t)from);
    text.at += skip;
    text.len -= skip;
    text.len = fan_text_prefix(text, (size_t)length);
    return give(out, text) && fan_exec_spend(exec, skip / 64);
}

bool fan_filter_truncate(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_bytes text, ellipsis = FAN_LIT("...");
    int64_t length = 50, kept;

    if (args[0].type == FAN_VALUE_NIL)
        return true;
    if (count > 1 && !fan_filter_integer(exec, args[1], &length))
        return false;
    if (count > 2)
        ellipsis = fan_exec_text(exec, args[2]);
    text = fan_exec_text(exec, args[0]);
    if ((int64_t)fan_text_characters(text) <= length)
        return give(out, text);
    kept = length - (int64_t)fan_text_characters(ellipsis);
    text.len = fan_text_prefix(text, kept < 0 ? 0 : (size_t)kept);
    struct fan_buffer *buffer = fan_exec_scratch(exec);
    fan_buffer_add_bytes(buffer, text);
    fan_buffer_add_bytes(buffer, ellipsis);
    return fan_exec_take(exec, out);
}

/* The next word of @rest, which then begins behind it and the space that follows. */
static struct fan_bytes next_word(struct fan_bytes *rest)
{
    struct fan_bytes word = { rest->at, 0 };

    while (word.len < rest->len && !fan_scan_is_space(word.at[word.len]) && word.at[word.len])
        word.len++;
    rest->at += word.len;
    rest->len -= word.len;
    *rest = stripped(*rest, true, false);
    return word;
}

bool fan_filter_truncatewords(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_bytes text, rest, ellipsis = FAN_LIT("...");
    struct fan_buffer *buffer;
    int64_t words = 15;
    bool more = false;

    if (args[0].type == FAN_VALUE_NIL)
        return true;
    if (count > 1 && !fan_filter_integer(exec, args[1], &words))
        return false;
    if (words > INT32_MAX - 1)
        return fan_exec_fail(exec, FAN_INVALID, "too many words for truncatewords");
    if (count > 2)
        ellipsis = fan_exec_text(exec, args[2]);
    text = fan_exec_text(exec, args[0]);
    rest = stripped(text, true, false);
    buffer = fan_exec_scratch(exec);
    words = words > 0 ? words : 1;
    for (int64_t i = 0; i < words && rest.len; i++) {
        struct fan_bytes word = next_word(&rest);

        fan_buffer_add_text(buffer, i ? " " : "");
        fan_buffer_add_bytes(buffer, word);
        more = i + 1 == words && word.at + word.len < text.at + text.len;
    }
    if (!more) /* a space behind the last word counts as a word */
        return give(out, text);
    fan_buffer_add_bytes(buffer, ellipsis);
    return fan_exec_take(exec, out);
}

/* ---- split ---- */

/* The next piece of @rest; with a single space as @by at any white space, with nothing as @by
 * characters. */
static struct fan_bytes next_piece(struct fan_bytes *rest, struct fan_bytes by)
{
    struct fan_bytes piece = *rest;
    size_t found;

    if (by.len == 1 && *by.at == ' ')
        return next_word(rest);
    found = by.len ? find_text(*rest, 0, by) : fan_text_prefix(*rest, 1);
    if (found == SIZE_MAX) {
        *rest = FAN_NO_BYTES;
        return piece;
    }
    piece.len = found;
    rest->at += found + by.len;
    rest->len -= found + by.len;
    return piece;
}

bool fan_filter_split(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_bytes text = fan_exec_text(exec, args[0]), by = fan_exec_text(exec, args[1]), rest;
    struct fan_value *items;
    size_t len = 0, room = 0;

    (void)count;
    if (by.len == 1 && *by.at == ' ')
        text = stripped(text, true, false);
    for (rest = text; rest.len; room++)
        next_piece(&rest, by);
    if (!fan_exec_spend(exec, room))
        return false;
    items = fan_arena_array(exec->arena, room, sizeof *items);
    for (rest = text; rest.len;)
        items[len++] = fan_value_text(next_piece(&rest, by));
    while (len && !items[len - 1].len)
        len--;
    *out = fan_filter_list(exec, items, len);
    return true;
}
