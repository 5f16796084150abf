/* Files whose size is said before they are written, in any order, large ones past the page
 * cache; files without a name. */
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_holds(const char *path, const char *bytes, size_t n)
{
    struct str s = STR_INIT;
    struct err err = ERR_INIT;

    if (!file_read(&s, path, 1 << 26, &err))
        fail_msg("%s", err.text);
    assert_int_equal(s.len, n);
    assert_memory_equal(s.text, bytes, n);
    str_release(&s);
}

/* Pieces that tile the file, of any size, at any border, in any order, some of them written
 * twice: more than go past the page cache in one piece, or so few that they do not. */
static void test_reserved(void **state)
{
    static const size_t sizes[] = {1, 4096, 3000001, 36 << 20, (40 << 20) + 4097};
    struct rng rng;

    (void) state;
    rng_seed(&rng, 11);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        size_t n = sizes[k], border[41] = {0};
        char *path = file_join(folder, "reserved"), *bytes = xmalloc(n + 1);
        struct err err = ERR_INIT;
        struct outfile *f = outfile_open(path, &err);

        for (size_t i = 0; i < n; i++)
            bytes[i] = (char) (i * 2654435761u >> 13);
        for (int i = 1; i < 40; i++) {
            border[i] = border[i - 1] + (size_t) (rng_u64(&rng) % (n / 25 + 1));
            border[i] = border[i] > n ? n : i % 4 ? border[i] : border[i] / 4096 * 4096;
            border[i] = border[i] < border[i - 1] ? border[i - 1] : border[i];
        }
        border[40] = n;
        assert_true(outfile_reserve(f, n, &err));
        for (int i = 0; i < 80; i++) {
            int part = i * 7 % 40;
            outfile_patch(f, border[part], bytes + border[part],
                          border[part + 1] - border[part]);
            if (i == 40) /* a few bytes in the middle of what is on its way */
                outfile_patch(f, n / 2, bytes + n / 2, n / 2 < 10 ? n / 2 : 10);
        }
        assert_true(outfile_check(f, &err));
        assert_true(outfile_commit(f, &err));
        assert_holds(path, bytes, n);
        unlink(path);
        free(path);
        free(bytes);
    }
}

/* In order, as a format whose size is known is written. */
static void test_reserved_in_order(void **state)
{
    const size_t n = (size_t) 50 << 20, step = (size_t) 5 << 20;
    char *path = file_join(folder, "ordered"), *bytes = xmalloc(n + 128);
    struct err err = ERR_INIT;
    struct outfile *f = outfile_open(path, &err);

    (void) state;
    for (size_t i = 0; i < n + 128; i++)
        bytes[i] = (char) (i * 40503u >> 7);
    assert_true(outfile_reserve(f, n + 128, &err));
    outfile_write(f, bytes, 128);
    for (size_t at = 0; at < n; at += step)
        outfile_write(f, bytes + 128 + at, step);
    assert_int_equal(outfile_at(f), n + 128);
    assert_true(outfile_commit(f, &err));
    assert_holds(path, bytes, n + 128);
    unlink(path);
    free(path);
    free(bytes);
}

static void test_scratch(void **state)
{
    const size_t n = (size_t) 35 << 20;
    char *path = file_join(folder, "copied"), *bytes = xcalloc(1, n);
    struct err err = ERR_INIT;
    int names = names_in_folder();
    struct outfile *to, *from;

    (void) state;
    for (size_t i = 0; i < n; i += 1000)
        bytes[i] = (char) (i / 1000);
    setenv("TMPDIR", folder, 1);
    from = outfile_scratch(&err);
    assert_non_null(from);
    assert_true(outfile_reserve(from, n, &err));
    outfile_patch(from, 0, bytes, n);
    to = outfile_open(path, &err);
    assert_true(outfile_copy(to, from, &err));
    outfile_abort(from);
    assert_true(outfile_commit(to, &err));
    assert_holds(path, bytes, n);
    assert_int_equal(names_in_folder(), names + 1);
    setenv("TMPDIR", "/no/such", 1);
    assert_null(outfile_scratch(&err));
    assert_non_null(strstr(err.text, "cannot make a temporary file for '/no/such/"));
    unsetenv("TMPDIR");
    unlink(path);
    free(path);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reserved),
        cmocka_unit_test(test_reserved_in_order),
        cmocka_unit_test(test_scratch),
    };
    return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
