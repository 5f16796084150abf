/* One MLP at one position: strips of its activations, the activation function with the selected
 * neuron on it, and the strongest neurons with the tokens they promote. */
#include "base/mem.h"
#include "session/neurons.h"
#include "view/cache.h"
#include "view/draw.h"
#include "view/plot.h"
#include "view/views.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STRIPS_MOST = 3,
    STRIP_NAME = 5,  /* "gate " */
    STRIP_LABEL = 18 /* " ±12.3  24 a cell" */
};

/* Where things are in the panel. */
struct places {
    int strips, strip_y, strip_cells; /* rows of strips, one under the other */
    int chosen_y;                     /* the selected neuron's numbers; -1: no room */
    struct rect curve, table;         /* h 0: no room */
};

static void find_places(struct places *p, bool gated, struct rect r)
{
    bool side = r.w >= 84 && r.h >= 10;
    int strips = gated ? 3 : 2, y = r.y + 1;

    *p = (struct places){.strips = r.h >= 5 ? strips : 0, .strip_y = y, .chosen_y = -1};
    p->strip_cells = r.w - STRIP_NAME - (r.w >= 40 ? STRIP_LABEL : 0);
    y += p->strips;
    if (r.h >= 3)
        p->chosen_y = y++;
    int rest = r.y + r.h - y, high = side ? rest : rest >= 10 ? (rest + 1) / 2 : 0;
    high = high > 14 ? 14 : high;
    int wide = side ? r.w * 2 / 5 : r.w;
    wide = wide > 64 ? 64 : wide;
    p->curve = (struct rect){side ? r.x + r.w - wide : r.x, y, wide, high};
    p->table = (struct rect){r.x, side ? y : y + high, side ? r.w - wide - 1 : r.w,
                             side ? rest : rest - high};
}

static int chosen_neuron(const struct session *s, const struct neuron_row *row)
{
    return s->at.neuron >= 0 ? s->at.neuron : row->order[0];
}

/* --- the first line --- */

static void draw_head(const struct session *s, const struct neuron_row *row, struct canvas *c,
                      struct rect r)
{
    const struct hparams *hp = &s->program->hp;
    char label[64];
    int x = r.x + canvas_printf(c, r, r.x, r.y, STYLE_SELECTED, "L%d.mlp ", s->at.layer);

    if (s->ids.n > 0) {
        tokenizer_label(s->tokenizer, s->ids.id[s->at.query], label, sizeof label);
        x += canvas_printf(c, r, x, r.y, STYLE_AXIS, "at %d ", s->at.query);
        x += canvas_fit(c, r, x, r.y, 12, canvas_look(c, STYLE_TEXT), label) + 1;
    }
    if (row && row->ready)
        x += canvas_printf(c, r, x, r.y, STYLE_TEXT, " %d of %d > 0 ", row->n_active, row->n);
    else
        x += canvas_text(c, r, x, r.y, STYLE_TODO, row ? " ·" : " to do ");
    bool own = !strcmp(neuron_function(s, s->at.layer), hp->act == ACT_SILU ? "silu" : "gelu");
    canvas_printf(c, r, x, r.y, STYLE_DIM, " %s%s",
                  own ? neuron_act_name(hp) : neuron_function(s, s->at.layer),
                  hp->gated ? ", gated" : "");
}

/* --- strips --- */

static int strip_pool(const struct places *p, int n)
{
    return p->strip_cells > 0 ? (n + p->strip_cells - 1) / p->strip_cells : n;
}

/* The neuron that speaks for a cell: the one with the largest |x|. */
static int strip_neuron(const float *x, int n, int pool, int cell)
{
    int best = cell * pool;

    for (int i = best; i < n && i < (cell + 1) * pool; i++)
        if (fabsf(x[i]) > fabsf(x[best]))
            best = i;
    return best;
}

