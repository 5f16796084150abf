/* The next token: all candidates by falling logit, their probability after each stage of the
 * sampling, where each stage cuts, and which token does come next. */
#include "view/cache.h"
#include "view/candidates.h"
#include "view/draw.h"
#include "view/views.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const struct sample_trace *candidates_trace(const struct session *s, const struct screen *st)
{
    return s->ids.n > 0 ? cache_next(st->cache, s) : NULL;
}

int candidates_cursor(const struct screen *st, const struct sample_trace *t)
{
    return st->candidate < t->n ? st->candidate : t->n - 1;
}

int candidates_rank(const struct sample_trace *t, int id)
{
    for (int i = 0; i < t->n; i++)
        if (t->candidate[i].id == id)
            return i;
    return -1;
}

/* The token that does follow, where that is known; -1. */
static int known_next(const struct session *s)
{
    int at = session_candidates_at(s) + 1;

    return at > 0 && at < s->ids.n ? s->ids.id[at] : -1;
}

/* Was it drawn from these candidates? */
static bool was_drawn(const struct session *s)
{
    const struct chosen *ch = &s->chosen;

    return ch->draw.drawn && ch->at == session_candidates_at(s) + 1 && ch->at < s->ids.n &&
           s->ids.id[ch->at] == ch->id;
}

/* --- places --- */

enum { STAGE_CELLS = 7, LOGIT_CELLS = 8, RANK_CELLS = 6, WIDE = 84 };

/*
 * Columns of a row, in cells; 0: there is none.
 *
 *     ▶ rank token      logit     raw   top-k  bar
 */
struct fit {
    int rank, name, logit, bar;
    enum sample_stage stage[SAMPLE_STAGES];
    int n_stages;
    bool is_on[SAMPLE_STAGES]; /* the stage changes something */

    int top, list, bottom; /* lines above, of, and below the list */
    int first;             /* the row at the list's top */
    int cut;               /* a line stands before the candidate of this rank; -1: none does */
    bool drawn;            /* the token that follows was drawn: its line stands below */
};

/* The stages shown: all in a wide panel, otherwise those that are on, the last ones first, as
 * far as there is room. Where only one fits, a greedy choice shows the model's own. */
static void fit_stages(struct fit *f, const struct session *s, int w)
{
    enum sample_stage on[SAMPLE_STAGES];
    int n = sample_stages_on(&s->set.sampler, on), room = (w - 24) / STAGE_CELLS;

    room = room < 1 ? 1 : room;
    for (int i = 0; i < n; i++)
        f->is_on[on[i]] = true;
    for (int i = 0; i < SAMPLE_STAGES && w >= WIDE; i++)
        f->stage[f->n_stages++] = (enum sample_stage) i;
    for (int i = n > room ? n - room : 0; i < n && w < WIDE; i++)
        f->stage[f->n_stages++] = on[i];
    if (f->n_stages == 1 && !(s->set.sampler.temp > 0))
        f->stage[0] = SAMPLE_RAW;
}

static int row_of(const struct fit *f, int rank)
{
    return rank + (f->cut >= 0 && rank >= f->cut);
}

static void fit_lines(struct fit *f, const struct screen *st, const struct sample_trace *t,
                      int h)
{
    int kept = t->kept[SAMPLE_MIN_P];

    f->top = h > 4 ? 1 + (f->n_stages > 1 || f->logit > 0) : 0;
    f->bottom = h > 8 ? 2 + (f->n_stages > 1) + f->drawn : 0;
    f->list = h - f->top - f->bottom;
    f->cut = kept > 0 && kept < t->n ? kept : -1;
    f->first =
        scroll_around(row_of(f, candidates_cursor(st, t)), t->n + (f->cut >= 0), f->list);
}

