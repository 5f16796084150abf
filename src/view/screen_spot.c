/* What is under the pointer. */
#include "view/views.h"

#include <stdio.h>
#include <string.h>

static void spot_hint(const struct hint *h, struct spot *out)
{
    out->place = PLACE_HINT;
    if (!h)
        return;
    snprintf(out->hit.line, sizeof out->hit.line, "%s", h->line);
    snprintf(out->hit.tip, sizeof out->hit.tip, "%s: %s", h->key, h->help);
}

static bool inside(struct rect r, int x, int y)
{
    return x >= r.x && x < r.x + r.w && y >= r.y && y < r.y + r.h;
}

/* The frame belongs to the panel, but nothing is drawn on it by the view. */
static void spot_panel(const struct session *s, const struct screen *st, const struct canvas *c,
                       struct rect r, int x, int y, struct spot *out)
{
    bool help = st->help && out->slot == st->focus;
    const struct view *v = view_now(s, help ? view_find("help") : st->panel[out->slot]);
    struct rect in = {r.x + 1, r.y + 1, r.w - 2, r.h - 2};

    out->place = PLACE_PANEL;
    if (v->hit && inside(in, x, y))
        v->hit(s, st, c, in, x, y, &out->hit);
}

void screen_spot(const struct session *s, const struct screen *st, const struct canvas *c,
                 int x, int y, struct spot *out)
{
    enum slot slot[SLOT_COUNT];
    struct rect rect[SLOT_COUNT], strip = {0, 1, c->w, screen_strip_lines(s, c->w, c->h)};
    int n = screen_layout(s, st, c->w, c->h, slot, rect);

    *out = (struct spot){.edge = EDGE_COUNT};
    if (n == 0 || x < 0 || y < 0 || x >= c->w || y >= c->h)
        return;
    if (st->entry && y >= c->h - 1 - screen_entry_rows(st, c->w, c->h) && y < c->h - 1) {
        out->place = PLACE_ENTRY;
    } else if (y == c->h - 1 && !st->entry) {
        spot_hint(footer_at(st, c->w, x), out);
    } else if (inside(strip, x, y)) {
        out->place = PLACE_STRIP;
        tokens_strip_hit(s, st, strip, x, y, &out->hit);
    }
    for (int i = 0; i < n; i++)
        if (inside(rect[i], x, y)) {
            out->slot = slot[i];
            out->edge = screen_edge_at(s, st, c->w, c->h, x, y);
            spot_panel(s, st, c, rect[i], x, y, out);
        }
}
