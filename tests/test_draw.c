/* Numbers, scales, bars and spark lines. */
#include "view/draw.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct caps rich = {false, 256}, ascii = {true, 0};

static void number_is(double v, int width, const char *want)
{
    char out[32];
    assert_string_equal(draw_number(out, sizeof out, v, width), want);
}

static void numbers(void **state)
{
    (void) state;
    number_is(0.93, 3, ".93");
    number_is(1, 3, "1.0");
    number_is(0.999, 3, "1.0");
    number_is(0, 3, ".00");
    number_is(0.6412, 5, ".6412");
    number_is(24.81, 4, "24.8");
    number_is(-3.14159, 4, "-3.1");
    number_is(-0.5, 4, "-.50");
    number_is(-0.0001, 4, ".000");
    number_is(-123.4, 4, "-123");
    number_is(7, -8, "7.0000");
    number_is(123456, 5, "  1e5");
    number_is(123456, 3, "1e5");
    number_is(-123456, 3, "###");
    number_is(NAN, 4, " nan");
    number_is(INFINITY, 4, " inf");
    number_is(-INFINITY, 4, "-inf");
}

/* Never more than the room there is, whatever the number. */
static void numbers_fit(void **state)
{
    (void) state;
    for (int width = 1; width <= 12; width++)
        for (int e = -45; e <= 38; e++)
            for (int sign = -1; sign <= 1; sign += 2) {
                char out[64];
                double v = sign * 3.7 * pow(10, e);
                draw_number(out, sizeof out, v, width);
                assert_int_equal(strlen(out), width);
                draw_number(out, sizeof out, v, -width);
                assert_true(strlen(out) <= (size_t) width);
                double back = strtod(out, NULL); /* a cut number would be another number */
                if (out[0] != '#')
                    assert_true(fabs(back - v) <= fmax(0.5 * fabs(v), width >= 6 ? 1e-3 : 0.5));
            }
}

static void counts(void **state)
{
    (void) state;
    char out[32];
    assert_string_equal(draw_count(out, sizeof out, 999), "999");
    assert_string_equal(draw_count(out, sizeof out, 1234), "1.2k");
    assert_string_equal(draw_count(out, sizeof out, 124439808), "124M");
    assert_string_equal(draw_bytes(out, sizeof out, 1536), "1.5 KB");
    assert_string_equal(draw_bytes(out, sizeof out, 0), "0 B");
}

static void near(double a, double b)
{
    if (fabs(a - b) > 1e-12) {
        printf("%g is not %g\n", a, b);
        assert_true(false);
    }
}

static void scales(void **state)
{
    (void) state;
    struct scale s = {SCALE_LINEAR, false, 2};
    near(scale_at(&s, 1, 0), 0.5);
    near(scale_at(&s, 4, 0), 1);
    near(scale_at(&s, -1, 0), 0);
    near(scale_at(&s, NAN, 0), 0);
    s.kind = SCALE_SQRT;
    near(scale_at(&s, 0.5, 0), 0.5);
    s.kind = SCALE_LOG; /* four powers of ten */
    near(scale_at(&s, 2, 0), 1);
    near(scale_at(&s, 0.02, 0), 0.5);
    near(scale_at(&s, 1e-9, 0), 0);
    near(scale_at(&s, 0, 0), 0);
    s.kind = SCALE_ROW_MAX;
    near(scale_at(&s, 0.1, 0.2), 0.5);
    near(scale_at(&s, 0.1, 0), 0);
    s = (struct scale){SCALE_LINEAR, true, 2};
    near(scale_at(&s, 0, 0), 0.5);
    near(scale_at(&s, 2, 0), 1);
    near(scale_at(&s, -1, 0), 0.25);
    near(scale_at(&s, NAN, 0), 0.5);
    s.limit = 0;
    near(scale_at(&s, 3, 0), 0.5);
    for (int kind = SCALE_LINEAR; kind <= SCALE_ROW_MAX; kind++) /* more is never less */
        for (int i = 1; i <= 100; i++) {
            s = (struct scale){(enum color_scale) kind, i & 1, 1};
            assert_true(scale_at(&s, i / 100.0, 1) >= scale_at(&s, (i - 1) / 100.0, 1));
        }
}

