/*
 * What this sender sees of a channel's health, and what its row says of it.
 *
 * The row is looked at every second and after every news of it, so that all senders agree. What a
 * sender sees for itself (a breaker, see decide/breaker.h) holds here at once, and in the row as
 * soon as it is written there.
 */
#include "actors/sender/sender.h"

#include "sql/store/health.h"

#include <stdlib.h>

enum { TRY_SPARE_MS = 5000 };

struct step {
    struct channel *channel;
    struct fan_channel_health_changed news;
    fan_time until; /* elapsed */
};

void health_begin(struct channel *channel, const struct channel *old)
{
    fan_time now = fan_clock_elapsed();

    fan_breaker_init(&channel->breaker, channel->connections);
    fan_budget_init(&channel->budget, now);
    if (old) {
        channel->health = old->health;
        channel->looked = old->looked;
        channel->budget = old->budget;
        channel->health.ours = false; /* who tries it is looked up */
    }
    health_look(channel);
}

enum fan_health_act health_act(const struct channel *channel)
{
    if (!channel->looked)
        return FAN_HEALTH_HOLD;
    return fan_health_decide(&channel->health, channel->trying, fan_clock_elapsed());
}

static void submit(struct channel *channel, struct fan_batch **batch, fan_batch_done *done,
        void *context)
{
    channel->asked++;
    fan_db_submit(channel->sender->db, batch, done, context);
    fan_db_watch_kick(channel->sender->watch);
}

/* ---- what the row says ---- */

static void adopt(struct channel *channel, const struct fan_health_row *row)
{
    bool was_closed = channel->health.state == FAN_HEALTH_CLOSED;

    channel->looked = true;
    channel_set_pace(channel, row->interval_us, row->configured_us);
    if (channel->stepping) /* older than what we are about to write */
        return;
    channel->health = (struct fan_health){
        .state = row->state,
        .reason = row->reason,
        .times = row->times,
        .until = fan_clock_elapsed() + row->wait_us,
        .ours = row->state == FAN_HEALTH_HALF_OPEN &&
                row->prober == fan_actor_incarnation(channel->sender->actor),
    };
    if (was_closed != (row->state == FAN_HEALTH_CLOSED))
        fan_breaker_reset(&channel->breaker);
    if (!channel->health.ours)
        channel->trying = false;
}

static void on_look(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct channel *channel = context;
    struct fan_health_row row;

    (void)count;
    (void)why;
    channel->asked--;
    channel->looking = false;
    if (!err && fan_health_read_look(&rows[0], &row))
        adopt(channel, &row);
    claims_pump_soon(channel->sender);
}

void health_look(struct channel *channel)
{
    struct fan_batch *batch;

    if (channel->looking)
        return;
    channel->looking = true;
    batch = fan_batch_new(channel->account);
    fan_health_add_look(batch, channel->account, channel->id);
    submit(channel, &batch, on_look, channel);
}

/* ---- the steps of the breaker ---- */

static struct fan_health_step step_of(const struct step *step)
{
    const struct channel *channel = step->channel;

    return (struct fan_health_step){ channel->account, channel->id,
        fan_actor_incarnation(channel->sender->actor), &step->news };
}

static struct step *new_step(struct channel *channel, enum fan_health_state state)
{
    struct step *step = calloc(1, sizeof *step);

    if (!step)
        fan_die("out of memory: a channel's health");
    *step = (struct step){
        .channel = channel,
        .news = { .channel = channel->id,
                .state = (uint32_t)state + 1,
                .reason = (uint32_t)channel->health.reason },
    };
    channel->stepping = true;
    return step;
}

static void tell(const struct step *step)
{
    struct sender *self = step->channel->sender;
    struct fan_route route = { .account = step->channel->account };
    long long id = (long long)step->channel->id;

    if (step->news.state == FAN_HEALTH_OPEN + 1) {
        fan_metric_add(self->paused[step->news.reason], 1);
        fan_log(NULL, FAN_WARN, "channel.paused", "channel %lld is left alone for %u ms: %s", id,
                step->news.wait_ms, fan_health_reason_name((int)step->news.reason));
    } else if (step->news.state == FAN_HEALTH_HALF_OPEN + 1) {
        fan_log(NULL, FAN_INFO, "channel.tried", "one message tries channel %lld", id);
    } else {
        fan_log(NULL, FAN_INFO, "channel.resumed", "channel %lld works again", id);
    }
    fan_actor_emit(self->actor, &fan_schema_channel_health_changed, &route, &step->news);
}

static void on_step(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct step *step = context;
    struct channel *channel = step->channel;
    bool done = !err && fan_health_read_step(&rows[0]);

    (void)count;
    (void)why;
    channel->asked--;
    channel->stepping = false;
    if (done) {
        if (step->news.state == FAN_HEALTH_HALF_OPEN + 1) {
            channel->health.state = FAN_HEALTH_HALF_OPEN;
            channel->health.until = step->until;
            channel->health.ours = true;
            channel->trying = false;
        }
        tell(step);
    }
    free(step);
    health_look(channel);
    claims_pump_soon(channel->sender);
}

