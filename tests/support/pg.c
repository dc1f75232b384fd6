#include "tests/support/pg.h"

#include "sql/migrate.h"

#include <errno.h>
#include <ftw.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BIN "/usr/lib/postgresql/15/bin/"

enum { START_TRIES = 20, READY_MS = 30 * 1000, PAUSE_MS = 20 };

static struct {
    bool own; /* insisted upon */
    char folder[64];
    char url[PG_URL];
    pid_t postmaster;
    int databases;
} cluster;

static void pause_ms(int ms)
{
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

    nanosleep(&left, NULL);
}

/* ---- the cluster ---- */

/* PostgreSQL refuses to run as root. */
static bool become_unprivileged(void)
{
    const struct passwd *user = getpwnam("fanfare");

    if (geteuid() != 0)
        return true;
    if (!user)
        user = getpwnam("postgres");
    return user && !setgid(user->pw_gid) && !initgroups(user->pw_name, user->pw_gid) &&
            !setuid(user->pw_uid);
}

/* Start @argv with its output in a file of the cluster's folder; it dies with us. */
static pid_t spawn(const char *const *argv, const char *log)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid < 0)
        fan_die("pg: fork: %s", strerror(errno));
    if (pid > 0)
        return pid;
    if (!become_unprivileged())
        _exit(127);
    prctl(PR_SET_PDEATHSIG, SIGQUIT); /* after the change of user, which clears it */
    if (getppid() != parent || chdir(cluster.folder) || !freopen(log, "a", stdout))
        _exit(127);
    dup2(STDOUT_FILENO, STDERR_FILENO);
    execv(argv[0], (char *const *)argv);
    _exit(127);
}

static void initdb(void)
{
    static const char *const argv[] = { BIN "initdb", "-D", "data", "-U", "postgres", "-A", "trust",
        "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions", NULL };
    int status;

    if (waitpid(spawn(argv, "initdb.log"), &status, 0) < 0 || status != 0)
        fan_die("pg: initdb failed; see %s/initdb.log", cluster.folder);
}

static bool is_running(void)
{
    if (cluster.postmaster && waitpid(cluster.postmaster, NULL, WNOHANG) == cluster.postmaster)
        cluster.postmaster = 0;
    return cluster.postmaster != 0;
}

/* Whether it takes connections in time. */
static bool becomes_ready(void)
{
    struct fan_db *db = pg_connect(cluster.url, FAN_DB_FREE);
    struct fan_why why;
    bool ready = false;

    for (int waited = 0; !ready && is_running() && waited < READY_MS; waited += PAUSE_MS) {
        ready = fan_db_connect(db, &why) == FAN_OK;
        if (!ready)
            pause_ms(PAUSE_MS);
    }
    fan_db_free(&db);
    return ready;
}

void pg_await(void)
{
    if (!becomes_ready())
        fan_die("pg: PostgreSQL does not come back; see %s/postgres.log", cluster.folder);
}

void pg_start(void)
{
    /* Killed processes lose nothing that the kernel has, so there is no need for fsync. */
    const char *const argv[] = { BIN "postgres", "-D", "data", "-k", cluster.folder, "-c",
        "listen_addresses=", "-c", "max_connections=60", "-c", "shared_buffers=32MB", "-c",
        "deadlock_timeout=100ms", "-c", "fsync=off", NULL };

    /* After a kill, the last children of the one before hold its memory for a moment. */
    for (int i = 0; i < START_TRIES; i++) {
        cluster.postmaster = spawn(argv, "postgres.log");
        if (becomes_ready())
            return;
        pause_ms(100);
    }
    fan_die("pg: PostgreSQL did not start; see %s/postgres.log", cluster.folder);
}

static void end_with(int sig)
{
    if (!is_running())
        return;
    kill(cluster.postmaster, sig);
    waitpid(cluster.postmaster, NULL, 0);
    cluster.postmaster = 0;
}

void pg_stop(void)
{
    end_with(SIGINT);
}

