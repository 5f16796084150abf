#include "view/heatmap.h"

#include "view/compare.h"
#include "view/draw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LABEL = 12, ABOVE = 3, BELOW = 2, WIDEST = 7, NUMBERS = 5 };

void heatmap_room(int w, int h, bool rich, int *rows, int *cols)
{
    *rows = h - ABOVE - BELOW;
    *cols = w - LABEL;
    *rows = *rows < 1 ? 1 : rich ? 2 * *rows : *rows; /* two pixels a cell */
    *cols = *cols < 1 ? 1 : *cols;
}

static float largest(const struct heatmap *h)
{
    float most = 0;
    for (int i = 0; i < h->rows * h->cols; i++)
        if (isfinite(h->v[i]) && fabsf(h->v[i]) > most)
            most = fabsf(h->v[i]);
    return most > 0 ? most : 1; /* all the same, or nothing but infinite differences */
}

struct frame {
    struct canvas *c;
    struct rect r;
    const struct heatmap *h;
    struct scale scale;
    int cell;  /* columns a number */
    bool half; /* two rows a line */
};

static double place(const struct frame *f, float v)
{
    return scale_at(&f->scale, isfinite(v) ? (double) v : v > 0 ? INFINITY : -INFINITY, 0);
}

static uint32_t pixel(const struct frame *f, int row, int col)
{
    if (row >= f->h->rows)
        return COLOR_NONE;
    float v = f->h->v[row * f->h->cols + col];
    return isnan(v) ? COLOR_NONE : theme_color(f->c->theme, MAP_DIVERGING, place(f, v));
}

static void draw_cell(const struct frame *f, int row, int col, int x, int y)
{
    float v = f->h->v[row * f->h->cols + col];
    char text[24];
    if (isnan(v)) {
        canvas_text(f->c, f->r, x + f->cell / 2, y, STYLE_MASKED, "∙");
        return;
    }
    compare_heat(f->c, f->r, x, y, f->cell, &f->scale, place(f, v));
    if (f->cell < NUMBERS)
        return;
    struct look look = draw_heat_look(f->c, &f->scale, place(f, v));
    canvas_text(f->c, f->r, x, y, STYLE_TEXT, " ");
    compare_number(text, sizeof text, (double) v, f->cell - 1);
    struct rect all = {x, y, f->cell, 1};
    canvas_fill(f->c, rect_clip(all, f->r), look, ' ');
    canvas_put(f->c, f->r, x + 1, y, look, text, strlen(text));
}

static void draw_label(const struct frame *f, int row, int y)
{
    char buf[64], text[96];
    int original = row * f->h->pool_rows;
    const char *name =
        f->h->row_name ? f->h->row_name(f->h->user, original, buf, sizeof buf) : NULL;
    snprintf(text, sizeof text, "%d %s", original, name ? name : "");
    canvas_fit(f->c, f->r, f->r.x, y, LABEL - 1, canvas_look(f->c, STYLE_AXIS), text);
}

static void draw_line(const struct frame *f, int row, int y)
{
    draw_label(f, row, y);
    for (int col = 0; col < f->h->cols; col++) {
        int x = f->r.x + LABEL + col * f->cell;
        if (f->half)
            canvas_pixels(f->c, f->r, x, y, pixel(f, row, col), pixel(f, row + 1, col));
        else
            draw_cell(f, row, col, x, y);
    }
}

static void draw_axes(const struct frame *f)
{
    const struct heatmap *h = f->h;
    char rows[32] = "", cols[32] = "";
    if (h->pool_rows > 1)
        snprintf(rows, sizeof rows, " (largest of %d)", h->pool_rows);
    if (h->pool_cols > 1)
        snprintf(cols, sizeof cols, " (largest of %d)", h->pool_cols);
    canvas_printf(f->c, f->r, f->r.x, f->r.y + ABOVE - 1, STYLE_AXIS, "%s%s down, %s%s across",
                  h->row_axis, rows, h->col_axis, cols);
}

void heatmap_draw(struct canvas *c, struct rect r, const struct heatmap *h)
{
    struct frame f = {.c = c, .r = r, .h = h, .cell = (r.w - LABEL) / (h->cols ? h->cols : 1)};
    f.cell = f.cell < 1 ? 1 : f.cell > WIDEST ? WIDEST : f.cell;
    f.half = draw_rich(c) && f.cell == 1 && h->rows > r.h - ABOVE - BELOW;
    f.scale = (struct scale){SCALE_SQRT, true, (double) (h->limit > 0 ? h->limit : largest(h))};
    canvas_text(c, r, r.x, r.y, STYLE_TITLE, h->title);
    if (h->detail)
        canvas_fit(c, r, r.x, r.y + 1, r.w, canvas_look(c, STYLE_TEXT), h->detail);
    draw_axes(&f);
    int y = r.y + ABOVE;
    for (int row = 0; row < h->rows && y < r.y + r.h - BELOW; row += f.half ? 2 : 1)
        draw_line(&f, row, y++);
    draw_scale(c, r, r.x + LABEL, y + 1, 24, &f.scale);
}
