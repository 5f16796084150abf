/* Characters as rectangles: blocks, lines, braille. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "view/picture.h"

#include <string.h>

/* The cell's ink, a bit a pixel, and whether it stays inside; parts may lie over each other. */
static int ink_of(uint32_t cp, int w, int h, uint8_t *ink)
{
    struct glyph g;
    int n = 0;

    memset(ink, 0, (size_t) (w * h));
    if (!glyph_of(&g, cp, w, h))
        return -1;
    assert_true(g.n <= GLYPH_PARTS && g.quarters >= 1 && g.quarters <= 4);
    for (int i = 0; i < g.n; i++) {
        struct rect r = g.part[i];
        assert_true(r.x >= 0 && r.y >= 0 && r.w > 0 && r.h > 0);
        assert_true(r.x + r.w <= w && r.y + r.h <= h);
        for (int y = r.y; y < r.y + r.h; y++)
            memset(ink + y * w + r.x, 1, (size_t) r.w);
    }
    for (int i = 0; i < w * h; i++)
        n += ink[i];
    return n;
}

static void test_glyph_sizes(void **state)
{
    (void) state;
    static uint8_t ink[80 * 160];
    for (int f = 1; f <= PICTURE_FACTORS; f++)
        for (uint32_t cp = 0x20; cp < 0x3000; cp++)
            ink_of(cp, PICTURE_W * f, PICTURE_H * f, ink);
    for (uint32_t cp = 0x20; cp < 0x3000; cp++)
        ink_of(cp, 4, 8, ink);
    assert_int_equal(ink_of('a', 9, 18, ink), -1);
    assert_int_equal(ink_of(' ', 9, 18, ink), 0);
    assert_int_equal(ink_of(0x2550, 9, 18, ink), -1); /* double lines: the font's */
    assert_int_equal(ink_of(0x2571, 9, 18, ink), -1); /* diagonals, too */
}

static void test_blocks(void **state)
{
    (void) state;
    uint8_t a[18 * 9], b[18 * 9];
    /* Those that add up to a whole cell. */
    static const uint32_t pairs[][2] = {{0x2580, 0x2584}, {0x258c, 0x2590}, {0x2587, 0x2594},
                                        {0x2589, 0x2595}, {0x259a, 0x259e}, {0x2596, 0x259c},
                                        {0x2597, 0x259b}, {0x2598, 0x259f}, {0x259d, 0x2599}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        assert_int_equal(ink_of(pairs[i][0], 9, 18, a) + ink_of(pairs[i][1], 9, 18, b), 9 * 18);
        for (int k = 0; k < 9 * 18; k++)
            assert_int_equal(a[k] + b[k], 1);
    }
    for (uint32_t n = 1; n <= 8; n++) { /* eighths from below and from the left */
        assert_int_equal(ink_of(0x2580 + n, 16, 16, (uint8_t[256]){0}), 32 * (int) n);
        assert_int_equal(ink_of(0x2590 - n, 16, 16, (uint8_t[256]){0}), 32 * (int) n);
    }
    struct glyph g;
    for (int i = 0; i < 3; i++) {
        assert_true(glyph_of(&g, 0x2591 + (uint32_t) i, 9, 18));
        assert_int_equal(g.quarters, i + 1);
    }
}

/* Which edges of the cell a line reaches, in the middle: left 1, up 2, right 4, down 8. */
static int edges(uint32_t cp)
{
    uint8_t ink[18 * 9];

    assert_true(ink_of(cp, 9, 18, ink) > 0);
    return ink[9 * 8] | ink[4] << 1 | ink[9 * 8 + 8] << 2 | ink[17 * 9 + 4] << 3;
}

static void test_lines(void **state)
{
    (void) state;
    static const struct {
        uint32_t cp;
        int edges;
    } want[] = {
        {0x2500, 5},  {0x2501, 5},  {0x2502, 10}, {0x2503, 10}, {0x250c, 12}, {0x2510, 9},
        {0x2514, 6},  {0x2518, 3},  {0x251c, 14}, {0x2524, 11}, {0x252c, 13}, {0x2534, 7},
        {0x253c, 15}, {0x2517, 6},  {0x251b, 3},  {0x2523, 14}, {0x2528, 11}, {0x2533, 13},
        {0x253b, 7},  {0x254b, 15}, {0x256d, 12}, {0x256e, 9},  {0x256f, 3},  {0x2570, 6},
        {0x2574, 1},  {0x2575, 2},  {0x2576, 4},  {0x2577, 8},  {0x2578, 1},  {0x257f, 10},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        if (edges(want[i].cp) != want[i].edges)
            fail_msg("U+%04X reaches %d, not %d", (unsigned) want[i].cp, edges(want[i].cp),
                     want[i].edges);
    uint8_t ink[18 * 9];
    assert_int_equal(ink_of(0x2500, 9, 18, ink), 9);
    assert_int_equal(ink_of(0x2501, 9, 18, ink), 27);
    assert_int_equal(ink_of(0x2503, 9, 18, ink), 54);
    ink_of(0x28ff, 9, 18, ink); /* eight dots apart from each other */
    for (int x = 0; x < 9; x++)
        assert_int_equal(ink[0 * 9 + x] + ink[17 * 9 + x], 0);
    assert_int_equal(ink_of(0x2801, 9, 18, ink) * 8, ink_of(0x28ff, 9, 18, (uint8_t[162]){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_glyph_sizes),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
