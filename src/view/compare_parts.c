/* What comparing shows beside the map: every head's largest difference, and the tokens whose
 * probability changed most. */
#include "view/compare.h"

#include "session/mark.h"
#include "view/draw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- heads --- */

struct grid {
    int label, cell; /* columns: of "L12 ", of a head */
    int first, lines, below;
};

static void lay_out(struct grid *g, const struct session *s, struct rect r)
{
    const struct hparams *hp = &s->program->hp;

    g->label = hp->n_layer > 10 ? 4 : 3;
    g->cell = (r.w - g->label) / hp->n_head;
    g->cell = g->cell > 6 ? 6 : g->cell < 1 ? 1 : g->cell;
    g->below = r.h >= 6 ? 2 : 0;
    g->lines = r.h - 1 - g->below < 1 ? 1 : r.h - 1 - g->below;
    g->first = scroll_around(s->at.layer, hp->n_layer, g->lines);
}

static void draw_head(struct canvas *c, struct rect r, int x, int y, const struct grid *g,
                      const struct scale *scale, double v, bool selected)
{
    double at = scale_at(scale, v, 0);
    char number[16];

    if (g->cell < 4) {
        draw_heat(c, r, x, y, g->cell > 1 ? g->cell - 1 : 1, scale, at);
        if (selected)
            canvas_text(c, r, x, y, STYLE_CURSOR, "+");
        return;
    }
    draw_number(number, sizeof number, v, g->cell - 1);
    if (v == 0)
        snprintf(number, sizeof number, "%*s", g->cell - 1, "0");
    struct look look = selected ? canvas_look(c, STYLE_CURSOR) : draw_heat_look(c, scale, at);
    canvas_put(c, r, x, y, look, number, strlen(number));
}

static void draw_head_names(const struct session *s, struct canvas *c, struct rect r,
                            const struct grid *g)
{
    for (int head = 0; head < s->program->hp.n_head; head++) {
        enum style style = head == s->at.head ? STYLE_SELECTED : STYLE_AXIS;
        int x = r.x + g->label + head * g->cell;
        if (g->cell >= 4)
            canvas_printf(c, r, x, r.y, style, "%*s%d", g->cell - (head > 9 ? 4 : 3), "H",
                          head);
        else if (g->cell == 3 || head % 5 == 0 || head == s->at.head)
            canvas_printf(c, r, x, r.y, style, g->cell == 1 ? "%.1d" : "%d",
                          g->cell == 1 ? head % 10 : head);
    }
}

static void draw_heads_legend(const struct session *s, struct canvas *c, struct rect r,
                              const struct compare_heads *h, const struct scale *scale)
{
    int i = s->at.layer * h->n_head + s->at.head, y = r.y + r.h - 2, x = r.x;

    x += draw_scale(c, r, x, y, r.w >= 30 ? 12 : 6, scale) + 2;
    if (h->to_do > 0)
        canvas_printf(c, r, x, y, STYLE_DIM, "%d queries to do", h->to_do);
    else if (h->largest == 0)
        canvas_text(c, r, x, y, STYLE_DIM, "no difference");
    x = r.x +
        canvas_printf(c, r, r.x, y + 1, STYLE_SELECTED, "L%d.H%d ", s->at.layer, s->at.head);
    if (h->from[s->at.layer] >= h->ready[s->at.layer])
        canvas_text(c, r, x, y + 1, STYLE_DIM, "to do");
    else
        canvas_printf(c, r, x, y + 1, STYLE_TEXT, "max |now - mark| %.4f", (double) h->most[i]);
}

void compare_heads_draw(const struct session *s, const struct screen *st, struct canvas *c,
                        struct rect r)
{
    struct err err = ERR_INIT;
    struct grid g;
    const struct compare_heads *h = cache_compare_heads(st->cache, s, &err);

    if (!h) {
        compare_nothing(s, c, r, &err);
        return;
    }
    lay_out(&g, s, r);
    struct scale scale = {s->set.scale == SCALE_ROW_MAX ? SCALE_LINEAR : s->set.scale, false,
                          h->largest > 0 ? (double) h->largest : 1};
    draw_head_names(s, c, r, &g);
    for (int i = 0; i < g.lines && g.first + i < h->n_layer; i++) {
        int layer = g.first + i, y = r.y + 1 + i;
        bool done = h->from[layer] < h->ready[layer];
        canvas_printf(c, r, r.x, y, layer == s->at.layer ? STYLE_SELECTED : STYLE_AXIS, "L%d",
                      layer);
        for (int head = 0; head < h->n_head; head++) {
            int x = r.x + g.label + head * g.cell;
            bool selected = layer == s->at.layer && head == s->at.head;
            if (done)
                draw_head(c, r, x, y, &g, &scale, (double) h->most[layer * h->n_head + head],
                          selected);
            else
                canvas_text(c, r, x, y, selected ? STYLE_SELECTED : STYLE_TODO, "·");
        }
    }
    if (g.below > 0)
        draw_heads_legend(s, c, r, h, &scale);
}

