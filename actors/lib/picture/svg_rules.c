#include "actors/lib/picture/svg_rules.h"

#include "proto/arena.h"

#include <strings.h>

enum {
    BYTES_MAX = 1024 * 1024,
    ELEMENTS_MAX = 10000,
    REFERENCES_MAX = 2000,
    FOLLOWED_MAX = 100000,
    NESTING_MAX = 64,
    CHAIN_MAX = 8,
};

struct element {
    struct fan_bytes id;
    size_t end;   /* index behind its last descendant */
    size_t first; /* its references: this index … */
    size_t count; /* … and so many */
};

struct scan {
    const char *at, *end;
    struct element *elements; /* [room], in document order */
    size_t elements_len, room;
    struct fan_bytes *references; /* ids [REFERENCES_MAX] */
    size_t references_len;
    size_t open[NESTING_MAX]; /* elements that are not closed */
    size_t depth;
    bool in_style;
    struct fan_why *why;
};

#define REFUSE(scan, ...) \
    fan_fail_field((scan)->why, FAN_INVALID, "logo", "the SVG file " __VA_ARGS__)

/* ---- words ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
            c == '_' || c == ':' || c == '.';
}

static bool starts(const struct scan *scan, const char *text)
{
    size_t len = strlen(text);

    return (size_t)(scan->end - scan->at) >= len && memcmp(scan->at, text, len) == 0;
}

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end && is_space(*scan->at))
        scan->at++;
}

static struct fan_bytes read_name(struct scan *scan)
{
    struct fan_bytes name = { scan->at, 0 };

    while (scan->at < scan->end && is_name(*scan->at))
        scan->at++;
    name.len = (size_t)(scan->at - name.at);
    return name;
}

static const char *find(const char *at, const char *end, const char *text)
{
    return at < end ? memmem(at, (size_t)(end - at), text, strlen(text)) : NULL;
}

/* The same of ASCII letters without case, as CSS compares them. */
static const char *find_nocase(const char *at, const char *end, const char *text)
{
    size_t len = strlen(text);

    for (; (size_t)(end - at) >= len; at++) {
        if (strncasecmp(at, text, len) == 0)
            return at;
    }
    return NULL;
}

static bool contains(struct fan_bytes text, const char *word)
{
    return text.len > 0 && find_nocase(text.at, text.at + text.len, word);
}

static bool is_drawn(struct fan_bytes name)
{
    static const char *const drawn[] = { "svg", "g", "path", "rect", "circle", "ellipse", "line",
        "polyline", "polygon", "defs", "use", "symbol", "linearGradient", "radialGradient", "stop",
        "clipPath", "mask", "title", "desc", "style", NULL };

    for (const char *const *at = drawn; *at; at++) {
        if (fan_bytes_eq_text(name, *at))
            return true;
    }
    return false;
}

/* ---- references ---- */

static enum fan_err refer(struct scan *scan, struct fan_bytes id)
{
    if (scan->references_len == REFERENCES_MAX)
        return REFUSE(scan, "has more than %d references", REFERENCES_MAX);
    scan->references[scan->references_len++] = id;
    return FAN_OK;
}

/* Every url(…) of @text must lead to an element of the file. */
static enum fan_err check_urls(struct scan *scan, struct fan_bytes text)
{
    const char *at = text.at, *end = text.at + text.len;

    if (text.len == 0)
        return FAN_OK;
    while ((at = find_nocase(at, end, "url(")) != NULL) {
        struct fan_bytes id;

        at += 4;
        while (at < end && (is_space(*at) || *at == '"' || *at == '\''))
            at++;
        if (at == end || *at != '#')
            return REFUSE(scan, "refers to something outside of it");
        id = (struct fan_bytes){ ++at, 0 };
        while (at < end && is_name(*at))
            at++;
        id.len = (size_t)(at - id.at);
        if (refer(scan, id))
            return FAN_INVALID;
    }
    return FAN_OK;
}

static enum fan_err check_css(struct scan *scan, struct fan_bytes text)
{
    if (contains(text, "@") || contains(text, "\\") || contains(text, "filter"))
        return REFUSE(scan, "has a style with @, \\ or a filter");
    return check_urls(scan, text);
}

/* A sheet's references belong to whatever its selectors choose, so they could not be followed: only
 * colours may refer. */
static enum fan_err check_sheet(struct scan *scan, struct fan_bytes text)
{
    if (contains(text, "mask") || contains(text, "clip") || contains(text, "marker"))
        return REFUSE(scan, "has a style sheet with masks, clips or markers");
    return check_css(scan, text);
}

/* ---- attributes ---- */

