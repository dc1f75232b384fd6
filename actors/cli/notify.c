#include "actors/cli/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A leading "@" stands for the abstract name space. */
static socklen_t address_of(const char *path, struct sockaddr_un *out)
{
    size_t len = strlen(path);

    *out = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (len >= sizeof(out->sun_path))
        return 0;
    memcpy(out->sun_path, path, len);
    if (*path != '@')
        return sizeof(*out);
    out->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

void fan_notify_tell(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to;
    socklen_t len = path && *path ? address_of(path, &to) : 0;
    int fd = len ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;

    if (fd < 0)
        return;
    /* A manager that does not listen is its own problem. */
    (void)!sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to, len);
    close(fd);
}

enum fan_err fan_notify_listen(const char *path, int *fd, struct fan_why *why)
{
    struct sockaddr_un at;
    socklen_t len = address_of(path, &at);
    int yes = 1;

    unlink(path);
    *fd = len ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
    if (*fd >= 0 && bind(*fd, (struct sockaddr *)&at, len) == 0 &&
            setsockopt(*fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)) == 0)
        return FAN_OK;
    fan_fail(why, FAN_UNAVAILABLE, "cannot listen on %s: %s", path, strerror(errno));
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    return FAN_UNAVAILABLE;
}

static bool says_ready(const char *text)
{
    const char *found = strstr(text, "READY=1");

    return found && (found == text || found[-1] == '\n') && (found[7] == '\n' || !found[7]);
}

bool fan_notify_hear(int fd, pid_t *from, bool *ready)
{
    char text[1024], control[CMSG_SPACE(sizeof(struct ucred))];
    struct iovec part = { .iov_base = text, .iov_len = sizeof(text) - 1 };
    struct msghdr message = { .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof(control) };
    ssize_t len = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    struct cmsghdr *about = len >= 0 ? CMSG_FIRSTHDR(&message) : NULL;
    struct ucred who = { 0 };

    if (len < 0)
        return false;
    text[len] = '\0';
    if (about && about->cmsg_type == SCM_CREDENTIALS)
        memcpy(&who, CMSG_DATA(about), sizeof(who));
    *from = who.pid;
    *ready = says_ready(text);
    return true;
}
