/* The residual stream: what the logit lens sees at each point of it, and how long it is. */
#include "base/mem.h"
#include "base/utf8.h"
#include "view/cache.h"
#include "view/draw.h"
#include "view/views.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_LEAST = 7, CELL_USUAL = 9, CELL_MOST = 12, DETAIL_LINES = 4 };
enum { NORM_NUMBERS = 18, NORM_BARS = 24 };

/*
 *            0 Tom   1 ·gave     the positions around the cursor
 *  embed    ·Tom    ·gave        |x|  ▇▇▇▎   12.1   added  cos
 *  L0 attn  ...                  points of the stream around the cursor
 *
 *  the scale; the cursor's cell in words; its most likely tokens
 *  the lengths, when there is more room here than beside the grid
 */
struct fit {
    int label, cell_w, norm_w; /* columns; norm_w 0: no lengths */
    int cols, first;           /* positions shown */
    int rows, top;             /* points shown */
    int detail;                /* lines below */
    bool below;                /* the lengths stand below */
};

static int between(int low, int v, int high)
{
    return v < low ? low : v > high ? high : v;
}

static void find_fit(struct fit *f, const struct session *s, struct rect r)
{
    int n = s->ids.n, points = 2 * s->program->hp.n_layer + 1;

    f->label = s->program->hp.n_layer > 10 ? 9 : 8;
    f->detail = between(r.h >= 12  ? DETAIL_LINES
                        : r.h >= 8 ? 2
                        : r.h >= 4 ? 1
                                   : 0,
                        r.h - 1 - points, DETAIL_LINES);
    f->below = r.h >= 2 * (points + 1) + DETAIL_LINES &&
               (r.w < 100 || r.w - f->label - NORM_NUMBERS - NORM_BARS < n * CELL_USUAL);
    f->norm_w = r.w >= 100 ? NORM_NUMBERS + NORM_BARS : r.w >= 48 ? NORM_NUMBERS : 0;
    if (f->below)
        f->norm_w = between(0, r.w - f->label, NORM_NUMBERS + NORM_BARS);
    int room = r.w - f->label - (f->below ? 0 : f->norm_w);
    int least = room >= 4 * CELL_USUAL ? CELL_USUAL : CELL_LEAST;
    f->cell_w = between(least, room / n, CELL_MOST);
    f->cols = between(1, room / f->cell_w, n);
    f->first = scroll_around(s->at.query, n, f->cols);
    f->rows = between(1, r.h - 1 - f->detail, points);
    f->top = scroll_around(session_point(s), points, f->rows);
}

/* --- colours --- */

/* What the mode shows of a cell; NAN: nothing yet. */
static double cell_value(const struct session *s, const struct lens_cell *cell)
{
    switch (s->set.lens) {
    case LENS_PROBABILITY:
        return (double) cell->top[0].prob;
    case LENS_RANK:
        return cell->rank > 0 ? log((double) cell->rank) : NAN;
    case LENS_KL:
        return (double) cell->kl;
    case LENS_ENTROPY:
        break;
    }
    return (double) cell->entropy;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;
    return x < y ? -1 : x > y;
}

/* The ends of the map: 5 % and 95 % of the cells shown; ranks go from 1 to the vocabulary. NAN
 * while there are no cells. */
struct limits {
    double low, high;
};

static struct limits find_limits(const struct session *s, const struct lens *l,
                                 const struct fit *f)
{
    struct limits limits = {NAN, NAN};
    double *v = xcalloc((size_t) f->rows * (size_t) f->cols + 1, sizeof *v);
    size_t n = 0;
    struct lens_cell cell;

    for (int i = 0; i < f->rows * f->cols; i++)
        if (lens_cell(l, f->top + i / f->cols, f->first + i % f->cols, &cell) &&
            isfinite(cell_value(s, &cell)))
            v[n++] = cell_value(s, &cell);
    if (n > 0) {
        qsort(v, n, sizeof *v, by_value);
        limits = (struct limits){v[(n - 1) * 5 / 100], v[(n - 1) * 95 / 100]};
    }
    if (n > 0 && s->set.lens == LENS_RANK)
        limits = (struct limits){0, log((double) s->program->hp.n_vocab)};
    free(v);
    return limits;
}

