/*
 * renderer — what its files share.
 */
#ifndef FAN_ACTORS_RENDERER_RENDERER_H
#define FAN_ACTORS_RENDERER_RENDERER_H

#include "actors/lib/text/choice.h"
#include "actors/renderer/mark.h"
#include "broker/runtime/actor.h"
#include "sql/store/chunk.h"

/* A run's compiled content, with the fields that it was compiled for. */
struct compiled {
    fan_id account, run;
    uint64_t used; /* the least recently used one makes room */
    struct fan_arena *arena;
    struct fan_text_fields fields;
    const struct fan_choice *choice; /* NULL: it does not compile; nobody can be written to */
};

struct template_cache {
    struct compiled *entries; /* entries[room]; unused ones have no arena */
    size_t room;
    uint64_t clock;
};

void template_cache_init(struct template_cache *cache, size_t room);
void template_cache_fini(struct template_cache *cache);

/** Find a run's template, or compile it from @content with the account's fields as the database has
 * them now. */
enum fan_err template_cache_get(struct template_cache *cache, struct fan_turn *turn, fan_id run,
        enum fan_kind kind, struct fan_bytes content, const struct compiled **out);

/** Write everybody's copy, but those that renderers died of too often. What is made lives in the
 * turn's arena. @mark is told where it is; may be NULL */
enum fan_err write_copies(struct fan_turn *turn, struct mark *mark, const struct compiled *compiled,
        const struct fan_chunk_planned *chunk, const struct fan_person *people,
        struct fan_buffer *scratch, struct fan_chunk_written *out);

#endif
