/* What is drawn of a figure: titles, legends, the maps with their names and numbers. */
#include "view/figure_parts.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RAMP_W = 168, RAMP_H = 12, TICK = 4 };
/* A number is written into cells of this width, in maps of at most so many. */
enum { NUMBER_CELL = 34, NUMBERS_MOST = 400 };

static struct item *add(struct items *list, enum item_kind kind, int x, int y, int w, int h)
{
    VEC_ROOM(list->item, list->n, list->cap);
    struct item *it = &list->item[list->n++];
    *it = (struct item){.kind = kind, .r = {x, y, w, h}};
    return it;
}

static void add_fill(struct items *list, int x, int y, int w, int h, uint32_t rgb)
{
    add(list, ITEM_FILL, x, y, w, h)->rgb = rgb;
}

/* Text of at most `cells`, from x, y on; its width in pixels. */
static int add_text(struct items *list, int x, int y, int cells, const char *text, uint32_t rgb)
{
    int wide = utf8_width(text, strlen(text));

    cells = wide < cells ? wide : cells;
    if (cells < 1)
        return 0;
    struct item *it = add(list, ITEM_TEXT, x, y, cells * SMALL_W, SMALL_H);
    it->text = xstrdup(text);
    it->rgb = rgb;
    return it->r.w;
}

static void add_large(struct items *list, int x, int y, int w, const char *text)
{
    int wide = utf8_width(text, strlen(text)) * LARGE_W;
    struct item *it =
        add(list, ITEM_TEXT, x, y, wide < w ? wide : w / LARGE_W * LARGE_W, LARGE_H);

    it->text = xstrdup(text);
    it->rgb = FIGURE_FG;
    it->large = it->bold = true;
}

static void add_bold(struct items *list, int x, int y, int cells, const char *text)
{
    if (add_text(list, x, y, cells, text, FIGURE_FG) > 0)
        list->item[list->n - 1].bold = true;
}

/* Text that reads upwards, its beginning at `foot`. */
static void add_up(struct items *list, int x, int foot, const char *text, uint32_t rgb)
{
    int cells = utf8_width(text, strlen(text));

    cells = cells < NAME_CELLS ? cells : NAME_CELLS;
    struct item *it = add(list, ITEM_TEXT, x, foot - cells * SMALL_W, SMALL_H, cells * SMALL_W);
    it->text = xstrdup(text);
    it->rgb = rgb;
    it->up = true;
}

/* --- the legend --- */

/* "0 [ramp] 1 sqrt  [/] masked" */
static int add_ramp(const struct figure *f, int group, struct items *list, int x, int y)
{
    const struct figure_group *g = &f->group[group];
    bool by_row = f->kind == SCALE_ROW_MAX;
    char low[24], high[48];

    snprintf(high, sizeof high, by_row ? "row max" : "%.3g", g->scale.limit);
    snprintf(low, sizeof low, "%s%.20s", g->is_signed ? "-" : "", g->is_signed ? high : "0");
    if (f->kind == SCALE_LOG && !g->is_signed)
        snprintf(low, sizeof low, "\xe2\x89\xa4%.3g", g->scale.limit * 1e-4);
    if (f->kind == SCALE_SQRT || f->kind == SCALE_LOG)
        snprintf(high + strlen(high), sizeof high - strlen(high), "  %s scale",
                 scale_name(f->kind));
    x += add_text(list, x, y, 24, low, FIGURE_FG) + SMALL_W;
    add_fill(list, x - 1, y, RAMP_W + 2, RAMP_H + 2, FIGURE_FRAME);
    add(list, ITEM_RAMP, x, y + 1, RAMP_W, RAMP_H)->index = group;
    x += RAMP_W + SMALL_W + add_text(list, x + RAMP_W + SMALL_W, y, 48, high, FIGURE_FG);
    return x + 3 * SMALL_W;
}

static int add_swatch(struct items *list, int x, int y, enum item_kind kind, uint32_t rgb,
                      const char *text)
{
    add_fill(list, x - 1, y, 3 * SMALL_W + 2, RAMP_H + 2, FIGURE_FRAME);
    add(list, kind, x, y + 1, 3 * SMALL_W, RAMP_H)->rgb = rgb;
    x += 4 * SMALL_W;
    return x + add_text(list, x, y, 48, text, FIGURE_FG) + 3 * SMALL_W;
}

