/*
 * A figure as SVG. Maps of few cells are rectangles, runs of one colour as one and all of a
 * colour in one path; larger ones are images of a pixel a cell inside of the file. Text stays
 * text: Latin runs with their length given, other characters one by one.
 */
#include "view/figure_parts.h"

#include "base/base64.h"
#include "base/mem.h"
#include "view/picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cells of all maps up to which they are drawn as rectangles. */
enum { RECTANGLES_MOST = 20000 };
enum { BASE_SMALL = 11, BASE_LARGE = 14 };

struct svg {
    const struct figure *f;
    bytes_out *write;
    void *user;
    struct str text; /* not written yet */
    bool images;
};

/* --- maps --- */

struct run {
    uint32_t rgb;
    int row, col, cells;
};

static int by_colour(const void *left, const void *right)
{
    const struct run *a = left, *b = right;

    if (a->rgb != b->rgb)
        return a->rgb < b->rgb ? -1 : 1;
    if (a->row != b->row)
        return a->row < b->row ? -1 : 1;
    return a->col < b->col ? -1 : a->col > b->col;
}

/* The runs of a map's cells that are not masked; their number. */
static int find_runs(const struct figure *f, const struct figure_map *m, struct run *run)
{
    int n = 0;

    for (int row = 0; row < m->heat.h; row++)
        for (int col = 0; col < m->heat.w; col++) {
            uint32_t rgb = figure_color(f, m, row, col);
            if (rgb == COLOR_NONE)
                continue;
            struct run *last = n ? &run[n - 1] : NULL;
            if (last && last->rgb == rgb && last->row == row && last->col + last->cells == col)
                last->cells++;
            else
                run[n++] = (struct run){rgb, row, col, 1};
        }
    return n;
}

static void add_rectangles(struct svg *svg, const struct figure_map *m)
{
    const struct figure_group *g = &svg->f->group[m->group];
    struct run *run = xcalloc((size_t) m->heat.h * (size_t) m->heat.w, sizeof *run);
    int n = find_runs(svg->f, m, run);

    qsort(run, (size_t) n, sizeof *run, by_colour);
    str_adds(&svg->text, "<g shape-rendering=\"crispEdges\">\n");
    for (int i = 0; i < n; i++) {
        if (i == 0 || run[i - 1].rgb != run[i].rgb)
            str_addf(&svg->text, "%s<path fill=\"#%06x\" d=\"", i ? "\"/>\n" : "",
                     (unsigned) run[i].rgb);
        str_addf(&svg->text, "M%d %dh%dv%dh-%dz", m->at.x + run[i].col * g->cell_w,
                 m->at.y + run[i].row * g->cell_h, run[i].cells * g->cell_w, g->cell_h,
                 run[i].cells * g->cell_w);
    }
    str_adds(&svg->text, n ? "\"/>\n</g>\n" : "</g>\n");
    free(run);
}

static bool add_image(struct svg *svg, const struct figure_map *m, struct err *err)
{
    struct str png = STR_INIT;
    struct base64 b = {0};
    bool ok = heat_png(&m->heat, svg->f->theme, &svg->f->group[m->group].scale, &png, err);

    str_addf(&svg->text,
             "<image x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" preserveAspectRatio=\"none\" "
             "style=\"image-rendering:optimizeSpeed;image-rendering:pixelated\" "
             "xlink:href=\"data:image/png;base64,",
             m->at.x, m->at.y, m->at.w, m->at.h);
    base64_add(&b, png.text, png.len, &svg->text);
    base64_end(&b, &svg->text);
    str_adds(&svg->text, "\"/>\n");
    str_release(&png);
    return ok;
}

/* --- text --- */

/* One past the cells of a run of Latin letters; a single blank may stand between them. */
static int run_end(const struct canvas *c, int x)
{
    int end = x + 1;

    for (int at = end; at < c->w && at <= end + 1; at++) {
        if (!picture_runs(canvas_at(c, at, 0)))
            break;
        if (canvas_at(c, at, 0)->cp != ' ')
            end = at + 1;
    }
    return end;
}

static void add_letters(struct svg *svg, const struct canvas *c, int x, int end, int w, int y)
{
    bool latin = picture_runs(canvas_at(c, x, 0));
    int twice = latin ? 0 : canvas_at(c, x, 0)->width * w;

    str_addf(&svg->text, "<text x=\"%d%s\" y=\"%d\"", x * w + twice / 2, twice & 1 ? ".5" : "",
             y);
    if (!latin)
        str_adds(&svg->text, " text-anchor=\"middle\"");
    else if (end - x > 1)
        str_addf(&svg->text, " textLength=\"%d\"", (end - x) * w);
    str_addc(&svg->text, '>');
    for (; x < end; x++)
        picture_cell(canvas_at(c, x, 0), &svg->text);
    str_adds(&svg->text, "</text>");
}

