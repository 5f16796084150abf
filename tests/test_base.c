/* Errors, memory, strings, maps, the byte cursor, random numbers, the clock. */
#include "base/clock.h"
#include "base/crc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/strmap.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

static void test_err_set_and_add(void **state)
{
    struct err err = ERR_INIT;

    (void) state;
    assert_false(err_set(&err, "no tensor '%s'", "y"));
    assert_string_equal(err.text, "no tensor 'y'");
    assert_false(err_add(&err, "model '%s'", "x"));
    assert_string_equal(err.text, "model 'x': no tensor 'y'");
    err_set(&err, "again: %s", err.text); /* made from its own text */
    assert_string_equal(err.text, "again: model 'x': no tensor 'y'");
}

static void test_err_is_safe(void **state)
{
    struct err err = ERR_INIT;

    (void) state;
    err_set(&err, "name '%s'", "a\x1b[2J\nb\xff\xe2\x80\xae");
    assert_string_equal(err.text, "name 'a\\x1b[2J\\nb\\xff\\u202e'");
    err_add(&err, "file '%s'", "\\x1b"); /* a backslash stays: escaping twice changes nothing */
    assert_string_equal(err.text, "file '\\x1b': name 'a\\x1b[2J\\nb\\xff\\u202e'");
}

static void test_err_is_cut_at_a_character(void **state)
{
    struct err err = ERR_INIT;
    char text[3 * 400 + 1];

    (void) state;
    for (int i = 0; i < 400; i++)
        memcpy(text + 3 * i, "\xe2\x82\xac", 4);
    err_set(&err, "%s", text);
    assert_int_equal(strlen(err.text), 510);
    err_set(&err, "x%s", text);
    assert_int_equal(strlen(err.text), 511);
}

static void test_nomem_names_the_amount(void **state)
{
    struct err err = ERR_INIT;
    size_t product;

    (void) state;
    assert_null(big_alloc(SIZE_MAX / 4, "the test", &err));
    assert_non_null(strstr(err.text, "not enough memory for the test ("));
    assert_non_null(strstr(err.text, "MB needed"));
    assert_false(size_mul(SIZE_MAX / 2, 3, &product));
    assert_true(size_mul(1000, 1000, &product));
    assert_int_equal(product, 1000000);
    assert_true(size_mul(0, SIZE_MAX, &product));
    assert_int_equal(product, 0);
}

static void test_big_alloc_is_zero_and_aligned(void **state)
{
    const size_t sizes[] = {0, 1, 4096, 3000001};
    struct err err = ERR_INIT;

    (void) state;
    for (size_t k = 0; k < 4; k++) {
        unsigned char *p = big_alloc(sizes[k], "the test", &err);
        assert_non_null(p);
        assert_int_equal((uintptr_t) p % 64, 0);
        for (size_t i = 0; i < sizes[k]; i++) {
            assert_int_equal(p[i], 0);
            p[i] = 1;
        }
        big_free(p, sizes[k]);
    }
    big_free(NULL, 10);
}