static double place(struct limits limits, double v)
{
    if (!(limits.high > limits.low))
        return v > limits.low ? 1 : 0;
    v = (v - limits.low) / (limits.high - limits.low);
    return v > 0 ? (v < 1 ? v : 1) : 0;
}

static const struct scale plain = {SCALE_LINEAR, false, 1};

/* --- the grid --- */

static const char *label_of(const struct session *s, int32_t id, char *out, size_t size)
{
    return id < 0 ? "nan" : tokenizer_label(s->tokenizer, id, out, size);
}

static void draw_cell(const struct session *s, struct canvas *c, struct rect box,
                      const struct lens_cell *cell, struct limits limits, bool cursor)
{
    char label[64];
    double v = cell_value(s, cell);
    struct look look =
        isfinite(v) ? draw_heat_look(c, &plain, place(limits, v)) : canvas_look(c, STYLE_DIM);

    if (cell->rank == 1)
        look.attr |= ATTR_BOLD;
    if (cursor)
        look = canvas_look(c, STYLE_CURSOR);
    canvas_fill(c, box, look, ' ');
    int room = draw_rich(c) ? box.w : box.w - 1;
    canvas_fit(c, box, box.x, box.y, room, look, label_of(s, cell->top[0].id, label, 64));
    if (!draw_rich(c) && isfinite(v))
        draw_heat(c, box, box.x + box.w - 1, box.y, 1, &plain, place(limits, v));
}

static void draw_names(const struct session *s, struct canvas *c, struct rect r,
                       const struct fit *f)
{
    for (int i = 0; i < f->cols; i++) {
        char label[64], text[80];
        int pos = f->first + i;
        tokenizer_label(s->tokenizer, s->ids.id[pos], label, sizeof label);
        snprintf(text, sizeof text, f->cell_w > CELL_USUAL ? "%2$d %1$s" : "%1$s", label, pos);
        canvas_fit(c, r, r.x + f->label + i * f->cell_w, r.y, f->cell_w - 1,
                   canvas_look(c, pos == s->at.query ? STYLE_SELECTED : STYLE_AXIS), text);
    }
}

static void draw_row(const struct session *s, struct canvas *c, struct rect r,
                     const struct lens *l, const struct fit *f, int row, struct limits limits)
{
    char name[24];
    int point = f->top + row, y = r.y + 1 + row;
    bool at = point == session_point(s);
    struct lens_cell cell;

    canvas_text(c, r, r.x, y, at ? STYLE_SELECTED : STYLE_AXIS,
                point_name(point, name, sizeof name));
    for (int i = 0; i < f->cols; i++) {
        struct rect box = {r.x + f->label + i * f->cell_w, y, f->cell_w - 1, 1};
        bool cursor = at && f->first + i == s->at.query;
        if (lens_cell(l, point, f->first + i, &cell))
            draw_cell(s, c, box, &cell, limits, cursor);
        else
            canvas_text(c, r, box.x, y, cursor ? STYLE_CURSOR : STYLE_TODO, "·");
    }
}

/* --- lengths at the cursor's position --- */

/* One point: the stream's length, that of what was added, and the cosine of the two. */
static void draw_norm(struct canvas *c, struct rect r, int x, int y,
                      const struct lens_cell *cell, bool first, int bar, int bar2, float most)
{
    char number[16];

    if (bar > 0)
        draw_bar(c, r, x, y, bar - 1, (double) (cell->norm / most), canvas_look(c, STYLE_BUS));
    canvas_text(c, r, x + bar, y, STYLE_TEXT,
                draw_number(number, sizeof number, (double) cell->norm, 5));
    if (first)
        return;
    x += bar + 6;
    if (bar2 > 0)
        draw_bar(c, r, x, y, bar2 - 1, (double) (cell->added / most),
                 canvas_look(c, STYLE_BAR));
    canvas_text(c, r, x + bar2, y, STYLE_TEXT,
                draw_number(number, sizeof number, (double) cell->added, 5));
    canvas_text(c, r, x + bar2 + 6, y, STYLE_TEXT,
                draw_number(number, sizeof number, (double) cell->cosine, 4));
}