/* A line of text in a group of its own, which has its place and looks. */
static void add_line(struct svg *svg, const struct item *it)
{
    struct canvas *c = item_cells(it);
    int w = it->large ? LARGE_W : SMALL_W, y = it->large ? BASE_LARGE : BASE_SMALL;

    str_addf(&svg->text, "<g transform=\"translate(%d %d)%s\"", it->r.x,
             it->up ? it->r.y + it->r.h : it->r.y, it->up ? " rotate(-90)" : "");
    if (it->large)
        str_adds(&svg->text, " font-size=\"15\"");
    if (it->bold)
        str_adds(&svg->text, " font-weight=\"bold\"");
    if (it->rgb != FIGURE_FG)
        str_addf(&svg->text, " fill=\"#%06x\"", (unsigned) it->rgb);
    str_addc(&svg->text, '>');
    for (int x = 0, end; x < c->w; x = end) {
        const struct cell *cell = canvas_at(c, x, 0);
        end = picture_runs(cell) && cell->cp != ' ' ? run_end(c, x) : x + 1;
        if (cell->width > 0 && cell->cp != ' ')
            add_letters(svg, c, x, end, w, y);
    }
    str_adds(&svg->text, "</g>\n");
    canvas_free(c);
}

/* --- the file --- */

static void add_rect(struct svg *svg, struct rect r, const char *fill)
{
    str_addf(&svg->text, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>\n",
             r.x, r.y, r.w, r.h, fill);
}

static void add_item(struct svg *svg, const struct item *it, struct err *err)
{
    char fill[32];

    switch (it->kind) {
    case ITEM_FILL:
        snprintf(fill, sizeof fill, "#%06x", (unsigned) it->rgb);
        add_rect(svg, it->r, fill);
        break;
    case ITEM_HATCH:
        add_rect(svg, it->r, "url(#mask)");
        break;
    case ITEM_MAP:
        if (svg->images)
            add_image(svg, &svg->f->map[it->index], err);
        else
            add_rectangles(svg, &svg->f->map[it->index]);
        break;
    case ITEM_RAMP:
        add_rect(svg, it->r,
                 svg->f->group[it->index].is_signed ? "url(#signed)" : "url(#ramp)");
        break;
    case ITEM_TEXT:
        add_line(svg, it);
        break;
    }
}

static void add_gradient(struct svg *svg, const char *id, enum colormap map)
{
    const struct ramp *r = &svg->f->theme->map[map];

    str_addf(&svg->text, "<linearGradient id=\"%s\">", id);
    for (int i = 0; i < r->n; i++)
        str_addf(&svg->text, "<stop offset=\"%.4g\" stop-color=\"#%06x\"/>",
                 (double) i / (r->n - 1), (unsigned) r->rgb[i]);
    str_adds(&svg->text, "</linearGradient>\n");
}

static void add_head(struct svg *svg)
{
    const struct figure *f = svg->f;

    str_addf(&svg->text,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" "
             "xmlns:xlink=\"http://www.w3.org/1999/xlink\" role=\"img\" width=\"%d\" "
             "height=\"%d\" viewBox=\"0 0 %d %d\">\n<title>",
             f->w, f->h, f->w, f->h);
    picture_xml(f->title.text, f->title.len, &svg->text);
    str_adds(&svg->text, "</title>\n<desc>");
    picture_xml(f->about.text, f->about.len, &svg->text);
    str_addf(&svg->text,
             "</desc>\n<defs>\n<pattern id=\"mask\" width=\"%d\" height=\"%d\" "
             "patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
             "<rect width=\"%d\" height=\"%d\" fill=\"#%06x\"/>"
             "<rect width=\"%d\" height=\"%d\" fill=\"#%06x\"/></pattern>\n",
             HATCH_STEP, HATCH_STEP, HATCH_STEP, HATCH_STEP, (unsigned) HATCH_BG, HATCH_LINE,
             HATCH_STEP, (unsigned) HATCH_FG);
    add_gradient(svg, "ramp", MAP_SEQUENTIAL);
    add_gradient(svg, "signed", MAP_DIVERGING);
    str_addf(&svg->text,
             "</defs>\n<g font-family=\"'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',"
             "'Noto Sans Mono',monospace\" font-size=\"11.6\" fill=\"#%06x\">\n",
             (unsigned) FIGURE_FG);
}

static void svg_flush(struct svg *svg)
{
    svg->write(svg->user, svg->text.text, svg->text.len);
    str_clear(&svg->text);
}

bool figure_svg(const struct figure *f, bytes_out *write, void *user, struct err *err)
{
    struct svg svg = {f, write, user, STR_INIT, false};
    struct items list;
    size_t cells = 0;

    for (int i = 0; i < f->n_maps; i++)
        cells += (size_t) f->map[i].heat.h * (size_t) f->map[i].heat.w;
    svg.images = cells > RECTANGLES_MOST;
    add_head(&svg);
    figure_items(f, &list);
    for (int i = 0; i < list.n && !*err->text; i++) {
        add_item(&svg, &list.item[i], err);
        svg_flush(&svg);
    }
    items_release(&list);
    str_adds(&svg.text, "</g>\n</svg>\n");
    svg_flush(&svg);
    str_release(&svg.text);
    return !*err->text;
}
