/*
 * pglimit — what PostgreSQL alone sustains for rows like messages: one connection, batches, each
 * committed to the disk, one index, no foreign keys.
 *
 *   pglimit insert|update COUNT BATCH      the CPU it prints is the server process's
 */
#include "common.h"

#include <libpq-fe.h>

#define TEXT "Hi First12345, Running Shoes is on sale in Nairobi!"

static PGconn *db;

static void die(const char *what)
{
    fprintf(stderr, "pglimit: %s: %s\n", what, PQerrorMessage(db));
    exit(1);
}

static PGresult *check(PGresult *result, const char *what)
{
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        die(what);
    return result;
}

static void query(const char *sql)
{
    PQclear(check(PQexec(db, sql), sql));
}

/* Seconds of CPU that our server process has used. */
static double server_cpu(void)
{
    char path[64];
    unsigned long long used = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/schedstat", PQbackendPID(db));
    file = fopen(path, "r");
    if (!file || fscanf(file, "%llu", &used) != 1)
        fprintf(stderr, "pglimit: %s cannot be read\n", path);
    if (file)
        fclose(file);
    return (double)used * 1e-9;
}

static void prepare(int is_insert, long count)
{
    char sql[200];

    query("DROP TABLE IF EXISTS limit_message");
    query("CREATE TABLE limit_message (id bigint PRIMARY KEY, campaign_id bigint NOT NULL, "
          "contact_id bigint NOT NULL, status smallint NOT NULL DEFAULT 0, "
          "attempts smallint NOT NULL DEFAULT 0, created_at timestamptz NOT NULL DEFAULT now(), "
          "sent_at timestamptz, body text NOT NULL, provider_id text, error text) "
          "WITH (fillfactor = 50, autovacuum_enabled = off)");
    if (!is_insert) {
        snprintf(sql, sizeof sql,
                "INSERT INTO limit_message (id, campaign_id, contact_id, body) "
                "SELECT g, 1, g * 2, '" TEXT "' FROM generate_series(0, %ld) g",
                count - 1);
        query(sql);
        query("VACUUM (ANALYZE, FREEZE) limit_message");
    }
    query("CHECKPOINT");
    PQclear(check(
            PQprepare(db, "do",
                    is_insert ? "INSERT INTO limit_message (id, campaign_id, contact_id, body) "
                                "SELECT u.id, 1, u.id * 2, u.text "
                                "FROM unnest($1::bigint[], $2::text[]) AS u(id, text)"
                              : "UPDATE limit_message m SET status = 1, provider_id = u.text, "
                                "sent_at = now() FROM unnest($1::bigint[], $2::text[]) AS u(id, "
                                "text) WHERE m.id = u.id AND m.status = 0",
                    2, NULL),
            "prepare"));
}

static void run_batch(int is_insert, long first, int count, char *ids, char *texts)
{
    char *id = put_array(ids, OID_INT8, count), *text = put_array(texts, OID_TEXT, count);
    const char *values[] = { ids, texts };
    const int formats[] = { 1, 1 };
    PGresult *result;
    char sid[40];

    for (long i = first; i < first + count; i++) {
        id = put_int8(id, i);
        snprintf(sid, sizeof sid, "SM%032lx", i);
        text = is_insert ? put_bytes(text, TEXT, sizeof TEXT - 1) : put_bytes(text, sid, 34);
    }
    result = check(PQexecPrepared(db, "do", 2, values,
                           (int[]){ (int)(id - ids), (int)(text - texts) }, formats, 1),
            "batch");
    if (atoi(PQcmdTuples(result)) != count)
        die("not all rows were written");
    PQclear(result);
}

int main(int argc, char **argv)
{
    long count, batch;
    int is_insert;
    char *ids, *texts;
    double began, used;

    if (argc != 4)
        return 2;
    is_insert = strcmp(argv[1], "insert") == 0;
    count = atol(argv[2]);
    batch = atol(argv[3]);
    db = PQconnectdb("");
    if (PQstatus(db) != CONNECTION_OK)
        die("connect");
    ids = allocate((size_t)batch * 16 + 64);
    texts = allocate((size_t)batch * 80 + 64);
    query("SET client_min_messages = warning");
    prepare(is_insert, count);
    began = now();
    used = server_cpu();
    for (long first = 0; first < count; first += batch)
        run_batch(is_insert, first, (int)(count - first < batch ? count - first : batch), ids,
                texts);
    print_result(count, now() - began, server_cpu() - used);
    query("DROP TABLE limit_message");
    return 0;
}