void compare_heads_hit(const struct session *s, const struct screen *st, const struct canvas *c,
                       struct rect r, int x, int y, struct hit *h)
{
    struct err err = ERR_INIT;
    struct grid g;
    const struct compare_heads *sum = cache_compare_heads(st->cache, s, &err);

    (void) c;
    lay_out(&g, s, r);
    int layer = g.first + y - r.y - 1, head = (x - r.x - g.label) / g.cell;
    if (!sum || y <= r.y || y - r.y > g.lines || x < r.x + g.label || head >= sum->n_head ||
        layer >= sum->n_layer)
        return;
    snprintf(h->line, sizeof h->line, "select L%d.H%d", layer, head);
    if (sum->from[layer] < sum->ready[layer])
        snprintf(h->tip, sizeof h->tip, "L%d.H%d max |now - mark| %.4f", layer, head,
                 (double) sum->most[layer * sum->n_head + head]);
}

/* --- logits --- */

static const char *probability(double p, char out[16])
{
    snprintf(out, 16, "%.3f", p);
    if (p >= 0.9995)
        return "1.00";
    return p > 0 && p < 0.0005 ? "<.001" : out + 1;
}

static int draw_logits_head(const struct session *s, struct canvas *c, struct rect r,
                            const struct logit_diff *d)
{
    char now[48], mark[48];
    int other = run_tokens(s->mark->run)[d->pos];

    tokenizer_label(s->tokenizer, s->ids.id[d->pos], now, sizeof now);
    tokenizer_label(s->tokenizer, other, mark, sizeof mark);
    int x = r.x + canvas_printf(c, r, r.x, r.y, STYLE_AXIS, "after %d ", d->pos);
    x += canvas_printf(c, r, x, r.y, STYLE_TEXT, "%.14s", now);
    if (other != s->ids.id[d->pos])
        canvas_printf(c, r, x, r.y, STYLE_NEW, "  mark %.14s", mark);
    x = r.x + canvas_printf(c, r, r.x, r.y + 1, STYLE_AXIS, "KL(mark||now) ");
    canvas_printf(c, r, x, r.y + 1, STYLE_SELECTED, "%.4f nats", d->kl);
    return 2;
}

/* "·thanked  .235 → .190  -.045 " and a bar. */
static void draw_change(const struct session *s, struct canvas *c, struct rect r, int y,
                        const struct logit_change *t, double most)
{
    char label[64], mark[16], now[16], change[16];
    int name = r.w >= 40 ? 12 : r.w >= 30 ? 9 : 6, x = r.x;
    double delta = t->p_now - t->p_mark;
    struct look bar = canvas_look(c, STYLE_BAR);

    tokenizer_label(s->tokenizer, t->id, label, sizeof label);
    canvas_fit(c, r, x, y, name, canvas_look(c, STYLE_TEXT), label);
    x += name + 1;
    if (r.w >= 26)
        x += canvas_printf(c, r, x, y, STYLE_DIM, "%5s → %5s ", probability(t->p_mark, mark),
                           probability(t->p_now, now));
    compare_number(change, sizeof change, delta, 5);
    x += canvas_printf(c, r, x, y, delta > 0 ? STYLE_SELECTED : STYLE_TEXT, "%5s ",
                       fabs(delta) < 0.0005 ? (delta > 0 ? "+<.1%" : "-<.1%") : change);
    if (c->caps.colors > 0)
        bar.fg = theme_color(c->theme, MAP_DIVERGING, delta < 0 ? 0.12 : 0.88);
    draw_bar(c, r, x, y, r.x + r.w - x, fabs(delta) / most, bar);
}

static double change_size(const struct logit_change *t)
{
    return fabs(t->p_now - t->p_mark);
}

void compare_logits_draw(const struct session *s, const struct screen *st, struct canvas *c,
                         struct rect r)
{
    struct err err = ERR_INIT;
    const struct logit_diff *d = cache_logit_diff(st->cache, s, &err);
    int up = 0, down = 0;

    if (!d) {
        compare_nothing(s, c, r, &err);
        return;
    }
    int y = r.h > 3 ? draw_logits_head(s, c, r, d) : 0;
    if (d->n_up + d->n_down == 0)
        canvas_text(c, r, r.x, r.y + y, STYLE_DIM, "no difference");
    double most = 0;
    for (; y < r.h && (up < d->n_up || down < d->n_down); y++) {
        bool rises = up < d->n_up && (down == d->n_down ||
                                      change_size(&d->up[up]) >= change_size(&d->down[down]));
        const struct logit_change *t = rises ? &d->up[up++] : &d->down[down++];
        most = most > 0 ? most : change_size(t);
        draw_change(s, c, r, r.y + y, t, most);
    }
}
