#include "actors/cli/cluster.h"

#include "actors/cli/child.h"
#include "actors/cli/file.h"
#include "proto/buffer.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACES "/usr/lib/postgresql/*/bin"

enum { OLDEST_VERSION = 15 };

/* Login roles of the processes; peer authentication lets this user, and nobody else, be any. */
static const char *const roles[] = { "fan_owner", "fan_gateway", "fan_ingester", "fan_scheduler",
    "fan_audience", "fan_renderer", "fan_sender", "fan_analytics", NULL };

/* Values that hold on a small machine. Statements and details of errors stay out of the log: they
 * carry people's addresses. */
static const char settings[] =
        "# Written by `fanfare up` at every start; your own go into ../postgresql.conf.\n"
        "listen_addresses = ''\n"
        "port = 5432\n"
        "unix_socket_permissions = 0700\n"
        "max_connections = 100\n"
        "superuser_reserved_connections = 3\n"
        "client_connection_check_interval = 1s\n"
        "idle_in_transaction_session_timeout = 60s\n"
        "\n"
        "shared_buffers = 256MB\n"
        "effective_cache_size = 1GB\n"
        "work_mem = 8MB\n"
        "maintenance_work_mem = 128MB\n"
        "dynamic_shared_memory_type = posix\n"
        "jit = off\n"
        "random_page_cost = 1.1\n"
        "\n"
        "synchronous_commit = on\n"
        "wal_compression = lz4\n"
        "wal_buffers = 16MB\n"
        "min_wal_size = 256MB\n"
        "max_wal_size = 2GB\n"
        "checkpoint_timeout = 10min\n"
        "checkpoint_completion_target = 0.9\n"
        "\n"
        "autovacuum_naptime = 15s\n"
        "autovacuum_max_workers = 2\n"
        "autovacuum_vacuum_cost_limit = 1000\n"
        "autovacuum_vacuum_scale_factor = 0.1\n"
        "autovacuum_analyze_scale_factor = 0.05\n"
        "\n"
        "timezone = 'UTC'\n"
        "log_timezone = 'UTC'\n"
        "lc_messages = 'C'\n"
        "log_line_prefix = '%m [%p] %u '\n"
        "log_error_verbosity = terse\n"
        "log_min_error_statement = panic\n"
        "log_parameter_max_length = 0\n"
        "log_checkpoints = off\n";

/* ---- programs ---- */

static int version_of(const char *folder)
{
    return (int)strtol(folder + strlen("/usr/lib/postgresql/"), NULL, 10);
}

/* A cluster stays with the version that made it; a new one gets the newest. */
static const char *find_folder(int wanted, const glob_t *found)
{
    const char *best = NULL;

    for (size_t i = 0; i < found->gl_pathc; i++) {
        int version = version_of(found->gl_pathv[i]);

        if ((wanted && version == wanted) ||
                (!wanted && version >= OLDEST_VERSION && (!best || version > version_of(best))))
            best = found->gl_pathv[i];
    }
    return best;
}

enum fan_err fan_cluster_program(const struct fan_home *home, const char *program,
        struct fan_arena *arena, const char **path, struct fan_why *why)
{
    const char *version =
            fan_file_text(fan_arena_printf(arena, "%s/pg/PG_VERSION", home->path), arena);
    glob_t found = { 0 };
    const char *folder = glob(PLACES, 0, NULL, &found) == 0
            ? find_folder(version ? (int)strtol(version, NULL, 10) : 0, &found)
            : NULL;

    if (folder)
        *path = fan_arena_printf(arena, "%s/%s", folder, program);
    globfree(&found);
    if (!folder && version)
        return fan_fail(why, FAN_NOT_FOUND,
                "%s/pg was made by PostgreSQL %s, which is not installed", home->path, version);
    if (!folder)
        return fan_fail(why, FAN_NOT_FOUND,
                "PostgreSQL %d or newer is not installed (Debian: postgresql-15), and "
                "FANFARE_DATABASE_URL names no server",
                OLDEST_VERSION);
    return FAN_OK;
}

/* ---- configuration ---- */

static enum fan_err write_file(const struct fan_home *home, const char *folder, const char *name,
        const char *text, struct fan_why *why)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s/%s", home->path, folder, name);
    return fan_file_replace(path, text, 0600, why);
}

static enum fan_err write_identities(const struct fan_home *home, const char *folder,
        struct fan_arena *arena, struct fan_why *why)
{
    const struct passwd *user = getpwuid(geteuid()); // cppcheck-suppress getpwuidCalled
    const char *text = "";

    if (!user)
        return fan_fail(why, FAN_NOT_FOUND, "user number %u has no name", geteuid());
    for (const char *const *role = roles; *role; role++)
        text = fan_arena_printf(arena, "%sfanfare %s %s\n", text, user->pw_name, *role);
    return write_file(home, folder, "pg_ident.conf", text, why);
}

