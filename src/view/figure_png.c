/* A figure as PNG: drawn in bands, so that no more than one of them is in memory. */
#include "view/figure_parts.h"

#include "base/interrupt.h"
#include "base/mem.h"
#include "view/font.h"

#include <stdlib.h>
#include <string.h>

enum { BAND = 64 };

struct pen {
    const struct figure *f;
    struct font *small, *large;
    struct raster to; /* the band: rows [y, y + to.h) of the picture */
    int y;
};

/* A rectangle of the picture as one of the band. */
static struct rect in_band(const struct pen *pen, struct rect r)
{
    r.y -= pen->y;
    return rect_clip(r, (struct rect){0, 0, pen->to.w, pen->to.h});
}

static void set_pixel(const struct pen *pen, int x, int y, uint32_t rgb)
{
    uint8_t *p = pen->to.rgb + ((size_t) y * (size_t) pen->to.w + (size_t) x) * 3;

    p[0] = (uint8_t) (rgb >> 16);
    p[1] = (uint8_t) (rgb >> 8);
    p[2] = (uint8_t) rgb;
}

static void fill(struct pen *pen, struct rect r, uint32_t rgb)
{
    r = in_band(pen, r);
    for (int y = r.y; y < r.y + r.h; y++)
        for (int x = r.x; x < r.x + r.w; x++)
            set_pixel(pen, x, y, rgb);
}

static void draw_hatch(struct pen *pen, struct rect r)
{
    r = in_band(pen, r);
    for (int y = r.y; y < r.y + r.h; y++)
        for (int x = r.x; x < r.x + r.w; x++)
            set_pixel(pen, x, y,
                      (x + y + pen->y) % HATCH_STEP < HATCH_LINE ? HATCH_FG : HATCH_BG);
}

static void draw_map(struct pen *pen, const struct figure_map *m)
{
    const struct figure_group *g = &pen->f->group[m->group];
    struct rect r = in_band(pen, m->at);

    for (int y = r.y; y < r.y + r.h;) {
        int row = (y + pen->y - m->at.y) / g->cell_h;
        int end = m->at.y + (row + 1) * g->cell_h - pen->y;
        end = end < r.y + r.h ? end : r.y + r.h;
        for (int col = 0; col < m->heat.w; col++) {
            uint32_t rgb = figure_color(pen->f, m, row, col);
            struct rect cell = {m->at.x + col * g->cell_w, y + pen->y, g->cell_w, end - y};
            if (rgb != COLOR_NONE)
                fill(pen, cell, rgb);
        }
        y = end;
    }
}

static void draw_ramp(struct pen *pen, const struct item *it)
{
    const struct scale *s = &pen->f->group[it->index].scale;

    for (int i = 0; i < it->r.w; i++)
        fill(pen, (struct rect){it->r.x + i, it->r.y, 1, it->r.h},
             theme_color(pen->f->theme, s->is_signed ? MAP_DIVERGING : MAP_SEQUENTIAL,
                         (double) i / (it->r.w - 1)));
}

static void draw_line(struct pen *pen, struct raster *to, const struct item *it, int x, int y)
{
    struct canvas *c = item_cells(it);
    int w = it->large ? LARGE_W : SMALL_W;

    for (int i = 0; i < c->w; i++) {
        const struct cell *cell = canvas_at(c, i, 0);
        if (cell->width > 0 && cell->cp != ' ')
            font_draw(it->large ? pen->large : pen->small, to, cell, x + i * w, y, it->rgb,
                      it->bold);
    }
    canvas_free(c);
}

/* Text that stands up is drawn lying, on the page's colour, and turned. */
static void draw_up(struct pen *pen, const struct item *it)
{
    struct raster flat = {NULL, it->r.h, it->r.w};
    struct rect r = in_band(pen, it->r);

    flat.rgb = xmalloc((size_t) flat.w * (size_t) flat.h * 3);
    raster_fill(&flat, (struct rect){0, 0, flat.w, flat.h}, FIGURE_BG);
    draw_line(pen, &flat, it, 0, 0);
    for (int y = r.y; y < r.y + r.h; y++)
        for (int x = r.x; x < r.x + r.w; x++) {
            int down = y + pen->y - it->r.y, across = x - it->r.x;
            const uint8_t *p =
                flat.rgb +
                ((size_t) across * (size_t) flat.w + (size_t) (flat.w - 1 - down)) * 3;
            set_pixel(pen, x, y, (uint32_t) p[0] << 16 | (uint32_t) p[1] << 8 | p[2]);
        }
    free(flat.rgb);
}

static void draw_item(struct pen *pen, const struct item *it)
{
    /* letters may reach a little over their cell */
    if (it->r.y - SMALL_H >= pen->y + pen->to.h || it->r.y + it->r.h + SMALL_H <= pen->y)
        return;
    switch (it->kind) {
    case ITEM_FILL:
        fill(pen, it->r, it->rgb);
        break;
    case ITEM_HATCH:
        draw_hatch(pen, it->r);
        break;
    case ITEM_MAP:
        draw_map(pen, &pen->f->map[it->index]);
        break;
    case ITEM_RAMP:
        draw_ramp(pen, it);
        break;
    case ITEM_TEXT:
        if (it->up)
            draw_up(pen, it);
        else
            draw_line(pen, &pen->to, it, it->r.x, it->r.y - pen->y);
        break;
    }
}

/* False when interrupted. */
static bool draw_bands(struct pen *pen, const struct items *list, struct png_out *png)
{
    for (pen->y = 0; pen->y < pen->f->h && !interrupt_pending(); pen->y += BAND) {
        pen->to.h = pen->f->h - pen->y < BAND ? pen->f->h - pen->y : BAND;
        for (int i = 0; i < list->n; i++)
            draw_item(pen, &list->item[i]);
        for (int y = 0; y < pen->to.h; y++)
            png_out_row(png, pen->to.rgb + (size_t) y * (size_t) pen->to.w * 3);
    }
    return pen->y >= pen->f->h;
}

bool figure_png(const struct figure *f, bytes_out *write, void *user, struct err *err)
{
    struct pen pen = {.f = f};
    struct items list;

    pen.small = font_open(SMALL_W, SMALL_H, err);
    pen.large = pen.small ? font_open(LARGE_W, LARGE_H, err) : NULL;
    bool ok = pen.large != NULL;
    if (ok) {
        pen.to.w = f->w;
        pen.to.rgb = xmalloc((size_t) f->w * BAND * 3);
        figure_items(f, &list);
        struct png_out *png = png_out_new(f->w, f->h, false, write, user);
        bool done = draw_bands(&pen, &list, png);
        ok = png_out_end(png, err);
        if (!done)
            ok = err_set(err, "interrupted");
        items_release(&list);
        free(pen.to.rgb);
    }
    if (pen.small)
        font_close(pen.small);
    if (pen.large)
        font_close(pen.large);
    return ok;
}
