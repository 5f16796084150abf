/* Views that are text: the model's sizes, the log, help. */
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

/* The last lines of the log, or what scrolling shows of it. */
void log_draw(const struct session *s, const struct screen *st, struct canvas *c, struct rect r)
{
    int n = 0, first, y = 0;

    for (const char *p = s->log.text; *p; p++)
        n += *p == '\n';
    first = n - r.h + st->scroll[view_find("log")];
    first = first > n - r.h ? n - r.h : first;
    first = first < 0 ? 0 : first;
    for (const char *p = s->log.text; *p && y < first + r.h; y++) {
        const char *end = strchr(p, '\n');
        size_t len = end ? (size_t) (end - p) : strlen(p);
        if (y >= first)
            canvas_put(c, r, r.x, r.y + y - first, canvas_look(c, STYLE_TEXT), p,
                       utf8_fit(p, len, r.w, NULL));
        p += len + (end != NULL);
    }
}

static int count_keys(const struct screen *st, const char *view)
{
    int n = 0;

    for (const struct hint *h = st->hints; h && h->key; h++)
        n += hint_holds(st->hints, h, view);
    return n;
}

/* Keys in as many columns as fit, the view's own first. */
static void draw_keys(const struct screen *st, struct canvas *c, struct rect r)
{
    enum { COLUMN = 38 };
    const char *view = screen_focused(st)->name;
    int columns = r.w / COLUMN > 0 ? r.w / COLUMN : 1, i = 0;
    int n = count_keys(st, view);

    int lines = (n + columns - 1) / columns;
    int first = st->scroll[view_find("help")];
    first = first > lines - r.h ? lines - r.h : first;
    first = first < 0 ? 0 : first;
    for (int own = 1; own >= 0; own--)
        for (const struct hint *h = st->hints; h && h->key; h++) {
            if ((h->view != NULL) != own || !hint_holds(st->hints, h, view))
                continue;
            int x = r.x + i / lines * COLUMN, y = r.y + i % lines - first;
            i++;
            if (y < r.y || y >= r.y + r.h)
                continue;
            canvas_printf(c, r, x, y, own ? STYLE_SELECTED : STYLE_KEY, "%9s", h->key);
            canvas_fit(c, r, x + 10, y, COLUMN - 11, canvas_look(c, STYLE_TEXT), h->help);
        }
    if (lines > r.h)
        canvas_text(c, r, r.x + r.w - 8, r.y + r.h - 1, STYLE_DIM,
                    first + r.h < lines ? "PgDn ▼" : "PgUp ▲");
}

void help_draw(const struct session *s, const struct screen *st, struct canvas *c,
               struct rect r)
{
    const struct view *v = &view_table[st->panel[st->focus]];
    int y = r.y;

    (void) s;
    y += canvas_printf(c, r, r.x, y, STYLE_TITLE, "%s", v->name) > 0;
    y += draw_paragraph(c, r, r.x, y, STYLE_TEXT, v->help);
    if (v->keys[0])
        y += draw_paragraph(c, r, r.x, y, STYLE_KEY, v->keys);
    y++;
    if (y < r.y + r.h)
        draw_keys(st, c, (struct rect){r.x, y, r.w, r.y + r.h - y});
}