/* Left alone once it is there. */
static enum fan_err make_users_file(const struct fan_home *home, struct fan_arena *arena,
        struct fan_why *why)
{
    const char *path = fan_arena_printf(arena, "%s/postgresql.conf", home->path);

    if (access(path, F_OK) == 0)
        return FAN_OK;
    return fan_file_replace(path, "# Settings of the private PostgreSQL that win over ours.\n",
            0600, why);
}

static enum fan_err configure(const struct fan_home *home, const char *folder,
        struct fan_arena *arena, struct fan_why *why)
{
    const char *text = fan_arena_printf(arena,
            "%sunix_socket_directories = '%s'\ninclude = '../postgresql.conf'\n", settings,
            home->run);
    enum fan_err err = write_file(home, folder, "postgresql.conf", text, why);

    if (!err)
        err = make_users_file(home, arena, why);
    if (!err)
        err = write_file(home, folder, "pg_hba.conf", "local all all peer map=fanfare\n", why);
    if (!err)
        err = write_identities(home, folder, arena, why);
    return err;
}

/* ---- making ---- */

static enum fan_err run(const char *const *argv, struct fan_why *why)
{
    static const char *const env[] = { "LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin", NULL };
    const struct fan_child child = { .argv = argv,
        .env = env,
        .death_signal = SIGKILL,
        .quiet = true };

    return fan_child_run(&child, why);
}

static enum fan_err make_database(const struct fan_home *home, const char *folder,
        struct fan_arena *arena, struct fan_why *why)
{
    const char *server = NULL, *command;
    enum fan_err err = fan_cluster_program(home, "postgres", arena, &server, why);

    if (err)
        return err;
    command = fan_arena_printf(arena,
            "echo 'CREATE DATABASE fanfare' | '%s' --single -D '%s' postgres >/dev/null", server,
            folder);
    const char *const argv[] = { "/bin/sh", "-c", command, NULL };

    return run(argv, why);
}

/* Under another name until it is complete. */
static enum fan_err make(const struct fan_home *home, struct fan_arena *arena, struct fan_why *why)
{
    const char *folder = fan_arena_printf(arena, "%s/pg.new", home->path), *initdb;
    const char *const clear[] = { "/bin/rm", "-rf", folder, NULL };
    enum fan_err err = fan_cluster_program(home, "initdb", arena, &initdb, why);

    if (!err)
        err = run(clear, why);
    if (!err) {
        const char *const argv[] = { initdb, "--pgdata", folder, "--username=fan_owner",
            "--auth=peer", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums",
            "--no-instructions", NULL };
        err = run(argv, why);
    }
    if (!err)
        err = configure(home, "pg.new", arena, why);
    if (!err)
        err = make_database(home, folder, arena, why);
    if (!err && rename(folder, fan_arena_printf(arena, "%s/pg", home->path)) != 0)
        err = fan_fail(why, FAN_UNAVAILABLE, "cannot rename %s: %s", folder, strerror(errno));
    return err;
}

enum fan_err fan_cluster_make(const struct fan_home *home, struct fan_why *why)
{
    struct fan_arena *arena = fan_arena_new();
    enum fan_err err = FAN_OK;

    if (strpbrk(home->path, "'\\\n"))
        err = fan_fail(why, FAN_INVALID, "%s: the path must have no quotes in it", home->path);
    else if (access(fan_arena_printf(arena, "%s/pg/PG_VERSION", home->path), F_OK) != 0)
        err = make(home, arena, why);
    if (!err)
        err = configure(home, "pg", arena, why);
    fan_arena_free(&arena);
    return err;
}

/* ---- after a crash ---- */

/* A server works in its data folder, whoever started it. */
static bool lives(pid_t pid, const char *data)
{
    char link[64];
    struct stat works_in, ours;

    snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
    return pid > 1 && stat(link, &works_in) == 0 && stat(data, &ours) == 0 &&
            works_in.st_ino == ours.st_ino && works_in.st_dev == ours.st_dev;
}

void fan_cluster_sweep(const struct fan_home *home)
{
    struct fan_arena *arena = fan_arena_new();
    const char *data = fan_arena_printf(arena, "%s/pg", home->path);
    const char *number = fan_arena_printf(arena, "%s/postmaster.pid", data);
    const char *text = fan_file_text(number, arena);

    if (text && !lives((pid_t)strtol(text, NULL, 10), data)) {
        unlink(number);
        unlink(fan_arena_printf(arena, "%s/.s.PGSQL.5432.lock", home->run));
    }
    fan_arena_free(&arena);
}
