/* The grid of cells, its colours and its back ends. */
#include "base/utf8.h"
#include "view/canvas.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct caps rich = {false, 1 << 24}, ascii = {true, 0};

static int put(struct canvas *c, int x, int y, const char *text)
{
    return canvas_text(c, canvas_all(c), x, y, STYLE_TEXT, text);
}

static void shows(const struct canvas *c, const char *want)
{
    struct str out = STR_INIT;
    canvas_plain(c, &out);
    assert_string_equal(out.text, want);
    str_release(&out);
}

/* Every wide cell has its right half, every right half its wide cell, nothing else is odd. */
static void sound(const struct canvas *c)
{
    for (int y = 0; y < c->h; y++)
        for (int x = 0; x < c->w; x++) {
            const struct cell *cell = canvas_at(c, x, y);
            if (cell->width == 0) {
                assert_int_equal(cell->cp, 0);
                assert_true(x > 0 && canvas_at(c, x - 1, y)->width == 2);
            } else {
                assert_true(cell->cp >= 0x20 && !(cell->cp >= 0x7f && cell->cp < 0xa0));
                assert_int_equal(cell->width, cell->width == 2 ? 2 : 1);
            }
            if (cell->width == 2)
                assert_true(x + 1 < c->w && canvas_at(c, x + 1, y)->width == 0);
        }
}

static void wide_characters(void **state)
{
    (void) state;
    struct canvas *c = canvas_new(6, 1, &rich, NULL);
    assert_int_equal(put(c, 0, 0, "a日本b"), 6);
    shows(c, "a日本b\n");
    put(c, 2, 0, "x"); /* on the right half: the left one goes */
    shows(c, "a x本b\n");
    put(c, 3, 0, "y"); /* on the left half: the right one goes */
    shows(c, "a xy b\n");
    put(c, 5, 0, "語"); /* no room for both halves */
    shows(c, "a xy b\n");
    put(c, 0, 0, "日本語");
    put(c, 1, 0, "字"); /* across two of them */
    shows(c, " 字 語\n");
    sound(c);
    canvas_free(c);
}

static void combining_marks(void **state)
{
    (void) state;
    struct canvas *c = canvas_new(8, 1, &rich, NULL);
    assert_int_equal(put(c, 0, 0, "e\xcc\x81x"), 2);
    assert_int_equal(canvas_at(c, 0, 0)->mark[0], 0x301);
    assert_int_equal(canvas_at(c, 1, 0)->cp, 'x');
    put(c, 2, 0, "日\xcc\x81"); /* a mark on a wide character belongs to its first cell */
    assert_int_equal(canvas_at(c, 2, 0)->mark[0], 0x301);
    put(c, 4, 0,
        "a\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81"
        "b");
    assert_int_equal(canvas_at(c, 4, 0)->mark[CELL_MARKS - 1], 0x301);
    assert_int_equal(canvas_at(c, 5, 0)->cp, 'b');
    put(c, 0, 0, "z"); /* marks go with their character */
    assert_int_equal(canvas_at(c, 0, 0)->mark[0], 0);
    put(c, 0, 0, "\xcc\x81"); /* a mark without a character in front is left out */
    assert_int_equal(canvas_at(c, 0, 0)->mark[0], 0);
    sound(c);
    canvas_free(c);
}

static void nothing_raw(void **state)
{
    (void) state;
    struct canvas *c = canvas_new(20, 1, &rich, NULL);
    struct str out = STR_INIT;
    put(c, 0, 0,
        "a\033[31m\tb\x7f\xff\xc2\x9b"
        "c\nd");
    canvas_plain(c, &out);
    assert_string_equal(out.text, "a?[31m?b???c?d\n");
    str_release(&out);
    canvas_free(c);
}

static void clipping(void **state)
{
    (void) state;
    struct canvas *c = canvas_new(8, 3, &rich, NULL);
    struct rect clip = {2, 1, 4, 1};
    canvas_text(c, clip, 0, 1, STYLE_TEXT, "01234567");
    canvas_text(c, clip, 2, 0, STYLE_TEXT, "above");
    canvas_text(c, clip, 2, 2, STYLE_TEXT, "below");
    shows(c, "\n  2345\n\n");
    canvas_text(c, clip, 1, 1, STYLE_TEXT, "日日日"); /* first and last stick out */
    shows(c, "\n  2日5\n\n");
    canvas_text(c, (struct rect){-5, -5, 100, 100}, -1, 2, STYLE_TEXT, "<clip>");
    shows(c, "\n  2日5\nclip>\n");
    canvas_fill(c, (struct rect){6, -3, 50, 50}, canvas_look(c, STYLE_TEXT), '#');
    shows(c, "      ##\n  2日5##\nclip> ##\n");
    sound(c);
    canvas_free(c);
}

