/* The settings table: defaults, printing, ranges, and what is said about wrong values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "session/settings.h"

#include <string.h>

static void test_settings(void **state)
{
    (void) state;
    struct settings set, copy;

    settings_init(&set);
    for (const struct setting *row = setting_table; row->name; row++) {
        struct str a = STR_INIT, b = STR_INIT;
        struct err err = ERR_INIT;
        const char *value = strrchr(row->example, ' ') + 1;

        assert_ptr_equal(setting_find(row->name), row);
        settings_print(&set, row, &a);
        assert_true(settings_set(&set, row->name, a.text, &err)); /* prints what it takes */
        assert_int_equal(strncmp(row->example, "set ", 4), 0);
        copy = set;
        if (!settings_set(&copy, row->name, value, &err))
            fail_msg("%s: %s", row->example, err.text);
        settings_print(&copy, row, &b);
        assert_string_equal(b.text, value);
        settings_reset(&copy, row);
        str_clear(&b);
        settings_print(&copy, row, &b);
        assert_string_equal(b.text, a.text);
        copy = set;
        assert_int_equal(settings_cycle(&copy, row), row->words != NULL);
        for (int i = 1; row->words && row->words[i]; i++)
            settings_cycle(&copy, row);
        if (row->words) /* all the way round */
            assert_memory_equal(&copy, &set, sizeof set);
        str_release(&a);
        str_release(&b);
    }
}

static void test_settings_wrong(void **state)
{
    (void) state;
    static const struct {
        const char *name, *value, *message;
    } wrong[] = {
        {"temp", "-1", "temp takes a number from 0 to 100, not '-1'"},
        {"temp", "nan", "temp takes a number from 0 to 100, not 'nan'"},
        {"temp", "", "temp takes a number from 0 to 100, not ''"},
        {"top-p", "1.5", "top-p takes a number from 0 to 1, not '1.5'"},
        {"top-k", "4.5", "top-k takes a whole number from 0 to 10000000, not '4.5'"},
        {"seed", "99999999999999999999",
         "seed takes a whole number from 0 to 9007199254740991, not '99999999999999999999'"},
        {"scale", "cubic", "scale takes linear, sqrt, log or row-max, not 'cubic'"},
        {"ascii", "maybe", "ascii takes on or off, not 'maybe'"},
        {"theme", "pink", "theme takes viridis, cividis or grey, not 'pink'"},
    };
    struct settings set, before;
    struct err err = ERR_INIT;

    settings_init(&set);
    before = set;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(settings_set(&set, wrong[i].name, wrong[i].value, &err));
        assert_string_equal(err.text, wrong[i].message);
    }
    assert_memory_equal(&set, &before, sizeof set);
    assert_false(settings_set(&set, "tmp", "1", &err));
    static const char begin[] = "there is no setting 'tmp'; the settings are temp, top-k, ";
    assert_memory_equal(err.text, begin, sizeof begin - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_settings_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