static void draw_strip(const struct session *s, struct canvas *c, struct rect r,
                       const struct places *p, int y, const char *name, const float *x, int n)
{
    int pool = strip_pool(p, n), at = r.x + STRIP_NAME;
    struct scale scale = {s->set.scale == SCALE_ROW_MAX ? SCALE_LINEAR : s->set.scale, true, 0};
    char limit[16];

    canvas_text(c, r, r.x, y, STYLE_AXIS, name);
    if (p->strip_cells < 1)
        return;
    for (int i = 0; i < n; i++)
        scale.limit = fabs((double) x[i]) > scale.limit ? fabs((double) x[i]) : scale.limit;
    if (!draw_rich(c))
        draw_spark(c, r, at, y, p->strip_cells, x, n, true);
    for (int i = 0; draw_rich(c) && i * pool < n; i++) {
        double v = (double) x[strip_neuron(x, n, pool, i)];
        draw_heat(c, r, at + i, y, 1, &scale, scale_at(&scale, v, scale.limit));
    }
    if (r.x + r.w - at > p->strip_cells)
        canvas_printf(c, r, at + p->strip_cells, y, STYLE_AXIS, " ±%s  %d a cell",
                      draw_number(limit, sizeof limit, scale.limit, -4), pool);
}

/* The arrays shown, in the order of the strips. */
static void strip_arrays(const struct neuron_row *row, const float *x[STRIPS_MOST],
                         const char *name[STRIPS_MOST])
{
    int n = 0;

    x[n] = row->pre;
    name[n++] = row->linear ? "gate" : "pre";
    if (row->linear) {
        x[n] = row->linear;
        name[n++] = "up";
    }
    x[n] = row->post;
    name[n] = "post";
}

static void draw_strips(const struct session *s, struct canvas *c, struct rect r,
                        const struct places *p, const struct neuron_row *row)
{
    const float *x[STRIPS_MOST];
    const char *name[STRIPS_MOST];
    int cell = chosen_neuron(s, row) / strip_pool(p, row->n);

    strip_arrays(row, x, name);
    for (int i = 0; i < p->strips; i++) {
        draw_strip(s, c, r, p, p->strip_y + i, name[i], x[i], row->n);
        if (cell < p->strip_cells)
            canvas_text(c, r, r.x + STRIP_NAME + cell, p->strip_y + i, STYLE_CURSOR, "▲");
    }
}

static void draw_chosen(const struct session *s, struct canvas *c, struct rect r, int y,
                        const struct neuron_row *row)
{
    int i = chosen_neuron(s, row), digits = r.w >= 64 ? 6 : 4;
    int x = r.x + canvas_printf(c, r, r.x, y, STYLE_SELECTED, "neuron %d ", i);

    if (r.w >= 64)
        x += canvas_printf(c, r, x, y, STYLE_DIM, "(%d. of %d) ", neuron_row_rank(row, i) + 1,
                           row->n);
    x += canvas_printf(c, r, x, y, STYLE_TEXT, "%s(%.*g) = %.*g",
                       neuron_function(s, s->at.layer), digits, (double) row->pre[i], digits,
                       (double) row->act[i]);
    if (row->linear)
        canvas_printf(c, r, x, y, STYLE_TEXT, "  × %.*g = %.*g", digits,
                      (double) row->linear[i], digits, (double) row->post[i]);
}

/* --- the curve --- */

/* A round number of at least v: 1, 2, 5, 10, ... */
static double round_up(double v)
{
    double unit = pow(10, floor(log10(v)));

    return v <= unit ? unit : v <= 2 * unit ? 2 * unit : v <= 5 * unit ? 5 * unit : 10 * unit;
}

static void draw_function(const struct session *s, struct plot *p)
{
    int n = plot_columns(p);
    float *x = xcalloc((size_t) n * 2 + 1, sizeof *x), *y = x + n;

    for (int i = 0; i < n; i++)
        x[i] = (float) plot_x(p, i);
    neuron_curve(s, s->at.layer, x, y, n);
    for (int i = 0; i < n; i++)
        plot_dot(p, plot_x(p, i), (double) y[i]);
    free(x);
}

