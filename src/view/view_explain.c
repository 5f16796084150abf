/* The cell under the cursor, worked with the numbers that are in it. */
#include "base/mem.h"
#include "view/draw.h"
#include "view/views.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One query of one head: everything its row of the pattern comes from. */
struct work {
    int layer, head, kv, query, key, d;
    bool ready;     /* scores can be read */
    bool softmaxed; /* the pattern, too */
    float *product; /* [d] q_i k_i of the cell */
    float *score;   /* [query + 1] scaled */
    float *weight;  /* [query + 1] */
    float raw;
};

static void work_release(struct work *w)
{
    free(w->product);
    free(w->score);
    free(w->weight);
}

static bool read_vector(const struct session *s, int value, int pos, int head, int d,
                        float *out)
{
    struct region g = {{pos, head, 0}, {1, 1, d}};
    struct err err = ERR_INIT;

    return run_ready(s->run, value) > pos && run_read(s->run, value, &g, out, &err);
}

static bool read_row(const struct session *s, int value, const struct work *w, int key, int n,
                     float *out)
{
    struct region g = {{w->head, w->query, key}, {1, 1, n}};
    struct err err = ERR_INIT;

    return run_ready(s->run, value) > w->query && run_read(s->run, value, &g, out, &err);
}

static void work_init(struct work *w, const struct session *s)
{
    const struct program *p = s->program;
    const struct op *scores = &p->op[program_attention(p, s->at.layer, NULL)];
    int n = s->at.query + 1;

    memset(w, 0, sizeof *w);
    w->layer = s->at.layer;
    w->head = s->at.head;
    w->kv = s->at.head / (p->hp.n_head / p->hp.n_kv_head);
    w->query = s->at.query;
    w->key = s->at.key < s->ids.n ? s->at.key : s->ids.n - 1;
    w->d = p->hp.d_head;
    w->product = xcalloc((size_t) w->d * 2, sizeof *w->product);
    w->score = xcalloc((size_t) n, sizeof *w->score);
    w->weight = xcalloc((size_t) n, sizeof *w->weight);
    float *k = w->product + w->d;
    w->ready =
        read_vector(s, scores->in[0], w->query, w->head, w->d, w->product) &&
        read_vector(s, scores->in[1], w->key, w->kv, w->d, k) &&
        read_row(s, session_stage_value(s, w->layer, STAGE_RAW), w, w->key, 1, &w->raw) &&
        read_row(s, session_stage_value(s, w->layer, STAGE_SCALED), w, 0, n, w->score);
    w->softmaxed = w->ready && read_row(s, session_stage_value(s, w->layer, STAGE_PATTERN), w,
                                        0, n, w->weight);
    for (int i = 0; i < w->d; i++)
        w->product[i] *= k[i];
}

static void draw_scores(const struct session *s, const struct work *w, struct canvas *c,
                        struct rect r, int *y)
{
    double scaled = (double) w->raw / sqrt(w->d);
    int x = r.x;

    x += canvas_printf(c, r, x, *y, STYLE_SELECTED, "q%d·k%d", w->query, w->key);
    x += canvas_printf(c, r, x, *y, STYLE_TEXT, " = %.3f", (double) w->raw);
    x += canvas_printf(c, r, x, *y, STYLE_TEXT, "  ÷ √%d = ", w->d);
    x += canvas_printf(c, r, x, *y, STYLE_SELECTED, "%.4f", scaled);
    if (w->key > w->query)
        canvas_printf(c, r, x, *y, STYLE_NEW, "  masked: %d > %d", w->key, w->query);
    else
        canvas_printf(c, r, x, *y, STYLE_DIM, "  not masked (%d ≤ %d)", w->key, w->query);
    (*y)++;
    if (w->kv != w->head && s->program->hp.n_kv_head < s->program->hp.n_head && r.h > 4)
        canvas_printf(c, r, r.x, (*y)++, STYLE_DIM, "head %d reads key and value head %d",
                      w->head, w->kv);
}

