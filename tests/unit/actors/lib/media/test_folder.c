/* actors/lib/media: what comes in, and the folder that keeps it */
#include "store_case.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct fixture {
    char dir[64];
    char media[80];
    struct fan_loop *loop;
    struct fan_common_settings common;
    struct ending ending;
};

static struct fan_media *open_media(struct fixture *fixture)
{
    struct fan_media *media;
    struct fan_why why;

    if (fan_media_open(fixture->loop, &fixture->common, &media, &why))
        fail_msg("%s", why.text);
    return media;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    strcpy(fixture->dir, "/tmp/fan-media-XXXXXX");
    assert_non_null(mkdtemp(fixture->dir));
    snprintf(fixture->media, sizeof fixture->media, "%s/deep/media", fixture->dir);
    fixture->loop = fan_loop_new();
    fixture->common = (struct fan_common_settings){ .state_dir = fixture->dir,
        .media_dir = fixture->media,
        .media_s3_endpoint = "",
        .media_s3_bucket = "",
        .media_s3_region = "us-east-1",
        .media_s3_key = "",
        .media_s3_secret = "" };
    fixture->ending.loop = fixture->loop;
    fan_buffer_init(&fixture->ending.bytes, SIZE_MAX);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", fixture->dir);
    assert_int_equal(system(command), 0);
    fan_loop_free(&fixture->loop);
    fan_buffer_fini(&fixture->ending.bytes);
    free(fixture);
    return 0;
}

static int count_incoming(const struct fixture *fixture)
{
    char path[128];
    DIR *dir;
    int count = 0;

    snprintf(path, sizeof path, "%s/incoming", fixture->media);
    dir = opendir(path);
    for (struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static void what_is_put_is_there_until_it_is_removed(void **state)
{
    struct fixture *fixture = *state;
    struct fan_media *media = open_media(fixture);

    check_store(media, &fixture->ending);
    assert_int_equal(count_incoming(fixture), 0);
    fan_media_close(&media);
}

static void a_file_has_its_hash_as_its_name(void **state)
{
    struct fixture *fixture = *state;
    struct fan_media *media = open_media(fixture);
    struct fan_bytes file = picture(100, 1);
    struct fan_media_object object = put(media, file, &fixture->ending);
    unsigned char hash[crypto_hash_sha256_BYTES];
    char key[FAN_MEDIA_KEY], hex[65], path[256];
    struct fan_why why;
    int64_t bytes;
    int fd;

    crypto_hash_sha256(hash, (const unsigned char *)file.at, file.len);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    snprintf(path, sizeof path, "7/%.2s/%.2s/%s.png", hex, hex + 2, hex);
    assert_true(fan_bytes_eq_text(fan_media_key(ACCOUNT, &object, key), path));
    snprintf(path, sizeof path, "%s/%s", fixture->media, key);
    assert_int_equal(access(path, R_OK), 0);
    assert_int_equal(fan_media_file(media, ACCOUNT, &object, &fd, &bytes, &why), FAN_OK);
    assert_int_equal(bytes, 100);
    close(fd);
    assert_int_equal(fan_media_file(media, 8, &object, &fd, &bytes, &why), FAN_NOT_FOUND);
    free((void *)(uintptr_t)file.at);
    fan_media_close(&media);
}

static void assert_refused(struct fixture *fixture, struct fan_bytes file, enum fan_err expected,
        const char *text)
{
    struct fan_media *media = open_media(fixture);
    struct fan_media_incoming *incoming;
    struct fan_media_object object;
    struct fan_why why = { .err = FAN_OK };

    assert_int_equal(receive(media, file, &incoming, &object, &why), expected);
    assert_non_null(strstr(why.text, text));
    fan_media_drop(&incoming);
    assert_int_equal(count_incoming(fixture), 0);
    fan_media_close(&media);
}

static void what_is_no_medium_is_refused(void **state)
{
    char page[200] = "<html><script>alert(1)</script>";

    assert_refused(*state, (struct fan_bytes){ page, sizeof page }, FAN_INVALID, "is no PNG");
    assert_refused(*state, FAN_LIT("<svg"), FAN_INVALID, "is no PNG");
    assert_refused(*state, FAN_LIT(""), FAN_INVALID, "empty");
    assert_refused(*state, FAN_LIT("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0"), FAN_INVALID, "damaged");
}

static void what_is_too_large_is_refused_before_all_of_it_came(void **state)
{
    size_t cap = (size_t)fan_media_cap(FAN_MEDIA_IMAGE);
    struct fan_bytes file = picture(cap + 1, 1);

    assert_refused(*state, file, FAN_TOO_LARGE, "(image) may have 16 MiB");
    free((void *)(uintptr_t)file.at);
}

/* A file system that takes no more: the limit on a file's size stands for it. */
static void a_disk_that_fails_is_a_clear_error(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit before, limit;
    struct fan_bytes file = picture(70000, 1);

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){ 50000, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_refused(fixture, file, FAN_UNAVAILABLE, "cannot write in the media folder");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    free((void *)(uintptr_t)file.at);
}

static void leftovers_of_the_dead_are_removed_and_of_the_living_are_not(void **state)
{
    struct fixture *fixture = *state;
    struct fan_media *media = open_media(fixture);
    struct timespec old[2] = { { .tv_sec = time(NULL) - 4000 }, { .tv_sec = time(NULL) - 4000 } };
    char path[128];

    for (int i = 0; i < 2; i++) {
        int fd;

        snprintf(path, sizeof path, "%s/incoming/%d", fixture->media, i);
        fd = open(path, O_CREAT | O_WRONLY, 0600);
        if (i == 0)
            assert_int_equal(futimens(fd, old), 0);
        close(fd);
    }
    fan_media_close(&media);
    media = open_media(fixture);
    assert_int_equal(count_incoming(fixture), 1);
    fan_media_close(&media);
}

static void a_probe_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct fan_why why = { .err = FAN_OK };

    assert_int_equal(fan_media_probe(&fixture->common, &why), FAN_OK);
    assert_int_not_equal(access(fixture->media, F_OK), 0);
    fixture->common.media_dir = "/proc/1/nothing/media";
    assert_int_equal(fan_media_probe(&fixture->common, &why), FAN_UNAVAILABLE);
}

/* ---- kills ---- */

static void put_for_ever(struct fixture *fixture)
{
    struct fan_media *media = open_media(fixture);

    for (unsigned seed = 0;; seed++) {
        struct fan_bytes file = picture(60000 + seed, seed);

        put(media, file, &fixture->ending);
        free((void *)(uintptr_t)file.at);
    }
}

/* How many objects there are; each must be whole. */
static int check_objects(const char *folder, int depth)
{
    DIR *dir = opendir(folder);
    int count = 0;

    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        static char bytes[1 << 20];
        unsigned char hash[crypto_hash_sha256_BYTES];
        char path[512], hex[65];
        ssize_t len;
        int fd;

        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "incoming") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (depth < 3) {
            count += check_objects(path, depth + 1);
            continue;
        }
        fd = open(path, O_RDONLY);
        len = read(fd, bytes, sizeof bytes);
        close(fd);
        crypto_hash_sha256(hash, (unsigned char *)bytes, (unsigned long long)len);
        sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
        if (strncmp(hex, entry->d_name, 64) != 0)
            fail_msg("%s is not what its name says", path);
        count++;
    }
    closedir(dir);
    return count;
}

