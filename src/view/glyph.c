#include "view/glyph.h"

#include <string.h>

/* The lines that leave the middle of each box-drawing character: left, up, right, down;
 * 1 light, 2 heavy. "0000": left to the font. */
// clang-format off
static const char arms[128][5] = {
    "1010", "2020", "0101", "0202", "1010", "2020", "0101", "0202", /* U+2500 */
    "1010", "2020", "0101", "0202", "0011", "0021", "0012", "0022",
    "1001", "2001", "1002", "2002", "0110", "0120", "0210", "0220", /* U+2510 */
    "1100", "2100", "1200", "2200", "0111", "0121", "0211", "0112",
    "0212", "0221", "0122", "0222", "1101", "2101", "1201", "1102", /* U+2520 */
    "1202", "2201", "2102", "2202", "1011", "2011", "1021", "2021",
    "1012", "2012", "1022", "2022", "1110", "2110", "1120", "2120", /* U+2530 */
    "1210", "2210", "1220", "2220", "1111", "2111", "1121", "2121",
    "1211", "1112", "1212", "2211", "1221", "2112", "1122", "2221", /* U+2540 */
    "2122", "2212", "1222", "2222", "1010", "2020", "0101", "0202",
    "0000", "0000", "0000", "0000", "0000", "0000", "0000", "0000", /* U+2550: double */
    "0000", "0000", "0000", "0000", "0000", "0000", "0000", "0000",
    "0000", "0000", "0000", "0000", "0000", "0000", "0000", "0000", /* U+2560 */
    "0000", "0000", "0000", "0000", "0000", "0011", "1001", "1100",
    "0110", "0000", "0000", "0000", "1000", "0100", "0010", "0001", /* U+2570: diagonals */
    "2000", "0200", "0020", "0002", "1020", "0102", "2010", "0201",
};
// clang-format on

enum { LEFT, UP, RIGHT, DOWN };

static void add(struct glyph *g, int x0, int y0, int x1, int y1)
{
    if (x1 > x0 && y1 > y0)
        g->part[g->n++] = (struct rect){x0, y0, x1 - x0, y1 - y0};
}

/* --- lines --- */

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* How thick a light (1) or heavy (2) line is; odd in a cell of 9, so that it has a middle. */
static int thickness(char weight, int w)
{
    int light = larger(1, (w + 4) / 9);

    return weight == '0' ? 0 : weight == '1' ? light : 3 * light;
}

/* From the cell's edge past the middle of the lines that cross it; a line through is one. */
static void add_arms(struct glyph *g, const int t[4], int w, int h)
{
    int across = larger(t[UP], t[DOWN]), along = larger(t[LEFT], t[RIGHT]);
    int y[] = {(h - t[LEFT]) / 2, 0, (h - t[RIGHT]) / 2};
    int x[] = {0, (w - t[UP]) / 2, 0, (w - t[DOWN]) / 2};

    if (t[LEFT] && t[LEFT] == t[RIGHT]) {
        add(g, 0, y[LEFT], w, y[LEFT] + t[LEFT]);
    } else {
        add(g, 0, y[LEFT], (w + across) / 2, y[LEFT] + t[LEFT]);
        add(g, (w - across) / 2, y[RIGHT], w, y[RIGHT] + t[RIGHT]);
    }
    if (t[UP] && t[UP] == t[DOWN]) {
        add(g, x[UP], 0, x[UP] + t[UP], h);
    } else {
        add(g, x[UP], 0, x[UP] + t[UP], (h + along) / 2);
        add(g, x[DOWN], (h - along) / 2, x[DOWN] + t[DOWN], h);
    }
}

/* Straight lines of n dashes. */
static void add_dashes(struct glyph *g, const int t[4], int n, int w, int h)
{
    int x = (w - t[UP]) / 2, y = (h - t[LEFT]) / 2;
    int length = t[LEFT] ? w : h, gap = larger(1, length / n / 3);

    for (int i = 0; i < n; i++) {
        int from = i * length / n, to = (i + 1) * length / n - gap;
        if (t[LEFT])
            add(g, from, y, to, y + t[LEFT]);
        else
            add(g, x, from, x + t[UP], to);
    }
}