static void row_is(const struct canvas *c, const char *want)
{
    struct str out = STR_INIT;
    canvas_plain(c, &out);
    assert_string_equal(out.text, want);
    str_release(&out);
}

static void bars(void **state)
{
    (void) state;
    struct canvas *c = canvas_new(10, 1, &rich, NULL);
    struct look look = canvas_look(c, STYLE_BAR);
    draw_bar(c, canvas_all(c), 0, 0, 8, 0.5, look);
    row_is(c, "████\n");
    canvas_clear(c);
    draw_bar(c, canvas_all(c), 0, 0, 8, 1.0 / 64, look);
    row_is(c, "▏\n");
    canvas_clear(c);
    draw_bar(c, canvas_all(c), 0, 0, 8, 7, look);
    row_is(c, "████████\n");
    canvas_clear(c);
    draw_bar(c, canvas_all(c), 0, 0, 8, NAN, look);
    draw_bar(c, canvas_all(c), 0, 0, 8, -1, look);
    draw_bar(c, canvas_all(c), 0, 0, 0, 1, look);
    row_is(c, "\n");
    canvas_free(c);
}

static void sparks(void **state)
{
    (void) state;
    static const float v[] = {0, 1, 2, 4, -8, 8};
    struct canvas *c = canvas_new(10, 1, &rich, NULL);
    assert_int_equal(draw_spark(c, canvas_all(c), 0, 0, 6, v, 6, true), 1);
    row_is(c, "▁▁▂▄██\n");
    assert_int_not_equal(canvas_at(c, 4, 0)->look.fg, canvas_at(c, 5, 0)->look.fg);
    canvas_clear(c);
    assert_int_equal(draw_spark(c, canvas_all(c), 0, 0, 4, v, 6, false), 2);
    row_is(c, "▁▄█\n");
    canvas_clear(c);
    static const float none[] = {0, 0, NAN};
    draw_spark(c, canvas_all(c), 0, 0, 4, none, 3, false);
    row_is(c, "▁▁▁\n");
    draw_spark(c, canvas_all(c), 0, 0, 0, none, 3, false);
    draw_spark(c, canvas_all(c), 0, 0, 4, none, 0, false);
    canvas_free(c);
    c = canvas_new(10, 1, &ascii, NULL); /* without colours, negative ones are reversed */
    draw_spark(c, canvas_all(c), 0, 0, 6, v, 6, true);
    assert_int_equal(canvas_at(c, 4, 0)->look.attr, ATTR_REVERSE);
    assert_int_equal(canvas_at(c, 5, 0)->look.attr, 0);
    canvas_free(c);
}

/* Where there are no colours, characters carry the value: more ink, never less. */
static void ramps(void **state)
{
    (void) state;
    static const char ink[] = " .:-=+*#%@";
    struct canvas *c = canvas_new(20, 1, &ascii, NULL);
    struct scale s = {SCALE_LINEAR, false, 1};
    const char *last = ink;
    for (int i = 0; i < 20; i++) {
        draw_heat(c, canvas_all(c), i, 0, 1, &s, i / 19.0);
        const char *now = strchr(ink, (int) canvas_at(c, i, 0)->cp);
        assert_true(now && now >= last);
        last = now;
    }
    assert_int_equal(*last, '@');
    canvas_clear(c);
    assert_true(draw_scale(c, canvas_all(c), 0, 0, 10, &s) <= 20);
    row_is(c, "0  .:-=+*#%@ 1\n");
    canvas_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers), cmocka_unit_test(numbers_fit), cmocka_unit_test(counts),
        cmocka_unit_test(scales),  cmocka_unit_test(bars),        cmocka_unit_test(sparks),
        cmocka_unit_test(ramps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