static struct fit logits_fit(const struct session *s, const struct screen *st,
                             const struct sample_trace *t, struct rect r)
{
    struct fit f = {.cut = -1};

    fit_stages(&f, s, r.w);
    f.drawn = was_drawn(s);
    f.rank = r.w >= 36 ? RANK_CELLS : 0;
    f.logit = r.w >= 44 ? LOGIT_CELLS : 0;
    int left = r.w - 2 - f.rank - f.logit - f.n_stages * STAGE_CELLS;
    f.name = left >= 44 ? 20 : left >= 20 ? 12 : left >= 10 ? left - 4 : 5;
    f.bar = left - f.name - 1;
    fit_lines(&f, st, t, r.h);
    return f;
}

/* --- drawing --- */

static void draw_prob(struct canvas *c, struct rect r, int x, int y, double p, enum style style)
{
    char number[16];

    snprintf(number, sizeof number, "%.3f", p);
    const char *shown = !(p > 0)     ? "·"
                        : p < 0.0005 ? "<.001"
                        : p < 0.9995 ? number + 1
                                     : "1.00";
    canvas_printf(c, r, x + (p > 0 ? 0 : 1), y, style, "%*s", STAGE_CELLS - 1, shown);
}

static void draw_candidate(const struct session *s, struct canvas *c, struct rect r, int y,
                           const struct fit *f, const struct sample_trace *t, int rank)
{
    const struct candidate *cand = &t->candidate[rank];
    enum sample_stage last = f->stage[f->n_stages - 1];
    double p = cand->prob[last], most = t->candidate[0].prob[last];
    bool next = cand->id == known_next(s);
    enum style style = next ? STYLE_NEW : p > 0 ? STYLE_TEXT : STYLE_TODO;
    char label[64];
    int x = r.x;

    canvas_text(c, r, x, y, STYLE_NEW, next ? "▶" : " ");
    x += 1;
    if (f->rank)
        canvas_printf(c, r, x, y, STYLE_DIM, "%*d", f->rank - 1, rank + 1);
    x += f->rank;
    tokenizer_label(s->tokenizer, cand->id, label, sizeof label);
    canvas_fit(c, r, x, y, f->name, canvas_look(c, style), label);
    x += f->name;
    if (f->logit)
        canvas_printf(c, r, x, y, STYLE_DIM, "%*.2f", f->logit, (double) cand->logit);
    x += f->logit;
    for (int i = 0; i < f->n_stages; i++, x += STAGE_CELLS)
        draw_prob(c, r, x, y, cand->prob[f->stage[i]], i + 1 < f->n_stages ? STYLE_DIM : style);
    if (f->bar > 1)
        draw_bar(c, r, x + 1, y, f->bar, most > 0 ? p / most : 0, canvas_look(c, STYLE_BAR));
}

static void draw_cut(struct canvas *c, struct rect r, int y, const struct sample_trace *t)
{
    char text[64];

    for (int x = r.x; x < r.x + r.w; x++)
        canvas_text(c, r, x, y, STYLE_FRAME, "─");
    snprintf(text, sizeof text, " cut: %d of %d stay ", t->kept[SAMPLE_MIN_P], t->n);
    canvas_text(c, r, r.x + 2, y, STYLE_AXIS, text);
}

/* "after 9 ·Anna", and what comes next there. */
static void draw_where(const struct session *s, struct canvas *c, struct rect r,
                       const struct sample_trace *t)
{
    int at = session_candidates_at(s), next = known_next(s), rank;
    char label[64];
    int x = r.x + canvas_printf(c, r, r.x, r.y, STYLE_AXIS, "after %d ", at);

    tokenizer_label(s->tokenizer, s->ids.id[at], label, sizeof label);
    x += canvas_text(c, r, x, r.y, STYLE_TEXT, label);
    if (next < 0 || (rank = candidates_rank(t, next)) < 0)
        return;
    tokenizer_label(s->tokenizer, next, label, sizeof label);
    x += canvas_text(c, r, x, r.y, STYLE_AXIS, "  comes ");
    x += canvas_text(c, r, x, r.y, STYLE_NEW, label);
    snprintf(label, sizeof label, ", %.2f nats", -log(t->candidate[rank].prob[SAMPLE_RAW]));
    x += canvas_printf(c, r, x, r.y, STYLE_AXIS, " rank %d", rank + 1);
    if (x + (int) strlen(label) <= r.x + r.w)
        canvas_text(c, r, x, r.y, STYLE_AXIS, label);
}