static void cut_text(void **state)
{
    (void) state;
    struct canvas *c = canvas_new(8, 1, &rich, NULL);
    struct look look = canvas_look(c, STYLE_TEXT);
    assert_int_equal(canvas_fit(c, canvas_all(c), 0, 0, 8, look, "12345678"), 8);
    assert_int_equal(canvas_fit(c, canvas_all(c), 0, 0, 4, look, "abcdef"), 4);
    shows(c, "abc…5678\n");
    assert_int_equal(canvas_fit(c, canvas_all(c), 0, 0, 4, look, "日本語"), 3);
    shows(c, "日……5678\n");
    assert_int_equal(canvas_fit(c, canvas_all(c), 0, 0, 0, look, "x"), 0);
    assert_int_equal(canvas_fit(c, canvas_all(c), 0, 0, -3, look, "x"), 0);
    canvas_free(c);
}

static void frames(void **state)
{
    (void) state;
    struct canvas *c = canvas_new(10, 4, &rich, NULL);
    struct rect inner = canvas_frame(c, (struct rect){0, 0, 10, 4}, true, "1 a long title");
    assert_int_equal(inner.x, 1);
    assert_int_equal(inner.w, 8);
    assert_int_equal(inner.h, 2);
    shows(c, "┌1 a lon…┐\n│        │\n│        │\n└────────┘\n");
    canvas_free(c);
    c = canvas_new(10, 3, &ascii, NULL);
    canvas_frame(c, canvas_all(c), false, "q·k √24 ▶");
    shows(c, "+q_k V24~+\n|        |\n+--------+\n");
    canvas_free(c);
}

/* Any rectangle at all is drawn without a cell going wrong. */
static void any_size(void **state)
{
    (void) state;
    for (int w = -1; w < 9; w++)
        for (int h = -1; h < 5; h++) {
            struct canvas *c = canvas_new(w, h, &rich, NULL);
            assert_true(c->w >= 1 && c->h >= 1);
            for (int x = -3; x < 10; x++) {
                struct rect r = {x, x / 2, 7 - x, 3};
                struct rect inner = canvas_frame(c, r, x & 1, "題名 title");
                assert_true(inner.w >= 0 && inner.h >= 0);
                canvas_text(c, inner, x, 1, STYLE_TEXT, "日a本");
                canvas_pixels(c, r, x, 0, 0xffffff, COLOR_NONE);
                canvas_paint(c, inner, canvas_look(c, STYLE_CURSOR));
                sound(c);
            }
            assert_null(canvas_at(c, c->w, 0));
            assert_null(canvas_at(c, 0, -1));
            canvas_free(c);
        }
}

static void stand_ins(void **state)
{
    (void) state;
    struct canvas *c = canvas_new(24, 1, &ascii, NULL);
    assert_int_equal(put(c, 0, 0, "a·b│▶✓∙→日e\xcc\x81ß"), 12);
    shows(c, "a_b|>+.>??e?\n");
    for (int x = 0; x < c->w; x++)
        assert_true(canvas_at(c, x, 0)->cp < 0x7f);
    canvas_free(c);
}

static void pixels(void **state)
{
    (void) state;
    struct canvas *c = canvas_new(4, 1, &rich, NULL);
    canvas_pixels(c, canvas_all(c), 0, 0, 0x112233, 0x445566);
    canvas_pixels(c, canvas_all(c), 1, 0, COLOR_NONE, 0x445566);
    canvas_pixels(c, canvas_all(c), 2, 0, 0x112233, COLOR_NONE);
    canvas_pixels(c, canvas_all(c), 3, 0, COLOR_NONE, COLOR_NONE);
    shows(c, "▀▄▀∙\n");
    assert_int_equal(canvas_at(c, 0, 0)->look.fg, 0x112233);
    assert_int_equal(canvas_at(c, 0, 0)->look.bg, 0x445566);
    assert_int_equal(canvas_at(c, 1, 0)->look.fg, 0x445566);
    assert_int_equal(canvas_at(c, 1, 0)->look.bg, COLOR_NONE);
    assert_int_equal(canvas_at(c, 2, 0)->look.bg, COLOR_NONE);
    canvas_free(c);
}

static void ansi_of(int colors, const char *want)
{
    struct caps caps = {false, colors};
    struct canvas *c = canvas_new(4, 1, &caps, NULL);
    struct str out = STR_INIT;
    struct look look = {0xff0000, 0x000000, ATTR_BOLD};
    put(c, 0, 0, "a");
    canvas_put(c, canvas_all(c), 1, 0, look, "bc", 2);
    canvas_ansi(c, &out);
    assert_string_equal(out.text, want);
    str_release(&out);
    canvas_free(c);
}

static void ansi(void **state)
{
    (void) state;
    ansi_of(1 << 24, "a\033[0;1;38;2;255;0;0;48;2;0;0;0mbc\033[0m\n");
    ansi_of(256, "a\033[0;1;38;5;196;48;5;16mbc\033[0m\n");
    ansi_of(16, "a\033[0;1;31;40mbc\033[0m\n");
    ansi_of(8, "a\033[0;1;31;40mbc\033[0m\n");
    ansi_of(0, "a\033[0;1;7mbc\033[0m\n");
}