static void draw_softmax(const struct work *w, struct canvas *c, struct rect r, int *y)
{
    double most = -INFINITY, sum = 0, total = 0;

    for (int j = 0; j <= w->query; j++)
        most = (double) w->score[j] > most ? (double) w->score[j] : most;
    for (int j = 0; j <= w->query; j++) {
        sum += exp((double) w->score[j] - most);
        total += (double) w->weight[j];
    }
    if (w->key > w->query) {
        canvas_text(c, r, r.x, (*y)++, STYLE_TEXT,
                    "exp(-inf) = 0: no weight on what comes later");
        return;
    }
    int x = r.x;
    x += canvas_printf(c, r, x, *y, STYLE_TEXT,
                       "exp(%.3f - %.3f) / %.4f = ", (double) w->score[w->key], most, sum);
    if (!w->softmaxed)
        canvas_text(c, r, x, *y, STYLE_DIM, "softmax is to do");
    else
        x += canvas_printf(c, r, x, *y, STYLE_SELECTED, "%.4f", (double) w->weight[w->key]);
    if (w->softmaxed && r.x + r.w - x > 16)
        canvas_printf(c, r, x, *y, STYLE_DIM, "   row sum %.4f", total);
    (*y)++;
}

static void draw_products(const struct work *w, struct canvas *c, struct rect r, int *y)
{
    int x = r.x + canvas_text(c, r, r.x, *y, STYLE_AXIS, "by channel ");
    int room = r.x + r.w - x - 12;
    int pool = draw_spark(c, r, x, *y, room, w->product, w->d, true);

    x += (w->d + pool - 1) / pool + 1;
    if (pool > 1)
        canvas_printf(c, r, x, *y, STYLE_DIM, "max of %d", pool);
    (*y)++;
}

/* The tokens that give most to one channel of z. */
static void draw_mix(const struct session *s, const struct work *w, struct canvas *c,
                     struct rect r)
{
    const struct program *p = s->program;
    int after, value = program_value(p, w->layer, "attn.v"), channel = s->at.key, y = r.y;
    int n = w->query + 1;
    float *v = xcalloc((size_t) n, sizeof *v);
    struct region g = {{0, w->kv, channel}, {n, 1, 1}};
    struct err err = ERR_INIT;
    double sum = 0;

    program_attention(p, w->layer, &after);
    if (channel >= w->d || !w->softmaxed || !run_read(s->run, value, &g, v, &err)) {
        canvas_text(c, r, r.x, r.y, STYLE_DIM, channel >= w->d ? "no such channel" : "to do");
        free(v);
        return;
    }
    for (int j = 0; j < n; j++)
        sum += (double) w->weight[j] * (double) v[j];
    canvas_printf(c, r, r.x, y++, STYLE_SELECTED, "z%d[%d] = Σ weight × v[%d] = %.4f", w->query,
                  channel, channel, sum);
    for (; y < r.y + r.h; y++) {
        int best = -1;
        char label[64];
        for (int j = 0; j < n; j++)
            if (w->weight[j] >= 0 && (best < 0 || w->weight[j] > w->weight[best]))
                best = j;
        if (best < 0)
            break;
        tokenizer_label(s->tokenizer, s->ids.id[best], label, sizeof label);
        canvas_printf(c, r, r.x, y, STYLE_TEXT, "%.4f × %8.4f = %8.4f  %d %.20s",
                      (double) w->weight[best], (double) v[best],
                      (double) w->weight[best] * (double) v[best], best, label);
        w->weight[best] = -1; /* told */
    }
    free(v);
}

void explain_draw(const struct session *s, const struct screen *st, struct canvas *c,
                  struct rect r)
{
    struct work w;
    int y = r.y;

    (void) st;
    if (s->ids.n == 0)
        return;
    work_init(&w, s);
    if (!w.ready) {
        draw_paragraph(c, r, r.x, r.y, STYLE_DIM,
                       "Not computed yet: step on until this block's scores are done.");
    } else if (s->at.stage == STAGE_MIX) {
        draw_mix(s, &w, c, r);
    } else {
        draw_scores(s, &w, c, r, &y);
        draw_softmax(&w, c, r, &y);
        if (y < r.y + r.h)
            draw_products(&w, c, r, &y);
    }
    work_release(&w);
}

void explain_title(const struct session *s, char *out, size_t size)
{
    snprintf(out, size, "explain L%d.H%d [%d,%d]", s->at.layer, s->at.head, s->at.query,
             s->at.key);
}