static void draw_head(struct canvas *c, struct rect r, int y, const struct fit *f)
{
    static const char *const name[SAMPLE_STAGES] = {"raw", "temp", "top-k", "top-p", "min-p"};
    int x = r.x + 1;

    if (f->rank)
        canvas_printf(c, r, x, y, STYLE_AXIS, "%*s", f->rank - 1, "rank");
    x += f->rank;
    canvas_text(c, r, x, y, STYLE_AXIS, "token");
    x += f->name;
    if (f->logit)
        canvas_printf(c, r, x, y, STYLE_AXIS, "%*s", f->logit, "logit");
    x += f->logit;
    for (int i = 0; i < f->n_stages; i++, x += STAGE_CELLS)
        canvas_printf(c, r, x, y, f->is_on[f->stage[i]] ? STYLE_TITLE : STYLE_TODO, "%*s",
                      STAGE_CELLS - 1, name[f->stage[i]]);
}

/* What the stage is set to, "" for none. */
static const char *stage_setting(const struct sampler *p, enum sample_stage stage, char *out,
                                 size_t size)
{
    double v[SAMPLE_STAGES] = {[SAMPLE_TEMP] = p->temp,
                               [SAMPLE_TOP_K] = p->top_k,
                               [SAMPLE_TOP_P] = p->top_p,
                               [SAMPLE_MIN_P] = p->min_p};

    out[0] = '\0';
    if (stage != SAMPLE_RAW)
        snprintf(out, size, "%.4g", v[stage]);
    return out;
}

/* Below the columns: what each stage is set to, how many it keeps, and its entropy. */
static void draw_sums(const struct session *s, struct canvas *c, struct rect r, int y,
                      const struct fit *f, const struct sample_trace *t)
{
    static const char *const label[] = {"set to", "kept", "nats"};
    int x = r.x + 1 + f->rank + f->name + f->logit;
    char text[16];

    for (int i = 0; i < 3; i++)
        canvas_text(c, r, r.x + 1, y + i, STYLE_AXIS, label[i]);
    for (int i = 0; i < f->n_stages; i++, x += STAGE_CELLS) {
        enum sample_stage stage = f->stage[i];
        stage_setting(&s->set.sampler, stage, text, sizeof text);
        canvas_printf(c, r, x, y, f->is_on[stage] ? STYLE_TITLE : STYLE_TODO, "%*s",
                      STAGE_CELLS - 1, f->is_on[stage] ? text : "off");
        canvas_printf(c, r, x, y + 1, STYLE_DIM, "%*d", STAGE_CELLS - 1, t->kept[stage]);
        canvas_printf(c, r, x, y + 2, STYLE_DIM, "%*.2f", STAGE_CELLS - 1, t->entropy[stage]);
    }
}

static void setting_text(char *out, size_t size, bool on, double value)
{
    if (on)
        snprintf(out, size, "%.4g", value);
    else
        snprintf(out, size, "off");
}