/* How the picture differs from the numbers, in words. */
static void describe(const struct figure *f, const struct figure_group *g, struct str *out)
{
    const struct stats *s = &g->range.stats;

    str_addf(out, "from %.4g to %.4g", (double) s->min, (double) s->max);
    if (f->kind != SCALE_ROW_MAX && !(g->limit > 0) &&
        fmax(fabs((double) s->min), fabs((double) s->max)) > g->scale.limit)
        str_adds(out, "; scale to the 99th percentile of |x|");
    if (g->pool_r > 1 || g->pool_c > 1) {
        str_addf(out, "; pooled %dx", g->pool_c);
        if (g->pool_r != g->pool_c)
            str_addf(out, "%d", g->pool_r);
        str_addf(out, " by largest%s", g->is_signed ? " |x|" : "");
    }
    if (s->n_inf)
        str_addf(out, "; %zu infinite", s->n_inf);
}

static void add_legend(const struct figure *f, int group, struct items *list)
{
    const struct figure_group *g = &f->group[group];
    int x = g->at.x, y = g->at.y + SMALL_H + 6, cells = g->at.w / SMALL_W;
    struct str text = STR_INIT;
    char nan[40];

    add_bold(list, x, g->at.y, cells, g->title.text);
    x = add_ramp(f, group, list, x, y);
    if (g->range.n_masked)
        x = add_swatch(list, x, y, ITEM_HATCH, 0, "masked");
    snprintf(nan, sizeof nan, "%zu NaN", g->range.stats.n_nan);
    if (g->range.stats.n_nan)
        add_swatch(list, x, y, ITEM_FILL, HEAT_NAN_RGB, nan);
    describe(f, g, &text);
    add_text(list, g->at.x, y + SMALL_H + 4, cells, text.text, FIGURE_DIM);
    str_release(&text);
}

/* --- names --- */

/* Numbers between ticks that are `apart` pixels from each other: 1, 2, 5, 10 ... */
static int tick_step(int cell, int pool, int apart)
{
    int step = 1;

    for (int i = 0; (long) step * cell / pool < apart; i++)
        step = i % 3 == 1 ? step / 2 * 5 : step * 2;
    return step;
}

/* The first multiple of step from `first` on. */
static int first_tick(int first, int step)
{
    return (first + step - 1) / step * step;
}

static void add_row_names(const struct figure *f, const struct figure_map *m,
                          struct items *list)
{
    const struct figure_group *g = &f->group[m->group];
    int right = m->at.x - TICK - 2;

    for (int i = 0; g->names_rows && i < g->rows; i++) {
        int pos = g->first_row + i, y = m->at.y + i * g->cell_h + (g->cell_h - SMALL_H) / 2;
        const char *name = pos < f->n_token ? f->token[pos] : "";
        int cells = utf8_width(name, strlen(name));
        cells = cells < NAME_CELLS ? cells : NAME_CELLS;
        add_text(list, right - cells * SMALL_W, y, cells, name, FIGURE_FG);
    }
    if (g->names_rows || g->rows == 1)
        return;
    int step = tick_step(g->cell_h, g->pool_r, 2 * SMALL_H);
    for (int i = first_tick(g->first_row, step); i < g->first_row + g->rows; i += step) {
        char text[16];
        int y = m->at.y + (i - g->first_row) * g->cell_h / g->pool_r;
        snprintf(text, sizeof text, "%d", i);
        int w = (int) strlen(text) * SMALL_W;
        add_fill(list, m->at.x - TICK - 1, y, TICK, 1, FIGURE_DIM);
        add_text(list, right - w - 1, y - SMALL_H / 2 + 1, 16, text, FIGURE_DIM);
    }
}

static void add_col_names(const struct figure *f, const struct figure_map *m,
                          struct items *list)
{
    const struct figure_group *g = &f->group[m->group];
    int foot = m->at.y - TICK - 1;