static void draw_curve(const struct session *s, struct canvas *c, struct rect r,
                       const struct neuron_row *row)
{
    double limit = 2;
    struct plot p;
    int x, y;

    for (int i = 0; row && i < row->n; i++)
        if (isfinite(row->pre[i]))
            limit = fmax(limit, fabs((double) row->pre[i]));
    limit = round_up(limit);
    plot_init(&p, r, -limit, limit, -limit / 4, limit);
    plot_axes(&p, c, r);
    draw_function(s, &p);
    plot_draw(&p, c, r, canvas_look(c, STYLE_BAR));
    if (row) {
        int i = chosen_neuron(s, row);
        if (plot_cell(&p, (double) row->pre[i], (double) row->act[i], &x, &y))
            canvas_text(c, r, x, y, STYLE_POINT, "●");
    }
    if (p.r.h >= 3 && p.r.w >= 16)
        canvas_text(c, r, p.r.x + 1, p.r.y, STYLE_AXIS, neuron_function(s, s->at.layer));
    plot_release(&p);
}

/* --- the table --- */

/* Columns of the table. */
struct columns {
    int name, number, bar, token, tokens, effect; /* widths; tokens: how many */
};

static void find_columns(struct columns *t, bool gated, int w)
{
    int numbers = gated ? 3 : 2;

    t->name = 6;
    t->number = w >= 60 ? 8 : 7;
    t->bar = w >= 60 ? 10 : w >= 44 ? 5 : 0;
    int left = w - t->name - numbers * t->number - t->bar - (t->bar ? 2 : 1);
    t->effect = left >= NEURON_TOKENS * 15 ? 6 : 0;
    t->token = (left >= NEURON_TOKENS * 10 ? 9 : 7) + t->effect;
    t->tokens = left / (t->token + 1);
    t->tokens = t->tokens > NEURON_TOKENS ? NEURON_TOKENS : t->tokens < 0 ? 0 : t->tokens;
}

static void draw_columns(struct canvas *c, struct rect r, const struct columns *t, bool gated)
{
    int x = r.x + canvas_printf(c, r, r.x, r.y, STYLE_AXIS, "%*s", t->name, "neuron");

    x += canvas_printf(c, r, x, r.y, STYLE_AXIS, "%*s", t->number, gated ? "gate" : "pre");
    if (gated)
        x += canvas_printf(c, r, x, r.y, STYLE_AXIS, "%*s", t->number, "up");
    x += canvas_printf(c, r, x, r.y, STYLE_AXIS, "%*s", t->number, "post");
    x += t->bar + (t->bar ? 2 : 1);
    if (t->tokens > 0)
        canvas_text(c, r, x, r.y, STYLE_AXIS, t->effect ? "promotes, by how much" : "promotes");
}

static int draw_value(struct canvas *c, struct rect r, int x, int y, int w, float v,
                      enum style style)
{
    char text[16];

    return canvas_printf(c, r, x, y, style, " %s",
                         draw_number(text, sizeof text, (double) v, w - 1));
}

static void draw_promoted(const struct session *s, struct canvas *c, struct rect r, int x,
                          int y, const struct columns *t, const struct neuron_effect *e,
                          float post)
{
    const struct neuron_token *list = !e ? NULL : post < 0 ? e->down : e->up;
    char label[64], number[16];

    if (!e && t->tokens > 0)
        canvas_text(c, r, x, y, STYLE_TODO, "·");
    for (int k = 0; e && k < t->tokens && list[k].id >= 0; k++, x += t->token + 1) {
        tokenizer_label(s->tokenizer, list[k].id, label, sizeof label);
        int n = canvas_fit(c, r, x, y, t->token - t->effect, canvas_look(c, STYLE_TEXT), label);
        double effect = (double) list[k].effect * (double) post;
        if (t->effect)
            canvas_printf(c, r, x + n + 1, y, STYLE_DIM, "%s",
                          draw_number(number, sizeof number, effect, -(t->effect - 1)));
    }
}

