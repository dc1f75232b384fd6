/*
 * cblast — the whole blast in one process of three threads: what this machine can do at all.
 *
 *   planner  selects by tag, renders, copies a batch a transaction into outbound_messages
 *   sender   posts over kept connections
 *   marker   updates a batch a transaction
 *
 * It has no retries, limits, error policy or recovery: a reference, not a product.
 */
#include "common.h"

#include <curl/curl.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <unistd.h>

enum {
    PLAN_BATCH = 1000,
    MARK_BATCH = 500,
    MARK_AFTER_MS = 10,
    CONNECTIONS = 100,
    QUEUE_MOST = 8, /* batches planned ahead */
    PARTS_MOST = 16,
};

struct message {
    int64_t id;
    char to[20];
    char body[160];
    char sid[40];
};

struct batch {
    struct batch *next;
    int count, taken;
    struct message message[];
};

/* Batches from one thread to another. */
struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct batch *first, *last;
    int length;
    int closed;
};

static struct queue planned = { .lock = PTHREAD_MUTEX_INITIALIZER,
    .changed = PTHREAD_COND_INITIALIZER };
static struct queue answered = { .lock = PTHREAD_MUTEX_INITIALIZER,
    .changed = PTHREAD_COND_INITIALIZER };
static CURLM *multi;
static PGconn *plan_db, *mark_db;
static int64_t campaign;
static char template[512], tag[64];
static volatile long planned_count = -1; /* once everybody is planned */

/* ---- queues ---- */

static void queue_put(struct queue *queue, struct batch *batch, int most)
{
    pthread_mutex_lock(&queue->lock);
    while (most && queue->length >= most)
        pthread_cond_wait(&queue->changed, &queue->lock);
    if (queue->last)
        queue->last->next = batch;
    else
        queue->first = batch;
    queue->last = batch;
    queue->length++;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

static void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = 1;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

static struct batch *queue_get(struct queue *queue, int wait)
{
    struct batch *batch;

    pthread_mutex_lock(&queue->lock);
    while (wait && !queue->first && !queue->closed)
        pthread_cond_wait(&queue->changed, &queue->lock);
    batch = queue->first;
    if (batch) {
        queue->first = batch->next;
        if (!queue->first)
            queue->last = NULL;
        batch->next = NULL;
        queue->length--;
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->lock);
    return batch;
}

static struct batch *batch_new(int count)
{
    return allocate(sizeof(struct batch) + (size_t)count * sizeof(struct message));
}

/* ---- PostgreSQL ---- */

static void die(PGconn *db, const char *what)
{
    fprintf(stderr, "cblast: %s: %s\n", what, PQerrorMessage(db));
    exit(1);
}

static PGresult *check(PGconn *db, PGresult *result, const char *what)
{
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN)
        die(db, what);
    return result;
}

static PGresult *query(PGconn *db, const char *sql)
{
    return check(db, PQexec(db, sql), sql);
}

static PGconn *connect_db(void)
{
    PGconn *db = PQconnectdb("");

    if (PQstatus(db) != CONNECTION_OK)
        die(db, "connect");
    return db;
}

/* ---- planner ---- */

enum { COLUMN_ID, COLUMN_PHONE, COLUMN_FIELDS };

static const char *const fields[] = { "first_name", "location", "preferred_product" };

/* A piece of the template: text, or (text NULL) the column of a contact. */
struct part {
    const char *text;
    int len, column;
};

static int compile(struct part parts[PARTS_MOST])
{
    const char *at = template;
    int count = 0;

    while (*at && count < PARTS_MOST - 1) {
        const char *open = strchr(at, '{'), *close = open ? strchr(open, '}') : NULL;
        size_t text = close ? (size_t)(open - at) : strlen(at);

        if (text)
            parts[count++] = (struct part){ at, (int)text, 0 };
        if (!close)
            break;
        for (int f = 0; f < 3; f++) {
            if (strncmp(open + 1, fields[f], (size_t)(close - open - 1)) == 0)
                parts[count++] = (struct part){ NULL, 0, COLUMN_FIELDS + f };
        }
        at = close + 1;
    }
    return count;
}

