/*
 * A gateway fails an upload that its client breaks off. When the gateway itself is killed, nobody
 * would: its import waits for blocks that never come.
 */
#include "actors/scheduler/scheduler.h"

#include "sql/store/event.h"
#include "sql/store/import.h"

#include <stdlib.h>

/* Seconds: the slowest client that is served fills a block in less than five minutes. */
enum { PATIENCE = 10 * 60 };

struct uploads {
    struct fan_import_abandoned *at; /* at[count]; outlives its turn */
    size_t count;
};

static enum fan_err read_abandoned(struct fan_turn *turn, void *context)
{
    struct uploads *uploads = context;
    const struct fan_import_abandoned *at;
    enum fan_err err = fan_imports_abandoned(turn->db, PATIENCE * FAN_SECOND, turn->arena, &at,
            &uploads->count, &turn->why);

    if (err || !uploads->count)
        return err;
    free(uploads->at); /* of an attempt before */
    uploads->at = calloc(uploads->count, sizeof *uploads->at);
    if (!uploads->at)
        fan_die("out of memory: abandoned uploads");
    memcpy(uploads->at, at, uploads->count * sizeof *uploads->at);
    return FAN_OK;
}

static enum fan_err abandon(struct fan_turn *turn, void *context)
{
    const struct fan_import_abandoned *upload = context;
    const struct fan_import_changed news = { .import = upload->import,
        .state = FAN_IMPORT_FAILED + 1 };
    enum fan_err err = fan_import_abandon(turn->db, upload->account, upload->import,
            FAN_LIT("the upload broke off"), turn->arena, &turn->why);

    if (!err)
        err = fan_event_insert(turn->db, upload->account, 0, 0, &fan_schema_import_changed, &news,
                turn->arena, &turn->why);
    return err ? err : fan_emit_import_changed(turn, &turn->route, &news);
}

void scheduler_end_uploads(struct scheduler *self)
{
    struct uploads uploads = { 0 };
    struct fan_route nobody = { 0 };

    if (fan_actor_turn(self->actor, &nobody, read_abandoned, &uploads, NULL))
        uploads.count = 0;
    for (size_t i = 0; i < uploads.count; i++) {
        struct fan_route route = { .account = uploads.at[i].account };

        (void)fan_actor_turn(self->actor, &route, abandon, &uploads.at[i], NULL);
    }
    free(uploads.at);
}
