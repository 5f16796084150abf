/* The next token: candidates with their probability after the sampler's stages. */
#include "view/cache.h"
#include "view/draw.h"
#include "view/views.h"

#include <stdio.h>

/* The probabilities that a choice would use. Greedy choices show the model's own. */
static enum sample_stage shown_stage(const struct session *s)
{
    return s->set.sampler.temp > 0 ? SAMPLE_MIN_P : SAMPLE_RAW;
}

static void draw_candidate(const struct session *s, struct canvas *c, struct rect r, int y,
                           const struct candidate *cand, double most)
{
    char label[64], number[16];
    double p = cand->prob[shown_stage(s)];
    int name = r.w >= 30 ? 12 : r.w >= 20 ? 8 : 5, x = r.x;
    enum style style = p > 0 ? STYLE_TEXT : STYLE_TODO;

    tokenizer_label(s->tokenizer, cand->id, label, sizeof label);
    canvas_fit(c, r, x, y, name, canvas_look(c, style), label);
    x += name + 1;
    snprintf(number, sizeof number, "%.3f", p);
    const char *shown = p > 0 && p < 0.0005 ? "<.001" : p < 0.9995 ? number + 1 : "1.00";
    x += canvas_printf(c, r, x, y, style, "%5s", shown) + 1;
    int room = r.x + r.w - x - (r.w >= 44 ? 8 : 0);
    if (room > 1)
        draw_bar(c, r, x, y, room, most > 0 ? p / most : 0, canvas_look(c, STYLE_BAR));
    if (r.w >= 44)
        canvas_printf(c, r, r.x + r.w - 7, y, STYLE_DIM, "%7.2f", (double) cand->logit);
}

static int draw_settings(const struct session *s, struct canvas *c, struct rect r, int y,
                         const struct sample_trace *t)
{
    const struct sampler *p = &s->set.sampler;
    char top_k[16] = "off", top_p[16] = "off";
    int stage = (int) shown_stage(s);

    if (p->top_k > 0)
        snprintf(top_k, sizeof top_k, "%d", p->top_k);
    if (p->top_p < 1)
        snprintf(top_p, sizeof top_p, "%.2f", p->top_p);
    if (p->temp > 0)
        canvas_printf(c, r, r.x, y, STYLE_DIM, "temp %.2g  top-k %s  top-p %s", p->temp, top_k,
                      top_p);
    else
        canvas_text(c, r, r.x, y, STYLE_DIM, "temp 0: greedy");
    int x = r.x +
            canvas_printf(c, r, r.x, y + 1, STYLE_DIM, "entropy %.2f nats", t->entropy[stage]);
    if (r.w >= 34)
        canvas_printf(c, r, x, y + 1, STYLE_DIM, "  %d of %d tokens", t->kept[stage], t->n);
    return 2;
}

void logits_draw(const struct session *s, const struct screen *st, struct canvas *c,
                 struct rect r)
{
    const struct sample_trace *t = s->ids.n > 0 ? cache_next(st->cache, s) : NULL;
    int n = run_ready(s->run, program_find(s->program, "logits")), lines = r.h;
    char label[64];

    if (!t || n < 1 || n > s->ids.n) {
        draw_paragraph(c, r, r.x, r.y, STYLE_DIM,
                       "Not computed yet: the last ops of a pass make the logits.");
        return;
    }
    tokenizer_label(s->tokenizer, s->ids.id[n - 1], label, sizeof label);
    if (lines > 4) {
        int x = r.x + canvas_printf(c, r, r.x, r.y, STYLE_AXIS, "after %d ", n - 1);
        x += canvas_text(c, r, x, r.y, n == s->ids.n ? STYLE_TEXT : STYLE_NEW, label);
        if (n < s->ids.n)
            canvas_text(c, r, x, r.y, STYLE_NEW, "  (an earlier token)");
        r.y++;
        lines--;
    }
    if (lines > 5) {
        lines -= 2;
        draw_settings(s, c, r, r.y + lines, t);
    }
    double most = t->candidate[0].prob[shown_stage(s)];
    int first = scroll_rows(st, "logits", 0, t->n, lines);
    for (int i = 0; i < lines && first + i < t->n; i++)
        draw_candidate(s, c, r, r.y + i, &t->candidate[first + i], most);
}
