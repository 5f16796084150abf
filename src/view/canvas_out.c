/* The back ends of a canvas that need no terminal: plain text, ANSI text, golden text. */
#include "view/canvas.h"

#include "base/utf8.h"

#include <string.h>

static void add_cp(struct str *out, uint32_t cp)
{
    char bytes[4];
    str_add(out, bytes, (size_t) utf8_encode(cp, bytes));
}

void canvas_cell_text(const struct cell *cell, struct str *out)
{
    if (cell->width == 0)
        return;
    add_cp(out, cell->cp);
    for (int i = 0; i < CELL_MARKS && cell->mark[i]; i++)
        add_cp(out, cell->mark[i]);
}

static bool same_look(struct look a, struct look b)
{
    return a.fg == b.fg && a.bg == b.bg && a.attr == b.attr;
}

/* One past the last cell of a line that shows something. */
static int line_end(const struct canvas *c, int y, bool looks)
{
    int w = c->w;
    for (; w > 0; w--) {
        const struct cell *cell = canvas_at(c, w - 1, y);
        bool shows = looks && (cell->look.bg != COLOR_NONE || (cell->look.attr & ~ATTR_BOLD));
        if (cell->cp != ' ' || shows)
            break;
    }
    return w;
}

void canvas_plain(const struct canvas *c, struct str *out)
{
    for (int y = 0; y < c->h; y++) {
        int end = line_end(c, y, false);
        for (int x = 0; x < end; x++)
            canvas_cell_text(canvas_at(c, x, y), out);
        str_addc(out, '\n');
    }
}

static void add_color(struct str *out, uint32_t rgb, bool back, int colors)
{
    if (rgb == COLOR_NONE || colors == 0)
        return;
    if (colors > 256) {
        str_addf(out, ";%d;2;%d;%d;%d", back ? 48 : 38, (int) (rgb >> 16 & 255),
                 (int) (rgb >> 8 & 255), (int) (rgb & 255));
    } else if (colors == 256) {
        str_addf(out, ";%d;5;%d", back ? 48 : 38, color_to_256(rgb));
    } else {
        int i = colors >= 16 ? color_to_16(rgb) : color_to_8(rgb);
        str_addf(out, ";%d", (i < 8 ? 30 + i : 82 + i) + (back ? 10 : 0));
    }
}

static void add_sgr(struct str *out, struct look look, int colors)
{
    static const char *const code[] = {";1", ";2", ";7", ";4"};
    str_adds(out, "\033[0");
    for (int i = 0; i < 4; i++)
        if (look.attr & 1 << i)
            str_adds(out, code[i]);
    if (colors == 0 && look.bg != COLOR_NONE && !(look.attr & ATTR_REVERSE))
        str_adds(out, ";7");
    add_color(out, look.fg, false, colors);
    add_color(out, look.bg, true, colors);
    str_addc(out, 'm');
}

void canvas_ansi(const struct canvas *c, struct str *out)
{
    const struct look plain = {COLOR_NONE, COLOR_NONE, 0};
    for (int y = 0; y < c->h; y++) {
        struct look now = plain;
        int end = line_end(c, y, true);
        for (int x = 0; x < end; x++) {
            const struct cell *cell = canvas_at(c, x, y);
            if (!same_look(cell->look, now)) {
                now = cell->look;
                add_sgr(out, now, c->caps.colors);
            }
            canvas_cell_text(cell, out);
        }
        str_adds(out, same_look(now, plain) ? "\n" : "\033[0m\n");
    }
}

static void add_coarse(struct str *out, uint32_t rgb)
{
    if (rgb == COLOR_NONE)
        str_addc(out, '-');
    else
        str_addf(out, "%d%d%d", (int) (rgb >> 21 & 7), (int) (rgb >> 13 & 7),
                 (int) (rgb >> 5 & 7));
}

static void add_look(struct str *out, const struct canvas *c, struct look look)
{
    for (int i = 0; i < STYLE_COUNT; i++)
        if (same_look(look, c->theme->look[i])) {
            str_adds(out, style_name((enum style) i));
            return;
        }
    add_coarse(out, look.fg);
    str_addc(out, '/');
    add_coarse(out, look.bg);
    if (look.attr)
        str_addf(out, "+%d", look.attr);
}

static void golden_line(const struct canvas *c, int y, struct str *out)
{
    struct look none = canvas_look(c, STYLE_TEXT);
    bool begun = false;
    for (int x = 0; x < c->w;) {
        struct look look = canvas_at(c, x, y)->look;
        int end = x + 1;
        while (end < c->w && same_look(canvas_at(c, end, y)->look, look))
            end++;
        if (!same_look(look, none)) {
            if (begun)
                str_addc(out, ' ');
            else
                str_addf(out, "%3d: ", y);
            str_addf(out, "%d+%d ", x, end - x);
            add_look(out, c, look);
            begun = true;
        }
        x = end;
    }
    if (begun)
        str_addc(out, '\n');
}

/* The text between bars, then per line the runs of cells that do not look plain:
 *     "  4: 0+1 frame 2+5 title 9+3 700/-"      x+cells, style or fg/bg */
void canvas_golden(const struct canvas *c, struct str *out)
{
    str_addf(out, "%dx%d\n", c->w, c->h);
    for (int y = 0; y < c->h; y++) {
        str_addc(out, '|');
        for (int x = 0; x < c->w; x++)
            canvas_cell_text(canvas_at(c, x, y), out);
        str_adds(out, "|\n");
    }
    for (int y = 0; y < c->h; y++)
        golden_line(c, y, out);
}
