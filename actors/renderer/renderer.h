/*
 * renderer — what its files share.
 */
#ifndef FAN_ACTORS_RENDERER_RENDERER_H
#define FAN_ACTORS_RENDERER_RENDERER_H

#include "actors/lib/text/variant.h"
#include "actors/lib/text/values.h"
#include "actors/renderer/mark.h"
#include "broker/runtime/actor.h"
#include "sql/store/chunk.h"

/* A run's compiled content, with the fields that it was compiled for. */
struct compiled {
    fan_id account, run;
    uint64_t used; /* the least recently used one makes room */
    struct fan_arena *arena;
    struct fan_text_fields fields;
    struct fan_text_occasion occasion;
    const struct fan_variants *variants; /* NULL: it does not compile; nobody can be written to */
};

struct template_cache {
    struct compiled *entries; /* entries[room]; unused ones have no arena */
    size_t room;
    uint64_t clock;
};

void template_cache_init(struct template_cache *cache, size_t room);
void template_cache_fini(struct template_cache *cache);

/** Find the template of a chunk's run, or compile it with the account's fields as the database has
 * them now. */
enum fan_err template_cache_get(struct template_cache *cache, struct fan_turn *turn,
        const struct fan_chunk_planned *chunk, const struct compiled **out);

/* What copies are written with. */
struct pen {
    struct fan_liquid_machine *machine;
    struct fan_buffer scratch;
    fan_time now;      /* for everybody of a chunk the same */
    bool failed;       /* a template failed on somebody's values: told once a chunk */
    struct mark *mark; /* told where it is; NULL: it cannot be made yet */
};

/** Write everybody's copy, but those that renderers died of too often. What is made lives in the
 * turn's arena. */
enum fan_err write_copies(struct fan_turn *turn, const struct compiled *compiled,
        const struct fan_chunk_planned *chunk, const struct fan_person *people, struct pen *pen,
        struct fan_chunk_written *out);

#endif
