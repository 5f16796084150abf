/* Scripts and the prompt through a pipe print what they printed before. GOLDEN_UPDATE=1 writes
 * the expected output anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "command_fixture.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- scripts --- */

/* What a script prints, its error included. */
static void run_script(const char *model, const char *name, struct str *out)
{
    struct fixture f;
    char path[4200];

    open_fixture(&f, NULL, false);
    assert_true(session_load(f.session, model, &f.err));
    snprintf(path, sizeof path, "%s/script/%s.gpt", tests_dir, name);
    bool ok = command_file(&f.env, path, &f.err);
    str_add(out, f.out.text, f.out.len);
    if (!ok) /* without the folder */
        str_addf(out, "error: %s\n", strstr(f.err.text, name));
    close_fixture(&f);
}

static void test_script_of(const char *name)
{
    struct str a = STR_INIT, b = STR_INIT;

    run_script("tiny-gpt2", name, &a);
    run_script("tiny-gpt2", name, &b);
    assert_string_equal(a.text, b.text);
    assert_safe(a.text);
    golden(name, a.text);
    str_release(&a);
    str_release(&b);
}

/* Every file of tests/script. */
static void test_scripts(void **state)
{
    (void) state;
    char path[4200];
    glob_t found;

    snprintf(path, sizeof path, "%s/script/*.gpt", tests_dir);
    assert_int_equal(glob(path, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *name = strrchr(found.gl_pathv[i], '/') + 1;
        *strrchr(name, '.') = '\0';
        test_script_of(name);
    }
    globfree(&found);
}

/* Every view is shown by a script of its own, on both models. */
static void test_views(void **state)
{
    (void) state;
    static const char *const models[] = {"tiny-gpt2", "tiny-llama"};

    for (const struct view *v = view_table; v->name; v++)
        for (int m = 0; m < 2; m++) {
            struct str out = STR_INIT;
            char script[64], name[96];
            snprintf(script, sizeof script, "view/%s", v->name);
            snprintf(name, sizeof name, "%s.%s", script, models[m]);
            run_script(models[m], script, &out);
            assert_safe(out.text);
            if (strstr(out.text, "error: "))
                fail_msg("%s: %s", name, strstr(out.text, "error: "));
            golden(name, out.text);
            str_release(&out);
        }
}

static void test_script_errors(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, NULL, false);
    put_file("bad.gpt", "echo one\n\nstpe\necho two\n");
    assert_false(command_run(&f.env, "source bad.gpt", &f.err));
    assert_string_equal(f.err.text,
                        "bad.gpt:3: there is no command 'stpe'; did you mean 'step'?");
    assert_string_equal(f.out.text, "one\n");
    put_file("loop.gpt", "source loop.gpt\n");
    assert_false(command_run(&f.env, "source loop.gpt", &f.err));
    assert_non_null(
        strstr(f.err.text, "'loop.gpt': scripts source each other more than 16 deep"));
    assert_int_equal(f.env.depth, 0);
    assert_false(command_run(&f.env, "source missing.gpt", &f.err));
    assert_false(command_script(&f.env, "x", "echo a\0b\n", 9, &f.err));
    assert_string_equal(f.err.text, "x:1: the line holds a NUL byte");
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_script_errors),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
