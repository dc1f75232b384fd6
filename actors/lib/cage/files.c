#include "actors/lib/cage/cage.h"

#include <linux/landlock.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Everything that the first version of Landlock knows; what is not granted below is refused. */
static const uint64_t all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

static enum fan_err refused(const char *what, struct fan_why *why)
{
    return fan_fail(why, FAN_UNAVAILABLE, "the kernel refused to %s: %s", what, strerror(errno));
}

static enum fan_err grant(int rules, const char *path, struct fan_why *why)
{
    struct landlock_path_beneath_attr rule = { .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE };
    int fd = open(path, O_PATH | O_CLOEXEC);
    struct stat stat;
    enum fan_err err = FAN_OK;

    if (fd < 0)
        return FAN_OK;
    rule.parent_fd = fd;
    if (fstat(fd, &stat) == 0 && S_ISDIR(stat.st_mode))
        rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
    if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        err = refused("grant a folder", why);
    close(fd);
    return err;
}

enum fan_err fan_cage_files(const char *const *readable, size_t count, bool *locked,
        struct fan_why *why)
{
    struct landlock_ruleset_attr attr = { .handled_access_fs = all };
    enum fan_err err = FAN_OK;
    int rules;

    *locked = false;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return refused("give up privileges", why);
    rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (rules < 0)
        return errno == ENOSYS || errno == EOPNOTSUPP ? FAN_OK : refused("lock files", why);
    for (size_t i = 0; !err && i < count; i++)
        err = grant(rules, readable[i], why);
    if (!err && syscall(SYS_landlock_restrict_self, rules, 0) != 0)
        err = refused("lock files", why);
    *locked = !err;
    close(rules);
    return err;
}
