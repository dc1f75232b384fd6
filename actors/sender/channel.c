#include "actors/sender/sender.h"

#include "sql/store/channel.h"

#include <stdlib.h>

enum {
    FRESH_S = 30, /* a channel that nobody uses is loaded anew after so long */
    OLD_S = 300,  /* any channel is: the news of a change may have been lost */
    SLOTS_MOST = 500,
    SLOTS_LATE_MS = 500, /* slots may be used so late */
    ASK_SLOTS_MS = 20,
};

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

static void set_pace(struct channel *channel, const struct sender *self, double rate)
{
    double half_second = rate / 2;

    channel->paced = rate > 0;
    channel->slice = self->set->slice;
    if (channel->paced && half_second < channel->slice)
        channel->slice = half_second < 1 ? 1 : (uint32_t)half_second;
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
    set_pace(channel, self, login->rate);
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

static bool is_used(const struct sender *self, const struct channel *channel)
{
    for (const struct claim *claim = self->claims; claim; claim = claim->next) {
        if (claim->channel == channel)
            return true;
    }
    return channel->in_flight > 0 || channel->asking;
}

static bool is_good(const struct sender *self, const struct channel *channel)
{
    fan_time age = fan_clock_elapsed() - channel->loaded;

    return !channel->stale && age < (is_used(self, channel) ? OLD_S : FRESH_S) * FAN_SECOND;
}

/* Free those that were replaced while claims still used them. */
static void drop_retired(struct sender *self)
{
    struct channel **link = &self->channels;

    while (*link) {
        struct channel *one = *link;

        if (!one->retired || is_used(self, one)) {
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
    if (old && is_good(self, old))
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
    drop_retired(self);
    load.out->next = self->channels;
    self->channels = *out = load.out;
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
    channel->slots += slots->granted;
    channel->interval = slots->interval_us;
    if (channel->next_at < now + slots->wait_us)
        channel->next_at = now + slots->wait_us;
    channel->slots_until = now + slots->wait_us + slots->granted * slots->interval_us;
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

    if (channel->asking)
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

uint32_t channel_may_open(struct channel *channel, uint32_t wanted)
{
    uint32_t granted = wanted < channel->slice ? wanted : channel->slice;
    fan_time now = fan_clock_elapsed();

    if (channel->held_until > now) {
        look_again(channel, channel->held_until);
        return 0;
    }
    if (!channel->paced)
        return granted;
    if (now > channel->slots_until + SLOTS_LATE_MS * FAN_MS)
        channel->slots = 0; /* their time is over: it may be others' by now */
    if (granted > channel->slots)
        granted = channel->slots;
    channel->slots -= granted;
    if (channel->slots < channel->slice)
        ask_slots(channel);
    return granted;
}

void channel_return(struct channel *channel, uint32_t slots)
{
    if (channel->paced)
        channel->slots += slots;
}

bool channel_may_start(struct channel *channel)
{
    fan_time now = fan_clock_elapsed();

    if (channel->in_flight >= channel->connections)
        return false;
    if (channel->held_until > now) {
        look_again(channel, channel->held_until);
        return false;
    }
    if (channel->paced) {
        if (channel->next_at > now + FAN_MS) {
            look_again(channel, channel->next_at);
            return false;
        }
        /* A pause is not made up for by a burst of more than a tenth of a second. */
        if (channel->next_at < now - 100 * FAN_MS)
            channel->next_at = now - 100 * FAN_MS;
        channel->next_at += channel->interval;
    }
    channel->in_flight++;
    return true;
}

static void ignore(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    (void)context;
    (void)err;
    (void)rows;
    (void)count;
    (void)why;
}

void channel_hold(struct channel *channel, fan_time wait)
{
    fan_time until = fan_clock_elapsed() + wait;

    if (channel->held_until < until)
        channel->held_until = until;
}

void channel_throttled(struct channel *channel, fan_time wait)
{
    struct sender *self = channel->sender;
    struct fan_batch *batch;

    channel_hold(channel, wait);
    if (!channel->paced)
        return;
    batch = fan_batch_new(channel->account);
    fan_claim_add_throttled(batch, channel->account, channel->id, wait);
    fan_db_submit(self->db, &batch, ignore, NULL);
    fan_db_watch_kick(self->watch);
}

void channel_changed(struct sender *self, fan_id account, fan_id id)
{
    struct channel *channel = *find(self, account, id);

    if (channel)
        channel->stale = true;
}

void channels_free(struct sender *self)
{
    while (self->channels) {
        struct channel *first = self->channels;
        self->channels = first->next;
        channel_free(first);
    }
}
