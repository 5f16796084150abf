/* How the map is put into its panel, and what lies under a place of it. */
#include "view/attention.h"

#include "view/views.h"

#include <stdio.h>

enum { NUMBER_W = 5, SIGNED_W = 6 };

bool attention_masks(const struct session *s)
{
    return (s->at.stage == STAGE_MASKED || s->at.stage == STAGE_PATTERN) &&
           !run_looks_ahead(s->run, s->at.layer);
}

int attention_new_from(const struct session *s)
{
    if (run_in_pass(s->run))
        return run_n_past(s->run);
    if (s->n_passes > 0 && s->ids.n > s->n_prompt && s->pass[s->n_passes - 1] < s->ids.n)
        return s->pass[s->n_passes - 1];
    return 0;
}

/* --- sizes --- */

static int columns_of(const struct session *s)
{
    return s->at.stage == STAGE_MIX ? s->program->hp.d_head : s->ids.n;
}

static int label_width(const struct session *s, int w)
{
    int digits = s->ids.n > 1000 ? 4 : s->ids.n > 100 ? 3 : s->ids.n > 10 ? 2 : 1;
    int name = w >= 56 ? 9 : w >= 40 ? 7 : w >= 24 ? 4 : 0;

    return name ? digits + 1 + name : 0;
}

static int number_width(const struct session *s)
{
    return s->at.stage == STAGE_PATTERN ? NUMBER_W : SIGNED_W;
}

/* The narrowest cell with a number in it that is none too many: a sign needs its column. */
static int least_number(const struct session *s)
{
    return s->at.stage == STAGE_PATTERN ? 3 : 4;
}

static bool try_cell(struct attn_fit *f, const struct session *s, const struct canvas *c,
                     struct rect r, int cell)
{
    f->cell = cell;
    f->number = cell > 2;
    f->half = cell == 1 && draw_rich(c); /* half blocks need colours */
    f->want.rows = (r.h - 1 - f->legend) * (f->half ? 2 : 1);
    f->want.cols = (r.w - f->label) / cell;
    f->want.rows = f->want.rows > 0 ? f->want.rows : 1;
    f->want.cols = f->want.cols > 0 ? f->want.cols : 1;
    return f->want.rows >= s->ids.n && f->want.cols >= columns_of(s);
}

/* The widest cells with which all of it fits; the narrowest when it never does. */
static void fit_all(struct attn_fit *f, const struct session *s, const struct canvas *c,
                    struct rect r)
{
    int cell = number_width(s);

    while (!try_cell(f, s, c, r, cell) && cell > 1)
        cell = cell > least_number(s) ? cell - 1 : cell > 2 ? 2 : 1;
    if (cell == 1 && !f->half && (r.w - f->label) / 2 >= f->want.rows)
        try_cell(f, s, c, r, 2); /* pooled pixels are square: there is room to the right */
}

/* A window around the cursor, unless all fits as it is. */
static void fit_window(struct attn_fit *f, const struct session *s, const struct canvas *c,
                       struct rect r)
{
    if (f->cell > 1 && (f->number || s->set.zoom == ZOOM_PIXELS))
        return;
    if (try_cell(f, s, c, r, s->set.zoom == ZOOM_NUMBERS ? number_width(s) : 1))
        return;
    f->want.window = true;
    f->want.first_q = scroll_around(s->at.query, s->ids.n, f->want.rows);
    f->want.first_k = scroll_around(s->at.key, columns_of(s), f->want.cols);
}

/* --- the empty triangle --- */

static int each(int n, int pixels)
{
    return (n + pixels - 1) / pixels;
}

/* Columns that stay free at the right of the map's first `lines` lines. */
static int free_columns(const struct attn_fit *f, const struct session *s, struct rect r,
                        int lines)
{
    int n_col = columns_of(s), pool = each(n_col, f->want.cols);
    int pool_q = each(s->ids.n, f->want.rows), seen;

    if (s->at.stage != STAGE_MIX)
        pool = pool > pool_q ? pool : pool_q;
    n_col = each(n_col, pool);
    seen = lines * (f->half ? 2 : 1);
    if (!attention_masks(s) || seen > n_col)
        seen = n_col;
    return r.w - f->label - seen * f->cell - 1;
}

