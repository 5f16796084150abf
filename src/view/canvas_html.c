/*
 * Cells as a page. Letters are spaced so that each takes a cell; Latin text runs as it is;
 * every other character has a box of its own, one or two cells wide; blocks, lines and braille
 * are drawn as the box's background, from classes made of glyph_of(), with their text there,
 * unseen, for copying and for readers.
 */
#include "view/picture.h"

#include <string.h>

/* The classes of the glyphs that a page uses. */
struct classes {
    bool used[0x900]; /* from U+2000 */
};

static bool *use_of(struct classes *k, uint32_t cp)
{
    return &k->used[cp - 0x2000];
}

/* ".g2580{background:linear-gradient(...) X Y/W H no-repeat,...}" */
static void add_class(uint32_t cp, struct str *out)
{
    struct glyph g;

    glyph_of(&g, cp, PICTURE_W, PICTURE_H);
    if (g.n == 0)
        return;
    str_addf(out, ".g%x{background:", (unsigned) cp);
    for (int i = 0; i < g.n; i++) {
        const struct rect *r = &g.part[i];
        str_addf(out, "%slinear-gradient(var(--f),var(--f)) %dpx %dpx/", i ? "," : "", r->x,
                 r->y);
        if (r->w == PICTURE_W)
            str_addf(out, "100%% %dpx no-repeat", r->h);
        else
            str_addf(out, "%dpx %dpx no-repeat", r->w, r->h);
    }
    str_adds(out, "}\n");
}

static void add_head(const struct canvas *c, const char *title, struct str *out)
{
    struct classes k = {{false}};
    struct glyph g;

    for (int i = 0; i < c->w * c->h; i++)
        if (c->cell[i].cp >= 0x2000 && picture_glyph(&g, &c->cell[i], PICTURE_W, PICTURE_H))
            *use_of(&k, c->cell[i].cp) = true;
    str_adds(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                  "<meta name=\"viewport\" content=\"width=device-width\"/>\n<title>");
    picture_xml(title, strlen(title), out);
    str_addf(out,
             "</title>\n<style>\n"
             "body{margin:0;background:#%06x}\n"
             "pre{margin:18px;font:15px/%dpx \"DejaVu Sans Mono\",Menlo,Consolas,"
             "\"Liberation Mono\",\"Noto Sans Mono\",monospace;"
             "letter-spacing:calc(%dpx - 1ch);"
             "color:#%06x;--f:#%06x;direction:ltr;unicode-bidi:isolate-override}\n"
             "span,i{display:inline-block;height:%dpx;vertical-align:top}\n"
             "i{width:%dpx;letter-spacing:0;font-style:normal;text-align:center}\n"
             ".w{width:%dpx}\n.b{font-weight:bold}\n"
             ".u{text-decoration:underline}\n"
             ".g{color:transparent;text-decoration-color:var(--f)}\n",
             (unsigned) PICTURE_BG, PICTURE_H, PICTURE_W, (unsigned) PICTURE_FG,
             (unsigned) PICTURE_FG, PICTURE_H, PICTURE_W, 2 * PICTURE_W);
    for (uint32_t cp = 0x2000; cp < 0x2900; cp++)
        if (*use_of(&k, cp))
            add_class(cp, out);
    str_adds(out, "</style>\n</head>\n");
}

/* What stands together in one element. */
struct piece {
    struct paint paint;
    struct glyph glyph;
    bool drawn; /* by rectangles */
    int from, end;
};

static bool whole_width(const struct glyph *g)
{
    for (int i = 0; i < g->n; i++)
        if (g->part[i].w < PICTURE_W)
            return false;
    return true;
}

/* The piece of line y that begins at x. */
static struct piece piece_at(const struct canvas *c, int x, int y)
{
    const struct cell *cell = canvas_at(c, x, y), *next;
    struct piece p = {.paint = picture_paint(cell->look), .from = x, .end = x + cell->width};
    bool runs = picture_runs(cell);

    p.drawn = !runs && picture_glyph(&p.glyph, cell, PICTURE_W, PICTURE_H);
    if (!runs && !(p.drawn && whole_width(&p.glyph)))
        return p;
    for (; p.end < c->w; p.end++) {
        next = canvas_at(c, p.end, y);
        if (!picture_same(picture_paint(next->look), p.paint) ||
            !(runs ? picture_runs(next) : next->cp == cell->cp && !next->mark[0]))
            break;
    }
    return p;
}

static void add_style(const struct piece *p, struct str *out)
{
    const char *before = " style=\"";
    uint32_t ink = picture_ink(p->paint, &p->glyph);

    if (p->drawn && ink != PICTURE_FG)
        str_addf(out, "%s--f:#%06x", before, (unsigned) ink), before = ";";
    if (!p->drawn && p->paint.fg != PICTURE_FG)
        str_addf(out, "%scolor:#%06x", before, (unsigned) p->paint.fg), before = ";";
    if (p->paint.bg != PICTURE_BG)
        str_addf(out, "%sbackground-color:#%06x", before, (unsigned) p->paint.bg), before = ";";
    if (p->drawn && p->end - p->from > 1)
        str_addf(out, "%swidth:%dpx", before, (p->end - p->from) * PICTURE_W), before = ";";
    if (*before == ';')
        str_addc(out, '"');
}

static void add_classes(const struct piece *p, const struct cell *cell, struct str *out)
{
    struct str names = STR_INIT;

    if (p->drawn)
        str_addf(&names, " g g%x", (unsigned) cell->cp);
    if (cell->width == 2)
        str_adds(&names, " w");
    if (p->paint.bold && !p->drawn)
        str_adds(&names, " b");
    if (p->paint.underline)
        str_adds(&names, " u");
    if (names.len)
        str_addf(out, " class=\"%s\"", names.text + 1);
    str_release(&names);
}

static void add_piece(const struct canvas *c, const struct piece *p, int y, struct str *out)
{
    static const struct look plain = {COLOR_NONE, COLOR_NONE, 0};
    const struct cell *first = canvas_at(c, p->from, y);
    const char *tag = picture_runs(first) ? "span" : "i";
    bool bare = picture_runs(first) && picture_same(p->paint, picture_paint(plain));

    if (!bare) {
        str_addf(out, "<%s", tag);
        add_classes(p, first, out);
        add_style(p, out);
        str_addc(out, '>');
    }
    for (int x = p->from; x < p->end; x++)
        picture_cell(canvas_at(c, x, y), out);
    if (!bare)
        str_addf(out, "</%s>", tag);
}

void canvas_html(const struct canvas *c, const char *title, struct str *out)
{
    add_head(c, title, out);
    str_adds(out, "<body>\n<pre>");
    for (int y = 0; y < c->h; y++) {
        for (int x = 0; x < c->w;) {
            struct piece p = piece_at(c, x, y);
            add_piece(c, &p, y, out);
            x = p.end;
        }
        str_addc(out, '\n');
    }
    str_adds(out, "</pre>\n</body>\n</html>\n");
}
