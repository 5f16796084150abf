/*
 * How large the maps of a figure are and where they lie. Cells are as large as looks well,
 * smaller where there are many, and hold several numbers where there are more of them than
 * pixels. `room` is the part of the picture's most pixels that may be used: it is made less
 * until all fits.
 */
#include "view/figure_parts.h"

#include "base/utf8.h"

#include <math.h>
#include <string.h>

enum { MAP_GAP = 14, LEAST_W = 590, LEAST_MAP = 8 };
/* Pixels that a map, or a line of maps, has when nothing else decides. */
enum { ALONE = 960, TOGETHER = 1320, STRIP = 240, WIDEST = 2048 };
/* Most pixels of a cell. */
enum { CELL_ALONE = 44, CELL = 24, CELL_ROW = 18, CELL_STRIP = 28 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int between(int x, int low, int high)
{
    return x < low ? low : x > high ? high : x;
}

static bool is_position(enum axis axis)
{
    return axis == AXIS_POS || axis == AXIS_KEY;
}

/* Both axes count the same things: cells are squares. */
static bool is_square(const struct figure_group *g)
{
    return is_position(g->row_axis) && is_position(g->col_axis);
}

/* Pixels and numbers of a cell along an axis of n numbers: about `aim` pixels in all, at most
 * `limit`, and `most` for each. */
static void fit(int n, int aim, int limit, int most, int *cell, int *pool)
{
    limit = limit < 1 ? 1 : limit;
    *cell = between(aim / n, 1, most);
    *cell = *cell * n > limit ? between(limit / n, 1, most) : *cell;
    *pool = (*cell * n + limit - 1) / limit;
}

static int map_w(const struct figure_group *g)
{
    return (g->cols + g->pool_c - 1) / g->pool_c * g->cell_w;
}

static int map_h(const struct figure_group *g)
{
    return (g->rows + g->pool_r - 1) / g->pool_r * g->cell_h;
}

static int lines_of(const struct figure_group *g)
{
    return (g->n + g->columns - 1) / g->columns;
}

static void size_cells(struct figure_group *g, double room)
{
    int limit_w = (int) (room * (FIGURE_MOST - 160)) / g->columns - MAP_GAP;
    int limit_h = (int) (room * (FIGURE_MOST - 320)) / lines_of(g) - MAP_GAP - SMALL_H;
    int aim = g->n == 1 ? ALONE : TOGETHER / g->columns - MAP_GAP;
    int most = g->n == 1 ? CELL_ALONE : CELL;

    if (is_square(g)) {
        int n = g->rows > g->cols ? g->rows : g->cols;
        fit(n, aim, least(limit_w, limit_h), most, &g->cell_w, &g->pool_c);
        g->cell_h = g->cell_w;
        g->pool_r = g->pool_c;
        return;
    }
    fit(g->cols, aim, least(limit_w, WIDEST), g->rows == 1 ? CELL_ALONE : most, &g->cell_w,
        &g->pool_c);
    fit(g->rows, g->n == 1 ? ALONE : STRIP, limit_h, g->rows == 1 ? CELL_STRIP : CELL_ROW,
        &g->cell_h, &g->pool_r);
}

/* --- a grid of maps --- */

/* How far a grid is from good proportions, and full lines. Little room makes it wide: a figure
 * of many groups is high. */
static double badness(struct figure_group *g, double room, int columns)
{
    g->columns = columns;
    size_cells(g, room);
    double w = (map_w(g) + MAP_GAP) * columns;
    double h = (map_h(g) + MAP_GAP + SMALL_H) * lines_of(g);
    double empty = (double) (columns * lines_of(g) - g->n) / g->n;
    return fabs(log(w / h / 1.6 * room)) + empty + (w > TOGETHER * 1.3 / room ? 1 : 0);
}

static void choose_columns(struct figure_group *g, double room)
{
    double best = INFINITY;
    int columns = 1;

    for (int i = 1; i <= g->n && i <= FIGURE_MOST / (LEAST_MAP + MAP_GAP); i++) {
        double bad = badness(g, room, i);
        if (bad < best) {
            best = bad;
            columns = i;
        }
    }
    bool line = g->in_a_line > 1 && g->in_a_line * (LEAST_MAP + MAP_GAP) < FIGURE_MOST;
    g->columns = line ? g->in_a_line : columns;
}

/* --- labels --- */

/* Cells of the longest name of these positions, at most NAME_CELLS. */
static int name_cells(const struct figure *f, int first, int n)
{
    int most = 0;

    for (int i = first; i < first + n && i < f->n_token; i++) {
        int cells = least(utf8_width(f->token[i], strlen(f->token[i])), NAME_CELLS);
        most = cells > most ? cells : most;
    }
    return most;
}

static void size_labels(const struct figure *f, struct figure_group *g)
{
    int digits = 0;

    for (int last = g->first_row + g->rows - 1; digits == 0 || last > 0; last /= 10)
        digits++;
    g->names_rows = is_position(g->row_axis) && g->pool_r == 1 && g->cell_h >= SMALL_H - 2;
    g->names_cols = is_position(g->col_axis) && g->pool_c == 1 && g->cell_w >= SMALL_H - 2;
    g->label_w = g->rows == 1    ? 0
                 : g->names_rows ? name_cells(f, g->first_row, g->rows) * SMALL_W + 8
                                 : digits * SMALL_W + 10;
    g->label_h =
        g->names_cols ? name_cells(f, g->first_col, g->cols) * SMALL_W + 8 : SMALL_H + 6;
    g->title_h = g->n > 1 ? SMALL_H + 4 : 0;
}

/* --- the picture --- */

static int head_h(const struct figure_group *g)
{
    return SMALL_H + 6 + FIGURE_LEGEND * (SMALL_H + 4) + 8 + g->title_h + g->label_h;
}

static void measure_group(const struct figure *f, struct figure_group *g, double room)
{
    choose_columns(g, room);
    size_cells(g, room);
    size_labels(f, g);
    int w = g->label_w + least(g->n, g->columns) * (map_w(g) + MAP_GAP) - MAP_GAP;
    g->at.w = w > LEAST_W ? w : LEAST_W;
    g->at.h = head_h(g) + lines_of(g) * (map_h(g) + MAP_GAP + g->title_h) - g->title_h;
}

static void put_group(struct figure *f, struct figure_group *g, int x, int y)
{
    int step_x = map_w(g) + MAP_GAP, step_y = map_h(g) + MAP_GAP + g->title_h;

    g->at.x = x;
    g->at.y = y;
    for (int i = 0; i < g->n; i++)
        f->map[g->first + i].at =
            (struct rect){x + g->label_w + i % g->columns * step_x,
                          y + head_h(g) + i / g->columns * step_y, map_w(g), map_h(g)};
}

/* The groups one below the other, in columns of about this height. */
static void put_columns(struct figure *f, int high)
{
    int top = FIGURE_MARGIN + LARGE_H + 4 + SMALL_H + FIGURE_GAP;
    int x = FIGURE_MARGIN, y = top, w = 0;

    f->h = 0;
    for (int i = 0; i < f->n_groups; i++) {
        struct figure_group *g = &f->group[i];
        if (y > top && y + g->at.h - top > high) {
            x += w + 2 * FIGURE_MARGIN;
            y = top;
            w = 0;
        }
        put_group(f, g, x, y);
        y += g->at.h + FIGURE_GAP;
        w = g->at.w > w ? g->at.w : w;
        f->h = y > f->h ? y : f->h;
    }
    f->w = x + w + FIGURE_MARGIN;
    f->h += SMALL_H + FIGURE_MARGIN - FIGURE_GAP;
}

static bool too_small(const struct figure_group *g)
{
    return (g->pool_c > 1 && map_w(g) < LEAST_MAP) || (g->pool_r > 1 && map_h(g) < LEAST_MAP);
}

static bool place_all(struct figure *f, double room)
{
    double high = 0;

    for (int i = 0; i < f->n_groups; i++) {
        measure_group(f, &f->group[i], room);
        high += f->group[i].at.h + FIGURE_GAP;
        if (too_small(&f->group[i]))
            return false;
    }
    for (int n = 1; n <= f->n_groups && high / n >= LEAST_MAP; n++) {
        double most = high / n * 1.1;
        put_columns(f, n == 1 || most > FIGURE_MOST ? FIGURE_MOST : (int) most);
        if (f->w > FIGURE_MOST)
            return false;
        if (f->h <= FIGURE_MOST)
            return true;
    }
    return false;
}

bool figure_layout(struct figure *f, struct err *err)
{
    double room = 1;

    while (!place_all(f, room)) {
        room *= 0.8;
        if (room < 1e-3)
            return err_set(err,
                           "%d maps do not fit a picture of %d x %d pixels; select fewer "
                           "values, layers or heads",
                           f->n_maps, FIGURE_MOST, FIGURE_MOST);
    }
    for (int i = 0; i < f->n_maps; i++) {
        const struct figure_group *g = &f->group[f->map[i].group];
        struct heat *h = &f->map[i].heat;
        heat_init(h, g->rows, g->cols, g->pool_r, g->pool_c);
        h->first_row = g->first_row;
        h->first_col = g->first_col;
        h->causal = g->causal;
    }
    return true;
}
