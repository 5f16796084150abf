/* The pictures of README.md and README.zh.md are what the program draws now. "make pictures"
 * writes them anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "command_fixture.h"
#include "same_screen.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The small one stands in the text itself. */
static void check_readme(const char *name)
{
    static const char fence[] = "```text\n";
    struct str readme = STR_INIT, want = STR_INIT;
    struct err err = ERR_INIT;
    char path[512];

    snprintf(path, sizeof path, "%s/../%s", tests_dir, name);
    assert_true(file_read(&readme, path, 1 << 20, &err));
    snprintf(path, sizeof path, "%s/../assets/pictures/small.txt", tests_dir);
    assert_true(file_read(&want, path, 1 << 20, &err));
    const char *begin = strstr(readme.text, fence);
    assert_non_null(begin);
    begin += strlen(fence);
    if (strncmp(begin, want.text, want.len) || strncmp(begin + want.len, "```\n", 4))
        fail_msg("the picture in %s is old: run make pictures", name);
    str_release(&readme);
    str_release(&want);
}

static void test_readme(void **state)
{
    (void) state;
    check_readme("README.md");
    check_readme("README.zh.md");
}

/* What the script draws now is what is in the folder; "make pictures" writes it anew. */
static void test_pictures(void **state)
{
    (void) state;
    struct fixture f;
    char path[512];
    glob_t made;

    assert_int_equal(mkdir("pictures", 0700), 0);
    assert_int_equal(chdir("pictures"), 0);
    open_fixture(&f, NULL, false);
    snprintf(path, sizeof path, "%s/../assets/pictures/pictures.gpt", tests_dir);
    if (!command_file(&f.env, path, &f.err))
        fail_msg("%s", f.err.text);
    assert_int_equal(glob("*.txt", 0, NULL, &made), 0);
    for (size_t i = 0; i < made.gl_pathc; i++) {
        struct str got = STR_INIT, want = STR_INIT;
        assert_true(file_read(&got, made.gl_pathv[i], 1 << 20, &f.err));
        snprintf(path, sizeof path, "%s/../assets/pictures/%s", tests_dir, made.gl_pathv[i]);
        if (!file_read(&want, path, 1 << 20, &f.err))
            fail_msg("%s", f.err.text);
        if (!same_screen(want.text, got.text))
            fail_msg("%s is old: run make pictures. Now:\n%s", path, got.text);
        str_release(&got);
        str_release(&want);
    }
    globfree(&made);
    close_fixture(&f);
    assert_int_equal(glob("*", 0, NULL, &made), 0);
    for (size_t i = 0; i < made.gl_pathc; i++)
        unlink(made.gl_pathv[i]);
    globfree(&made);
    assert_int_equal(chdir(".."), 0);
    assert_int_equal(rmdir("pictures"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_readme),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