static void open_it(struct channel *channel, enum fan_health_reason reason, bool again)
{
    uint32_t times = fan_health_times(&channel->health, again);
    bool longer = times > channel->health.times;
    fan_time pause = fan_breaker_pause(times, sender_draw(channel->sender));
    struct fan_health_step key;
    struct fan_batch *batch;
    struct step *step;

    channel->health = (struct fan_health){ FAN_HEALTH_OPEN, reason, times,
        fan_clock_elapsed() + pause, false };
    channel->trying = false;
    fan_breaker_reset(&channel->breaker);
    step = new_step(channel, FAN_HEALTH_OPEN);
    step->news.wait_ms = (uint32_t)(pause / FAN_MS);
    key = step_of(step);
    batch = fan_batch_new(channel->account);
    fan_health_add_open(batch, &key, longer);
    submit(channel, &batch, on_step, step);
}

static void close_it(struct channel *channel)
{
    struct fan_health_step key;
    struct fan_batch *batch;
    struct step *step;

    channel->health = (struct fan_health){ .state = FAN_HEALTH_CLOSED };
    channel->trying = false;
    fan_breaker_reset(&channel->breaker);
    step = new_step(channel, FAN_HEALTH_CLOSED);
    key = step_of(step);
    batch = fan_batch_new(channel->account);
    fan_health_add_close(batch, &key);
    submit(channel, &batch, on_step, step);
}

void health_try(struct channel *channel)
{
    fan_time most = (channel->sender->set->request_ms + TRY_SPARE_MS) * FAN_MS;
    struct fan_health_step key;
    struct fan_batch *batch;
    struct step *step;

    if (channel->stepping)
        return;
    step = new_step(channel, FAN_HEALTH_HALF_OPEN);
    step->until = fan_clock_elapsed() + most;
    key = step_of(step);
    batch = fan_batch_new(channel->account);
    fan_health_add_try(batch, &key, most);
    submit(channel, &batch, on_step, step);
}

void health_landed(struct channel *channel, fan_id message, enum fan_channel_sign sign,
        bool reached)
{
    enum fan_health_reason reason;
    bool probe;

    channel = channel_current(channel);
    probe = channel->trying && channel->probe == message;
    switch (channel->health.state) {
    case FAN_HEALTH_CLOSED:
        reason = fan_breaker_note(&channel->breaker, sign, fan_clock_elapsed());
        if (reason)
            open_it(channel, reason, false);
        return;
    case FAN_HEALTH_HALF_OPEN:
        if (!channel->health.ours || channel->stepping)
            return;
        if (sign == FAN_SIGN_GOOD)
            close_it(channel);
        else if (sign == FAN_SIGN_REFUSED && probe)
            open_it(channel, FAN_HEALTH_REFUSED, false);
        else if (probe)
            open_it(channel, FAN_HEALTH_FAILING, channel->probe_failed && reached);
        return;           /* trouble of a call that was begun before it was opened is no news */
    case FAN_HEALTH_OPEN: /* begun before it was opened */
    case FAN_HEALTH_STATE_COUNT:
        return;
    }
}

void health_ended(struct channel *channel, fan_id message)
{
    channel = channel_current(channel);
    if (channel->trying && channel->probe == message)
        channel->trying = false;
}

/* ---- the rate ---- */

static void on_rate(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct channel *channel = context;
    fan_time interval = err ? -1 : fan_health_read_interval(&rows[0]);

    (void)count;
    (void)why;
    channel->asked--;
    if (interval < 0)
        return;
    if (interval == channel->cut && interval > channel->learned) { /* by us */
        fan_metric_add(channel->sender->cuts, 1);
        fan_log(NULL, FAN_INFO, "channel.slowed",
                "channel %lld sends %.1f a second now: its provider finds it too fast",
                (long long)channel->id, 1e6 / (double)interval);
    }
    channel_set_pace(channel, interval, channel->configured);
}

void health_throttled(struct channel *channel, fan_time wait)
{
    fan_time now = fan_clock_elapsed(), cut;
    struct fan_batch *batch;

    channel = channel_current(channel);
    /* What many calls of one moment are told is told on once. */
    if (channel->held_until >= now + wait - 100 * FAN_MS && channel->told_at + FAN_SECOND > now)
        return;
    channel_hold(channel, wait);
    channel->told_at = channel->grow_at = now;
    cut = fan_rate_cut(channel->learned, channel->configured,
            channel->calls_before ? channel->calls_before : channel->calls);
    channel->cut = cut;
    batch = fan_batch_new(channel->account);
    fan_health_add_throttled(batch, channel->account, channel->id, wait, channel->learned, cut,
            FAN_RATE_CUT_EVERY);
    submit(channel, &batch, on_rate, channel);
}

/* The row says whether it is time: others may have been throttled. */
static void grow(struct channel *channel, fan_time now)
{
    fan_time grown = fan_rate_grow(channel->learned, channel->configured);
    struct fan_batch *batch;

    if (channel->learned <= channel->configured || channel->grow_at + FAN_RATE_GROW_EVERY > now)
        return;
    channel->grow_at = now;
    batch = fan_batch_new(channel->account);
    fan_health_add_grow(batch, channel->account, channel->id, channel->learned, grown,
            FAN_RATE_GROW_EVERY);
    submit(channel, &batch, on_rate, channel);
}

void health_tick(struct sender *self)
{
    fan_time now = fan_clock_elapsed();
    uint32_t paused = 0, slowed = 0;

    for (struct channel *one = self->channels; one; one = one->next) {
        if (one->retired)
            continue;
        paused += one->health.state != FAN_HEALTH_CLOSED;
        slowed += one->learned > one->configured;
        if (!channel_is_used(one) && one->health.state == FAN_HEALTH_CLOSED)
            continue;
        health_look(one);
        grow(one, now);
    }
    fan_metric_set(self->channels_paused, paused);
    fan_metric_set(self->channels_slowed, slowed);
}