static void draw_neuron(const struct session *s, struct canvas *c, struct rect r, int y,
                        const struct columns *t, const struct neuron_row *row, int i,
                        const struct neuron_effect *e)
{
    bool chosen = i == chosen_neuron(s, row);
    enum style style = chosen ? STYLE_SELECTED : STYLE_TEXT;
    int x = r.x +
            canvas_printf(c, r, r.x, y, chosen ? STYLE_CURSOR : STYLE_AXIS, "%*d", t->name, i);
    float most = fabsf(row->post[row->order[0]]), v = row->post[i];
    struct look bar = canvas_look(c, STYLE_BAR);

    x += draw_value(c, r, x, y, t->number, row->pre[i], style);
    if (row->linear)
        x += draw_value(c, r, x, y, t->number, row->linear[i], style);
    x += draw_value(c, r, x, y, t->number, v, style) + 1;
    if (c->caps.colors > 0)
        bar.fg = theme_color(c->theme, MAP_DIVERGING, v < 0 ? 0.12 : 0.88);
    if (t->bar > 0) {
        draw_bar(c, r, x, y, t->bar, most > 0 ? (double) (fabsf(v) / most) : 0, bar);
        x += t->bar + 1;
    }
    draw_promoted(s, c, r, x, y, t, e, v);
}

/* The neurons in the table's rows: around the selected one in the order of |post|. */
static int first_rank(const struct session *s, const struct neuron_row *row, int lines)
{
    return scroll_around(neuron_row_rank(row, s->at.neuron), row->n, lines);
}

static void draw_table(const struct session *s, const struct screen *st, struct canvas *c,
                       struct rect r, const struct neuron_row *row)
{
    struct columns t;
    int lines = r.h - 1 < row->n ? r.h - 1 : row->n;

    if (lines < 1)
        return;
    find_columns(&t, row->linear != NULL, r.w);
    draw_columns(c, r, &t, row->linear != NULL);
    const int *shown = row->order + first_rank(s, row, lines);
    const struct neuron_tokens *tokens =
        t.tokens > 0 ? cache_neuron_tokens(st->cache, s, row->layer, shown, lines) : NULL;
    for (int i = 0; i < lines; i++)
        draw_neuron(s, c, r, r.y + 1 + i, &t, row, shown[i],
                    tokens ? neuron_tokens_find(tokens, row->layer, shown[i]) : NULL);
}

void mlp_draw(const struct session *s, const struct screen *st, struct canvas *c, struct rect r)
{
    struct err err = ERR_INIT;
    struct places p;
    const struct neuron_row *row = s->ids.n > 0 ? cache_neurons(st->cache, s, &err) : NULL;

    find_places(&p, s->program->hp.gated, r);
    draw_head(s, row, c, r);
    if (row && !row->ready)
        row = NULL;
    if (p.curve.h > 2)
        draw_curve(s, c, p.curve, row);
    if (!row)
        return;
    draw_strips(s, c, r, &p, row);
    if (p.chosen_y >= 0)
        draw_chosen(s, c, r, p.chosen_y, row);
    draw_table(s, st, c, p.table, row);
}

void mlp_hit(const struct session *s, const struct screen *st, const struct canvas *c,
             struct rect r, int x, int y, struct hit *h)
{
    struct err err = ERR_INIT;
    struct places p;
    const struct neuron_row *row = s->ids.n > 0 ? cache_neurons(st->cache, s, &err) : NULL;
    int strip = y - r.y - 1, cell = x - r.x - STRIP_NAME, neuron = -1;

    (void) c;
    if (!row || !row->ready)
        return;
    find_places(&p, row->linear != NULL, r);
    int lines = p.table.h - 1 < row->n ? p.table.h - 1 : row->n, line = y - p.table.y - 1;
    if (strip >= 0 && strip < p.strips && cell >= 0 && cell < p.strip_cells) {
        const float *v[STRIPS_MOST];
        const char *name[STRIPS_MOST];
        int pool = strip_pool(&p, row->n);
        strip_arrays(row, v, name);
        if (cell * pool < row->n)
            neuron = strip_neuron(v[strip], row->n, pool, cell);
    } else if (line >= 0 && line < lines && x < p.table.x + p.table.w) {
        neuron = row->order[first_rank(s, row, lines) + line];
    }
    if (neuron < 0)
        return;
    snprintf(h->line, sizeof h->line, "neuron %d", neuron);
    snprintf(h->tip, sizeof h->tip, "neuron %d: pre %.6g, post %.6g", neuron,
             (double) row->pre[neuron], (double) row->post[neuron]);
}