static void golden(void **state)
{
    (void) state;
    struct canvas *c = canvas_new(6, 2, &rich, NULL);
    struct str out = STR_INIT;
    canvas_text(c, canvas_all(c), 1, 0, STYLE_TITLE, "hi");
    canvas_put(c, canvas_all(c), 4, 1, (struct look){COLOR_NONE, 0xff8010, ATTR_BOLD}, "x", 1);
    canvas_golden(c, &out);
    assert_string_equal(out.text, "6x2\n| hi   |\n|    x |\n"
                                  "  0: 1+2 title\n  1: 4+1 -/740+1\n");
    str_release(&out);
    canvas_free(c);
}

/* --- colours --- */

static uint32_t rgb_of_256(int i)
{
    static const uint32_t level[] = {0, 95, 135, 175, 215, 255};
    if (i >= 232)
        return (uint32_t) (8 + 10 * (i - 232)) * 0x010101u;
    i -= 16;
    return level[i / 36] << 16 | level[i / 6 % 6] << 8 | level[i % 6];
}

/* As in style.c: what the eye sees of each channel. */
static int far(uint32_t a, uint32_t b)
{
    static const int weight[] = {2, 4, 3};
    int sum = 0;
    for (int i = 0; i < 3; i++) {
        int d = (int) (a >> 8 * i & 255) - (int) (b >> 8 * i & 255);
        sum += weight[i] * d * d;
    }
    return sum;
}

static int spread(uint32_t rgb)
{
    int r = (int) (rgb >> 16 & 255), g = (int) (rgb >> 8 & 255), b = (int) (rgb & 255);
    int high = r > g ? r : g, low = r < g ? r : g;

    return (b > high ? b : high) - (b < low ? b : low);
}

/* The nearest colour, but that a lively one never becomes a grey. */
static void palette_256(void **state)
{
    (void) state;
    for (uint32_t rgb = 0; rgb < 1 << 24; rgb += 2477) {
        int least = INT32_MAX;
        for (int i = 16; i < (spread(rgb) > 48 ? 232 : 256); i++)
            least = far(rgb, rgb_of_256(i)) < least ? far(rgb, rgb_of_256(i)) : least;
        /* the nearest, or a grey as good to the eye */
        assert_true(far(rgb, rgb_of_256(color_to_256(rgb))) <= least + least / 5);
    }
}

static void palettes_small(void **state)
{
    (void) state;
    assert_int_equal(color_to_16(0x000000), 0);
    assert_int_equal(color_to_16(0xffffff), 15);
    assert_int_equal(color_to_16(0xff5f5f), 9);
    for (int i = 0; i < STYLE_COUNT; i++) {
        struct look look = themes[0].look[i];
        if (look.fg != COLOR_NONE && look.bg == COLOR_NONE) /* nothing black on black */
            assert_int_not_equal(color_to_8(look.fg), 0);
    }
}

static double luma(uint32_t c)
{
    return 0.2126 * (double) (c >> 16 & 255) + 0.7152 * (double) (c >> 8 & 255) +
           0.0722 * (double) (c & 255);
}

/* More is always lighter: the maps can be read without seeing hues. */
static void maps_rise(void **state)
{
    (void) state;
    for (const struct theme *t = themes; t->name; t++) {
        assert_ptr_equal(theme_find(t->name), t);
        double last = -1;
        for (int i = 0; i <= 255; i++) {
            double l = luma(theme_color(t, MAP_SEQUENTIAL, i / 255.0));
            assert_true(l > last - 0.75);
            last = l > last ? l : last;
        }
        uint32_t middle = theme_color(t, MAP_DIVERGING, 0.5);
        double low = luma(middle), high = low;
        for (int i = 1; i <= 127; i++) {
            uint32_t below = theme_color(t, MAP_DIVERGING, 0.5 - i / 254.0);
            uint32_t above = theme_color(t, MAP_DIVERGING, 0.5 + i / 254.0);
            assert_true(luma(below) > low - 0.75 && luma(above) > high - 0.75);
            low = luma(below);
            high = luma(above);
            assert_true((below & 255) >= (below >> 16 & 255)); /* blue */
            assert_true((above & 255) <= (above >> 16 & 255)); /* orange */
        }
    }
    assert_null(theme_find("no such theme"));
    assert_int_equal(theme_color(&themes[0], MAP_SEQUENTIAL, 0), 0x440154);
    assert_int_equal(theme_color(&themes[0], MAP_SEQUENTIAL, 1), 0xfde725);
    assert_int_equal(theme_color(&themes[0], MAP_SEQUENTIAL, 7), 0xfde725);
    assert_int_equal(theme_color(&themes[0], MAP_SEQUENTIAL, -7), 0x440154);
    assert_int_equal(theme_color(&themes[0], MAP_SEQUENTIAL, strtod("nan", NULL)), 0x440154);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wide_characters), cmocka_unit_test(combining_marks),
        cmocka_unit_test(nothing_raw),     cmocka_unit_test(clipping),
        cmocka_unit_test(cut_text),        cmocka_unit_test(frames),
        cmocka_unit_test(any_size),        cmocka_unit_test(stand_ins),
        cmocka_unit_test(pixels),          cmocka_unit_test(ansi),
        cmocka_unit_test(golden),          cmocka_unit_test(palette_256),
        cmocka_unit_test(palettes_small),  cmocka_unit_test(maps_rise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
