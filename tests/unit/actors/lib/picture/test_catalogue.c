/* actors/lib/picture/catalogue.c and catalogue_row.c: the catalogue of this tree, and wrong ones.
 */
#include "actors/lib/picture/catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PICTURES "actors/painter/pictures"
#define COLOURS \
    "\"colours\":{\"deep\":\"#101010\",\"from\":\"#202020\",\"to\":\"#303030\"," \
    "\"accent\":\"#ffd000\",\"paper\":\"#ffffff\"}"
#define REST "\"backdrop\":\"rays\",\"spread\":\"fall\",\"greetings\":{\"en\":\"Hello\"}"
#define NAMED "\"id\":\"x\",\"name\":\"X\",\"culture\":\"all\",\"date\":\"fixed 01-01\","

static void the_catalogue_of_this_tree_is_right_and_large(void **state)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_catalogue catalogue;
    struct fan_why why = { 0 };

    if (fan_catalogue_load(PICTURES, arena, &catalogue, &why))
        fail_msg("%s: %s", why.field, why.text);
    assert_true(catalogue.festivals_len >= 40);
    assert_true(catalogue.themes_len >= 4);
    fan_arena_free(&arena);
}

static void a_greeting_is_found_by_language(void **state)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_catalogue catalogue;
    const struct fan_festival *festival;
    struct fan_why why;

    assert_int_equal(fan_catalogue_load(PICTURES, arena, &catalogue, &why), FAN_OK);
    assert_int_equal(fan_catalogue_festival(&catalogue, FAN_LIT("christmas"), &festival, &why),
            FAN_OK);
    assert_true(fan_bytes_eq_text(fan_festival_greeting(festival, FAN_LIT("pt-BR"))->text,
            "Feliz Natal"));
    assert_true(fan_bytes_eq_text(fan_festival_greeting(festival, FAN_LIT("DE"))->text,
            "Frohe Weihnachten"));
    assert_true(fan_bytes_eq_text(fan_festival_greeting(festival, FAN_LIT("xx"))->text,
            "Merry Christmas"));
    assert_true(fan_bytes_eq_text(fan_festival_greeting(festival, FAN_NO_BYTES)->text,
            "Merry Christmas"));
    assert_int_equal(fan_catalogue_festival(&catalogue, FAN_LIT("xmas"), &festival, &why),
            FAN_NOT_FOUND);
    assert_string_equal(why.field, "festival");
    fan_arena_free(&arena);
}

/* ---- wrong catalogues, in a folder of their own ---- */

static void put(const char *folder, const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void drop(const char *folder)
{
    static const char *const names[] = { "festivals.json", "themes.json", "motifs/x.svg", "motifs",
        "" };
    char path[256];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
}

static enum fan_err load(const char *festivals, const char *themes, struct fan_why *why)
{
    char folder[] = "/tmp/fanfare-catalogue-XXXXXX", motifs[64];
    struct fan_arena *arena = fan_arena_new();
    struct fan_catalogue catalogue;
    enum fan_err err;

    assert_non_null(mkdtemp(folder));
    snprintf(motifs, sizeof motifs, "%s/motifs", folder);
    assert_int_equal(mkdir(motifs, 0700), 0);
    put(folder, "motifs/x.svg", "<svg/>");
    if (festivals)
        put(folder, "festivals.json", festivals);
    put(folder, "themes.json", themes);
    err = fan_catalogue_load(folder, arena, &catalogue, why);
    drop(folder);
    fan_arena_free(&arena);
    return err;
}

#define THEME "[{\"id\":\"t\",\"name\":\"T\",\"ground\":\"night\",\"backdrop\":0.5,\"spread\":1}]"

static void a_wrong_row_is_named_with_what_would_be_right(void **state)
{
    static const struct {
        const char *festivals, *themes, *says;
    } wrong[] = {
        { NULL, THEME, "festivals.json" },
        { "[", THEME, "festivals.json" },
        { "{}", THEME, "array" },
        { "[]", THEME, "array" },
        { "[{\"id\":\"X\"}]", THEME, "a-z" },
        { "[{\"id\":\"../x\"}]", THEME, "a-z" },
        { "[{\"id\":\"x\"}]", THEME, "x.name" },
        { "[{\"id\":\"x\",\"name\":\"X\",\"culture\":\"c\",\"date\":\"soon\"}]", THEME, "x.date" },
        { "[{" NAMED REST "}]", THEME, "#rrggbb" },
        { "[{" NAMED "\"colours\":{\"deep\":\"#777777\",\"from\":\"#202020\",\"to\":\"#303030\","
          "\"accent\":\"#ffd000\",\"paper\":\"#ffffff\"}," REST "}]",
                THEME, "contrast" },
        { "[{" NAMED COLOURS ",\"backdrop\":\"fog\"}]", THEME, "one of rays" },
        { "[{" NAMED COLOURS ",\"backdrop\":\"rays\",\"spread\":\"x\"}]", THEME, "one of hang" },
        { "[{" NAMED COLOURS ",\"backdrop\":\"rays\",\"spread\":\"row\"}]", THEME, "x.greetings" },
        { "[{" NAMED COLOURS "," REST "},{" NAMED COLOURS "," REST "}]", THEME, "two rows" },
        { "[{\"id\":\"y\",\"name\":\"X\",\"culture\":\"all\",\"date\":\"any\"," COLOURS "," REST
          "}]",
                THEME, "motifs/y.svg" },
        { "[{" NAMED COLOURS "," REST "}]", "[]", "array" },
        { "[{" NAMED COLOURS "," REST "}]", "[{\"id\":\"t\",\"name\":\"T\",\"ground\":\"sea\"}]",
                "one of classic" },
        { "[{" NAMED COLOURS "," REST "}]",
                "[{\"id\":\"t\",\"name\":\"T\",\"ground\":\"night\",\"backdrop\":2}]", "0 to 1" },
    };
    struct fan_why why = { 0 };

    if (load("[{" NAMED COLOURS "," REST "}]", THEME, &why))
        fail_msg("the right one: %s", why.text);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        why = (struct fan_why){ 0 };
        if (!load(wrong[i].festivals, wrong[i].themes, &why))
            fail_msg("accepted: %s", wrong[i].festivals);
        if (!strstr(why.text, wrong[i].says))
            fail_msg("\"%s\" does not say %s", why.text, wrong[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_catalogue_of_this_tree_is_right_and_large),
        cmocka_unit_test(a_greeting_is_found_by_language),
        cmocka_unit_test(a_wrong_row_is_named_with_what_would_be_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