void pg_kill(void)
{
    end_with(SIGKILL);
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

static void remove_cluster(void)
{
    end_with(SIGQUIT);
    nftw(cluster.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_cluster(void)
{
    strcpy(cluster.folder, "/tmp/fan-pg-XXXXXX"); /* short: a socket's path must be */
    if (!mkdtemp(cluster.folder) || chmod(cluster.folder, 01777))
        fan_die("pg: %s: %s", cluster.folder, strerror(errno));
    snprintf(cluster.url, sizeof cluster.url, "postgresql:///postgres?host=%s&user=postgres",
            cluster.folder);
    atexit(remove_cluster);
    initdb();
    pg_start();
}

void pg_own(void)
{
    FAN_ASSERT(!*cluster.url);
    cluster.own = true;
}

const char *pg_url(void)
{
    const char *shared = cluster.own ? NULL : getenv("FAN_TEST_PG_URL");

    if (*cluster.url)
        return cluster.url;
    if (shared && *shared)
        snprintf(cluster.url, sizeof cluster.url, "%s", shared);
    else
        make_cluster();
    return cluster.url;
}

/* ---- statements ---- */

struct fan_db *pg_connect(const char *url, enum fan_db_use use)
{
    struct fan_db_options options = { .url = url, .name = "test", .use = use };

    return fan_db_new(&options);
}

/* For statements that may take long on a busy machine. */
static struct fan_db *connect_patiently(const char *url)
{
    struct fan_db_options options = {
        .url = url,
        .name = "test",
        .use = FAN_DB_FREE,
        .statement_timeout_ms = 120000,
    };

    return fan_db_new(&options);
}

static void must(enum fan_err err, const char *what, const struct fan_why *why)
{
    if (err)
        fan_die("pg: %s: %s", what, why->text);
}

void pg_exec(const char *url, const char *sql)
{
    struct fan_db *db = connect_patiently(url);
    struct fan_why why;

    must(fan_db_exec(db, sql, &why), sql, &why);
    fan_db_free(&db);
}

int64_t pg_number(const char *url, const char *sql)
{
    struct fan_db *db = pg_connect(url, FAN_DB_FREE);
    struct fan_arena *arena = fan_arena_new();
    struct fan_query query = { .name = "pg_number", .sql = sql };
    struct fan_args args;
    struct fan_rows rows;
    struct fan_why why;
    int64_t number;

    fan_args_begin(&args, arena);
    must(fan_db_run(db, &query, &args, &rows, &why), sql, &why);
    must(fan_db_commit(db, &why), sql, &why);
    number = fan_row_i64(&rows, 0, 0);
    fan_arena_free(&arena);
    fan_db_free(&db);
    return number;
}

/* ---- databases ---- */

/* @url with another database: postgresql://…/<database>?… */
static void url_of(const char *database, char out[PG_URL])
{
    const char *url = pg_url();
    const char *host = strstr(url, "://");
    const char *slash = host ? strchr(host + 3, '/') : NULL;

    if (!slash)
        fan_die("pg: expected a URL postgresql://host/database");
    snprintf(out, PG_URL, "%.*s/%s%s", (int)(slash - url), url, database,
            slash + strcspn(slash, "?"));
}

static void make_database(const char *from, char url[PG_URL])
{
    char name[64], sql[160];

    snprintf(name, sizeof name, "t_%d_%d", (int)getpid(), ++cluster.databases);
    snprintf(sql, sizeof sql, "CREATE DATABASE %s TEMPLATE %s", name, from);
    pg_exec(pg_url(), sql);
    url_of(name, url);
}

void pg_fresh_database(char url[PG_URL])
{
    make_database("template0", url);
}

/* A name that changes with the schema, so that a shared server may serve several builds (FNV-1a).
 */
static void name_template(char out[32])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (const struct fan_migration *one = fan_migrations; one->number; one++) {
        for (const char *at = one->sql; *at; at++)
            hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    }
    snprintf(out, 32, "template_%016llx", (unsigned long long)hash);
}

static void migrate(const char *url)
{
    struct fan_db *db = pg_connect(url, FAN_DB_FREE);
    struct fan_why why;

    must(fan_migrate(db, NULL, NULL, &why), "migrations", &why);
    fan_db_free(&db);
}

static bool database_exists(const char *database)
{
    char sql[160];

    snprintf(sql, sizeof sql, "SELECT count(*) FROM pg_database WHERE datname = '%s'", database);
    return pg_number(pg_url(), sql) > 0;
}

/* Migrate under another name, so that a template that exists is a finished one. */
static void make_template(const char *name)
{
    char draft[64], sql[160], url[PG_URL];

    snprintf(draft, sizeof draft, "%s_draft", name);
    snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS %s", draft);
    pg_exec(pg_url(), sql);
    snprintf(sql, sizeof sql, "CREATE DATABASE %s TEMPLATE template0", draft);
    pg_exec(pg_url(), sql);
    url_of(draft, url);
    migrate(url);
    snprintf(sql, sizeof sql, "ALTER DATABASE %s RENAME TO %s", draft, name);
    pg_exec(pg_url(), sql);
}

void pg_migrated_database(char url[PG_URL])
{
    struct fan_db *lock = connect_patiently(pg_url());
    struct fan_why why;
    char name[32];

    name_template(name);
    must(fan_db_exec(lock, "SET lock_timeout = 0; SELECT pg_advisory_lock(4242)", &why), "lock",
            &why);
    if (!database_exists(name))
        make_template(name);
    fan_db_free(&lock);
    make_database(name, url);
}

void pg_url_as(const char *url, const char *role, char out[PG_URL])
{
    int len = snprintf(out, PG_URL, "%s%cuser=%s", url, strchr(url, '?') ? '&' : '?', role);

    FAN_ASSERT(len < PG_URL);
}
