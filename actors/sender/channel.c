#include "actors/sender/sender.h"

#include "sql/store/channel.h"

#include <stdlib.h>

enum {
    FRESH_S = 30, /* a channel that nobody uses is loaded anew after so long */
    OLD_S = 300,  /* any channel is: the news of a change may have been lost */
    SLOTS_MOST = 500,
    ASK_SLOTS_MS = 20,
};

/* So long a channel that may be tried waits for a first attempt before a further one does it. */
#define FIRST_ATTEMPTS_COME FAN_SECOND

struct load {
    struct sender *sender;
    fan_id account, id;
    struct channel *out;
};

static void channel_free(struct channel *channel)
{
    fan_loop_cancel(&channel->timer);
    fan_http_client_free(&channel->client);
    fan_arena_free(&channel->arena);
    free(channel);
}

static enum fan_err read_login(struct load *load, struct fan_turn *turn,
        struct fan_channel_login *login, struct fan_bytes *secrets)
{
    enum fan_err err = fan_channel_for_sender(turn->db, load->account, load->id, turn->arena, login,
            &turn->why);

    *secrets = FAN_NO_BYTES;
    if (!err && login->sealed.at)
        err = fan_unseal(load->sender->secret, load->account, load->id, login->sealed, turn->arena,
                secrets, &turn->why);
    return err;
}

void channel_set_pace(struct channel *channel, fan_time interval, fan_time configured)
{
    uint32_t most = channel->sender->set->slice;
    fan_time half_second = interval > 0 ? FAN_SECOND / 2 / interval : most;

    channel->paced = interval > 0;
    channel->learned = interval;
    channel->configured = configured;
    if (channel->interval < interval)
        channel->interval = interval;
    channel->slice = half_second < 1 ? 1 : half_second < most ? (uint32_t)half_second : most;
}

static enum fan_err build(struct load *load, struct fan_turn *turn,
        const struct fan_channel_login *login, struct fan_bytes secrets)
{
    struct sender *self = load->sender;
    const struct fan_provider *provider = fan_provider_find(login->kind, login->provider);
    struct fan_http_client_options options = { 0 };
    struct channel *channel;
    enum fan_err err;

    if (!provider)
        return fan_fail(&turn->why, FAN_INVALID,
                "channel %lld: there is no driver for its provider", (long long)load->id);
    channel = calloc(1, sizeof *channel);
    if (!channel)
        fan_die("out of memory: a channel");
    channel->sender = self;
    channel->arena = fan_arena_new();
    channel->account = load->account;
    channel->id = load->id;
    channel->provider = provider;
    err = fan_channel_view_build(load->account, load->id, login->settings, secrets,
            fan_channel_hook_url(self->set->public_url, load->account, load->id, channel->arena),
            channel->arena, &channel->view, &turn->why);
    if (err) {
        channel_free(channel);
        return err;
    }
    channel->connections =
            login->connections > 0 ? (uint32_t)login->connections : provider->limits.connections;
    options.connections = channel->connections;
    options.ca_file = self->set->ca_file[0] ? self->set->ca_file : NULL;
    channel->client = fan_http_client_new(fan_actor_loop(self->actor), &options);
    channel->loaded = fan_clock_elapsed();
    channel_set_pace(channel, login->rate > 0 ? (fan_time)(1e6 / login->rate) : 0,
            login->rate > 0 ? (fan_time)(1e6 / login->rate) : 0);
    load->out = channel;
    return FAN_OK;
}

static enum fan_err load_turn(struct fan_turn *turn, void *context)
{
    struct fan_channel_login login;
    struct load *load = context;
    struct fan_bytes secrets;
    enum fan_err err;

    if (load->out) /* the turn is repeated */
        channel_free(load->out);
    load->out = NULL;
    err = read_login(load, turn, &login, &secrets);
    return err ? err : build(load, turn, &login, secrets);
}

static struct channel **find(struct sender *self, fan_id account, fan_id id)
{
    struct channel **link = &self->channels;

    while (*link && ((*link)->id != id || (*link)->account != account || (*link)->retired))
        link = &(*link)->next;
    return link;
}

struct channel *channel_find(struct sender *self, fan_id account, fan_id id)
{
    return *find(self, account, id);
}

