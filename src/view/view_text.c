/* Views that are text: the model's sizes, the log. */
#include "model/parts.h"
#include "view/draw.h"
#include "view/views.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

static void draw_sizes(const struct session *s, struct canvas *c, struct rect r)
{
    const struct hparams *hp = &s->program->hp;

    canvas_printf(c, r, r.x, r.y, STYLE_TITLE, "%s", hp->name);
    canvas_printf(c, r, r.x, r.y + 1, STYLE_TEXT, "%d layers  %d heads / %d kv", hp->n_layer,
                  hp->n_head, hp->n_kv_head);
    canvas_printf(c, r, r.x, r.y + 2, STYLE_TEXT, "d_model %d  d_head %d", hp->d_model,
                  hp->d_head);
    canvas_printf(c, r, r.x, r.y + 3, STYLE_TEXT, "d_mlp %d  context %d", hp->d_mlp, hp->n_ctx);
    canvas_printf(c, r, r.x, r.y + 4, STYLE_TEXT, "vocabulary %d", hp->n_vocab);
    canvas_printf(c, r, r.x, r.y + 5, STYLE_TEXT, "%s, %s%s, %s",
                  hp->norm == NORM_RMS ? "RMSNorm" : "LayerNorm",
                  hp->act == ACT_SILU ? "SiLU" : "GELU", hp->gated ? " gated" : "",
                  hp->learned_pos ? "learned positions" : "RoPE");
}

void model_draw(const struct session *s, const struct screen *st, struct canvas *c,
                struct rect r)
{
    struct parts p;
    char count[16], rule[16];
    int y = r.y + 7;

    (void) st;
    draw_sizes(s, c, r);
    parts_count(&p, s->model);
    for (int i = 0; i < PART_COUNT; i++, y++) {
        canvas_printf(c, r, r.x, y, STYLE_TEXT, "%-10s%7s ", part_name((enum part) i),
                      draw_count(count, sizeof count, (double) p.params[i]));
        if (r.w > 24)
            draw_bar(c, r, r.x + 18, y, r.w - 18, (double) p.params[i] / (double) p.total,
                     canvas_look(c, STYLE_BAR));
    }
    canvas_printf(c, r, r.x, y++, STYLE_TITLE, "%-10s%7s", "total",
                  draw_count(count, sizeof count, (double) p.total));
    draw_count(rule, sizeof rule, (double) p.rule);
    draw_count(count, sizeof count, (double) (p.params[PART_ATTENTION] + p.params[PART_MLP]));
    canvas_printf(c, r, r.x, y++, STYLE_DIM, "12 n_layer d_model² = %s", rule);
    canvas_printf(c, r, r.x, y, STYLE_DIM, "attention + mlp = %s", count);
}

static int count_lines(const char *text)
{
    int n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* The last lines of the log, or what scrolling shows of it. */
void log_draw(const struct session *s, const struct screen *st, struct canvas *c, struct rect r)
{
    int n = count_lines(s->log.text), first = scroll_rows(st, "log", n - r.h, n, r.h), y = 0;

    if (n == 0)
        canvas_text(c, r, r.x, r.y, STYLE_DIM, "No messages yet.");
    for (const char *p = s->log.text; *p && y < first + r.h; y++) {
        const char *end = strchr(p, '\n');
        size_t len = end ? (size_t) (end - p) : strlen(p);
        if (y >= first)
            canvas_put(c, r, r.x, r.y + y - first, canvas_look(c, STYLE_TEXT), p,
                       utf8_fit(p, len, r.w, NULL));
        p += len + (end != NULL);
    }
}

/* A line that is too long for the panel is told whole. */
void log_hit(const struct session *s, const struct screen *st, const struct canvas *c,
             struct rect r, int x, int y, struct hit *h)
{
    int n = count_lines(s->log.text);
    const char *line = s->log.text;

    (void) c;
    (void) x;
    h->scrolls = true;
    for (int i = scroll_rows(st, "log", n - r.h, n, r.h) + y - r.y; i > 0 && *line; i--)
        line += strcspn(line, "\n") + 1;
    if (line < s->log.text + s->log.len)
        snprintf(h->tip, sizeof h->tip, "%.*s",
                 (int) utf8_fit(line, strcspn(line, "\n"), (int) sizeof h->tip / 4, NULL),
                 line);
}
