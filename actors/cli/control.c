/*
 * fanfare control — stop all sending and let it go on, with the operator's access to the database:
 * it works while the API is away. The scheduler tells the senders.
 */
#include "actors/cli/command.h"
#include "actors/cli/home.h"
#include "actors/cli/schema.h"
#include "sql/store/control.h"

#include <stdio.h>

struct control_options {
    const char *home;
    const char *reason;
    const char *user;
};

static const struct fan_option options[] = {
    FAN_OPTION(TEXT, struct control_options, reason, "reason", "TEXT",
            "why everything stops, for whoever asks"),
    FAN_OPTION(TEXT, struct control_options, user, "user", "ROLE",
            "who owns the schema (as the URL says)"),
    FAN_OPTION(TEXT, struct control_options, home, "home", "DIR", "as of `fanfare up`"),
    FAN_OPTIONS_END,
};

#define WHO FAN_LIT("fanfare control")

static enum fan_err do_nothing(struct fan_db *db, const struct control_options *asked,
        struct fan_arena *arena, struct fan_why *why)
{
    (void)db;
    (void)asked;
    (void)arena;
    (void)why;
    return FAN_OK;
}

static enum fan_err stop(struct fan_db *db, const struct control_options *asked,
        struct fan_arena *arena, struct fan_why *why)
{
    if (!asked->reason || !*asked->reason)
        return fan_fail(why, FAN_INVALID, "say why: --reason TEXT");
    return fan_control_set(db, false, fan_bytes_of(asked->reason), WHO, arena, why);
}

static enum fan_err resume(struct fan_db *db, const struct control_options *asked,
        struct fan_arena *arena, struct fan_why *why)
{
    (void)asked;
    return fan_control_set(db, true, FAN_NO_BYTES, WHO, arena, why);
}

static enum fan_err confirm(struct fan_db *db, const struct control_options *asked,
        struct fan_arena *arena, struct fan_why *why)
{
    bool held;

    (void)asked;
    return fan_control_confirm(db, WHO, arena, &held, why);
}

static const struct word {
    const char *name;
    enum fan_err (*act)(struct fan_db *db, const struct control_options *asked,
            struct fan_arena *arena, struct fan_why *why);
} words[] = {
    { "show", do_nothing },
    { "stop", stop },
    { "resume", resume },
    { "confirm", confirm },
};

static enum fan_err show(struct fan_db *db, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_control now;
    enum fan_err err = fan_control_get(db, arena, &now, why);

    if (err)
        return err;
    printf("sending is %s\n", fan_control_word(&now));
    if (!now.send_enabled)
        printf("stopped by %.*s: %.*s\n", FAN_BYTES_ARG(now.changed_by),
                FAN_BYTES_ARG(now.stop_reason));
    if (now.hold_reason.at)
        printf("held until `fanfare control confirm`: %.*s\n", FAN_BYTES_ARG(now.hold_reason));
    return FAN_OK;
}

static const struct word *find(struct fan_bytes name)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (fan_bytes_eq_text(name, words[i].name))
            return &words[i];
    }
    return NULL;
}

static enum fan_err run(const struct fan_call *call, int *exit_code, struct fan_why *why)
{
    const struct control_options *asked = call->options;
    const struct word *word =
            call->arguments.len ? find(call->arguments.at[0]) : find(FAN_LIT("show"));
    struct fan_home home;
    struct fan_db *db;
    enum fan_err err;

    (void)exit_code;
    if (!word)
        return fan_fail(why, FAN_INVALID, "\"%.*s\" is none of show, stop, resume and confirm",
                FAN_BYTES_ARG(call->arguments.at[0]));
    err = fan_home_find(asked->home, call->arena, &home, why);
    if (!err && home.own_cluster) /* which lets in nobody but the user it runs as */
        err = fan_home_enter(asked->home, call->arena, &home, why);
    if (err)
        return err;
    db = fan_owner_db(home.database_url, home.own_cluster ? "fan_owner" : asked->user);
    err = word->act(db, asked, call->arena, why);
    if (!err)
        err = fan_db_commit(db, why);
    if (!err)
        err = show(db, call->arena, why);
    fan_db_free(&db);
    return err;
}

const struct fan_command fan_command_control = {
    .name = "control",
    .arguments = "[show|stop|resume|confirm]",
    .summary = "stop all sending, or let it go on",
    .details = "stop     nothing leaves any more, of any campaign; wants --reason\n"
               "resume   undo that\n"
               "confirm  a database that was copied or restored may send\n\n"
               "Works with the database alone, also while the API is away.",
    .table = options,
    .options_size = sizeof(struct control_options),
    .most = 1,
    .run = run,
};
