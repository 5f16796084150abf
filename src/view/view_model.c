/* The model: its sizes, where its parameters are, what they take; and, where there is room,
 * each weight. */
#include "model/parts.h"
#include "view/draw.h"
#include "view/views.h"

#include <stdio.h>
#include <string.h>

enum { SUMMARY_LINES = 18, SUMMARY_W = 42, WIDE = 76 };

/* --- the summary --- */

static void draw_sizes(const struct session *s, struct canvas *c, struct rect r, int y)
{
    const struct hparams *hp = &s->program->hp;

    canvas_printf(c, r, r.x, y, STYLE_TITLE, "%s", hp->name);
    canvas_printf(c, r, r.x, y + 1, STYLE_TEXT, "%d layers  %d heads / %d kv", hp->n_layer,
                  hp->n_head, hp->n_kv_head);
    canvas_printf(c, r, r.x, y + 2, STYLE_TEXT, "d_model %d  d_head %d", hp->d_model,
                  hp->d_head);
    canvas_printf(c, r, r.x, y + 3, STYLE_TEXT, "d_mlp %d  context %d", hp->d_mlp, hp->n_ctx);
    canvas_printf(c, r, r.x, y + 4, STYLE_TEXT, "vocabulary %d", hp->n_vocab);
    canvas_printf(c, r, r.x, y + 5, STYLE_TEXT, "%s, %s%s, %s",
                  hp->norm == NORM_RMS ? "RMSNorm" : "LayerNorm",
                  hp->act == ACT_SILU ? "SiLU" : "GELU", hp->gated ? " gated" : "",
                  !hp->learned_pos ? "RoPE"
                  : r.w >= 36      ? "learned positions"
                                   : "learned pos");
}

static void draw_part(const struct session *s, const struct parts *p, struct canvas *c,
                      struct rect r, int y, enum part part)
{
    double share = (double) p->params[part] / (double) p->total;
    char count[16];
    int bar = r.w - 18 - 5;

    canvas_printf(c, r, r.x, y, STYLE_TEXT, "%-10s%7s", part_name(part),
                  draw_count(count, sizeof count, (double) p->params[part]));
    if (part == PART_HEAD && s->program->hp.tied) {
        canvas_text(c, r, r.x + 18, y, STYLE_DIM,
                    r.w >= 36 ? "is the embedding" : "= embedding");
        return;
    }
    if (part == PART_POSITIONS && !s->program->hp.learned_pos) {
        canvas_text(c, r, r.x + 18, y, STYLE_DIM, "RoPE: none");
        return;
    }
    if (bar >= 2)
        draw_bar(c, r, r.x + 18, y, bar, share, canvas_look(c, STYLE_BAR));
    if (bar >= 0)
        canvas_printf(c, r, r.x + r.w - 5, y, STYLE_AXIS,
                      share > 0 && share < 0.005 ? " <1 %%" : "%3.0f %%", share * 100);
}

/* 12 n_layer d_model^2: 4 d^2 for q, k, v and the output, 8 d^2 for an MLP of 4 d. */
static void draw_rule(const struct parts *p, struct canvas *c, struct rect r, int y)
{
    double blocks = (double) (p->params[PART_ATTENTION] + p->params[PART_MLP]);
    char count[16], rule[16];

    draw_count(rule, sizeof rule, (double) p->rule);
    draw_count(count, sizeof count, blocks);
    canvas_printf(c, r, r.x, y, STYLE_DIM, "12 n_layer d_model² = %s", rule);
    canvas_printf(c, r, r.x, y + 1, STYLE_DIM, "attention + mlp %s: × %.3f", count,
                  blocks / (double) p->rule);
}

static void draw_memory(const struct session *s, const struct parts *p, struct canvas *c,
                        struct rect r, int y)
{
    const struct hparams *hp = &s->program->hp;
    double each = 2.0 * hp->n_layer * hp->n_kv_head * hp->d_head * sizeof(float);
    char bytes[16], whole[16];
    int x = r.x;

    for (int i = 0; i < DTYPE_COUNT; i++)
        if (p->dtype_bytes[i])
            x += canvas_printf(c, r, x, y, STYLE_TEXT, "%s%s %s", x > r.x ? ", " : "",
                               dtype_info((enum dtype) i)->name,
                               draw_bytes(bytes, sizeof bytes, (double) p->dtype_bytes[i]));
    draw_bytes(bytes, sizeof bytes, each);
    draw_bytes(whole, sizeof whole, each * run_n_ctx(s->run));
    x = r.x + canvas_printf(c, r, r.x, y + 1, STYLE_TEXT, "cache %s a token", bytes);
    if (r.w >= 38)
        canvas_printf(c, r, x, y + 1, STYLE_DIM, ", %s for %d", whole, run_n_ctx(s->run));
}

