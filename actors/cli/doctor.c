/*
 * fanfare doctor — whether this machine has what it takes, and what to do where it has not.
 */
#include "actors/cli/cluster.h"
#include "actors/cli/command.h"
#include "actors/cli/file.h"
#include "actors/cli/fleet.h"
#include "actors/cli/schema.h"
#include "actors/lib/media/media.h"
#include "sql/migrate.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { LEAST_FILES = 1024, LEAST_DISK_MIB = 1024 };

struct doctor_options {
    const char *home;
};

static const struct fan_option options[] = {
    FAN_OPTION(TEXT, struct doctor_options, home, "home", "DIR", "as of `fanfare up`"),
    FAN_OPTIONS_END,
};

struct patient {
    struct fan_home home;
    struct fan_arena *arena;
    struct fan_why why;
};

/* Each finds a fault, and says in why->text what to do about it. */
typedef enum fan_err examination(struct patient *patient);

static enum fan_err has_user(struct patient *patient)
{
    if (geteuid() != 0 || getpwnam("fanfare")) // cppcheck-suppress getpwnamCalled
        return FAN_OK;
    return fan_fail(&patient->why, FAN_NOT_FOUND, "make one: useradd --system fanfare");
}

static enum fan_err has_programs(struct patient *patient)
{
    const struct fan_fleet_options fleet = { .home = &patient->home,
        .bind = "127.0.0.1",
        .port = 8080,
        .public_url = "" };
    const struct fan_process *processes;
    size_t count;

    return fan_fleet_list(&fleet, patient->arena, &processes, &count, &patient->why);
}

static enum fan_err has_server(struct patient *patient)
{
    const char *path;

    if (!patient->home.own_cluster)
        return FAN_OK;
    return fan_cluster_program(&patient->home, "initdb", patient->arena, &path, &patient->why);
}

static enum fan_err has_files(struct patient *patient)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_max >= LEAST_FILES)
        return FAN_OK;
    return fan_fail(&patient->why, FAN_INVALID, "raise it: ulimit -n %d", LEAST_FILES);
}

static enum fan_err has_disk(struct patient *patient)
{
    const char *folder = access(patient->home.path, F_OK) == 0 ? patient->home.path : "/var";
    struct statvfs disk;

    if (statvfs(folder, &disk) != 0 || disk.f_bavail * disk.f_frsize >> 20 >= LEAST_DISK_MIB)
        return FAN_OK;
    return fan_fail(&patient->why, FAN_INVALID, "make room on the disk of %s", folder);
}

static enum fan_err has_schema(struct patient *patient)
{
    struct fan_db *db;
    enum fan_err err;

    if (patient->home.own_cluster)
        return FAN_OK; /* `fanfare up` sees to it, and may not run now */
    db = fan_owner_db(patient->home.database_url, NULL);
    err = fan_schema_check(db, patient->arena, &patient->why);
    fan_db_free(&db);
    return err;
}

static enum fan_err has_media(struct patient *patient)
{
    struct fan_common_settings common;
    enum fan_err err =
            fan_settings_read("cli", NULL, NULL, &common, 0, NULL, patient->arena, &patient->why);

    if (err)
        return err;
    common.state_dir = access(patient->home.state, F_OK) == 0 ? patient->home.state : "/var";
    return fan_media_probe(&common, &patient->why);
}

static const struct {
    const char *name;
    examination *examine;
} examinations[] = {
    { "there is a user to run as", has_user },
    { "all programs are installed", has_programs },
    { "PostgreSQL is installed", has_server },
    { "enough files may be open", has_files },
    { "there is room on the disk", has_disk },
    { "pictures can be kept", has_media },
    { "the database has this version's schema", has_schema },
};

static enum fan_err run(const struct fan_call *call, int *exit_code, struct fan_why *why)
{
    const struct doctor_options *asked = call->options;
    struct patient patient = { .arena = call->arena };
    enum fan_err err = fan_home_find(asked->home, call->arena, &patient.home, why);

    if (err)
        return err;
    printf("home: %s\ndatabase: %s\n", patient.home.path,
            patient.home.own_cluster ? "a private cluster" : "FANFARE_DATABASE_URL");
    for (size_t i = 0; i < sizeof(examinations) / sizeof(examinations[0]); i++) {
        bool well = examinations[i].examine(&patient) == FAN_OK;

        printf("  %s %s%s%s\n", well ? "✓" : "✗", examinations[i].name, well ? "" : ": ",
                well ? "" : patient.why.text);
        *exit_code = well ? *exit_code : 1;
    }
    return FAN_OK;
}

const struct fan_command fan_command_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary = "check whether this machine has what it takes",
    .details = "Changes nothing. Ends with 1 when something is amiss.",
    .table = options,
    .options_size = sizeof(struct doctor_options),
    .run = run,
};
