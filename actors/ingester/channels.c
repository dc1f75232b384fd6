#include "actors/ingester/ingester.h"

#include "actors/lib/driver/view.h"
#include "broker/runtime/db_watch.h"
#include "sql/store/channel.h"

#include <stdlib.h>

enum {
    KNOWN_MOST = 1024, /* channels that are remembered */
    LOADING_MOST = 64, /* asked for at once: whoever tries out numbers must not bury the database */
    UNKNOWN_S = 5,     /* a channel that is not there is not asked for again so soon */
};

struct asker {
    struct asker *next;
    channel_ready *fn;
    void *context;
};

struct entry {
    struct entry *next;
    struct channels *all;
    fan_id account, id;
    struct fan_arena *arena; /* of what is known; NULL: nothing yet */
    struct channel channel;
    fan_time loaded; /* elapsed */
    bool changed;    /* what is known is out of date: only if the database is away it is used */
    bool loading;
    struct asker *askers;
};

struct channels {
    struct ingester *ingester;
    struct fan_db *db;
    struct fan_db_watch *watch;
    struct entry *entries; /* the one that was asked for last comes first */
    size_t count, loading;
};

enum fan_err channel_build(fan_id account, fan_id id, const struct fan_channel_login *login,
        struct fan_bytes secrets, const char *public_url, struct fan_arena *arena,
        struct channel *out, struct fan_why *why)
{
    struct fan_bytes hook_url = fan_channel_hook_url(public_url, account, id, arena);

    out->provider = fan_provider_find(login->kind, login->provider);
    return fan_channel_view_build(account, id, login->settings, secrets, hook_url, arena,
            &out->view, why);
}

struct channels *channels_new(struct ingester *ingester)
{
    struct channels *self = calloc(1, sizeof *self);

    if (!self)
        fan_die("out of memory: the channels");
    self->ingester = ingester;
    self->db = fan_actor_new_db(ingester->actor, FAN_DB_HOT);
    self->watch = fan_db_watch_new(fan_actor_loop(ingester->actor), self->db);
    return self;
}

static void entry_free(struct entry *entry)
{
    while (entry->askers) {
        struct asker *next = entry->askers->next;

        free(entry->askers);
        entry->askers = next;
    }
    fan_arena_free(&entry->arena);
    free(entry);
}

void channels_free(struct channels **channels)
{
    struct channels *self = *channels;

    if (!self)
        return;
    fan_db_watch_free(&self->watch);
    fan_db_free(&self->db);
    while (self->entries) {
        struct entry *next = self->entries->next;

        entry_free(self->entries);
        self->entries = next;
    }
    free(self);
    *channels = NULL;
}

/* ---- loading ---- */

static void tell_askers(struct entry *entry)
{
    struct asker *askers = entry->askers;

    entry->askers = NULL;
    while (askers) {
        struct asker *next = askers->next;

        askers->fn(askers->context, entry->arena ? &entry->channel : NULL);
        free(askers);
        askers = next;
    }
}

/* What was known before goes, whatever becomes of this: the row is what counts. */
static void learn(struct entry *entry, const struct fan_rows *rows)
{
    struct ingester *ingester = entry->all->ingester;
    struct fan_channel_login login;
    struct fan_bytes secrets = FAN_NO_BYTES;
    struct fan_why why = { 0 };
    enum fan_err err = FAN_OK;

    fan_arena_free(&entry->arena);
    entry->arena = fan_arena_new();
    entry->channel = (struct channel){ 0 };
    entry->loaded = fan_clock_elapsed();
    entry->changed = false;
    if (!fan_channel_read_login(rows, &login))
        return;
    if (login.sealed.at)
        err = fan_unseal(ingester->secret, entry->account, entry->id, login.sealed, entry->arena,
                &secrets, &why);
    if (!err)
        err = channel_build(entry->account, entry->id, &login, secrets, ingester->set->public_url,
                entry->arena, &entry->channel, &why);
    if (!err)
        return;
    entry->channel = (struct channel){ 0 };
    fan_log(NULL, FAN_ERROR, "channel.refused", "channel %lld of account %lld: %s",
            (long long)entry->id, (long long)entry->account, why.text);
}

static void on_loaded(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct entry *entry = context;

    (void)count;
    entry->loading = false;
    entry->all->loading--;
    if (!err)
        learn(entry, &rows[0]);
    else
        fan_log(NULL, FAN_WARN, "channel.unread", "%s", why->text);
    tell_askers(entry);
}

static void load(struct entry *entry)
{
    struct channels *self = entry->all;
    struct fan_batch *batch;

    if (entry->loading || self->loading >= LOADING_MOST)
        return;
    entry->loading = true;
    self->loading++;
    batch = fan_batch_new(entry->account);
    fan_channel_add_for_ingester(batch, entry->account, entry->id);
    fan_db_submit(self->db, &batch, on_loaded, entry);
    fan_db_watch_kick(self->watch);
}

/* ---- asking ---- */

/* The entry of a channel, moved to the front; NULL: none. */
static struct entry *find(struct channels *self, fan_id account, fan_id id)
{
    struct entry **link = &self->entries, *found;

    while (*link && ((*link)->id != id || (*link)->account != account))
        link = &(*link)->next;
    found = *link;
    if (!found)
        return NULL;
    *link = found->next;
    found->next = self->entries;
    self->entries = found;
    return found;
}

static void forget_oldest(struct channels *self)
{
    struct entry **link = &self->entries, **oldest = NULL, *gone;

    for (; *link; link = &(*link)->next) {
        if (!(*link)->loading)
            oldest = link;
    }
    if (!oldest)
        return;
    gone = *oldest;
    *oldest = gone->next;
    entry_free(gone);
    self->count--;
}

static struct entry *add(struct channels *self, fan_id account, fan_id id)
{
    struct entry *entry = calloc(1, sizeof *entry);

    if (!entry)
        fan_die("out of memory: a channel");
    if (self->count >= KNOWN_MOST)
        forget_oldest(self);
    *entry = (struct entry){ .next = self->entries, .all = self, .account = account, .id = id };
    self->entries = entry;
    self->count++;
    return entry;
}

static bool is_old(const struct entry *entry)
{
    uint32_t fresh_s =
            entry->channel.provider ? entry->all->ingester->set->channel_fresh_s : UNKNOWN_S;

    return fan_clock_elapsed() - entry->loaded > fresh_s * FAN_SECOND;
}

static void ask(struct entry *entry, channel_ready *fn, void *context)
{
    struct asker *asker = calloc(1, sizeof *asker);

    if (!asker)
        fan_die("out of memory: a channel");
    *asker = (struct asker){ entry->askers, fn, context };
    entry->askers = asker;
}

void channels_get(struct channels *self, fan_id account, fan_id id, channel_ready *fn,
        void *context)
{
    struct entry *entry = find(self, account, id);
    bool known;

    if (!entry)
        entry = add(self, account, id);
    /* One that is merely old serves until the new one is here; one that is said to have changed, or
     * was not there, does not. */
    known = entry->arena && !entry->changed && (entry->channel.provider || !is_old(entry));
    if (!entry->arena || entry->changed || is_old(entry))
        load(entry);
    if (known || !entry->loading)
        fn(context, entry->arena ? &entry->channel : NULL);
    else
        ask(entry, fn, context);
}

void channels_changed(struct channels *self, fan_id account, fan_id id)
{
    struct entry *entry = find(self, account, id);

    if (entry)
        entry->changed = true;
}