int attention_magnifier_width(int side)
{
    return side > 0 ? 5 + side * SIGNED_W : 0;
}

static bool try_inset(struct attn_fit *f, const struct session *s, struct rect r, int side)
{
    int w = attention_magnifier_width(side),
        h = attention_inset_lines(s) + (side > 0 ? side + 1 : 0);

    w = w > INSET_W ? w : INSET_W;
    if (h > r.h - 1 || free_columns(f, s, r, h) < w)
        return false;
    f->magnified = side;
    f->inset = (struct rect){r.x + r.w - w, r.y + 1, w, h};
    return true;
}

static bool find_inset(struct attn_fit *f, const struct session *s, struct rect r)
{
    if (f->want.window)
        return false;
    if (!f->number)
        for (int side = 5; side >= 3; side -= 2)
            if (try_inset(f, s, r, side))
                return true;
    return try_inset(f, s, r, 0);
}

void attention_fit(struct attn_fit *f, const struct session *s, const struct canvas *c,
                   struct rect r)
{
    *f = (struct attn_fit){.label = label_width(s, r.w)};
    fit_all(f, s, c, r);
    if (s->set.zoom != ZOOM_FIT)
        fit_window(f, s, c, r);
    if (find_inset(f, s, r))
        return;
    *f = (struct attn_fit){.label = f->label, .legend = r.h >= 10 ? 2 : r.h >= 6 ? 1 : 0};
    fit_all(f, s, c, r);
    if (s->set.zoom != ZOOM_FIT)
        fit_window(f, s, c, r);
}

/* --- places --- */

int attention_x(const struct attn_fit *f, const struct attn_grid *g, int key)
{
    return f->label + (key - g->first_k) / g->pool * f->cell;
}

int attention_line(const struct attn_fit *f, const struct attn_grid *g, int query)
{
    return 1 + (query - g->first_q) / g->pool_q / (f->half ? 2 : 1);
}

/* The cursor's place where it is one of the n from `first` on. */
static int rather(int cursor, int first, int n, int end)
{
    if (first < 0 || first >= end)
        return -1;
    return cursor >= first && cursor < first + n ? cursor : first;
}

void attention_at(const struct attn_fit *f, const struct attn_grid *g, const struct session *s,
                  struct rect r, int x, int y, int *query, int *key)
{
    int line = y - r.y - 1, col = (x - r.x - f->label) / f->cell, a_line = f->half ? 2 : 1;

    *query = *key = -1;
    if (line >= 0 && line * a_line < g->rows)
        *query = rather(s->at.query, g->first_q + line * a_line * g->pool_q, a_line * g->pool_q,
                        g->n_query);
    if (x >= r.x + f->label && col < g->cols)
        *key = rather(s->at.key, g->first_k + col * g->pool, g->pool,
                      s->at.stage == STAGE_MIX ? g->n_col : g->n_query);
}

static bool in_rect(struct rect r, int x, int y)
{
    return x >= r.x && y >= r.y && x < r.x + r.w && y < r.y + r.h;
}

void attention_hit(const struct session *s, const struct screen *st, const struct canvas *c,
                   struct rect r, int x, int y, struct hit *h)
{
    struct err err = ERR_INIT;
    struct attn_fit f;
    int query, key;

    if (s->ids.n < 1 || !in_rect(r, x, y))
        return;
    attention_fit(&f, s, c, r);
    const struct attn_grid *g = cache_attention(st->cache, s, &f.want, &err);
    if (!g || in_rect(f.inset, x, y))
        return;
    attention_at(&f, g, s, r, x, y, &query, &key);
    if (query >= 0 && key >= 0) {
        attention_tip(s, g, query, key, h->tip, sizeof h->tip);
        if (key < s->ids.n)
            snprintf(h->line, sizeof h->line, "select %d,%d", query, key);
    } else if (query >= 0) {
        snprintf(h->line, sizeof h->line, "query %d", query);
    } else if (key >= 0 && y == r.y && key < s->ids.n) {
        snprintf(h->line, sizeof h->line, "key %d", key);
    }
}
