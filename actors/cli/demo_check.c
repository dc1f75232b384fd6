/*
 * Three books are kept of every message, by three programs: counters on chunks, the messages' own
 * rows, and the journal of the sandbox that received them. Here they are compared.
 */
#include "actors/cli/demo.h"

#include "actors/cli/schema.h"
#include "proto/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const struct fan_query recount = {
    .name = "demo_recount",
    .sql = "SELECT count(*), count(*) FILTER (WHERE m.state = 0), "
           "count(*) FILTER (WHERE m.state = 1), count(*) FILTER (WHERE m.state = 2), "
           "count(*) FILTER (WHERE m.state = 3), count(*) FILTER (WHERE m.state = 4), "
           "count(*) FILTER (WHERE m.state = 5), count(*) FILTER (WHERE m.state = 6), "
           "count(*) FILTER (WHERE m.state = 7), count(*) FILTER (WHERE m.state = 8), "
           "count(*) FILTER (WHERE m.progress >= 2), count(*) FILTER (WHERE m.progress = 1), "
           "count(*) FILTER (WHERE m.progress >= 3) "
           "FROM run r JOIN chunk k ON k.account_id = r.account_id AND k.run_id = r.id "
           "JOIN message m ON m.account_id = k.account_id AND m.id >> 9 = k.id "
           "WHERE r.account_id = $1 AND r.campaign_id = $2",
};
static const struct fan_query skips = {
    .name = "demo_skips",
    .sql = "SELECT m.reason, count(*) "
           "FROM run r JOIN chunk k ON k.account_id = r.account_id AND k.run_id = r.id "
           "JOIN message m ON m.account_id = k.account_id AND m.id >> 9 = k.id "
           "WHERE r.account_id = $1 AND r.campaign_id = $2 AND m.state = 5 "
           "GROUP BY 1 ORDER BY 2 DESC",
};
static const struct fan_query audience = {
    .name = "demo_audience",
    .sql = "SELECT count(DISTINCT ct.contact_id) FROM tag t JOIN contact_tag ct "
           "ON ct.account_id = t.account_id AND ct.tag_id = t.id "
           "WHERE t.account_id = $1 AND t.name = $2",
};

struct check {
    struct fan_demo *demo;
    struct fan_db *db;
    struct fan_arena *arena;
    bool all_hold;
};

static void verdict(struct check *check, bool holds, const char *format, ...) FAN_PRINTF(3, 4);

static void verdict(struct check *check, bool holds, const char *format, ...)
{
    va_list args;

    printf("  %s ", holds ? "✓" : "✗");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    check->all_hold = check->all_hold && holds;
}

/* ---- by SQL ---- */

static enum fan_err ask(struct check *check, const struct fan_query *query, int64_t campaign,
        struct fan_rows *rows, struct fan_why *why)
{
    struct fan_args args;

    fan_args_begin(&args, check->arena);
    fan_arg_i64(&args, FAN_DEMO_ACCOUNT);
    fan_arg_i64(&args, campaign);
    return fan_db_run(check->db, query, &args, rows, why);
}

static struct fan_counts counts_of(const struct fan_rows *rows)
{
    struct fan_counts out = { 0 };
    int64_t *const fields[] = { &out.total, &out.pending, &out.retry, &out.unknown, &out.sent,
        &out.failed, &out.skipped, &out.cancelled, &out.unknown_final, &out.expired, &out.delivered,
        &out.undelivered, &out.read };

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        *fields[i] = fan_row_i64(rows, 0, (int)i);
    return out;
}

static void check_recount(struct check *check, const struct fan_demo_campaign *campaign)
{
    struct fan_rows rows;
    struct fan_why why;
    struct fan_counts found;

    if (ask(check, &recount, campaign->id, &rows, &why)) {
        verdict(check, false, "%s: cannot recount: %s", campaign->name, why.text);
        return;
    }
    found = counts_of(&rows);
    verdict(check, memcmp(&found, &campaign->counts, sizeof(found)) == 0,
            "%s: the statistics equal a recount of %lld rows", campaign->name,
            (long long)found.total);
    verdict(check, fan_counts_settled(&found) == found.total,
            "%s: every message is in a final state", campaign->name);
    verdict(check, found.total == check->demo->contacts,
            "%s: one message for each of the %lld contacts", campaign->name,
            (long long)check->demo->contacts);
}

static void note_skips(struct check *check, struct fan_demo_campaign *campaign)
{
    struct fan_rows rows;
    struct fan_why why;
    const char *text = "";

    if (ask(check, &skips, campaign->id, &rows, &why))
        return;
    for (int i = 0; i < rows.count; i++)
        text = fan_arena_printf(check->demo->arena, "%s%s%s %lld", text, i ? ", " : "",
                fan_reason_name((int)fan_row_i64(&rows, i, 0)),
                (long long)fan_row_i64(&rows, i, 1));
    campaign->skips = text;
}