static void test_small_memory(void **state)
{
    int *list = NULL, n = 0, cap = 0;
    char *s = xasprintf("%d-%s", 7, "x"), *t = xstrndup("abc\0def", 7);

    (void) state;
    assert_string_equal(s, "7-x");
    assert_int_equal(strlen(t), 3);
    for (int i = 0; i < 1000; i++) {
        VEC_ROOM(list, n, cap);
        list[n++] = i;
    }
    assert_true(cap >= 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(list[i], i);
    free(xcalloc(0, 8));
    free(xmalloc(0));
    free(list);
    free(s);
    free(t);
}

static void test_str(void **state)
{
    struct str s = STR_INIT, copy = STR_INIT;
    char *mine;

    (void) state;
    assert_string_equal(s.text, "");
    str_clear(&s);
    str_release(&s);
    for (int i = 0; i < 500; i++)
        str_addf(&s, "%d,", i);
    assert_int_equal(s.len, 10 * 2 + 90 * 3 + 400 * 4);
    assert_int_equal(strlen(s.text), s.len);
    str_clear(&s);
    str_adds(&s, "held");
    str_insert(&s, 3, "lo worl", 7);
    assert_string_equal(s.text, "hello world");
    str_insert(&s, s.len, "!", 1);
    str_cut(&s, 0, 6);
    assert_string_equal(s.text, "world!");
    str_cut(&s, 6, 0);
    str_add(&s, "a\0b", 3);
    assert_int_equal(s.len, 9);
    assert_memory_equal(s.text, "world!a\0b", 10);
    mine = str_steal(&s);
    assert_int_equal(s.len, 0);
    assert_string_equal(s.text, "");
    free(mine);
    mine = str_steal(&copy); /* never NULL, always to be freed */
    assert_string_equal(mine, "");
    free(mine);
}

static void test_str_long_format(void **state)
{
    struct str s = STR_INIT;

    (void) state;
    str_addf(&s, "%0*d", 100000, 7);
    assert_int_equal(s.len, 100000);
    assert_int_equal(s.text[99999], '7');
    str_release(&s);
}

static void test_strmap(void **state)
{
    static char keys[20000][8];
    struct strmap *m = strmap_new(3);

    (void) state;
    for (int i = 0; i < 20000; i++) {
        snprintf(keys[i], sizeof keys[i], "%d", i);
        assert_true(strmap_add(m, keys[i], strlen(keys[i]), i));
    }
    for (int i = 0; i < 20000; i++) {
        assert_int_equal(strmap_find(m, keys[i], strlen(keys[i])), i);
        assert_false(strmap_add(m, keys[i], strlen(keys[i]), i + 1));
    }
    assert_int_equal(strmap_find(m, "nobody", 6), -1);
    assert_int_equal(strmap_find(m, "12", 1), 1); /* the length counts, not a NUL */
    strmap_free(m);
    strmap_free(NULL);
}

static void test_strmap_odd_keys(void **state)
{
    struct strmap *m = strmap_new(0);

    (void) state;
    assert_int_equal(strmap_find(m, "", 0), -1);
    assert_true(strmap_add(m, "", 0, 1));
    assert_true(strmap_add(m, "\0", 1, 2));
    assert_true(strmap_add(m, "\0\0", 2, 3));
    assert_true(strmap_add(m, "12345678", 8, 4));
    assert_true(strmap_add(m, "12345678\0", 9, 5));
    assert_int_equal(strmap_find(m, "", 0), 1);
    assert_int_equal(strmap_find(m, "\0", 1), 2);
    assert_int_equal(strmap_find(m, "\0\0", 2), 3);
    assert_int_equal(strmap_find(m, "12345678", 8), 4);
    assert_int_equal(strmap_find(m, "12345678\0", 9), 5);
    strmap_free(m);
}

static void test_cursor_reads_little_endian(void **state)
{
    const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 0, 0, 128, 63, 9, 0, 0, 0, 0, 0, 0, 0};
    struct cursor c;
    uint8_t a;
    uint16_t b;
    uint32_t d;
    uint64_t e;
    float f;

    (void) state;
    cursor_init(&c, bytes, sizeof bytes);
    assert_true(cursor_u8(&c, &a) && a == 1);
    assert_true(cursor_u16(&c, &b) && b == 0x0302);
    assert_true(cursor_u32(&c, &d) && d == 0x07060504);
    assert_true(cursor_f32(&c, &f) && f == 1.0f);
    assert_true(cursor_u64(&c, &e) && e == 9);
    assert_int_equal(cursor_left(&c), 0);
    assert_false(c.failed);
}

static void test_cursor_fails_for_good(void **state)
{
    const uint8_t bytes[9] = {7, 0, 0, 0, 0, 0, 0, 0, 0};
    const uint8_t *p = bytes;
    struct cursor c;
    uint32_t d = 1;
    uint64_t e = 1;
    double f = 1;

    (void) state;
    cursor_init(&c, bytes, sizeof bytes);
    assert_true(cursor_u32(&c, &d) && d == 7);
    assert_false(cursor_u64(&c, &e));
    assert_int_equal(e, 0);
    assert_false(cursor_u32(&c, &d)); /* would fit, but the cursor has failed */
    assert_int_equal(d, 0);
    assert_false(cursor_f64(&c, &f));
    assert_true(f == 0);
    assert_int_equal(cursor_left(&c), 0);

    cursor_init(&c, bytes, sizeof bytes);
    assert_false(cursor_bytes(&c, UINT64_MAX, &p));
    assert_null(p);
    cursor_init(&c, bytes, sizeof bytes);
    assert_true(cursor_bytes(&c, 9, &p) && p == bytes);
    assert_true(cursor_bytes(&c, 0, &p));
}