/* The same in words, where there is one column. */
static void draw_settings(const struct session *s, struct canvas *c, struct rect r, int y,
                          const struct sample_trace *t)
{
    const struct sampler *p = &s->set.sampler;
    enum sample_stage last = p->temp > 0 ? SAMPLE_MIN_P : SAMPLE_RAW;
    char top_k[16], top_p[16], min_p[32] = "";

    setting_text(top_k, sizeof top_k, p->top_k > 0, p->top_k);
    setting_text(top_p, sizeof top_p, p->top_p < 1, p->top_p);
    if (p->min_p > 0)
        snprintf(min_p, sizeof min_p, "  min-p %.3g", p->min_p);
    if (p->temp > 0)
        canvas_printf(c, r, r.x, y, STYLE_DIM,
                      r.w >= 36 ? "temp %.2g  top-k %s  top-p %s%s" : "T %.2g  k %s  p %s%s",
                      p->temp, top_k, top_p, min_p);
    else
        canvas_text(c, r, r.x, y, STYLE_DIM, "temp 0: greedy");
    int x =
        r.x + canvas_printf(c, r, r.x, y + 1, STYLE_DIM, "entropy %.2f nats", t->entropy[last]);
    if (r.w >= 34)
        canvas_printf(c, r, x, y + 1, STYLE_DIM, "  %d of %d tokens", t->kept[last], t->n);
}

static void draw_bottom(const struct session *s, struct canvas *c, struct rect r, int y,
                        const struct fit *f, const struct sample_trace *t)
{
    const struct sample_draw *d = &s->chosen.draw;

    if (f->drawn)
        canvas_printf(c, r, r.x, y++, STYLE_NEW, "drawn %.4f in [%.4f, %.4f)", d->u, d->low,
                      d->low + d->p);
    if (f->n_stages > 1)
        draw_sums(s, c, r, y, f, t);
    else
        draw_settings(s, c, r, y, t);
}

void logits_draw(const struct session *s, const struct screen *st, struct canvas *c,
                 struct rect r)
{
    const struct sample_trace *t = candidates_trace(s, st);

    if (!t) {
        draw_paragraph(c, r, r.x, r.y, STYLE_DIM,
                       s->set.logits_at == LOGITS_CURSOR
                           ? "Not computed yet after the cursor's token."
                           : "Not computed yet: the last ops of a pass make the logits.");
        return;
    }
    struct fit f = logits_fit(s, st, t, r);
    int at = row_of(&f, candidates_cursor(st, t));
    if (f.top > 0)
        draw_where(s, c, r, t);
    if (f.top > 1)
        draw_head(c, r, r.y + 1, &f);
    for (int i = 0; i < f.list; i++) {
        int row = f.first + i, y = r.y + f.top + i;
        int rank = row - (f.cut >= 0 && row > f.cut);
        if (rank >= t->n)
            break;
        if (row == f.cut)
            draw_cut(c, r, y, t);
        else
            draw_candidate(s, c, r, y, &f, t, rank);
        if (row == at && screen_focused(st)->draw == logits_draw)
            canvas_paint(c, (struct rect){r.x, y, f.rank + f.name + 1, 1},
                         canvas_look(c, STYLE_CURSOR));
    }
    if (f.bottom > 0)
        draw_bottom(s, c, r, r.y + f.top + f.list, &f, t);
}

void logits_hit(const struct session *s, const struct screen *st, const struct canvas *c,
                struct rect r, int x, int y, struct hit *h)
{
    const struct sample_trace *t = candidates_trace(s, st);
    char label[64];

    (void) c;
    (void) x;
    h->wheel = "candidate";
    if (!t)
        return;
    struct fit f = logits_fit(s, st, t, r);
    int line = y - r.y - f.top, row = f.first + line;
    int rank = row - (f.cut >= 0 && row > f.cut);
    if (line < 0 || line >= f.list || rank >= t->n || row == f.cut)
        return;
    const struct candidate *cand = &t->candidate[rank];
    tokenizer_label(s->tokenizer, cand->id, label, sizeof label);
    snprintf(h->line, sizeof h->line, "candidate %d", rank + 1);
    snprintf(h->tip, sizeof h->tip, "%d %s  rank %d  logit %.4f  p %.6f raw, %.6f sampled",
             cand->id, label, rank + 1, (double) cand->logit, cand->prob[SAMPLE_RAW],
             cand->prob[SAMPLE_MIN_P]);
}