static void count_audience(struct check *check)
{
    struct fan_args args;
    struct fan_rows rows;
    struct fan_why why;

    fan_args_begin(&args, check->arena);
    fan_arg_i64(&args, FAN_DEMO_ACCOUNT);
    fan_arg_text(&args, FAN_LIT(FAN_DEMO_TAG));
    if (fan_db_run(check->db, &audience, &args, &rows, &why))
        verdict(check, false, "cannot count the audience: %s", why.text);
    else
        check->demo->contacts = fan_row_i64(&rows, 0, 0);
}

/* ---- by the journal ---- */

/* What a provider accepted: tokens[len], one for each message. */
struct accepted {
    const char **tokens;
    size_t len, room;
};

static FILE *open_journal(const struct fan_demo *demo)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/sandbox.journal", demo->home.path);
    return fopen(path, "re");
}

int64_t fan_demo_journal_size(const struct fan_demo *demo)
{
    FILE *journal = open_journal(demo);
    struct stat there = { 0 };

    if (journal) {
        fstat(fileno(journal), &there);
        fclose(journal);
    }
    return there.st_size;
}

static void keep_token(struct accepted *accepted, struct fan_bytes token, struct fan_arena *arena)
{
    if (accepted->len == accepted->room) {
        const char **grown = fan_arena_array(arena, accepted->room * 2 + 1024, sizeof(*grown));

        if (accepted->len)
            memcpy(grown, accepted->tokens, accepted->len * sizeof(*grown));
        accepted->tokens = grown;
        accepted->room = accepted->room * 2 + 1024;
    }
    accepted->tokens[accepted->len++] = fan_bytes_cstr(token, arena);
}

static void read_line(struct check *check, struct fan_bytes line, struct fan_arena *scratch,
        struct accepted *accepted)
{
    const struct fan_json *entry;
    struct fan_bytes provider;
    struct fan_why why;

    if (fan_json_parse(line, scratch, &entry, &why) ||
            !fan_bytes_eq_text(fan_json_get_text(entry, "verdict"), "accepted"))
        return;
    provider = fan_json_get_text(entry, "provider");
    for (int i = 0; i < FAN_DEMO_CAMPAIGNS; i++) {
        if (fan_bytes_eq_text(provider, check->demo->campaigns[i].provider))
            keep_token(&accepted[i], fan_json_get_text(entry, "token"), check->arena);
    }
}

static void read_journal(struct check *check, struct accepted *accepted)
{
    FILE *journal = open_journal(check->demo);
    struct fan_arena *scratch = fan_arena_new();
    char *line = NULL;
    size_t room = 0;
    ssize_t len;

    if (journal && fseek(journal, check->demo->journal_from, SEEK_SET) == 0) {
        while ((len = getline(&line, &room, journal)) > 0) {
            read_line(check, (struct fan_bytes){ line, (size_t)len }, scratch, accepted);
            fan_arena_reset(scratch);
        }
    }
    free(line);
    if (journal)
        fclose(journal);
    fan_arena_free(&scratch);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t distinct(struct accepted *accepted)
{
    size_t count = accepted->len > 0;

    if (accepted->len)
        qsort(accepted->tokens, accepted->len, sizeof(*accepted->tokens), by_text);
    for (size_t i = 1; i < accepted->len; i++)
        count += strcmp(accepted->tokens[i], accepted->tokens[i - 1]) != 0;
    return count;
}

static void check_journal(struct check *check)
{
    struct accepted accepted[FAN_DEMO_CAMPAIGNS] = { 0 };

    read_journal(check, accepted);
    for (int i = 0; i < FAN_DEMO_CAMPAIGNS; i++) {
        const struct fan_demo_campaign *campaign = &check->demo->campaigns[i];
        size_t messages = distinct(&accepted[i]);

        verdict(check, (int64_t)messages == campaign->counts.sent,
                "%s: the sandbox accepted %zu messages, and as many are sent", campaign->name,
                messages);
        verdict(check, messages == accepted[i].len, "%s: none of them twice", campaign->name);
    }
}

/* A mail relay says no more than that it took a mail; the others tell what became of a message. */
static void check_receipts(struct check *check, const struct fan_demo_campaign *campaign)
{
    const struct fan_counts *counts = &campaign->counts;
    int64_t receipts = counts->delivered + counts->undelivered;

    if (strcmp(campaign->kind, "email") == 0)
        return;
    verdict(check, counts->sent == 0 || receipts > 0, "%s: receipts came for %lld messages",
            campaign->name, (long long)receipts);
}

bool fan_demo_check(struct fan_demo *demo)
{
    struct check check = { .demo = demo,
        .arena = fan_arena_new(),
        .all_hold = true,
        .db = fan_owner_db(demo->home.database_url, demo->home.own_cluster ? "fan_owner" : NULL) };

    puts("Checks");
    fan_db_account(check.db, FAN_DEMO_ACCOUNT);
    count_audience(&check);
    for (int i = 0; i < FAN_DEMO_CAMPAIGNS; i++) {
        check_recount(&check, &demo->campaigns[i]);
        check_receipts(&check, &demo->campaigns[i]);
        note_skips(&check, &demo->campaigns[i]);
    }
    check_journal(&check);
    fan_db_abort(check.db);
    fan_db_free(&check.db);
    fan_arena_free(&check.arena);
    putchar('\n');
    return check.all_hold;
}
