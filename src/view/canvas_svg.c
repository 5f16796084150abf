/*
 * Cells as SVG. First what is made of rectangles, sorted by layer and colour, one path for
 * each colour: neighbours in one path join without seams at any scale. Then the text: Latin
 * runs with their length given, every other character alone in the middle of its cell.
 */
#include "view/picture.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define BASELINE 14

enum layer { LAYER_GROUND, LAYER_BLOCK, LAYER_LINE };

struct patch {
    enum layer layer;
    uint32_t rgb;
    struct rect r;
};

struct patches {
    struct patch *item;
    int n, cap;
};

/* Widens the last one where it can. */
static void add_patch(struct patches *p, enum layer layer, uint32_t rgb, struct rect r)
{
    struct patch *last = p->n ? &p->item[p->n - 1] : NULL;

    if (last && last->layer == layer && last->rgb == rgb && last->r.y == r.y &&
        last->r.h == r.h && last->r.x + last->r.w == r.x) {
        last->r.w += r.w;
        return;
    }
    VEC_ROOM(p->item, p->n, p->cap);
    p->item[p->n++] = (struct patch){layer, rgb, r};
}

static struct rect moved(struct rect r, int x, int y)
{
    return (struct rect){r.x + x * PICTURE_W, r.y + y * PICTURE_H, r.w, r.h};
}

static void collect_ground(const struct canvas *c, struct patches *p)
{
    static const struct rect whole = {0, 0, PICTURE_W, PICTURE_H};

    for (int y = 0; y < c->h; y++)
        for (int x = 0; x < c->w; x++) {
            struct paint paint = picture_paint(canvas_at(c, x, y)->look);
            if (paint.bg != PICTURE_BG)
                add_patch(p, LAYER_GROUND, paint.bg, moved(whole, x, y));
        }
}

static void collect_glyphs(const struct canvas *c, struct patches *p)
{
    struct glyph g;

    for (int y = 0; y < c->h; y++)
        for (int x = 0; x < c->w; x++) {
            const struct cell *cell = canvas_at(c, x, y);
            struct paint paint = picture_paint(cell->look);
            if (picture_glyph(&g, cell, PICTURE_W, PICTURE_H))
                for (int i = 0; i < g.n; i++)
                    add_patch(p, g.line ? LAYER_LINE : LAYER_BLOCK, picture_ink(paint, &g),
                              moved(g.part[i], x, y));
            if (paint.underline)
                add_patch(p, LAYER_LINE, paint.fg,
                          moved(picture_underline(PICTURE_W, PICTURE_H), x, y));
        }
}

static int compare(const void *left, const void *right)
{
    const struct patch *a = left, *b = right;

    if (a->layer != b->layer)
        return a->layer < b->layer ? -1 : 1;
    if (a->rgb != b->rgb)
        return a->rgb < b->rgb ? -1 : 1;
    if (a->r.y != b->r.y)
        return a->r.y < b->r.y ? -1 : 1;
    return a->r.x < b->r.x ? -1 : a->r.x > b->r.x;
}

/* Blocks keep to whole pixels, so that nothing shines through between them. */
static void add_paths(const struct patches *p, struct str *out)
{
    for (int i = 0; i < p->n; i++) {
        const struct patch *a = &p->item[i], *before = i ? a - 1 : NULL;
        bool layer = !before || before->layer != a->layer;
        if (layer && before)
            str_adds(out, "\"/>\n</g>\n");
        if (layer)
            str_addf(out, "<g%s>\n",
                     a->layer == LAYER_LINE ? "" : " shape-rendering=\"crispEdges\"");
        if (layer || before->rgb != a->rgb)
            str_addf(out, "%s<path fill=\"#%06x\" d=\"", layer ? "" : "\"/>\n",
                     (unsigned) a->rgb);
        str_addf(out, "M%d %dh%dv%dh-%dz", a->r.x, a->r.y, a->r.w, a->r.h, a->r.w);
    }
    if (p->n)
        str_adds(out, "\"/>\n</g>\n");
}

/* --- text --- */

static bool is_text(const struct cell *cell)
{
    struct glyph g;

    return cell->width > 0 && !picture_glyph(&g, cell, PICTURE_W, PICTURE_H);
}

/* One past the cells of a run: letters of one look; a single blank may stand between them. */
static int run_end(const struct canvas *c, int x, int y)
{
    struct paint paint = picture_paint(canvas_at(c, x, y)->look), next;
    int end = x + 1;

    for (int at = end; at < c->w && at <= end + 1; at++) {
        const struct cell *cell = canvas_at(c, at, y);
        next = picture_paint(cell->look);
        next.bg = paint.bg;
        next.underline = paint.underline;
        if (!picture_same(next, paint) || !picture_runs(cell))
            break;
        if (cell->cp != ' ')
            end = at + 1;
    }
    return end;
}

static void add_run(const struct canvas *c, int x, int end, int y, struct str *out)
{
    const struct cell *cell = canvas_at(c, x, y);
    struct paint paint = picture_paint(cell->look);
    int middle = picture_runs(cell) ? 0 : cell->width * PICTURE_W;

    str_addf(out, "<text x=\"%d%s\" y=\"%d\"", x * PICTURE_W + middle / 2,
             middle & 1 ? ".5" : "", y * PICTURE_H + BASELINE);
    if (middle)
        str_adds(out, " text-anchor=\"middle\"");
    else if (end - x > 1)
        str_addf(out, " textLength=\"%d\"", (end - x) * PICTURE_W);
    if (paint.fg != PICTURE_FG)
        str_addf(out, " fill=\"#%06x\"", (unsigned) paint.fg);
    if (paint.bold)
        str_adds(out, " font-weight=\"bold\"");
    str_addc(out, '>');
    for (; x < end; x++)
        picture_cell(canvas_at(c, x, y), out);
    str_adds(out, "</text>\n");
}

static void add_text(const struct canvas *c, struct str *out)
{
    str_addf(out,
             "<g font-family=\"'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',"
             "'Noto Sans Mono',monospace\" font-size=\"15\" fill=\"#%06x\">\n",
             (unsigned) PICTURE_FG);
    for (int y = 0; y < c->h; y++)
        for (int x = 0, end; x < c->w; x = end) {
            const struct cell *cell = canvas_at(c, x, y);
            end = x + 1;
            if (!is_text(cell))
                continue;
            if (picture_runs(cell))
                end = run_end(c, x, y);
            add_run(c, x, end, y, out);
        }
    str_adds(out, "</g>\n");
}

void canvas_svg(const struct canvas *c, const char *title, struct str *out)
{
    int w = c->w * PICTURE_W, h = c->h * PICTURE_H;
    struct patches p = {NULL, 0, 0};

    collect_ground(c, &p);
    collect_glyphs(c, &p);
    if (p.n)
        qsort(p.item, (size_t) p.n, sizeof *p.item, compare);
    str_addf(out,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"%d\" "
             "height=\"%d\" viewBox=\"0 0 %d %d\">\n<title>",
             w, h, w, h);
    picture_xml(title, strlen(title), out);
    str_addf(out, "</title>\n<rect width=\"%d\" height=\"%d\" fill=\"#%06x\"/>\n", w, h,
             (unsigned) PICTURE_BG);
    add_paths(&p, out);
    add_text(c, out);
    str_adds(out, "</svg>\n");
    free(p.item);
}
