#include "view/picture.h"

#include "base/utf8.h"

static uint32_t mix(uint32_t a, uint32_t b, int quarters)
{
    uint32_t rgb = 0;

    for (int shift = 0; shift < 24; shift += 8) {
        int x = (int) (a >> shift & 0xff), y = (int) (b >> shift & 0xff);
        rgb |= (uint32_t) ((x * (4 - quarters) + y * quarters + 2) / 4) << shift;
    }
    return rgb;
}

struct paint picture_paint(struct look look)
{
    struct paint p = {look.fg == COLOR_NONE ? PICTURE_FG : look.fg,
                      look.bg == COLOR_NONE ? PICTURE_BG : look.bg, look.attr & ATTR_BOLD,
                      look.attr & ATTR_UNDERLINE};

    if (look.attr & ATTR_REVERSE) {
        uint32_t fg = p.fg;
        p.fg = p.bg;
        p.bg = fg;
    }
    if (look.attr & ATTR_DIM)
        p.fg = mix(p.bg, p.fg, 2);
    return p;
}

bool picture_same(struct paint a, struct paint b)
{
    return a.fg == b.fg && a.bg == b.bg && a.bold == b.bold && a.underline == b.underline;
}

uint32_t picture_ink(struct paint p, const struct glyph *g)
{
    return mix(p.bg, p.fg, g->quarters);
}

struct rect picture_underline(int w, int h)
{
    int thick = h / 18 > 1 ? h / 18 : 1;

    return (struct rect){0, h - 2 * thick, w, thick};
}

bool picture_glyph(struct glyph *g, const struct cell *cell, int w, int h)
{
    return !cell->mark[0] && glyph_of(g, cell->cp, w, h);
}

bool picture_runs(const struct cell *cell)
{
    return cell->cp < 0x250 && cell->width == 1 && !cell->mark[0];
}

void picture_xml(const char *text, size_t n, struct str *out)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] == '&')
            str_adds(out, "&amp;");
        else if (text[i] == '<')
            str_adds(out, "&lt;");
        else if (text[i] == '>')
            str_adds(out, "&gt;");
        else if (text[i] == '"')
            str_adds(out, "&quot;");
        else
            str_addc(out, text[i]);
}

/* U+FFFE and U+FFFF are no characters of XML. */
static void add_cp(uint32_t cp, struct str *out)
{
    char bytes[4];

    if (cp == 0xfffe || cp == 0xffff)
        cp = 0xfffd;
    picture_xml(bytes, (size_t) utf8_encode(cp, bytes), out);
}

void picture_cell(const struct cell *cell, struct str *out)
{
    if (cell->width == 0)
        return;
    add_cp(cell->cp, out);
    for (int i = 0; i < CELL_MARKS && cell->mark[i]; i++)
        add_cp(cell->mark[i], out);
}