static int render(const struct part *parts, int count, const PGresult *people, int row, char *out)
{
    char *at = out;

    for (int i = 0; i < count; i++) {
        const struct part *part = &parts[i];
        const char *text = part->text ? part->text : PQgetvalue(people, row, part->column);
        int len = part->text ? part->len : PQgetlength(people, row, part->column);

        at = (char *)memcpy(at, text, (size_t)len) + len;
    }
    *at = '\0';
    return (int)(at - out);
}

/* The first of @count fresh ids. */
static int64_t take_ids(int count)
{
    char sql[160];
    PGresult *result;
    int64_t last;

    snprintf(sql, sizeof sql,
            "SELECT setval('outbound_messages_id_seq', nextval('outbound_messages_id_seq') + %d)",
            count);
    result = query(plan_db, sql);
    last = atoll(PQgetvalue(result, 0, 0));
    PQclear(result);
    return last - count;
}

static void copy_rows(const char *rows, size_t len)
{
    PGresult *result;

    PQclear(query(plan_db,
            "COPY outbound_messages (id, campaign_id, contact_id, body) FROM STDIN "
            "(FORMAT binary)"));
    PQputCopyData(plan_db, rows, (int)len);
    PQputCopyEnd(plan_db, NULL);
    while ((result = PQgetResult(plan_db)))
        PQclear(check(plan_db, result, "copy"));
}

/* Write a batch of people's messages, in one transaction, and hand them to the sender. */
static void plan(const PGresult *people, const struct part *parts, int parts_len, char *rows)
{
    static const char head[19] = "PGCOPY\n\377\r\n";
    int count = PQntuples(people);
    struct batch *batch = batch_new(count);
    int64_t first = take_ids(count);
    char *at = (char *)memcpy(rows, head, sizeof head) + sizeof head;

    for (int row = 0; row < count; row++) {
        struct message *message = &batch->message[row];
        int len = render(parts, parts_len, people, row, message->body);

        message->id = first + row;
        memcpy(message->to, PQgetvalue(people, row, COLUMN_PHONE),
                (size_t)PQgetlength(people, row, COLUMN_PHONE));
        at = put16(at, 4);
        at = put_int8(at, message->id);
        at = put_int8(at, campaign);
        at = put_bytes(at, PQgetvalue(people, row, COLUMN_ID), 8);
        at = put_bytes(at, message->body, len);
    }
    at = put16(at, -1);
    copy_rows(rows, (size_t)(at - rows));
    batch->count = count;
    queue_put(&planned, batch, QUEUE_MOST);
    curl_multi_wakeup(multi);
}

static void *run_planner(void *context)
{
    PGconn *db = connect_db();
    struct part parts[PARTS_MOST];
    int parts_len = compile(parts);
    char *rows = allocate(400 * PLAN_BATCH + 64), sql[256];
    long total = 0;

    snprintf(sql, sizeof sql,
            "DECLARE people NO SCROLL BINARY CURSOR FOR SELECT id, phone, first_name, location, "
            "preferred_product FROM contacts WHERE tags @> ARRAY['%s']",
            tag);
    PQclear(query(db, "BEGIN"));
    PQclear(query(db, sql));
    snprintf(sql, sizeof sql, "FETCH %d FROM people", PLAN_BATCH);
    for (;;) {
        PGresult *people = query(db, sql);
        int count = PQntuples(people);

        if (count)
            plan(people, parts, parts_len, rows);
        PQclear(people);
        if (!count)
            break;
        total += count;
    }
    PQfinish(db);
    planned_count = total;
    curl_multi_wakeup(multi);
    return context;
}

/* ---- marker ---- */

