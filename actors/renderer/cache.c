#include "actors/renderer/renderer.h"

#include <stdlib.h>

void template_cache_init(struct template_cache *cache, size_t room)
{
    cache->entries = calloc(room, sizeof *cache->entries);
    if (!cache->entries)
        fan_die("out of memory: a cache of %zu templates", room);
    cache->room = room;
}

void template_cache_fini(struct template_cache *cache)
{
    for (size_t i = 0; i < cache->room; i++)
        fan_arena_free(&cache->entries[i].arena);
    free(cache->entries);
    cache->entries = NULL;
}

/* The run's own entry, else a free one, else the least recently used one. */
static struct compiled *place_for(struct template_cache *cache, fan_id account, fan_id run)
{
    struct compiled *best = &cache->entries[0];

    for (size_t i = 0; i < cache->room; i++) {
        struct compiled *entry = &cache->entries[i];
        if (entry->arena && entry->account == account && entry->run == run)
            return entry;
        if (!entry->arena || (best->arena && entry->used < best->used))
            best = entry;
    }
    fan_arena_free(&best->arena);
    *best = (struct compiled){ .account = account, .run = run };
    return best;
}

static void keep_occasion(struct compiled *entry, const struct fan_chunk_fields *found,
        const struct fan_chunk_planned *chunk)
{
    entry->occasion = (struct fan_text_occasion){
        .account = entry->account,
        .campaign = chunk->campaign,
        .channel = chunk->channel,
        .run = chunk->run,
        .kind = chunk->kind,
        .account_name = fan_bytes_dup(found->account_name, entry->arena),
        .account_country = fan_bytes_dup(found->account_country, entry->arena),
        .campaign_name = fan_bytes_dup(found->campaign_name, entry->arena),
        .channel_name = fan_bytes_dup(found->channel_name, entry->arena),
        .details = fan_bytes_dup(found->details, entry->arena),
    };
}

static enum fan_err load_fields(struct compiled *entry, struct fan_turn *turn,
        const struct fan_chunk_planned *chunk)
{
    struct fan_chunk_fields found;
    struct fan_bytes *names;
    enum fan_err err = fan_chunk_fields(turn->db, turn->route.account, chunk->campaign,
            chunk->channel, turn->arena, &found, &turn->why);

    if (err)
        return err;
    names = fan_arena_array(entry->arena, found.attributes.len, sizeof *names);
    for (size_t i = 0; i < found.attributes.len; i++)
        names[i] = fan_bytes_dup(found.attributes.at[i], entry->arena);
    entry->fields = fan_text_fields_of((struct fan_texts){ names, found.attributes.len },
            fan_bytes_dup(found.fallbacks, entry->arena), entry->arena);
    keep_occasion(entry, &found, chunk);
    return FAN_OK;
}

enum fan_err template_cache_get(struct template_cache *cache, struct fan_turn *turn,
        const struct fan_chunk_planned *chunk, const struct compiled **out)
{
    struct compiled *entry = place_for(cache, turn->route.account, chunk->run);
    struct fan_why why = { 0 };
    enum fan_err err;

    *out = entry;
    entry->used = ++cache->clock;
    if (entry->arena)
        return FAN_OK;
    entry->arena = fan_arena_new();
    err = load_fields(entry, turn, chunk);
    if (err) {
        fan_arena_free(&entry->arena);
        return err;
    }
    err = fan_variants_compile(chunk->kind, chunk->content, &entry->fields, entry->arena,
            &entry->variants, &why);
    if (err) {
        entry->variants = NULL;
        fan_log(turn, FAN_ERROR, "template.refused", "run %lld: %s: %s", (long long)chunk->run,
                why.field, why.text);
    }
    return FAN_OK;
}