static void draw_norms(const struct session *s, struct canvas *c, struct rect r,
                       const struct lens *l, const struct fit *f)
{
    int x = f->below ? r.x + f->label : r.x + r.w - f->norm_w + 1;
    int y = f->below ? r.y + 1 + f->rows + f->detail : r.y, bars = f->norm_w - NORM_NUMBERS;
    int bar2 = bars >= NORM_BARS ? bars / 2 : 0, bar = bars - bar2;
    struct lens_cell cell;
    float most = 0;

    if (f->norm_w < NORM_NUMBERS)
        return;
    canvas_printf(c, r, x + bar, y, STYLE_AXIS, "%5s %*s%5s %4s", "|x|", bar2, "", "added",
                  "cos");
    for (int i = 0; i < lens_n_points(l); i++)
        if (lens_cell(l, i, s->at.query, &cell) && cell.norm > most)
            most = cell.norm;
    for (int i = 0; i < f->rows; i++) {
        char name[24];
        int point = f->top + i;
        if (f->below)
            canvas_text(c, r, r.x, y + 1 + i,
                        point == session_point(s) ? STYLE_SELECTED : STYLE_AXIS,
                        point_name(point, name, sizeof name));
        if (lens_cell(l, point, s->at.query, &cell))
            draw_norm(c, r, x, y + 1 + i, &cell, point == 0, bar, bar2, most);
    }
}

/* --- below the grid --- */

static const char *mode_text(const struct session *s)
{
    static const char *const text[] = {"probability of the top token",
                                       "rank of the final choice", "KL(final | lens), nats",
                                       "entropy, nats"};
    return text[s->set.lens];
}

static void draw_legend(const struct session *s, struct canvas *c, struct rect r, int y,
                        struct limits limits)
{
    static const char *const name[] = {"p(top)", "rank", "KL", "entropy"};
    bool rank = s->set.lens == LENS_RANK;
    int x = r.x + canvas_printf(c, r, r.x, y, STYLE_AXIS, "%s  %.3g ", name[s->set.lens],
                                rank ? exp(limits.low) : limits.low);

    for (int i = 0; i < 10; i++)
        draw_heat(c, r, x++, y, 1, &plain, i / 9.0);
    if (rank)
        canvas_printf(c, r, x, y, STYLE_AXIS, " %d log", s->program->hp.n_vocab);
    else
        canvas_printf(c, r, x, y, STYLE_AXIS, " %.3g  5-95 %% of these", limits.high);
}

/* "L1 mlp at 10 ·thanked: ·the 0.101  entropy 4.834 nats" */
static void describe(const struct session *s, int point, int pos, const struct lens_cell *cell,
                     struct str *out)
{
    char name[24], label[64];

    str_addf(out, "%s at %d ", point_name(point, name, sizeof name), pos);
    str_adds(out, tokenizer_label(s->tokenizer, s->ids.id[pos], label, sizeof label));
    str_addf(out, ": %s %.3f", label_of(s, cell->top[0].id, label, sizeof label),
             (double) cell->top[0].prob);
    str_addf(out, "  entropy %.3f nats", (double) cell->entropy);
}

/* "final choice: rank 38, KL 2.123  next: rank 2, 1.200" */
static void compare(const struct lens_cell *cell, struct str *out)
{
    if (cell->rank > 0)
        str_addf(out, "final choice: rank %d, KL %.3f  ", cell->rank, (double) cell->kl);
    if (cell->rank_next > 0)
        str_addf(out, "next: rank %d, %.3f", cell->rank_next, (double) cell->surprisal);
}

static void draw_top(const struct session *s, struct canvas *c, struct rect r, int y,
                     const struct lens_cell *cell)
{
    int x = r.x;

    for (int i = 0; i < LENS_TOP && cell->top[i].id >= 0; i++) {
        char label[64];
        label_of(s, cell->top[i].id, label, sizeof label);
        if (x > r.x && x + utf8_width(label, strlen(label)) + 7 > r.x + r.w)
            break;
        x += canvas_text(c, r, x, y, i == 0 ? STYLE_SELECTED : STYLE_TEXT, label);
        x += canvas_printf(c, r, x, y, STYLE_DIM, " %.3f  ", (double) cell->top[i].prob);
    }
}

