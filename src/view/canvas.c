#include "view/canvas.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MAX_CELLS 1000

struct stand_in {
    uint32_t cp;
    char ascii;
};

/* Sorted by code point. */
// clang-format off
static const struct stand_in stand_ins[] = {
    {0x00b1, '~'}, {0x00b7, '_'}, {0x00d7, 'x'}, {0x00f7, '/'}, {0x03a3, 'S'},
    {0x2013, '-'}, {0x2014, '-'}, {0x2026, '~'},
    {0x2190, '<'}, {0x2191, '^'}, {0x2192, '>'}, {0x2193, 'v'}, {0x21b5, '/'},
    {0x2212, '-'}, {0x2219, '.'}, {0x221a, 'V'}, {0x2248, '='}, {0x2260, '!'}, {0x2264, '<'},
    {0x2265, '>'},
    {0x2500, '-'}, {0x2501, '='}, {0x2502, '|'}, {0x2503, '#'}, {0x250c, '+'}, {0x250f, '#'},
    {0x2510, '+'}, {0x2514, '+'}, {0x2517, '#'}, {0x2518, '+'}, {0x251c, '+'}, {0x2520, '#'},
    {0x2523, '#'}, {0x2524, '+'}, {0x252c, '+'}, {0x2534, '+'}, {0x253c, '+'},
    {0x256d, '+'}, {0x256e, '\\'}, {0x256f, '/'}, {0x2570, '+'}, {0x2578, '='},
    {0x2580, '"'}, {0x2581, '_'}, {0x2582, '.'}, {0x2583, ':'}, {0x2584, '-'}, {0x2585, '='},
    {0x2586, '+'}, {0x2587, '*'}, {0x2588, '#'}, {0x2589, '#'}, {0x258a, '='}, {0x258b, '='},
    {0x258c, '='}, {0x258d, '-'}, {0x258e, '-'}, {0x258f, '.'}, {0x2591, '.'}, {0x2592, '+'},
    {0x2593, '%'}, {0x25b2, '^'}, {0x25b6, '>'}, {0x25b8, '>'}, {0x25bc, 'v'}, {0x25c0, '<'},
    {0x25cb, 'o'}, {0x25cf, '*'}, {0x25e6, 'o'}, {0x2713, '+'},
};
// clang-format on

static int stand_in_compare(const void *key, const void *row)
{
    uint32_t a = *(const uint32_t *) key, b = ((const struct stand_in *) row)->cp;
    return a < b ? -1 : a > b;
}

static uint32_t to_ascii(uint32_t cp)
{
    if (cp < 0x80)
        return cp;
    const struct stand_in *s = bsearch(&cp, stand_ins, sizeof stand_ins / sizeof *stand_ins,
                                       sizeof *stand_ins, stand_in_compare);
    return s ? (uint32_t) s->ascii : '?';
}

static int bounded(int n)
{
    return n < 1 ? 1 : n > SIZE_MAX_CELLS ? SIZE_MAX_CELLS : n;
}

struct canvas *canvas_new(int w, int h, const struct caps *caps, const struct theme *theme)
{
    struct canvas *c = xcalloc(1, sizeof *c);
    c->w = bounded(w);
    c->h = bounded(h);
    c->caps = *caps;
    c->theme = theme ? theme : &themes[0];
    c->cell = xcalloc((size_t) c->w * (size_t) c->h, sizeof *c->cell);
    canvas_clear(c);
    return c;
}

void canvas_free(struct canvas *c)
{
    if (!c)
        return;
    free(c->cell);
    free(c);
}

struct look canvas_look(const struct canvas *c, enum style style)
{
    return c->theme->look[style];
}

struct rect canvas_all(const struct canvas *c)
{
    return (struct rect){0, 0, c->w, c->h};
}

struct rect rect_clip(struct rect a, struct rect b)
{
    int x1 = a.x + a.w < b.x + b.w ? a.x + a.w : b.x + b.w;
    int y1 = a.y + a.h < b.y + b.h ? a.y + a.h : b.y + b.h;
    struct rect r = {a.x > b.x ? a.x : b.x, a.y > b.y ? a.y : b.y, 0, 0};
    r.w = x1 > r.x ? x1 - r.x : 0;
    r.h = y1 > r.y ? y1 - r.y : 0;
    return r;
}

void canvas_clear(struct canvas *c)
{
    canvas_fill(c, canvas_all(c), canvas_look(c, STYLE_TEXT), ' ');
}

static struct cell *at(struct canvas *c, int x, int y)
{
    return &c->cell[(size_t) y * (size_t) c->w + (size_t) x];
}

const struct cell *canvas_at(const struct canvas *c, int x, int y)
{
    if (x < 0 || y < 0 || x >= c->w || y >= c->h)
        return NULL;
    return &c->cell[(size_t) y * (size_t) c->w + (size_t) x];
}

static void blank(struct cell *cell)
{
    cell->cp = ' ';
    cell->width = 1;
    memset(cell->mark, 0, sizeof cell->mark);
}

/* Writing over half of a wide character blanks its other half. */
static void set_cell(struct canvas *c, int x, int y, uint32_t cp, int width, struct look look)
{
    struct cell *cell = at(c, x, y);
    if (cell->width == 0 && x > 0)
        blank(cell - 1);
    struct cell *last = cell + width - 1;
    if (last->width == 2 && x + width < c->w)
        blank(last + 1);
    blank(cell);
    cell->cp = cp;
    cell->width = (uint8_t) width;
    cell->look = look;
    if (width == 2) {
        blank(last);
        last->cp = 0;
        last->width = 0;
        last->look = look;
    }
}

