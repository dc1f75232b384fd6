#include "actors/lib/liquid/scan.h"

bool fan_scan_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool fan_scan_is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static struct fan_bytes without_front(struct fan_bytes text)
{
    while (text.len && fan_scan_is_space(*text.at))
        text.at++, text.len--;
    return text;
}

static struct fan_bytes without_end(struct fan_bytes text)
{
    while (text.len && (fan_scan_is_space(text.at[text.len - 1]) || !text.at[text.len - 1]))
        text.len--;
    return text;
}

struct fan_bytes fan_scan_trim(struct fan_bytes text)
{
    return without_end(without_front(text));
}

void fan_scan_begin(struct fan_scan *scan, struct fan_bytes source)
{
    *scan = (struct fan_scan){ .rest = source, .line = 1 };
}

void fan_scan_begin_lines(struct fan_scan *scan, struct fan_bytes source, uint32_t line)
{
    *scan = (struct fan_scan){ .rest = source, .line = line, .lines = true };
}

/* Take @len bytes off the front. */
static struct fan_bytes take(struct fan_scan *scan, size_t len)
{
    struct fan_bytes taken = { scan->rest.at, len };

    for (size_t i = 0; i < len; i++)
        scan->line += taken.at[i] == '\n';
    scan->rest.at += len;
    scan->rest.len -= len;
    return taken;
}

/* Where @what stands in @text from @from on, or the text's end. */
static size_t find(struct fan_bytes text, size_t from, const char what[2])
{
    while (from + 1 < text.len) {
        const char *found = memchr(text.at + from, what[0], text.len - 1 - from);

        if (!found)
            break;
        from = (size_t)(found - text.at);
        if (found[1] == what[1])
            return from;
        from++;
    }
    return text.len;
}

static bool opens(struct fan_bytes text, size_t at)
{
    return at + 1 < text.len && text.at[at] == '{' &&
            (text.at[at + 1] == '{' || text.at[at + 1] == '%');
}

static void text_piece(struct fan_scan *scan, struct fan_piece *out)
{
    size_t end = 0;

    while (end < scan->rest.len && !opens(scan->rest, end)) {
        const char *brace = memchr(scan->rest.at + end + 1, '{', scan->rest.len - end - 1);
        end = brace ? (size_t)(brace - scan->rest.at) : scan->rest.len;
    }
    out->type = FAN_PIECE_TEXT;
    out->text = take(scan, end);
    if (scan->trim)
        out->text = without_front(out->text);
    scan->trim = false;
    if (scan->rest.len > 2 && scan->rest.at[2] == '-')
        out->text = without_end(out->text);
}

/* The inside of a tag or output without its braces and dashes. */
static struct fan_bytes inside(struct fan_scan *scan, struct fan_bytes whole)
{
    struct fan_bytes text = { whole.at + 2, whole.len - 4 };

    scan->trim = whole.at[whole.len - 3] == '-' && whole.len > 4;
    if (text.len && *text.at == '-')
        text.at++, text.len--;
    if (text.len && text.at[text.len - 1] == '-')
        text.len--;
    return text;
}

/* An output ends at its first brace that closes: with one of them it is broken. */
static void output_piece(struct fan_scan *scan, struct fan_piece *out)
{
    size_t end = 2;

    while (end < scan->rest.len && scan->rest.at[end] != '}' &&
            !(opens(scan->rest, end) && scan->rest.at[end + 1] == '%'))
        end++;
    if (end + 1 < scan->rest.len && scan->rest.at[end] == '}' && scan->rest.at[end + 1] == '}') {
        out->type = FAN_PIECE_OUTPUT;
        out->text = inside(scan, take(scan, end + 2));
        return;
    }
    if (end < scan->rest.len)
        end = scan->rest.at[end] == '}' ? end + 1 : find(scan->rest, end, "%}");
    out->type = FAN_PIECE_BROKEN;
    out->text = take(scan, end + 2 < scan->rest.len ? end : scan->rest.len);
}

/* Cut "name rest"; a tag's name is # or a word. */
static void name_tag(struct fan_piece *out, struct fan_bytes text)
{
    size_t len = 0;

    for (; text.len && fan_scan_is_space(*text.at); text.at++, text.len--)
        out->line += *text.at == '\n';
    if (text.len && *text.at == '#')
        len = 1;
    else
        while (len < text.len && fan_scan_is_word(text.at[len]))
            len++;
    out->type = len ? FAN_PIECE_TAG : FAN_PIECE_BROKEN;
    out->name = (struct fan_bytes){ text.at, len };
    out->text = (struct fan_bytes){ text.at + len, text.len - len };
}

static void tag_piece(struct fan_scan *scan, struct fan_piece *out)
{
    size_t end = find(scan->rest, 2, "%}");

    if (end == scan->rest.len) {
        out->type = FAN_PIECE_BROKEN;
        out->text = take(scan, scan->rest.len);
        return;
    }
    name_tag(out, inside(scan, take(scan, end + 2)));
}

static void line_piece(struct fan_scan *scan, struct fan_piece *out)
{
    struct fan_bytes line;

    do {
        const char *end = memchr(scan->rest.at, '\n', scan->rest.len);

        out->line = scan->line;
        line = take(scan, end ? (size_t)(end - scan->rest.at) + 1 : scan->rest.len);
        line = fan_scan_trim(line);
    } while (!line.len && scan->rest.len);
    if (line.len)
        name_tag(out, line);
}

void fan_scan_next(struct fan_scan *scan, struct fan_piece *out)
{
    *out = (struct fan_piece){ .type = FAN_PIECE_END, .line = scan->line };
    if (!scan->rest.len)
        return;
    if (scan->lines)
        line_piece(scan, out);
    else if (!opens(scan->rest, 0))
        text_piece(scan, out);
    else if (scan->rest.at[1] == '{')
        output_piece(scan, out);
    else
        tag_piece(scan, out);
}

/* The length of the tag @name at the front of @text; 0: it is not there. */
static size_t tag_length(struct fan_bytes text, const char *name)
{
    struct fan_scan scan;
    struct fan_piece piece;

    fan_scan_begin(&scan, text);
    fan_scan_next(&scan, &piece);
    if (piece.type != FAN_PIECE_TAG || !fan_bytes_eq_text(piece.name, name))
        return 0;
    return (size_t)(scan.rest.at - text.at);
}

bool fan_scan_until(struct fan_scan *scan, const char *end, struct fan_bytes *before)
{
    struct fan_piece piece;

    if (scan->lines)
        return false;
    for (size_t at = 0; (at = find(scan->rest, at, "{%")) < scan->rest.len; at++) {
        struct fan_bytes from = { scan->rest.at + at, scan->rest.len - at };

        if (!tag_length(from, end))
            continue;
        *before = take(scan, at);
        fan_scan_next(scan, &piece);
        return true;
    }
    return false;
}

bool fan_scan_comment(struct fan_scan *scan)
{
    struct fan_piece piece;
    struct fan_bytes ignored;
    int depth = 1;

    while (depth) {
        fan_scan_next(scan, &piece);
        if (piece.type == FAN_PIECE_END)
            return false;
        if (piece.type != FAN_PIECE_TAG)
            continue;
        if (fan_bytes_eq_text(piece.name, "comment"))
            depth++;
        else if (fan_bytes_eq_text(piece.name, "endcomment"))
            depth--;
        else if (fan_bytes_eq_text(piece.name, "raw") && !scan->lines &&
                !fan_scan_until(scan, "endraw", &ignored))
            return false;
    }
    return true;
}