/* A corner of two lines with its corner cut off. */
static void add_round(struct glyph *g, const int t[4], int w, int h)
{
    int s = larger(t[LEFT], t[RIGHT]), x = (w - s) / 2, y = (h - s) / 2;
    int bx = t[RIGHT] ? x + s : x - s, by = t[DOWN] ? y + s : y - s;

    add(g, bx, by, bx + s, by + s);
    if (t[RIGHT])
        add(g, x + 2 * s, y, w, y + s);
    else
        add(g, 0, y, x - s, y + s);
    if (t[DOWN])
        add(g, x, y + 2 * s, x + s, h);
    else
        add(g, x, 0, x + s, y - s);
}

static int dashes(uint32_t cp)
{
    if (cp >= 0x2504 && cp <= 0x250b)
        return cp < 0x2508 ? 3 : 4;
    return cp >= 0x254c && cp <= 0x254f ? 2 : 0;
}

static bool box_drawing(struct glyph *g, uint32_t cp, int w, int h)
{
    const char *arm = arms[cp - 0x2500];
    int t[4];

    for (int i = 0; i < 4; i++)
        t[i] = thickness(arm[i], w);
    g->line = true;
    if (dashes(cp))
        add_dashes(g, t, dashes(cp), w, h);
    else if (cp >= 0x256d && cp <= 0x2570)
        add_round(g, t, w, h);
    else
        add_arms(g, t, w, h);
    return g->n > 0;
}

/* --- blocks --- */

/* Eighths of a length, so that a block and its complement meet. */
static int eighths(int length, int n)
{
    return (length * n + 4) / 8;
}

static void quadrants(struct glyph *g, uint32_t cp, int w, int h)
{
    /* upper left 1, upper right 2, lower left 4, lower right 8 */
    static const uint8_t set[] = {4, 8, 1, 13, 9, 7, 11, 2, 6, 14};
    int x = eighths(w, 4), y = eighths(h, 4);

    for (int i = 0; i < 4; i++)
        if (set[cp - 0x2596] >> i & 1)
            add(g, i & 1 ? x : 0, i & 2 ? y : 0, i & 1 ? w : x, i & 2 ? h : y);
}

static bool block(struct glyph *g, uint32_t cp, int w, int h)
{
    int n = (int) cp - 0x2580;

    if (n == 0)
        add(g, 0, 0, w, eighths(h, 4));
    else if (n <= 8)
        add(g, 0, eighths(h, 8 - n), w, h);
    else if (n < 0x10)
        add(g, 0, 0, eighths(w, 0x10 - n), h);
    else if (n == 0x10)
        add(g, eighths(w, 4), 0, w, h);
    else if (n <= 0x13)
        add(g, 0, 0, w, h);
    else if (n == 0x14)
        add(g, 0, 0, w, eighths(h, 1));
    else if (n == 0x15)
        add(g, eighths(w, 7), 0, w, h);
    else
        quadrants(g, cp, w, h);
    if (n > 0x10 && n <= 0x13)
        g->quarters = n - 0x10;
    return true;
}

/* --- braille --- */

static bool braille(struct glyph *g, uint32_t cp, int w, int h)
{
    /* Dots 1 to 8 are bits: three down on the left, three on the right, then the lowest. */
    static const int column[] = {0, 0, 0, 1, 1, 1, 0, 1}, row[] = {0, 1, 2, 0, 1, 2, 3, 3};
    int side = larger(1, w / 4);

    g->line = true;
    for (int i = 0; i < 8; i++)
        if (cp >> i & 1) {
            int x = w * (2 * column[i] + 1) / 4 - side / 2;
            int y = h * (2 * row[i] + 1) / 8 - side / 2;
            add(g, x, y, x + side, y + side);
        }
    return true;
}

bool glyph_of(struct glyph *g, uint32_t cp, int w, int h)
{
    memset(g, 0, sizeof *g);
    g->quarters = 4;
    if (cp >= 0x2500 && cp < 0x2580)
        return box_drawing(g, cp, w, h);
    if (cp >= 0x2580 && cp < 0x25a0)
        return block(g, cp, w, h);
    if (cp >= 0x2800 && cp < 0x2900)
        return braille(g, cp, w, h);
    return cp == ' ';
}