struct channel *channel_current(struct channel *channel)
{
    struct channel *now = channel->retired
            ? channel_find(channel->sender, channel->account, channel->id)
            : channel;

    return now ? now : channel;
}

bool channel_is_used(const struct channel *channel)
{
    for (const struct claim *claim = channel->sender->claims; claim; claim = claim->next) {
        if (claim->channel == channel)
            return true;
    }
    return channel->in_flight > 0 || channel->asking || channel->asked > 0;
}

static bool is_good(const struct channel *channel)
{
    fan_time age = fan_clock_elapsed() - channel->loaded;

    return !channel->stale && age < (channel_is_used(channel) ? OLD_S : FRESH_S) * FAN_SECOND;
}

/* Free those that were replaced while claims still used them. */
static void drop_retired(struct sender *self)
{
    struct channel **link = &self->channels;

    while (*link) {
        struct channel *one = *link;

        if (!one->retired || channel_is_used(one)) {
            link = &one->next;
            continue;
        }
        *link = one->next;
        channel_free(one);
    }
}

enum fan_err channel_get(struct sender *self, fan_id account, fan_id id, struct channel **out,
        struct fan_why *why)
{
    struct load load = { self, account, id, NULL };
    struct fan_route route = { .account = account };
    struct channel *old = *find(self, account, id);
    enum fan_err err;

    *out = old;
    if (old && is_good(old))
        return FAN_OK;
    err = fan_actor_turn(self->actor, &route, load_turn, &load, why);
    if (err && load.out)
        channel_free(load.out); /* read well, and then the turn failed */
    if (err)
        return err;
    if (old) {
        old->retired = true;
        load.out->held_until = old->held_until;
    }
    load.out->next = self->channels;
    self->channels = *out = load.out;
    health_begin(load.out, old);
    drop_retired(self);
    return FAN_OK;
}

/* ---- send slots ---- */

static void take_slots(struct channel *channel, const struct fan_claim_slots *slots, fan_time now)
{
    if (slots->granted == 0) { /* others have them all up to the horizon */
        if (channel->ask_again < now + slots->wait_us)
            channel->ask_again = now + slots->wait_us;
        return;
    }
    channel->interval = slots->interval_us;
    fan_slots_add(&channel->slots, slots->granted, now + slots->wait_us, slots->interval_us);
    channel->ask_again = now;
}

static void on_slots(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct channel *channel = context;
    struct fan_claim_slots slots = { 0 };
    fan_time now = fan_clock_elapsed();

    (void)why;
    channel->asking = false;
    channel->ask_again = now + ASK_SLOTS_MS * FAN_MS;
    if (!err && fan_claim_read_slots(&rows[count - 1], &slots))
        take_slots(channel, &slots, now);
    claims_pump(channel->sender, channel);
}

static void on_pace_timer(void *context)
{
    struct channel *channel = context;

    channel->timer = NULL;
    claims_pump(channel->sender, channel);
}

/* Look again at @at; one timer a channel is enough, since a pump asks anew for what it still
 * misses. */
static void look_again(struct channel *channel, fan_time at)
{
    fan_time wait = at - fan_clock_elapsed();

    if (channel->timer)
        return;
    channel->timer = fan_loop_after(fan_actor_loop(channel->sender->actor),
            wait <= 0 ? 0 : (uint32_t)((wait + 999) / 1000), on_pace_timer, channel);
}

static void ask_slots(struct channel *channel)
{
    struct sender *self = channel->sender;
    struct fan_batch *batch;

    if (channel->asking || !fan_slots_have_room(&channel->slots))
        return;
    if (fan_clock_elapsed() < channel->ask_again) {
        look_again(channel, channel->ask_again);
        return;
    }
    channel->asking = true;
    batch = fan_batch_new(channel->account);
    fan_claim_add_slots(batch, channel->account, channel->id,
            SLOTS_MOST < 2 * channel->slice ? SLOTS_MOST : 2 * channel->slice);
    fan_db_submit(self->db, &batch, on_slots, channel);
    fan_db_watch_kick(self->watch);
}

static uint32_t open_paced(struct channel *channel, uint32_t wanted, uint32_t waiting, fan_time now)
{
    uint32_t left = fan_slots_left(&channel->slots, now);
    uint32_t free = left > waiting ? left - waiting : 0;

    if (wanted > free)
        wanted = free;
    if (free - wanted < channel->slice)
        ask_slots(channel);
    return wanted;
}