static void draw_summary(const struct session *s, const struct parts *p, struct canvas *c,
                         struct rect r, int first)
{
    char count[16];
    int y = r.y - first;

    draw_sizes(s, c, r, y);
    y += 7;
    for (int i = 0; i < PART_COUNT; i++)
        draw_part(s, p, c, r, y++, (enum part) i);
    canvas_printf(c, r, r.x, y++, STYLE_TITLE, "%-10s%7s", "total",
                  draw_count(count, sizeof count, (double) p->total));
    draw_rule(p, c, r, y);
    draw_memory(s, p, c, r, y + 2);
}

/* --- each weight --- */

/* The list has the weights in their order, and a line before those of each block. */
static int layer_of(const struct model *m, int weight)
{
    return model_weight_info(m, weight).layer;
}

static int count_rows(const struct model *m)
{
    int n = model_n_weights(m), rows = n;

    for (int i = 0; i < n; i++)
        rows += i == 0 || layer_of(m, i) != layer_of(m, i - 1);
    return rows;
}

static void draw_block(const struct model *m, struct canvas *c, struct rect r, int y, int layer)
{
    double params = 0, bytes = 0;
    char count[16], size[16];

    for (int i = 0; i < model_n_weights(m); i++) {
        struct weight_info w = model_weight_info(m, i);
        if (w.layer != layer)
            continue;
        params += (double) w.rows * w.cols;
        bytes += (double) w.bytes;
    }
    int x = r.x + (layer < 0 ? canvas_text(c, r, r.x, y, STYLE_SELECTED, "outside the blocks")
                             : canvas_printf(c, r, r.x, y, STYLE_SELECTED, "block %d", layer));
    canvas_printf(c, r, x, y, STYLE_AXIS, "  %s  %s", draw_count(count, sizeof count, params),
                  draw_bytes(size, sizeof size, bytes));
}

static void draw_weight(const struct parts *p, const struct weight_info *w, struct canvas *c,
                        struct rect r, int y)
{
    char shape[32], size[16];
    int x = r.x;

    if (w->cols == 1)
        snprintf(shape, sizeof shape, "%d", w->rows);
    else
        snprintf(shape, sizeof shape, "%d x %d", w->rows, w->cols);
    x += canvas_printf(c, r, x, y, STYLE_TEXT, " %-13s", weight_role_name(w->role));
    x += canvas_printf(c, r, x, y, STYLE_AXIS, "%13s", shape);
    x += canvas_printf(c, r, x, y, STYLE_DIM, " %-4s", dtype_info(w->dtype)->name);
    x += canvas_printf(c, r, x, y, STYLE_TEXT, "%8s",
                       draw_bytes(size, sizeof size, (double) w->bytes));
    int room = r.x + r.w - x - 1;
    if (room >= 4)
        draw_bar(c, r, x + 1, y, room, (double) w->bytes / (double) p->bytes,
                 canvas_look(c, STYLE_BAR));
}

static void draw_weights(const struct session *s, const struct screen *st,
                         const struct parts *p, struct canvas *c, struct rect r)
{
    const struct model *m = s->model;
    int row = 0, first = scroll_rows(st, "model", 0, count_rows(m), r.h);

    for (int i = 0; i < model_n_weights(m); i++) {
        struct weight_info w = model_weight_info(m, i);
        if (i == 0 || w.layer != layer_of(m, i - 1)) {
            if (row >= first && row < first + r.h)
                draw_block(m, c, r, r.y + row - first, w.layer);
            row++;
        }
        if (row >= first && row < first + r.h)
            draw_weight(p, &w, c, r, r.y + row - first);
        row++;
    }
}

void model_draw(const struct session *s, const struct screen *st, struct canvas *c,
                struct rect r)
{
    struct rect left = r, right = r;
    struct parts p;

    parts_count(&p, s->model);
    if (r.w < WIDE) {
        draw_summary(s, &p, c, r, scroll_rows(st, "model", 0, SUMMARY_LINES, r.h));
        return;
    }
    left.w = r.w >= 2 * SUMMARY_W ? SUMMARY_W : r.w / 2 - 2;
    right.x += left.w + 2;
    right.w -= left.w + 2;
    draw_summary(s, &p, c, left, 0);
    draw_weights(s, st, &p, c, right);
}

void model_hit(const struct session *s, const struct screen *st, const struct canvas *c,
               struct rect r, int x, int y, struct hit *h)
{
    (void) s, (void) st, (void) c, (void) r, (void) x, (void) y;
    h->scrolls = true;
}
