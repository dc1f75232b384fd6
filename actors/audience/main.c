/*
 * audience — decides who receives a run, and takes in contacts.
 *
 * takes   resolve_request, import_request
 * gives   chunks and skips, with the run's cursor; contacts, with the import's cursor
 * keeps   nothing; everything is in PostgreSQL
 * scales  any number: a run or an import is held by one of them at a time
 * fails   killed in a page, the page is undone; the next one continues exactly at the cursor
 */
#include "actors/audience/audience.h"

static const struct fan_setting settings[] = {
    FAN_SET_U32(struct audience_settings, page, "5000", 1, 50000, "people a page"),
    FAN_SET_U32(struct audience_settings, turn_ms, "100", 10, 2000,
            "milliseconds that one request may keep others waiting"),
    FAN_SET_END,
};

static const struct fan_role audience = {
    .name = "audience",
    .summary = "decides who receives a run, and takes in contacts",
    .settings = settings,
    .settings_size = sizeof(struct audience_settings),
    .db_use = FAN_DB_HOT,
    .credit_urgent = 4,
    .credit_normal = 1, /* what is urgent waits for one turn at most */
    .on = { .resolve_request = on_resolve_request, .import_request = on_import_request },
};

int main(int argc, char **argv)
{
    return fan_actor_main(&audience, argc, argv);
}
