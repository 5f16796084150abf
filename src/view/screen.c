/*
 * The whole screen: which panels there are room for, and what stands around them.
 *
 *     120x40 and more                       80x24
 *     status                                status
 *     tokens                                tokens
 *     LEFT | MAIN | RIGHT                   LEFT, RIGHT or | MAIN
 *          | LOW  | RIGHT_LOW               RIGHT_LOW      | LOW, when it has the focus
 *     message                               message
 *     footer                                footer
 */
#include "view/view.h"

#include "base/utf8.h"
#include "session/mark.h"
#include "view/cache.h"
#include "view/draw.h"
#include "view/views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void screen_init(struct screen *st)
{
    memset(st, 0, sizeof *st);
    screen_default(st);
    st->value = st->op = -1;
    st->cache = cache_new();
}

const char *screen_keys(const struct screen *st)
{
    return st->search.active ? "search" : screen_focused(st)->name;
}

void screen_release(struct screen *st)
{
    cache_free(st->cache);
    free(st->hints);
    st->cache = NULL;
    st->hints = NULL;
}

const struct view *screen_focused(const struct screen *st)
{
    return &view_table[st->panel[st->focus]];
}

/* --- around the panels --- */

/* "  comparing with 10 tokens" in so many cells, or less of it; returns its bytes. */
static int add_comparing(const struct session *s, char *out, size_t size, int cells)
{
    static const char with[] = "  comparing with ";
    const char *label = s->mark->label;
    int room = cells - (int) (sizeof with - 1);
    size_t n = room > 0 ? utf8_fit(label, strlen(label), room < 24 ? room : 24, NULL) : 0;

    if (n < strlen(label) && room < 24)
        return snprintf(out, size, "  comparing");
    return snprintf(out, size, "%s%.*s", with, (int) n, label);
}

static void draw_status(const struct session *s, const struct screen *st, struct canvas *c)
{
    const struct hparams *hp = &s->program->hp;
    struct rect line = {0, 0, c->w, 1};
    char right[160];
    int x = 0, n;

    canvas_fill(c, line, canvas_look(c, STYLE_STATUS), ' ');
    x += canvas_text(c, line, x, 0, STYLE_TITLE, " gptscope ") + 1;
    x += canvas_printf(c, line, x, 0, STYLE_STATUS, "%.40s ", hp->name) + 1;
    n = snprintf(right, sizeof right, "tokens %d  cache %d/%d", s->ids.n, run_n_past(s->run),
                 run_n_ctx(s->run));
    if (run_n_new(s->run) > 0)
        n += snprintf(right + n, sizeof right - (size_t) n, " new %d", run_n_new(s->run));
    if (c->w >= 100)
        n += snprintf(right + n, sizeof right - (size_t) n, "  %s  sink %s",
                      scale_name(s->set.scale), s->set.hide_sink ? "hidden" : "shown");
    if (st->rate > 0)
        n += snprintf(right + n, sizeof right - (size_t) n, "  %.0f tok/s", st->rate);
    if (s->n_ablations > 0)
        n += snprintf(right + n, sizeof right - (size_t) n, "  %d ablated", s->n_ablations);
    if (s->comparing && s->mark)
        n += add_comparing(s, right + n, sizeof right - (size_t) n, c->w - x - n - 2);
    int at = c->w - utf8_width(right, (size_t) n) - 1;
    if (at - x > 40)
        canvas_printf(c, line, x, 0, STYLE_STATUS, "%d layers  %d heads / %d kv  d_model %d",
                      hp->n_layer, hp->n_head, hp->n_kv_head, hp->d_model);
    else if (at - x > 8)
        canvas_printf(c, line, x, 0, STYLE_STATUS, "L%d.H%d", s->at.layer, s->at.head);
    if (at > x)
        canvas_text(c, line, at, 0, STYLE_STATUS, right);
}

static void draw_panel(const struct session *s, const struct screen *st, struct canvas *c,
                       struct rect r, enum slot slot)
{
    int index = st->help && slot == st->focus ? view_find("help") : st->panel[slot];
    const struct view *v = view_now(s, index);
    char name[256], title[288]; /* as wide as a screen: Chinese takes 3 bytes for 2 cells */

    if (v->title)
        v->title(s, name, sizeof name);
    else
        snprintf(name, sizeof name, "%s", v->name);
    const char *digit = view_table[index].digit;
    snprintf(title, sizeof title, "%s%s%s", digit, digit[0] ? " " : "", name);
    struct rect in = canvas_frame(c, r, slot == st->focus, title);
    if (in.w > 0 && in.h > 0)
        v->draw(s, st, c, in);
}

static void draw_message(const struct session *s, const struct screen *st, struct canvas *c)
{
    struct rect line = {0, c->h - 2, c->w, 1};

    if (st->entry)
        entry_draw(st, c);
    else if (st->tip)
        canvas_fit(c, line, 1, line.y, c->w - 2, canvas_look(c, STYLE_AXIS), st->tip);
    else
        canvas_fit(c, line, 1, line.y, c->w - 2,
                   canvas_look(c, st->error ? STYLE_ERROR : STYLE_TEXT), s->message);
}

static void draw_footer(const struct screen *st, struct canvas *c)
{
    struct rect line = {0, c->h - 1, c->w, 1};
    int x = 1;

    if (st->entry && st->completion) {
        canvas_fit(c, line, x, line.y, c->w - 2,
                   canvas_look(c, st->error ? STYLE_ERROR : STYLE_DIM), st->completion);
        return;
    }
    if (st->entry) {
        canvas_fit(c, line, x, line.y, c->w - 2, canvas_look(c, STYLE_DIM),
                   "Enter accepts  Esc leaves  Tab completes");
        return;
    }
    footer_draw(st, c, line);
}

void screen_draw(const struct session *s, const struct screen *st, struct canvas *c)
{
    enum slot slot[SLOT_COUNT];
    struct rect rect[SLOT_COUNT];
    int n = screen_layout(s, st, c->w, c->h, slot, rect);

    canvas_clear(c);
    if (n == 0) {
        draw_paragraph(c, canvas_all(c), 0, 0, STYLE_TEXT,
                       "The window is too small: gptscope needs 40 x 10, better 80 x 24.");
        return;
    }
    draw_status(s, st, c);
    for (int i = 0; i < n; i++)
        draw_panel(s, st, c, rect[i], slot[i]);
    tokens_draw_strip(s, st, c, (struct rect){0, 1, c->w, screen_strip_lines(s, c->w, c->h)});
    draw_message(s, st, c);
    draw_footer(st, c);
}