static void draw_detail(const struct session *s, struct canvas *c, struct rect r,
                        const struct lens *l, const struct fit *f, struct limits limits)
{
    int y = r.y + 1 + f->rows, point = session_point(s), pos = s->at.query;
    struct str text = STR_INIT;
    struct lens_cell cell;

    if (f->detail >= DETAIL_LINES - 1 && !isnan(limits.low))
        draw_legend(s, c, r, y++, limits);
    if (f->detail < 1)
        return;
    if (!lens_cell(l, point, pos, &cell)) {
        char name[24];
        canvas_printf(c, r, r.x, y, STYLE_DIM, "%s at %d is still to do",
                      point_name(point, name, sizeof name), pos);
        return;
    }
    describe(s, point, pos, &cell, &text);
    canvas_fit(c, r, r.x, y++, r.w, canvas_look(c, STYLE_TEXT), text.text);
    str_clear(&text);
    compare(&cell, &text);
    if (f->detail >= 2)
        draw_top(s, c, r, y++, &cell);
    if (f->detail >= DETAIL_LINES)
        canvas_fit(c, r, r.x, y, r.w, canvas_look(c, STYLE_TEXT), text.text ? text.text : "");
    str_release(&text);
}

/* --- the view --- */

void residual_draw(const struct session *s, const struct screen *st, struct canvas *c,
                   struct rect r)
{
    struct err err = ERR_INIT;
    struct fit f;

    if (s->ids.n < 1) {
        canvas_text(c, r, r.x + 1, r.y + 1, STYLE_DIM, "No tokens yet: e edits the prompt.");
        return;
    }
    find_fit(&f, s, r);
    cache_lens(st->cache, s, s->at.query, 1, true, &err); /* the cursor's position first */
    const struct lens *l = cache_lens(st->cache, s, f.first, f.cols, true, &err);
    struct limits limits = find_limits(s, l, &f);
    draw_names(s, c, r, &f);
    for (int row = 0; row < f.rows; row++)
        draw_row(s, c, r, l, &f, row, limits);
    draw_norms(s, c, r, l, &f);
    draw_detail(s, c, r, l, &f, limits);
    if (err.text[0])
        canvas_fit(c, r, r.x, r.y + r.h - 1, r.w, canvas_look(c, STYLE_ERROR), err.text);
}

void residual_title(const struct session *s, char *out, size_t size)
{
    snprintf(out, size, "residual  logit lens: %s", mode_text(s));
}

/* The row of the grid at y, or of the lengths below it; -1 is the row of the names. */
static int row_at(const struct fit *f, struct rect r, int y)
{
    int row = y - r.y - 1, below = row - f->rows - f->detail - 1;

    return f->below && below >= 0 ? below : row;
}

void residual_hit(const struct session *s, const struct screen *st, const struct canvas *c,
                  struct rect r, int x, int y, struct hit *h)
{
    struct err err = ERR_INIT;
    struct str text = STR_INIT;
    struct lens_cell cell;
    struct fit f;

    (void) c;
    if (s->ids.n < 1 || x < r.x || x >= r.x + r.w || y < r.y || y >= r.y + r.h)
        return;
    find_fit(&f, s, r);
    int row = row_at(&f, r, y), col = x < r.x + f.label ? -1 : (x - r.x - f.label) / f.cell_w;
    int point = f.top + row, pos = f.first + col;
    bool in = y <= r.y + f.rows && col >= 0 && col < f.cols;
    if (row >= f.rows)
        return;
    if (row >= 0)
        snprintf(h->line, sizeof h->line, in ? "point %d; query %d" : "point %d", point, pos);
    else if (in)
        snprintf(h->line, sizeof h->line, "query %d", pos);
    const struct lens *l = cache_lens(st->cache, s, 0, 0, false, &err);
    if (row < 0 || !in || !lens_cell(l, point, pos, &cell))
        return;
    describe(s, point, pos, &cell, &text);
    str_adds(&text, "  ");
    compare(&cell, &text);
    snprintf(h->tip, sizeof h->tip, "%s", text.text);
    str_release(&text);
}