static void whoever_is_killed_leaves_whole_objects_only(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 12; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            put_for_ever(fixture);
            _exit(1);
        }
        usleep((useconds_t)(50000 + i * 7919));
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    assert_true(check_objects(fixture->media, 0) > 0);
}

/* ---- settings ---- */

static void settings_that_are_wrong_are_named(void **state)
{
    static const struct {
        const char *dir, *endpoint, *bucket, *region, *key, *secret, *field;
    } cases[] = {
        { "media", "", "", "us-east-1", "", "", "media_dir" },
        { "", "s3.example", "pictures", "us-east-1", "AK", "s", "media_s3_endpoint" },
        { "", "https://s3.example/path", "pictures", "us-east-1", "AK", "s", "media_s3_endpoint" },
        { "", "https://u:p@s3.example", "pictures", "us-east-1", "AK", "s", "media_s3_endpoint" },
        { "", "https://", "pictures", "us-east-1", "AK", "s", "media_s3_endpoint" },
        { "", "", "pictures", "us-east-1", "", "", "media_s3_endpoint" },
        { "", "https://s3.example", "a/b", "us-east-1", "AK", "s", "media_s3_bucket" },
        { "", "https://s3.example", "Ab", "us-east-1", "AK", "s", "media_s3_bucket" },
        { "", "https://s3.example", "pictures", "", "AK", "s", "media_s3_region" },
        { "", "https://s3.example", "pictures", "us-east-1", "", "s", "media_s3_key" },
        { "", "https://s3.example", "pictures", "us-east-1", "AK", "", "media_s3_secret" },
        { "/srv/media", "https://s3.example:9000/", "my-pictures.1", "eu-central-1", "AK", "s",
                NULL },
        { "", "http://[::1]:9000", "pictures", "us-east-1", "AK", "s", NULL },
        { "", "", "", "us-east-1", "", "", NULL },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct fan_common_settings common = { .state_dir = "/var/lib/fanfare",
            .media_dir = cases[i].dir,
            .media_s3_endpoint = cases[i].endpoint,
            .media_s3_bucket = cases[i].bucket,
            .media_s3_region = cases[i].region,
            .media_s3_key = cases[i].key,
            .media_s3_secret = cases[i].secret };
        struct fan_why why = { .err = FAN_OK };
        enum fan_err err = fan_media_check(&common, &why);

        if (err != (cases[i].field ? FAN_INVALID : FAN_OK))
            fail_msg("case %zu: %s", i, why.text);
        if (cases[i].field)
            assert_string_equal(why.field, cases[i].field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_put_is_there_until_it_is_removed, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(a_file_has_its_hash_as_its_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_medium_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_large_is_refused_before_all_of_it_came, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(a_disk_that_fails_is_a_clear_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leftovers_of_the_dead_are_removed_and_of_the_living_are_not,
                set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_probe_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whoever_is_killed_leaves_whole_objects_only, set_up,
                tear_down),
        cmocka_unit_test(settings_that_are_wrong_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
