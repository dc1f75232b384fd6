/*
 * Links that strangers send: a token that is taken is one of ours, letter by letter, and a key file
 * of any bytes is read or refused.
 */
#include "actors/lib/seal/keyfile.h"
#include "actors/lib/seal/token.h"
#include "proto/err.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

static char folder[64];
static struct fan_token_key *key;

static void path_of(char out[96], const char *name)
{
    snprintf(out, 96, "%s/%s", folder, name);
}

static void write_file(const char *name, const void *bytes, size_t len)
{
    char path[96];
    int fd;

    path_of(path, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FAN_ASSERT(write(fd, bytes, len) == (ssize_t)len);
    close(fd);
}

static void drop(void)
{
    static const char *const names[] = { "token.key", "other.key" };
    char path[96];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        path_of(path, names[i]);
        unlink(path);
    }
    rmdir(folder);
    fan_token_key_free(&key);
}

/* The same key each time, so that the corpus holds tokens that count. */
static void make_key(void)
{
    char digits[65];

    memset(digits, 'a', 64);
    digits[64] = '\n';
    snprintf(folder, sizeof folder, "%s/fanfare-fuzz-XXXXXX",
            access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    FAN_ASSERT(mkdtemp(folder));
    atexit(drop);
    write_file("token.key", digits, sizeof digits);
    FAN_ASSERT(fan_token_key_load(folder, &key, &(struct fan_why){ 0 }) == FAN_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct fan_bytes token = { (const char *)at, len };
    unsigned char bytes[32];
    char text[FAN_TOKEN_TEXT], link_text[FAN_MEDIA_TOKEN_TEXT];
    struct fan_media_token link;
    fan_id account, message;

    if (!key)
        make_key();
    if (fan_token_read(key, token, &account, &message)) {
        FAN_ASSERT(len < FAN_TOKEN_TEXT && account > 0 && message >= 0);
        FAN_ASSERT(fan_bytes_eq_nocase(fan_token_write(key, account, message, text), token));
    }
    if (fan_media_token_read(key, token, &link)) {
        FAN_ASSERT(link.account > 0 && link.media > 0 && link.type > 0);
        FAN_ASSERT(fan_bytes_eq(fan_media_token_write(key, &link, link_text), token));
    }
    write_file("other.key", at, len);
    if (!fan_keyfile_read(folder, "other.key", true, bytes, sizeof bytes, &(struct fan_why){ 0 }))
        FAN_ASSERT(len >= 2 * sizeof bytes);
    return 0;
}