static void mark(const struct batch *batch, char *ids, char *sids)
{
    char *id = put_array(ids, OID_INT8, batch->count);
    char *sid = put_array(sids, OID_TEXT, batch->count);
    const char *values[] = { ids, sids };
    const int formats[] = { 1, 1 };
    PGresult *result;

    for (int i = 0; i < batch->count; i++) {
        const char *text = batch->message[i].sid;
        id = put_int8(id, batch->message[i].id);
        sid = put_bytes(sid, text, (int)strlen(text));
    }
    result = check(mark_db,
            PQexecPrepared(mark_db, "mark", 2, values,
                    (int[]){ (int)(id - ids), (int)(sid - sids) }, formats, 0),
            "update");
    if (atoi(PQcmdTuples(result)) != batch->count)
        die(mark_db, "not all were marked");
    PQclear(result);
}

static void *run_marker(void *context)
{
    char *ids = allocate(MARK_BATCH * 16 + 64), *sids = allocate(MARK_BATCH * 64 + 64);
    struct batch *batch;

    while ((batch = queue_get(&answered, 1))) {
        mark(batch, ids, sids);
        free(batch);
    }
    return context;
}

/* ---- sender ---- */

struct flight {
    CURL *easy;
    struct message *message;
    char form[512], answer[256];
    size_t answer_len;
};

static struct flight flights[CONNECTIONS];
static struct flight *idle[CONNECTIONS];
static int idle_len;
static struct batch *sending;  /* partly taken */
static struct batch *gathered; /* answered, not yet with the marker */
static double gathered_since;

static size_t on_answer(char *data, size_t size, size_t count, void *context)
{
    struct flight *flight = context;
    size_t len = size * count;

    if (flight->answer_len + len < sizeof flight->answer) {
        memcpy(flight->answer + flight->answer_len, data, len);
        flight->answer_len += len;
        flight->answer[flight->answer_len] = '\0';
    }
    return len;
}

static int is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
            c == '.' || c == '_';
}

static char *put_form(char *at, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (is_plain(*text)) {
            *at++ = *text;
        } else if (c == ' ') {
            *at++ = '+';
        } else {
            *at++ = '%';
            *at++ = digits[c >> 4];
            *at++ = digits[c & 15];
        }
    }
    *at = '\0';
    return at;
}

static void open_flights(const char *url)
{
    struct curl_slist *headers = NULL;

    headers = curl_slist_append(headers, "Content-Type: application/x-www-form-urlencoded");
    headers = curl_slist_append(headers, "Expect:");
    for (int i = 0; i < CONNECTIONS; i++) {
        struct flight *flight = idle[idle_len++] = &flights[i];
        CURL *easy = flight->easy = curl_easy_init();

        curl_easy_setopt(easy, CURLOPT_URL, url);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, flight);
        curl_easy_setopt(easy, CURLOPT_PRIVATE, flight);
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(easy, CURLOPT_USERPWD, "AC1:secret");
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
}

static void start(struct flight *flight, struct message *message)
{
    char *at = stpcpy(flight->form, "From=%2B15550000000&To=");

    at = put_form(at, message->to);
    at = stpcpy(at, "&Body=");
    at = put_form(at, message->body);
    flight->message = message;
    flight->answer_len = 0;
    curl_easy_setopt(flight->easy, CURLOPT_POSTFIELDSIZE, (long)(at - flight->form));
    curl_easy_setopt(flight->easy, CURLOPT_POSTFIELDS, flight->form);
    curl_multi_add_handle(multi, flight->easy);
}

/* A batch is not freed: its last messages are still under way when it has been taken. */
static void start_what_may(void)
{
    while (idle_len && (sending || (sending = queue_get(&planned, 0)))) {
        start(idle[--idle_len], &sending->message[sending->taken++]);
        if (sending->taken == sending->count)
            sending = NULL;
    }
}

static void hand_over(void)
{
    if (gathered)
        queue_put(&answered, gathered, 0);
    gathered = NULL;
}

