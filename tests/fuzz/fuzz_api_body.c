/*
 * What the API takes from strangers: bodies, paths, keys and the headers of contact lists.
 *
 * LINKS: gateway
 */
#include "gateway/body.h"
#include "gateway/mapping.h"

#include "sql/store/account.h"

static void read_all(struct body *body)
{
    static const char *const words[] = { "one", "two", NULL };
    struct fan_texts texts;
    struct fan_ids ids;

    body_needs_text(body, "text", 40);
    body_i64(body, "number", -5, 5, 0);
    body_real(body, "real", 0, 1, 0);
    body_bool(body, "truth", true);
    body_time(body, "time", 0);
    body_word(body, "word", words);
    body_texts(body, "texts", 4, &texts);
    body_ids(body, "ids", 4, &ids);
    body_end(body);
}

static void read_body(struct call *call, const struct fan_json *object)
{
    struct fan_buffer out;
    struct body body;

    body_begin(&body, call, object, "");
    read_all(&body);
    if (!call_check(call))
        return;
    fan_buffer_init(&out, 1024 * 1024);
    problem_write(&call->problem, "fuzz", &out);
    fan_buffer_fini(&out);
}

/* The first line's cells are a header, the object may be wishes. */
static void map_header(struct fan_bytes text, const struct fan_json *wishes,
        struct fan_arena *arena)
{
    struct fan_bytes line, *cells = fan_arena_array(arena, 200, sizeof *cells);
    struct mapping mapping;
    struct fan_why why;
    size_t count = 0;

    fan_bytes_split(text, '\n', &line);
    while (line.at && count < 200)
        line = fan_bytes_split(line, ',', &cells[count++]);
    if (mapping_make((struct fan_texts){ .at = cells, .len = count }, wishes, arena, &mapping,
                &why))
        return;
    for (size_t i = 0; i < mapping.attributes.len; i++)
        FAN_ASSERT(mapping_is_attribute(mapping.attributes.at[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fan_bytes text = { .at = (const char *)data, .len = size };
    struct fan_arena *arena = fan_arena_new();
    const struct fan_json *object = NULL;
    struct fan_why why = { .err = FAN_OK };
    struct call call = { .arena = arena, .lasting = arena, .why = &why };
    fan_id ids[ROUTE_IDS];
    char allowed[64];

    fan_api_key_account(text);
    route_find(FAN_LIT("GET"), text, ids, allowed);
    if (!fan_json_parse(text, arena, &object, &why) && fan_json_type(object) == FAN_JSON_OBJECT)
        read_body(&call, object);
    else
        object = NULL;
    map_header(text, object, arena);
    fan_arena_free(&arena);
    return 0;
}
