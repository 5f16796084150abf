#include "base/near.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void distances(void **state)
{
    (void) state;
    assert_int_equal(near_distance("", ""), 0);
    assert_int_equal(near_distance("abc", ""), 3);
    assert_int_equal(near_distance("tokenise", "tokenize"), 1);
    assert_int_equal(near_distance("Dump", "dump"), 0);
    assert_int_equal(near_distance("dupm", "dump"), 1);
    assert_int_equal(near_distance("kitten", "sitting"), 3);
}

static const char *best(const char *typed)
{
    static const char *const names[] = {"info", "tokenize", "dump", "bench", "run"};
    struct near near;
    near_init(&near, typed);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        near_try(&near, names[i]);
    return near_best(&near);
}

static void best_of_a_table(void **state)
{
    (void) state;
    assert_string_equal(best("tokenise"), "tokenize");
    assert_string_equal(best("inof"), "info");
    assert_string_equal(best("benhc"), "bench");
    assert_null(best("banana"));
    assert_null(best("a"));
    assert_null(
        best("a prompt of many words, longer than all of the names in any of the tables "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances),
        cmocka_unit_test(best_of_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