/* Only the five entities that XML has by itself: others could hide words from these checks. */
static bool plain(struct fan_bytes value)
{
    static const char *const known[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&apos;" };

    for (size_t i = 0; i < value.len; i++) {
        bool ok = value.at[i] != '&';

        for (size_t j = 0; !ok && j < sizeof known / sizeof *known; j++)
            ok = value.len - i >= strlen(known[j]) &&
                    memcmp(value.at + i, known[j], strlen(known[j])) == 0;
        if (!ok || value.at[i] == '<')
            return false;
    }
    return true;
}

static enum fan_err check_attribute(struct scan *scan, struct element *element,
        struct fan_bytes name, struct fan_bytes value)
{
    if (!plain(value))
        return REFUSE(scan, "has an entity in an attribute");
    if (fan_bytes_starts(name, FAN_LIT("on")))
        return REFUSE(scan, "has a script");
    if (fan_bytes_eq_text(name, "filter"))
        return REFUSE(scan, "has a filter");
    if (fan_bytes_starts(name, FAN_LIT("xmlns:")) &&
            (contains(value, "2000/svg") || contains(value, "XInclude")))
        return REFUSE(scan, "renames the SVG namespace");
    if (fan_bytes_eq_text(name, "id"))
        element->id = value;
    if (fan_bytes_eq_text(name, "href") || fan_bytes_ends(name, FAN_LIT(":href"))) {
        if (value.len < 2 || value.at[0] != '#')
            return REFUSE(scan, "refers to something outside of it");
        return refer(scan, (struct fan_bytes){ value.at + 1, value.len - 1 });
    }
    if (fan_bytes_eq_text(name, "style"))
        return check_css(scan, value);
    return check_urls(scan, value);
}

static enum fan_err read_attributes(struct scan *scan, struct element *element)
{
    for (;;) {
        struct fan_bytes name, value;
        char quote;

        skip_space(scan);
        if (scan->at == scan->end)
            return REFUSE(scan, "is cut off");
        if (*scan->at == '>' || *scan->at == '/')
            return FAN_OK;
        name = read_name(scan);
        skip_space(scan);
        if (name.len == 0 || scan->at == scan->end || *scan->at != '=')
            return REFUSE(scan, "has an attribute that cannot be read");
        scan->at++;
        skip_space(scan);
        if (scan->at == scan->end || (*scan->at != '"' && *scan->at != '\''))
            return REFUSE(scan, "has an attribute without quotes");
        quote = *scan->at++;
        value = (struct fan_bytes){ scan->at, 0 };
        scan->at = memchr(scan->at, quote, (size_t)(scan->end - scan->at));
        if (!scan->at)
            return REFUSE(scan, "is cut off");
        value.len = (size_t)(scan->at++ - value.at);
        if (check_attribute(scan, element, name, value))
            return FAN_INVALID;
    }
}

/* ---- elements ---- */

static enum fan_err open_element(struct scan *scan)
{
    struct fan_bytes name = read_name(scan);
    struct element *element;
    enum fan_err err;

    if (!is_drawn(name))
        return REFUSE(scan,
                "has an element <%.*s>, which is not drawn; save it as plain SVG, with "
                "text turned into paths",
                (int)(name.len < 24 ? name.len : 24), name.at);
    if (scan->elements_len == scan->room || scan->depth == NESTING_MAX)
        return REFUSE(scan, "has more than %d elements, or more than %d within each other",
                ELEMENTS_MAX, NESTING_MAX);
    if ((scan->elements_len == 0) != fan_bytes_eq_text(name, "svg") && scan->depth == 0)
        return REFUSE(scan, "does not consist of one <svg> element");
    scan->in_style = fan_bytes_eq_text(name, "style");
    element = &scan->elements[scan->elements_len];
    element->first = scan->references_len;
    err = read_attributes(scan, element);
    if (err)
        return err;
    element->count = scan->references_len - element->first;
    scan->elements_len++;
    element->end = scan->elements_len;
    if (starts(scan, "/>")) {
        scan->at += 2;
        scan->in_style = false;
        return FAN_OK;
    }
    if (*scan->at != '>')
        return REFUSE(scan, "has a tag that cannot be read");
    scan->at++;
    scan->open[scan->depth++] = scan->elements_len - 1;
    return FAN_OK;
}

static enum fan_err close_element(struct scan *scan)
{
    read_name(scan);
    skip_space(scan);
    if (scan->depth == 0 || scan->at == scan->end || *scan->at != '>')
        return REFUSE(scan, "closes what was not opened");
    scan->at++;
    scan->elements[scan->open[--scan->depth]].end = scan->elements_len;
    scan->in_style = false;
    return FAN_OK;
}

static enum fan_err skip_to(struct scan *scan, const char *text)
{
    const char *found = find(scan->at, scan->end, text);

    if (!found)
        return REFUSE(scan, "is cut off");
    scan->at = found + strlen(text);
    return FAN_OK;
}

static enum fan_err read_text(struct scan *scan)
{
    struct fan_bytes text = { scan->at, 0 };
    const char *end = memchr(scan->at, '<', (size_t)(scan->end - scan->at));

    scan->at = end ? end : scan->end;
    text.len = (size_t)(scan->at - text.at);
    if (contains(text, "&"))
        return REFUSE(scan, "has an entity in its text");
    return scan->in_style ? check_sheet(scan, text) : FAN_OK;
}

static enum fan_err read_all(struct scan *scan)
{
    enum fan_err err = FAN_OK;

    while (!err && scan->at < scan->end) {
        if (*scan->at != '<') {
            err = read_text(scan);
        } else if (starts(scan, "<!--")) {
            err = scan->in_style ? REFUSE(scan, "has a comment in its style")
                                 : skip_to(scan, "-->");
        } else if (starts(scan, "<?xml ") && scan->elements_len == 0) {
            err = skip_to(scan, "?>");
        } else if (starts(scan, "<!") || starts(scan, "<?")) {
            err = REFUSE(scan, "has a document type, an entity or an instruction");
        } else if (starts(scan, "</")) {
            scan->at += 2;
            err = close_element(scan);
        } else {
            scan->at++;
            err = open_element(scan);
        }
    }
    if (!err && (scan->depth > 0 || scan->elements_len == 0))
        err = REFUSE(scan, "is cut off");
    return err;
}

/* ---- what drawing it would follow ---- */

struct walk {
    const struct scan *scan;
    const size_t *targets; /* of the references: elements_len for none */
    size_t followed;
};

/* Count the elements below @index as drawing does; false at a bound. */
static bool follow(struct walk *walk, size_t index, int chain)
{
    const struct scan *scan = walk->scan;

    if (chain > CHAIN_MAX)
        return false;
    for (size_t i = index; i < scan->elements[index].end; i++) {
        const struct element *element = &scan->elements[i];

        if (++walk->followed > FOLLOWED_MAX)
            return false;
        for (size_t j = element->first; j < element->first + element->count; j++) {
            size_t target = walk->targets[j];

            if (target < scan->elements_len && !follow(walk, target, chain + 1))
                return false;
        }
    }
    return true;
}

static enum fan_err check_references(const struct scan *scan, struct fan_arena *arena)
{
    size_t *targets = fan_arena_array(arena, scan->references_len + 1, sizeof *targets);
    struct walk walk = { .scan = scan, .targets = targets };

    for (size_t i = 0; i < scan->references_len; i++) {
        targets[i] = scan->elements_len;
        for (size_t j = 0; j < scan->elements_len; j++) {
            if (fan_bytes_eq(scan->elements[j].id, scan->references[i])) {
                targets[i] = j;
                break;
            }
        }
    }
    if (!follow(&walk, 0, 0))
        return REFUSE(scan, "refers to itself, or too often: %d elements and %d steps are followed",
                FOLLOWED_MAX, CHAIN_MAX);
    return FAN_OK;
}

static size_t count(struct fan_bytes text, char c)
{
    size_t found = 0;

    for (size_t i = 0; i < text.len; i++)
        found += text.at[i] == c;
    return found;
}

enum fan_err fan_svg_check(struct fan_bytes file, struct fan_why *why)
{
    struct scan scan = { .at = file.at, .end = file.at + file.len, .why = why };
    struct fan_arena *arena;
    enum fan_err err;

    if (file.len > BYTES_MAX)
        return fan_fail_field(why, FAN_TOO_LARGE, "logo", "the SVG file is larger than %d bytes",
                BYTES_MAX);
    if (!fan_bytes_utf8(file) || (file.len > 0 && memchr(file.at, '\0', file.len)))
        return REFUSE(&scan, "is no UTF-8 text");
    if (starts(&scan, "\xef\xbb\xbf"))
        scan.at += 3;
    arena = fan_arena_new();
    scan.room = count(file, '<') < ELEMENTS_MAX ? count(file, '<') : ELEMENTS_MAX;
    scan.elements = fan_arena_array(arena, scan.room, sizeof *scan.elements);
    scan.references = fan_arena_array(arena, REFERENCES_MAX, sizeof *scan.references);
    err = read_all(&scan);
    if (!err)
        err = check_references(&scan, arena);
    fan_arena_free(&arena);
    return err;
}