static void land(struct flight *flight, CURLcode failed)
{
    const char *sid = strstr(flight->answer, "\"sid\":\"");
    const char *end = sid ? strchr(sid + 7, '"') : NULL;
    struct message *out;
    long status = 0;

    curl_easy_getinfo(flight->easy, CURLINFO_RESPONSE_CODE, &status);
    if (failed || status != 201 || !end || end - sid - 7 >= (long)sizeof out->sid) {
        fprintf(stderr, "cblast: a send failed: %s, HTTP %ld\n", curl_easy_strerror(failed),
                status);
        exit(1);
    }
    if (!gathered) {
        gathered = batch_new(MARK_BATCH);
        gathered_since = now();
    }
    out = &gathered->message[gathered->count++];
    out->id = flight->message->id;
    memcpy(out->sid, sid + 7, (size_t)(end - sid - 7));
    curl_multi_remove_handle(multi, flight->easy);
    idle[idle_len++] = flight;
    if (gathered->count == MARK_BATCH)
        hand_over();
}

/* Returns how many have been answered. */
static long reap(void)
{
    CURLMsg *message;
    int left;
    long count = 0;

    while ((message = curl_multi_info_read(multi, &left))) {
        struct flight *flight;
        CURLcode failed = message->data.result;

        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&flight);
        land(flight, failed);
        count++;
    }
    return count;
}

static void send_all(void)
{
    long done = 0;
    int running;

    while (planned_count < 0 || done < planned_count) {
        long count;

        start_what_may();
        curl_multi_perform(multi, &running);
        count = reap();
        done += count;
        if (gathered && (now() - gathered_since) * 1000 >= MARK_AFTER_MS)
            hand_over();
        if (!count && done != planned_count)
            curl_multi_poll(multi, NULL, 0, gathered ? MARK_AFTER_MS : 1000, NULL);
    }
    hand_over();
    queue_close(&answered);
}

/* ---- the campaign ---- */

static void prepare(void)
{
    PGresult *result;

    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS);
    plan_db = connect_db();
    mark_db = connect_db();
    result = query(plan_db, "SELECT id, template, tag FROM campaigns LIMIT 1");
    campaign = atoll(PQgetvalue(result, 0, 0));
    snprintf(template, sizeof template, "%s", PQgetvalue(result, 0, 1));
    snprintf(tag, sizeof tag, "%s", PQgetvalue(result, 0, 2));
    PQclear(result);
    PQclear(check(mark_db,
            PQprepare(mark_db, "mark",
                    "UPDATE outbound_messages m SET status = 'sent', provider_id = u.sid, "
                    "updated_at = now() FROM unnest($1::bigint[], $2::text[]) AS u(id, sid) "
                    "WHERE m.id = u.id AND m.status = 'pending'",
                    2, NULL),
            "prepare"));
}

static void set_campaign(const char *set)
{
    char sql[300];
    PGresult *result;

    snprintf(sql, sizeof sql, "UPDATE campaigns SET %s", set);
    result = query(plan_db, sql);
    if (atoi(PQcmdTuples(result)) != 1)
        die(plan_db, "messages are left over");
    PQclear(result);
}

int main(void)
{
    const char *url = getenv("STUB_URL");
    pthread_t planner, marker;
    char line[16];
    double began;

    if (!url)
        return 2;
    curl_global_init(CURL_GLOBAL_ALL);
    prepare();
    open_flights(url);
    puts("READY");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        return 1;
    began = now();
    set_campaign("status = 'sending'");
    pthread_create(&planner, NULL, run_planner, NULL);
    pthread_create(&marker, NULL, run_marker, NULL);
    send_all();
    pthread_join(planner, NULL);
    pthread_join(marker, NULL);
    set_campaign("status = 'sent', sent_at = now() WHERE NOT EXISTS "
                 "(SELECT FROM outbound_messages WHERE status = 'pending')");
    printf("DONE {\"total_s\": %.4f}\n", now() - began);
    fflush(stdout);
    return fgets(line, sizeof line, stdin) ? 0 : 1;
}
