/*
 * Values wait on a stack until the array or object that holds them ends, and move into its room
 * then. Keys of what is still open wait beside it.
 */
#include "proto/json_tree.h"

#include "proto/json_read.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { DEPTH_MAX = 32, STACK = 8, FEW = 8 };

struct tree {
    struct fan_arena *arena;
    struct fan_json_member *stack; /* stack[len], room for more */
    size_t len, room;
    struct fan_bytes key; /* of the value that comes next; absent: it has none */
    struct fan_bytes open[DEPTH_MAX];
    int depth;
    const char *wrong;
};

static bool refuse(struct tree *tree, const char *wrong)
{
    tree->wrong = wrong;
    return false;
}

static void *grow(void *context, void *at, size_t size, size_t wanted)
{
    const struct tree *tree = context;
    char *larger = fan_arena_alloc(tree->arena, wanted);

    if (size)
        memcpy(larger, at, size);
    return larger;
}

static bool put(struct tree *tree, struct fan_json value)
{
    if (tree->len == tree->room) {
        size_t size = tree->room * sizeof(*tree->stack);
        tree->room *= 2;
        tree->stack = grow(tree, tree->stack, size, tree->room * sizeof(*tree->stack));
    }
    tree->stack[tree->len++] = (struct fan_json_member){ tree->key, value };
    tree->key = FAN_NO_BYTES;
    return true;
}

/* ---- values ---- */

static bool on_word(void *context, enum fan_json_word word)
{
    if (word == FAN_JSON_WORD_NULL)
        return put(context, (struct fan_json){ .type = FAN_JSON_NULL });
    return put(context,
            (struct fan_json){ .type = FAN_JSON_BOOL, .truth = word == FAN_JSON_WORD_TRUE });
}

static bool on_number(void *context, const char *at, size_t len)
{
    struct fan_json value = { .type = FAN_JSON_INTEGER };

    if (strcspn(at, ".eE") < len) {
        value.type = FAN_JSON_REAL;
        value.real = strtod(at, NULL);
        if (isinf(value.real))
            return refuse(context, "The number is too large.");
    } else {
        errno = 0;
        value.integer = strtoll(at, NULL, 10);
        if (errno == ERANGE)
            return refuse(context, "The integer has more than 64 bits.");
    }
    return put(context, value);
}

/* RapidJSON takes the second half of a surrogate pair alone, which then is no UTF-8. */
static bool keep_text(struct tree *tree, const char *at, size_t len, struct fan_bytes *out)
{
    struct fan_bytes text = { at, len };

    if (memchr(at, '\0', len))
        return refuse(tree, "A string holds a NUL.");
    if (!fan_bytes_utf8(text))
        return refuse(tree, "A string is not UTF-8.");
    *out = fan_bytes_dup(text, tree->arena);
    return true;
}

static bool on_text(void *context, const char *at, size_t len)
{
    struct fan_json value = { .type = FAN_JSON_STRING };

    return keep_text(context, at, len, &value.text) && put(context, value);
}

static bool on_key(void *context, const char *at, size_t len)
{
    struct tree *tree = context;

    return keep_text(tree, at, len, &tree->key);
}

/* ---- arrays and objects ---- */

static bool on_open(void *context)
{
    struct tree *tree = context;

    if (tree->depth == DEPTH_MAX)
        return refuse(tree, "It is nested too deeply.");
    tree->open[tree->depth++] = tree->key;
    tree->key = FAN_NO_BYTES;
    return true;
}

static const struct fan_json_member *take(struct tree *tree, size_t count)
{
    tree->key = tree->open[--tree->depth];
    tree->len -= count;
    return tree->stack + tree->len;
}

static bool on_close_array(void *context, size_t count)
{
    struct tree *tree = context;
    const struct fan_json_member *from = take(tree, count);
    struct fan_json *items = fan_arena_array(tree->arena, count, sizeof(*items));

    for (size_t i = 0; i < count; i++)
        items[i] = from[i].value;
    return put(tree,
            (struct fan_json){ .type = FAN_JSON_ARRAY, .items.at = items, .items.len = count });
}

static int by_key(const void *a, const void *b)
{
    const struct fan_bytes *x = a, *y = b;

    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    return memcmp(x->at, y->at, x->len);
}

static bool has_twins_among_few(const struct fan_json_member *members, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (fan_bytes_eq(members[i].key, members[j].key))
                return true;
    return false;
}

/* Many are sorted first, or an object could be made that takes hours. */
static bool has_twins(const struct fan_json_member *members, size_t count, struct fan_arena *arena)
{
    struct fan_bytes *keys;

    if (count <= FEW)
        return has_twins_among_few(members, count);
    keys = fan_arena_array(arena, count, sizeof(*keys));
    for (size_t i = 0; i < count; i++)
        keys[i] = members[i].key;
    qsort(keys, count, sizeof(*keys), by_key);
    for (size_t i = 1; i < count; i++)
        if (fan_bytes_eq(keys[i], keys[i - 1]))
            return true;
    return false;
}

static bool on_close_object(void *context, size_t count)
{
    struct tree *tree = context;
    const struct fan_json_member *from = take(tree, count);
    struct fan_json_member *members = fan_arena_array(tree->arena, count, sizeof(*members));

    if (count)
        memcpy(members, from, count * sizeof(*members));
    if (has_twins(members, count, tree->arena))
        return refuse(tree, "An object has two members of one name.");
    return put(tree,
            (struct fan_json){ .type = FAN_JSON_OBJECT,
                    .members.at = members,
                    .members.len = count });
}

static const struct fan_json_events events = {
    .word = on_word,
    .number = on_number,
    .text = on_text,
    .key = on_key,
    .open = on_open,
    .close_object = on_close_object,
    .close_array = on_close_array,
    .grow = grow,
};

const char *fan_json_tree(struct fan_bytes text, struct fan_arena *arena,
        const struct fan_json **out, size_t *offset)
{
    struct tree tree = { .arena = arena, .room = STACK };
    const char *wrong;

    tree.stack = fan_arena_array(arena, STACK, sizeof(*tree.stack));
    wrong = fan_json_read(text.at, text.len, &events, &tree, offset);
    if (wrong)
        return *wrong ? wrong : tree.wrong;
    *out = &tree.stack->value;
    return NULL;
}
