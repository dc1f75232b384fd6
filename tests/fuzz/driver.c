/*
 * driver — replays a fuzz corpus without the fuzzer.
 *
 * Each file of the folder named on the command line is one input; the empty input is always
 * tried. Inputs are copied to blocks of exactly their size, so that the sanitizer sees a read past
 * the end.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

static void try_input(const char *name, const void *at, size_t len)
{
    uint8_t *copy = malloc(len);

    if (!copy && len > 0)
        abort();
    if (len > 0)
        memcpy(copy, at, len);
    fprintf(stderr, "%s: %zu bytes\n", name, len);
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static int try_file(const char *folder, const char *name)
{
    static char input[1 << 21]; /* bytes; twice the largest frame */
    char path[4096];
    FILE *file;
    size_t len;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 0;
    }
    len = fread(input, 1, sizeof(input), file);
    fclose(file);
    try_input(path, input, len);
    return 1;
}

int main(int argc, char **argv)
{
    unsigned passed = 1;
    unsigned failed = 0;
    DIR *folder = argc > 1 ? opendir(argv[1]) : NULL;

    try_input("the empty input", "", 0);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        if (try_file(argv[1], entry->d_name))
            passed++;
        else
            failed++;
    }
    if (folder)
        closedir(folder);
    printf("%u passed, %u failed\n", passed, failed);
    return failed > 0;
}
