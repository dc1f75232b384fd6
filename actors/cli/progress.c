#include "actors/cli/progress.h"

enum { BAR_WIDTH = 24, NAME_WIDTH = 18 };

/* ---- counting ---- */

static int64_t counter(const struct fan_json *stats, const char *name)
{
    return fan_json_i64(fan_json_get(stats, name), 0);
}

struct fan_counts fan_counts_read(const struct fan_json *stats)
{
    return (struct fan_counts){
        .total = counter(stats, "total"),
        .pending = counter(stats, "pending"),
        .sending = counter(stats, "sending"),
        .retry = counter(stats, "retry"),
        .unknown = counter(stats, "unknown"),
        .sent = counter(stats, "sent"),
        .failed = counter(stats, "failed"),
        .skipped = counter(stats, "skipped"),
        .cancelled = counter(stats, "cancelled"),
        .unknown_final = counter(stats, "unknown_final"),
        .expired = counter(stats, "expired"),
        .delivered = counter(stats, "delivered"),
        .undelivered = counter(stats, "undelivered"),
        .read = counter(stats, "read"),
    };
}

void fan_counts_add(struct fan_counts *sum, const struct fan_counts *more)
{
    sum->total += more->total;
    sum->pending += more->pending;
    sum->sending += more->sending;
    sum->retry += more->retry;
    sum->unknown += more->unknown;
    sum->sent += more->sent;
    sum->failed += more->failed;
    sum->skipped += more->skipped;
    sum->cancelled += more->cancelled;
    sum->unknown_final += more->unknown_final;
    sum->expired += more->expired;
    sum->delivered += more->delivered;
    sum->undelivered += more->undelivered;
    sum->read += more->read;
}

int64_t fan_counts_settled(const struct fan_counts *counts)
{
    return counts->sent + counts->failed + counts->skipped + counts->cancelled +
            counts->unknown_final + counts->expired;
}

/* ---- speed ---- */

void fan_pace_look(struct fan_pace *pace, fan_time now, int64_t count)
{
    uint32_t place = pace->looks++ % FAN_PACE_LOOKS;

    pace->at[place] = now;
    pace->count[place] = count;
}

double fan_pace_rate(const struct fan_pace *pace)
{
    uint32_t newest = (pace->looks + FAN_PACE_LOOKS - 1) % FAN_PACE_LOOKS;
    uint32_t oldest = pace->looks > FAN_PACE_LOOKS ? pace->looks % FAN_PACE_LOOKS : 0;
    fan_time took = pace->looks > 1 ? pace->at[newest] - pace->at[oldest] : 0;

    if (took <= 0)
        return 0;
    return (double)(pace->count[newest] - pace->count[oldest]) * FAN_SECOND / (double)took;
}

/* ---- writing ---- */

void fan_bar_add(struct fan_buffer *out, int64_t done, int64_t total, uint32_t width)
{
    static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
    int64_t filled = total > 0 ? done * width * 8 / total : 0;
    uint32_t full = (uint32_t)(filled / 8), part = (uint32_t)(filled % 8);

    if (full >= width) {
        full = width;
        part = 0;
    }
    for (uint32_t i = 0; i < full; i++)
        fan_buffer_add_text(out, "█");
    fan_buffer_add_text(out, eighths[part]);
    for (uint32_t i = full + (part > 0); i < width; i++)
        fan_buffer_add_char(out, ' ');
}

void fan_number_add(struct fan_buffer *out, int64_t number)
{
    if (number < 1000) {
        fan_buffer_printf(out, "%lld", (long long)number);
        return;
    }
    fan_number_add(out, number / 1000);
    fan_buffer_printf(out, ",%03lld", (long long)(number % 1000));
}

static void add_count(struct fan_buffer *out, const char *name, int64_t number)
{
    if (!number)
        return;
    fan_buffer_printf(out, "  %s ", name);
    fan_number_add(out, number);
}

static void add_time_left(struct fan_buffer *out, int64_t left, double rate)
{
    int64_t seconds;

    if (left <= 0 || rate < 0.1)
        return;
    seconds = (int64_t)((double)left / rate) + 1;
    if (seconds >= 3600)
        fan_buffer_printf(out, "  %lld h %lld min left", (long long)(seconds / 3600),
                (long long)(seconds / 60 % 60));
    else if (seconds >= 60)
        fan_buffer_printf(out, "  %lld min left", (long long)(seconds / 60));
    else
        fan_buffer_printf(out, "  %lld s left", (long long)seconds);
}

static void add_pace(struct fan_buffer *out, const struct fan_pace *pace, int64_t left)
{
    double rate = pace ? fan_pace_rate(pace) : 0;

    if (rate < 0.5)
        return;
    fan_buffer_add_text(out, "  ");
    fan_number_add(out, (int64_t)(rate + 0.5));
    fan_buffer_add_text(out, "/s");
    add_time_left(out, left, rate);
}

void fan_progress_add(struct fan_buffer *out, const struct fan_progress_line *line)
{
    const struct fan_counts *counts = line->counts;
    int64_t settled = fan_counts_settled(counts), left = counts->total - settled;

    fan_buffer_printf(out, "%-*s %-9s ▕", NAME_WIDTH, line->name, line->status);
    fan_bar_add(out, settled, counts->total, BAR_WIDTH);
    fan_buffer_add_text(out, "▏ ");
    fan_number_add(out, settled);
    fan_buffer_add_char(out, '/');
    fan_number_add(out, counts->total);
    add_count(out, "sent", counts->sent);
    add_count(out, "delivered", counts->delivered);
    add_count(out, "read", counts->read);
    add_count(out, "undelivered", counts->undelivered);
    add_count(out, "failed", counts->failed);
    add_count(out, "skipped", counts->skipped);
    add_count(out, "unknown", counts->unknown + counts->unknown_final);
    add_pace(out, line->pace, left);
}
