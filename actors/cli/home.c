#include "actors/cli/home.h"

#include "proto/buffer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define USER "fanfare"
#define ROOT_HOME "/var/lib/fanfare"

enum { SOCKET_NAME = 24 }; /* bytes of the longest name in run/ */

/* ---- finding ---- */

static const char *default_path(struct fan_arena *arena)
{
    const char *set = getenv("FANFARE_HOME"), *user_home = getenv("HOME");

    if (set && *set)
        return set;
    if (geteuid() == 0)
        return ROOT_HOME;
    return user_home && *user_home ? fan_arena_printf(arena, "%s/.local/share/fanfare", user_home)
                                   : NULL;
}

static const char *absolute(const char *path, struct fan_arena *arena)
{
    char here[PATH_MAX];

    if (*path == '/' || !getcwd(here, sizeof(here)))
        return path;
    return fan_arena_printf(arena, "%s/%s", here, path);
}

/* The same for the same home, so that the next supervisor meets the sockets of the last. */
static uint32_t hash(const char *text)
{
    uint32_t sum = 2166136261u; /* FNV-1a */

    for (; *text; text++)
        sum = (sum ^ (unsigned char)*text) * 16777619u;
    return sum;
}

/* A path of a Unix socket has at most 107 bytes. */
static const char *run_folder(const char *home, struct fan_arena *arena)
{
    struct sockaddr_un address;

    if (strlen(home) + strlen("/run/") + SOCKET_NAME < sizeof(address.sun_path))
        return fan_arena_printf(arena, "%s/run", home);
    return fan_arena_printf(arena, "/tmp/fanfare-%u-%08x", geteuid(), hash(home));
}

static const char *cluster_url(const char *run, struct fan_arena *arena)
{
    struct fan_buffer out;
    const char *url;

    fan_buffer_init(&out, 4096);
    fan_buffer_add_text(&out, "postgresql:///fanfare?port=5432&host=");
    fan_buffer_add_percent(&out, fan_bytes_of(run));
    url = fan_bytes_cstr(fan_buffer_bytes(&out), arena);
    fan_buffer_fini(&out);
    return url;
}

enum fan_err fan_home_find(const char *asked, struct fan_arena *arena, struct fan_home *out,
        struct fan_why *why)
{
    const char *path = asked && *asked ? asked : default_path(arena);
    const char *url = getenv("FANFARE_DATABASE_URL");

    if (!path)
        return fan_fail(why, FAN_INVALID,
                "neither --home, FANFARE_HOME nor HOME says where to live");
    out->path = absolute(path, arena);
    out->run = run_folder(out->path, arena);
    out->state = fan_arena_printf(arena, "%s/state", out->path);
    out->api_key_file = fan_arena_printf(arena, "%s/api-key", out->path);
    out->own_cluster = !url || !*url;
    out->database_url = out->own_cluster ? cluster_url(out->run, arena) : url;
    return FAN_OK;
}

/* ---- making ---- */

/* Folders above the last one are anybody's to pass through. */
static enum fan_err make_parents(const char *path, struct fan_why *why)
{
    char part[PATH_MAX];

    for (const char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        snprintf(part, sizeof(part), "%.*s", (int)(at - path), path);
        if (mkdir(part, 0755) != 0 && errno != EEXIST)
            return fan_fail(why, FAN_DENIED, "cannot make the folder %s: %s", part,
                    strerror(errno));
    }
    return FAN_OK;
}

static bool is_empty(const char *path)
{
    DIR *folder = opendir(path);
    int entries = 0;

    if (!folder)
        return false;
    while (readdir(folder))
        entries++;
    closedir(folder);
    return entries == 2;
}