    for (int i = 0; g->names_cols && i < g->cols; i++) {
        int pos = g->first_col + i, x = m->at.x + i * g->cell_w + (g->cell_w - SMALL_H) / 2;
        add_up(list, x, foot, pos < f->n_token ? f->token[pos] : "", FIGURE_FG);
    }
    if (g->names_cols)
        return;
    int step = tick_step(g->cell_w, g->pool_c, 7 * SMALL_W);
    for (int i = first_tick(g->first_col, step); i < g->first_col + g->cols; i += step) {
        char text[16];
        int x = m->at.x + (i - g->first_col) * g->cell_w / g->pool_c;
        snprintf(text, sizeof text, "%d", i);
        add_fill(list, x, m->at.y - TICK - 1, 1, TICK, FIGURE_DIM);
        if (x + (int) strlen(text) * SMALL_W <= m->at.x + m->at.w + FIGURE_MARGIN / 2)
            add_text(list, x, foot - SMALL_H, 16, text, FIGURE_DIM);
    }
}

/* --- maps --- */

static void add_numbers(const struct figure *f, const struct figure_map *m, struct items *list)
{
    const struct figure_group *g = &f->group[m->group];
    int room = (g->cell_w - 4) / SMALL_W < 5 ? (g->cell_w - 4) / SMALL_W : 5;

    if (g->n > 1 || g->cell_w < NUMBER_CELL || g->pool_r > 1 || g->pool_c > 1 ||
        (g->rows - 1) * g->cols > NUMBERS_MOST || g->cell_h < SMALL_H)
        return;
    for (int i = 0; i < g->rows * g->cols; i++) {
        int row = i / g->cols, col = i % g->cols;
        double v = (double) *heat_at(&m->heat, row, col);
        uint32_t ground = figure_color(f, m, row, col);
        char text[16];
        if (ground == COLOR_NONE)
            continue;
        if (f->kind == SCALE_ROW_MAX)
            v *= (double) m->heat.row_max[row];
        draw_number(text, sizeof text, v, -room);
        int x = m->at.x + col * g->cell_w + (g->cell_w - (int) strlen(text) * SMALL_W) / 2;
        int y = m->at.y + row * g->cell_h + (g->cell_h - SMALL_H) / 2;
        add_text(list, x, y, room, text, color_contrast(ground));
    }
}

static void add_map(const struct figure *f, int index, struct items *list)
{
    const struct figure_map *m = &f->map[index];
    const struct figure_group *g = &f->group[m->group];
    int i = index - g->first;

    add_fill(list, m->at.x - 1, m->at.y - 1, m->at.w + 2, m->at.h + 2, FIGURE_FRAME);
    if (g->range.n_masked)
        add(list, ITEM_HATCH, m->at.x, m->at.y, m->at.w, m->at.h);
    add(list, ITEM_MAP, m->at.x, m->at.y, m->at.w, m->at.h)->index = index;
    if (g->n > 1)
        add_bold(list, m->at.x, m->at.y - SMALL_H - 5 - (i < g->columns ? g->label_h : 0),
                 m->at.w / SMALL_W > 4 ? m->at.w / SMALL_W : 5, m->title);
    if (i % g->columns == 0)
        add_row_names(f, m, list);
    if (i < g->columns)
        add_col_names(f, m, list);
    add_numbers(f, m, list);
}

void figure_items(const struct figure *f, struct items *list)
{
    int w = f->w - 2 * FIGURE_MARGIN, y = FIGURE_MARGIN;

    *list = (struct items){0};
    add_fill(list, 0, 0, f->w, f->h, FIGURE_BG);
    add_large(list, FIGURE_MARGIN, y, w, f->title.text);
    add_text(list, FIGURE_MARGIN, y + LARGE_H + 4, w / SMALL_W, f->about.text, FIGURE_DIM);
    for (int i = 0; i < f->n_groups; i++)
        add_legend(f, i, list);
    for (int i = 0; i < f->n_maps; i++)
        add_map(f, i, list);
    add_text(list, FIGURE_MARGIN, f->h - FIGURE_MARGIN - SMALL_H + 8, w / SMALL_W, f->foot.text,
             FIGURE_DIM);
}

void items_release(struct items *list)
{
    for (int i = 0; i < list->n; i++)
        free(list->item[i].text);
    free(list->item);
    *list = (struct items){0};
}

struct canvas *item_cells(const struct item *it)
{
    static const struct caps caps = {false, 1 << 24};
    int cells = it->up ? it->r.h / SMALL_W : it->r.w / (it->large ? LARGE_W : SMALL_W);
    struct canvas *c = canvas_new(cells, 1, &caps, NULL);
    struct look look = {it->rgb, COLOR_NONE, it->bold ? ATTR_BOLD : 0};

    canvas_fit(c, canvas_all(c), 0, 0, cells, look, it->text);
    return c;
}