/* Whether this sender holds first attempts that could be opened: what becomes of them says more of
 * a channel than what has failed before. */
static bool has_first_attempts(const struct channel *channel)
{
    for (const struct claim *claim = channel->sender->claims; claim; claim = claim->next) {
        if (claim->channel == channel && claim->state == CLAIM_OPEN && !claim->closed_out &&
                !claim->taken.claim.is_retry && claim->opened < claim->taken.size)
            return true;
    }
    return false;
}

/* Further attempts leave it to first ones to try a channel; they wait a moment for them to come. */
static bool must_leave_it(struct channel *channel, fan_time until)
{
    if (fan_clock_elapsed() < until) {
        look_again(channel, until);
        return true;
    }
    return has_first_attempts(channel);
}

uint32_t channel_may_open(struct channel *channel, uint32_t wanted, uint32_t waiting, bool again)
{
    uint32_t most = wanted;
    fan_time now = fan_clock_elapsed();

    switch (health_act(channel)) {
    case FAN_HEALTH_GO:
        break;
    case FAN_HEALTH_ONE:
        if (waiting > 0 || (again && must_leave_it(channel, 0)))
            return 0;
        most = 1;
        break;
    case FAN_HEALTH_ASK:
        if (!again || !must_leave_it(channel, channel->health.until + FIRST_ATTEMPTS_COME))
            health_try(channel);
        return 0;
    case FAN_HEALTH_HOLD:
    case FAN_HEALTH_LEAVE:
        return 0;
    }
    if (channel->held_until > now) {
        look_again(channel, channel->held_until);
        return 0;
    }
    return channel->paced ? open_paced(channel, most, waiting, now) : most;
}

/* Whether this is a moment for one more; if not, look again at the right one. */
static bool is_its_time(struct channel *channel, fan_time now)
{
    if (channel->held_until > now) {
        look_again(channel, channel->held_until);
        return false;
    }
    if (!channel->paced)
        return true;
    if (fan_slots_left(&channel->slots, now) == 0) {
        ask_slots(channel);
        return false;
    }
    if (fan_slots_next(&channel->slots) > now + FAN_MS) {
        look_again(channel, fan_slots_next(&channel->slots));
        return false;
    }
    return true;
}

static bool is_within_budget(struct channel *channel, bool again, fan_time now)
{
    if (!again) {
        fan_budget_first(&channel->budget, now);
        return true;
    }
    if (fan_budget_take(&channel->budget, now))
        return true;
    fan_metric_add(channel->sender->budget_waits, 1);
    look_again(channel, now + fan_budget_wait(&channel->budget));
    return false;
}

static void count_call(struct channel *channel, fan_time now)
{
    int64_t second = now / FAN_SECOND;

    if (channel->second != second) {
        channel->calls_before = channel->second + 1 == second ? channel->calls : 0;
        channel->second = second;
        channel->calls = 0;
    }
    channel->calls++;
}

bool channel_may_start(struct channel *channel, fan_id message, bool again)
{
    fan_time now = fan_clock_elapsed();
    enum fan_health_act act = health_act(channel_current(channel));

    if (channel->in_flight >= channel->connections ||
            (act != FAN_HEALTH_GO && act != FAN_HEALTH_ONE) || !is_its_time(channel, now) ||
            !is_within_budget(channel, again, now))
        return false;
    if (channel->paced)
        fan_slots_use(&channel->slots, now, channel->interval);
    if (act == FAN_HEALTH_ONE) {
        struct channel *current = channel_current(channel);

        current->trying = true;
        current->probe = message;
        current->probe_failed = again;
    }
    count_call(channel, now);
    channel->in_flight++;
    return true;
}

void channel_hold(struct channel *channel, fan_time wait)
{
    fan_time until = fan_clock_elapsed() + wait;

    if (channel->held_until < until)
        channel->held_until = until;
}

void channel_changed(struct sender *self, fan_id account, fan_id id)
{
    struct channel *channel = *find(self, account, id);

    if (!channel)
        return;
    channel->stale = true;
    health_look(channel);
}

void channels_free(struct sender *self)
{
    while (self->channels) {
        struct channel *first = self->channels;
        self->channels = first->next;
        channel_free(first);
    }
}