/* From the reference implementations: splitmix64 seeded with 0, xoshiro256** with {1,2,3,4}. */
static void test_rng_known_numbers(void **state)
{
    struct rng r;

    (void) state;
    rng_seed(&r, 0);
    assert_true(r.s[0] == 0xe220a8397b1dcdafu && r.s[1] == 0x6e789e6aa1b965f4u);
    assert_true(r.s[2] == 0x06c45d188009454fu && r.s[3] == 0xf88bb8a8724c81ecu);
    r = (struct rng){{1, 2, 3, 4}, 0, false};
    assert_true(rng_u64(&r) == 11520);
    assert_true(rng_u64(&r) == 0);
    assert_true(rng_u64(&r) == 1509978240);
    assert_true(rng_u64(&r) == 1215971899390074240);
}

static void test_rng_distributions(void **state)
{
    enum { N = 200000 };
    double sum = 0, squares = 0, fourth = 0, uniform = 0;
    struct rng r, same;

    (void) state;
    rng_seed(&r, 42);
    for (int i = 0; i < N; i++) {
        double x = rng_normal(&r), u = rng_uniform(&r);
        assert_true(u >= 0 && u < 1);
        uniform += u;
        sum += x;
        squares += x * x;
        fourth += x * x * x * x;
    }
    /* Five standard errors of each mean. */
    assert_true(fabs(sum / N) < 5 / sqrt(N));
    assert_true(fabs(squares / N - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(fourth / N - 3) < 5 * sqrt(96.0 / N));
    assert_true(fabs(uniform / N - 0.5) < 5 * sqrt(1.0 / 12 / N));

    rng_seed(&r, 7);
    rng_seed(&same, 7);
    for (int i = 0; i < 10; i++)
        assert_true(rng_normal(&r) == rng_normal(&same));
}

static void test_clock(void **state)
{
    double t = clock_measure();

    (void) state;
    setenv("GPTSCOPE_CLOCK", "0", 1);
    assert_true(clock_now() == 0);
    assert_true(clock_measure() >= t);
    unsetenv("GPTSCOPE_CLOCK");
    assert_true(clock_now() >= t);
}

static void test_interrupt(void **state)
{
    (void) state;
    assert_false(interrupt_pending());
    interrupt_set();
    assert_true(interrupt_pending());
    interrupt_clear();
    assert_false(interrupt_pending());
}

/* Any length, alignment and checksum so far. */
static void test_crc(void **state)
{
    enum { MOST = 5000 };
    static uint8_t bytes[MOST + 64], copy[MOST + 64];
    struct rng rng;

    (void) state;
    rng_seed(&rng, 7);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t) rng_u64(&rng);
    assert_int_equal(crc_add(0, "123456789", 9), 0xcbf43926); /* the well-known check */
    assert_int_equal(crc_add(17, bytes, 0), 17);
    for (size_t n = 0; n < MOST; n += n < 700 ? 1 : 37) {
        const uint8_t *p = bytes + n % 64;
        uint32_t before = n % 3 ? (uint32_t) rng_u64(&rng) : 0;
        assert_int_equal(crc_add(before, p, n), crc32_z(before, p, n));
        uint8_t *to = copy + n % 5 * 8; /* not always aligned */
        memset(copy, 0, sizeof copy);
        assert_int_equal(crc_copy(before, to, p, n), crc32_z(before, p, n));
        assert_memory_equal(to, p, n);
        assert_int_equal(to[n], 0);
        size_t half = n / 3;
        assert_int_equal(crc_add(crc_add(before, p, half), p + half, n - half),
                         crc32_z(before, p, n));
    }
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(crc_add(0, bytes, MOST), crc32_z(0, bytes, MOST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_err_set_and_add),
        cmocka_unit_test(test_err_is_safe),
        cmocka_unit_test(test_err_is_cut_at_a_character),
        cmocka_unit_test(test_nomem_names_the_amount),
        cmocka_unit_test(test_big_alloc_is_zero_and_aligned),
        cmocka_unit_test(test_small_memory),
        cmocka_unit_test(test_str),
        cmocka_unit_test(test_str_long_format),
        cmocka_unit_test(test_strmap),
        cmocka_unit_test(test_strmap_odd_keys),
        cmocka_unit_test(test_cursor_reads_little_endian),
        cmocka_unit_test(test_cursor_fails_for_good),
        cmocka_unit_test(test_rng_known_numbers),
        cmocka_unit_test(test_rng_distributions),
        cmocka_unit_test(test_crc),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_interrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
