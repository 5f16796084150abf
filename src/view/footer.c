/* The footer's keys: the view's own first, and the way to the others always at the end. */
#include "view/views.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

static int text_width(const char *text)
{
    return utf8_width(text, strlen(text));
}

static int hint_width(const struct hint *h)
{
    return text_width(h->key) + text_width(h->footer) + 3;
}

static const struct hint *way_to_others(const struct screen *st)
{
    for (const struct hint *h = st->hints; h && h->key; h++)
        if (h->footer && strcmp(h->key, "?") == 0)
            return h;
    return NULL;
}

/* The next one shown after `h` (NULL: the first), which is followed by `last` (or NULL). */
static const struct hint *next_hint(const struct screen *st, const struct hint *h,
                                    const struct hint *last)
{
    const char *view = screen_keys(st);
    bool own = !h || h->view;

    for (h = h ? h + 1 : st->hints; h; h = st->hints, own = false) {
        for (; h->key; h++)
            if (h->footer && h != last && hint_holds(st->hints, h, view) &&
                (h->view != NULL) == own)
                return h;
        if (!own)
            break;
    }
    return NULL;
}

/* Calls `each` with the hints that fit and their columns, until it returns false. */
static void lay_out(const struct screen *st, int w,
                    bool (*each)(const struct hint *h, int x, void *arg), void *arg)
{
    const struct hint *last = way_to_others(st), *h = NULL;
    int x = 1, end = last ? w - hint_width(last) : w;

    while (st->hints && (h = next_hint(st, h, last))) {
        if (x + hint_width(h) - 2 > end)
            break;
        if (!each(h, x, arg))
            return;
        x += hint_width(h);
    }
    if (last)
        each(last, x, arg);
}

struct brush {
    struct canvas *c;
    struct rect line;
};

static bool draw_hint(const struct hint *h, int x, void *arg)
{
    struct brush *b = arg;

    x += canvas_text(b->c, b->line, x, b->line.y, STYLE_KEY, h->key) + 1;
    canvas_text(b->c, b->line, x, b->line.y, STYLE_DIM, h->footer);
    return true;
}

void footer_draw(const struct screen *st, struct canvas *c, struct rect line)
{
    struct brush b = {c, line};

    lay_out(st, c->w, draw_hint, &b);
}

struct probe {
    int x;
    const struct hint *found;
};

static bool probe_hint(const struct hint *h, int x, void *arg)
{
    struct probe *p = arg;

    if (p->x >= x && p->x < x + hint_width(h) - 2)
        p->found = h;
    return !p->found;
}

const struct hint *footer_at(const struct screen *st, int w, int x)
{
    struct probe p = {x, NULL};

    lay_out(st, w, probe_hint, &p);
    return p.found;
}
