/* Help: what the focused view shows, and the keys. */
#include "view/views.h"

#include <stdio.h>
#include <string.h>

enum { COLUMN = 38 };

/* Where the list of keys is, and how it is cut into columns. */
struct list {
    struct rect r;
    const char *view;
    int n, lines, first;
};

static int count_keys(const struct screen *st, const char *view)
{
    int n = 0;

    for (const struct hint *h = st->hints; h && h->key; h++)
        n += hint_holds(st->hints, h, view);
    return n;
}

/* What the view says about itself; c may be NULL. Returns the lines. */
static int draw_words(const struct view *v, struct canvas *c, struct rect r)
{
    int y = r.y + 1;

    if (c)
        canvas_text(c, r, r.x, r.y, STYLE_TITLE, v->name);
    y += draw_paragraph(c, r, r.x, y, STYLE_TEXT, v->help);
    if (v->keys[0])
        y += draw_paragraph(c, r, r.x, y, STYLE_KEY, v->keys);
    return y + 1 - r.y;
}

static struct list list_of(const struct screen *st, struct rect r, int words)
{
    struct list l = {{r.x, r.y + words, r.w, r.h - words}, screen_focused(st)->name, 0, 0, 0};
    int columns = r.w / COLUMN > 0 ? r.w / COLUMN : 1;

    l.n = count_keys(st, l.view);
    l.lines = (l.n + columns - 1) / columns;
    if (l.r.h > 0)
        l.first = scroll_rows(st, "help", 0, l.lines, l.r.h);
    return l;
}

/* The i-th key, the view's own first. */
static const struct hint *nth_key(const struct screen *st, const char *view, int i)
{
    for (int own = 1; own >= 0; own--)
        for (const struct hint *h = st->hints; h && h->key; h++)
            if ((h->view != NULL) == own && hint_holds(st->hints, h, view) && i-- == 0)
                return h;
    return NULL;
}

static void draw_keys(const struct screen *st, struct canvas *c, const struct list *l)
{
    struct rect r = l->r;

    for (int i = 0; i < l->n; i++) {
        const struct hint *h = nth_key(st, l->view, i);
        int x = r.x + i / l->lines * COLUMN, y = r.y + i % l->lines - l->first;
        if (y < r.y || y >= r.y + r.h)
            continue;
        canvas_printf(c, r, x, y, h->view ? STYLE_SELECTED : STYLE_KEY, "%9s", h->key);
        canvas_fit(c, r, x + 10, y, COLUMN - 11, canvas_look(c, STYLE_TEXT), h->help);
    }
    if (l->lines > r.h)
        canvas_text(c, r, r.x + r.w - 8, r.y + r.h - 1, STYLE_DIM,
                    l->first + r.h < l->lines ? "PgDn ▼" : "PgUp ▲");
}

void help_draw(const struct session *s, const struct screen *st, struct canvas *c,
               struct rect r)
{
    (void) s;
    struct list l = list_of(st, r, draw_words(screen_focused(st), c, r));
    if (l.r.h > 0)
        draw_keys(st, c, &l);
}

/* A click on a key does what the key does: the list closes, too. */
void help_hit(const struct session *s, const struct screen *st, const struct canvas *c,
              struct rect r, int x, int y, struct hit *h)
{
    struct list l = list_of(st, r, draw_words(screen_focused(st), NULL, r));
    int row = y - l.r.y + l.first;
    const struct hint *key = NULL;

    (void) s;
    (void) c;
    h->scrolls = true;
    if (l.r.h > 0 && y >= l.r.y && row < l.lines)
        key = nth_key(st, l.view, (x - r.x) / COLUMN * l.lines + row);
    if (!key)
        return;
    bool closes = strcmp(key->line, "keys") == 0;
    snprintf(h->line, sizeof h->line, "%s%s", closes ? "" : "keys; ", key->line);
    snprintf(h->tip, sizeof h->tip, "%s: %s (%s)", key->key, key->help, key->line);
}