static void add_mark(struct canvas *c, struct rect in, int x, int y, uint32_t mark)
{
    while (x > in.x && at(c, x, y)->width == 0)
        x--;
    struct cell *cell = at(c, x, y);
    for (int i = 0; i < CELL_MARKS; i++)
        if (!cell->mark[i]) {
            cell->mark[i] = mark;
            return;
        }
}

static bool inside(struct rect r, int x, int y)
{
    return x >= r.x && y >= r.y && x < r.x + r.w && y < r.y + r.h;
}

int canvas_put(struct canvas *c, struct rect clip, int x, int y, struct look look,
               const char *utf8, size_t n)
{
    struct rect in = rect_clip(clip, canvas_all(c));
    int begin = x;
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        int len = utf8_decode(utf8 + i, n - i, &cp);
        if (len == 0) {
            cp = '?';
            len = 1;
        }
        i += (size_t) len;
        if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
            cp = '?';
        int width = utf8_cp_width(cp);
        if (c->caps.ascii && width > 0) {
            cp = to_ascii(cp);
            for (; width == 2; width--, x++)
                if (inside(in, x, y))
                    set_cell(c, x, y, cp, 1, look);
        }
        if (width == 0) {
            if (!c->caps.ascii && x > begin && inside(in, x - 1, y))
                add_mark(c, in, x - 1, y, cp);
            continue;
        }
        if (inside(in, x, y) && inside(in, x + width - 1, y))
            set_cell(c, x, y, cp, width, look);
        x += width;
    }
    return x - begin;
}

int canvas_text(struct canvas *c, struct rect clip, int x, int y, enum style style,
                const char *text)
{
    return canvas_put(c, clip, x, y, canvas_look(c, style), text, strlen(text));
}

int canvas_printf(struct canvas *c, struct rect clip, int x, int y, enum style style,
                  const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    size_t n = strlen(text);
    return canvas_put(c, clip, x, y, canvas_look(c, style), text, n - utf8_tail(text, n));
}

int canvas_fit(struct canvas *c, struct rect clip, int x, int y, int cells, struct look look,
               const char *text)
{
    size_t n = strlen(text);
    int used;
    if (cells <= 0)
        return 0;
    if (utf8_width(text, n) <= cells)
        return canvas_put(c, clip, x, y, look, text, n);
    n = utf8_fit(text, n, cells - 1, &used);
    canvas_put(c, clip, x, y, look, text, n);
    return used + canvas_put(c, clip, x + used, y, look, "…", strlen("…"));
}

void canvas_fill(struct canvas *c, struct rect r, struct look look, uint32_t cp)
{
    r = rect_clip(r, canvas_all(c));
    if (c->caps.ascii)
        cp = to_ascii(cp);
    for (int y = r.y; y < r.y + r.h; y++)
        for (int x = r.x; x < r.x + r.w; x++)
            set_cell(c, x, y, cp, 1, look);
}

void canvas_paint(struct canvas *c, struct rect r, struct look look)
{
    r = rect_clip(r, canvas_all(c));
    for (int y = r.y; y < r.y + r.h; y++)
        for (int x = r.x; x < r.x + r.w; x++)
            at(c, x, y)->look = look;
}

struct rect canvas_frame(struct canvas *c, struct rect r, bool active, const char *title)
{
    struct look look = canvas_look(c, active ? STYLE_FRAME_ACTIVE : STYLE_FRAME);
    struct rect inner = {r.x + 1, r.y + 1, r.w > 2 ? r.w - 2 : 0, r.h > 2 ? r.h - 2 : 0};
    if (r.w < 2 || r.h < 2)
        return inner;
    int x1 = r.x + r.w - 1, y1 = r.y + r.h - 1;
    canvas_fill(c, (struct rect){r.x, r.y, r.w, 1}, look, 0x2500);
    canvas_fill(c, (struct rect){r.x, y1, r.w, 1}, look, 0x2500);
    canvas_fill(c, (struct rect){r.x, r.y, 1, r.h}, look, 0x2502);
    canvas_fill(c, (struct rect){x1, r.y, 1, r.h}, look, 0x2502);
    canvas_fill(c, (struct rect){r.x, r.y, 1, 1}, look, 0x250c);
    canvas_fill(c, (struct rect){x1, r.y, 1, 1}, look, 0x2510);
    canvas_fill(c, (struct rect){r.x, y1, 1, 1}, look, 0x2514);
    canvas_fill(c, (struct rect){x1, y1, 1, 1}, look, 0x2518);
    struct look name = canvas_look(c, active ? STYLE_TITLE : STYLE_AXIS);
    canvas_fit(c, r, r.x + 1, r.y, r.w - 2, name, title);
    return inner;
}

void canvas_pixels(struct canvas *c, struct rect clip, int x, int y, uint32_t top_rgb,
                   uint32_t bottom_rgb)
{
    struct look look = {top_rgb, bottom_rgb, 0};
    if (top_rgb == COLOR_NONE && bottom_rgb == COLOR_NONE) {
        canvas_text(c, clip, x, y, STYLE_MASKED, "∙");
    } else if (top_rgb == COLOR_NONE) {
        look = (struct look){bottom_rgb, COLOR_NONE, 0};
        canvas_put(c, clip, x, y, look, "▄", strlen("▄"));
    } else {
        canvas_put(c, clip, x, y, look, "▀", strlen("▀"));
    }
}