/* Make a folder that is @owner's alone. One of ours that is still empty is handed to them. */
static enum fan_err make_private(const char *path, uid_t owner, gid_t group, struct fan_why *why)
{
    struct stat there;

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return fan_fail(why, FAN_DENIED, "cannot make the folder %s: %s", path, strerror(errno));
    if (lstat(path, &there) != 0 || !S_ISDIR(there.st_mode))
        return fan_fail(why, FAN_DENIED, "%s is not a folder", path);
    if (there.st_uid != owner && (there.st_uid != geteuid() || !is_empty(path)))
        return fan_fail(why, FAN_DENIED, "%s belongs to another user; choose a folder with --home",
                path);
    if (there.st_uid != owner && chown(path, owner, group) != 0)
        return fan_fail(why, FAN_DENIED, "cannot give %s away: %s", path, strerror(errno));
    return FAN_OK;
}

static enum fan_err become(const struct passwd *user, struct fan_why *why)
{
    if (initgroups(user->pw_name, user->pw_gid) != 0 ||
            setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
            setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0)
        return fan_fail(why, FAN_DENIED, "cannot become the user %s: %s", user->pw_name,
                strerror(errno));
    setenv("HOME", user->pw_dir, 1);
    setenv("USER", user->pw_name, 1);
    setenv("LOGNAME", user->pw_name, 1);
    return FAN_OK;
}

static enum fan_err make_below(const struct fan_home *home, struct fan_why *why)
{
    static const char *const below[] = { "log", "state" };
    char path[PATH_MAX];
    enum fan_err err = make_private(home->run, geteuid(), getegid(), why);

    for (size_t i = 0; !err && i < sizeof(below) / sizeof(below[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", home->path, below[i]);
        err = make_private(path, geteuid(), getegid(), why);
    }
    return err;
}

/* Make home as root, for the user that it is for, and become that user. */
static enum fan_err settle_as_root(struct fan_home *home, struct fan_arena *arena,
        struct fan_why *why)
{
    const struct passwd *user = getpwnam(USER); // cppcheck-suppress getpwnamCalled
    enum fan_err err;

    if (!user)
        return fan_fail(why, FAN_NOT_FOUND,
                "PostgreSQL does not run as root, and there is no user " USER " to run as: make "
                "one with `./dev setup` or `useradd --system " USER "`");
    err = make_private(home->path, user->pw_uid, user->pw_gid, why);
    if (!err)
        err = become(user, why);
    return err ? err : fan_home_find(home->path, arena, home, why); /* run/ is the user's */
}

enum fan_err fan_home_enter(const char *asked, struct fan_arena *arena, struct fan_home *out,
        struct fan_why *why)
{
    enum fan_err err = fan_home_find(asked, arena, out, why);

    if (!err)
        err = make_parents(out->path, why);
    if (!err && geteuid() == 0)
        err = settle_as_root(out, arena, why);
    else if (!err)
        err = make_private(out->path, geteuid(), getegid(), why);
    umask(077);
    if (!err && chdir(out->path) != 0)
        err = fan_fail(why, FAN_DENIED, "cannot enter %s: %s; choose a folder with --home",
                out->path, strerror(errno));
    if (!err)
        err = make_below(out, why);
    return err;
}

enum fan_err fan_home_lock(struct fan_home *home, struct fan_why *why)
{
    char path[PATH_MAX], text[32] = "";
    int fd;

    snprintf(path, sizeof(path), "%s/lock", home->path);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fan_fail(why, FAN_DENIED, "cannot open %s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t len = read(fd, text, sizeof(text) - 1);
        close(fd);
        return fan_fail(why, FAN_CONFLICT, "Fanfare already runs in %s (process %s)", home->path,
                len > 0 ? text : "unknown");
    }
    home->lock = fd;
    snprintf(text, sizeof(text), "%d", (int)getpid());
    if (ftruncate(fd, 0) != 0 || write(fd, text, strlen(text)) < 0)
        return fan_fail(why, FAN_UNAVAILABLE, "cannot write %s: %s", path, strerror(errno));
    return FAN_OK;
}
