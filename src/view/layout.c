/*
 * Where the panels are: which there are room for, and how large each is. Sizes are the window's
 * choice plus what the user has moved each edge by, so that a layout fits every window.
 */
#include "view/view.h"

#include "view/views.h"

#include <string.h>

enum { LEAST_W = 40, LEAST_H = 10, STRIP_MOST = 2, PANEL_W = 12, MAIN_W = 24, PANEL_H = 4 };

void screen_default(struct screen *st)
{
    static const char *const open[SLOT_COUNT] = {
        [SLOT_LEFT] = "map",    [SLOT_MAIN] = "attention",   [SLOT_LOW] = "explain",
        [SLOT_RIGHT] = "heads", [SLOT_RIGHT_LOW] = "logits", [SLOT_DOCK] = "lesson"};

    for (int i = 0; i < SLOT_COUNT; i++)
        st->panel[i] = view_find(open[i]);
    st->focus = SLOT_MAIN;
    st->side = SLOT_LEFT;
    st->maximised = st->help = st->dock = false;
    memset(st->edge, 0, sizeof st->edge);
}

struct arrangement screen_arrangement(const struct screen *st)
{
    struct arrangement a = {.focus = st->focus, .side = st->side, .maximised = st->maximised};

    if (st->dock)
        return st->own;
    memcpy(a.panel, st->panel, sizeof a.panel);
    return a;
}

void screen_dock(struct screen *st, bool on)
{
    struct arrangement own = screen_arrangement(st);

    if (on) {
        st->own = own;
    } else {
        memcpy(st->panel, own.panel, sizeof st->panel);
        st->focus = own.focus;
        st->side = own.side;
        st->maximised = own.maximised;
    }
    st->dock = on;
}

void screen_focus(struct screen *st, enum slot slot)
{
    if (slot == SLOT_DOCK && st->focus != SLOT_DOCK)
        st->behind = st->focus;
    st->focus = slot;
    if (slot == SLOT_LEFT || slot == SLOT_RIGHT || slot == SLOT_RIGHT_LOW)
        st->side = slot; /* brings it out where panels are shown one at a time */
}

/* The panel above DOCK that is looked at. */
static enum slot looked_at(const struct screen *st)
{
    return st->focus == SLOT_DOCK ? st->behind : st->focus;
}

void screen_open(struct screen *st, int view, int w, int h)
{
    enum slot home = view_table[view].home;

    (void) w;
    (void) h;
    if (home == SLOT_DOCK)
        screen_dock(st, true);
    st->panel[home] = view;
    screen_focus(st, home);
    st->help = false;
}

/* --- rectangles --- */

struct plan {
    enum slot *slot;
    struct rect *rect;
    int n;
};

static void take(struct plan *p, enum slot slot, int x, int y, int w, int h)
{
    p->slot[p->n] = slot;
    p->rect[p->n++] = (struct rect){x, y, w, h};
}

static int between(int low, int v, int high)
{
    return v < low ? low : v > high ? high : v;
}

/* A size that the user may have changed; `high` wins where there is no room. */
static int sized(const struct screen *st, enum edge edge, int by_itself, int low, int high)
{
    if (st->edge[edge] == 0)
        return by_itself;
    int v = between(low, by_itself + st->edge[edge], high);
    return high < low ? by_itself : v;
}

static void plan_wide(struct plan *p, const struct session *s, const struct screen *st,
                      struct rect in)
{
    int left = sized(st, EDGE_LEFT, between(24, in.w / 6, 32), PANEL_W,
                     in.w - MAIN_W - between(34, in.w / 3, 92));
    int right = sized(st, EDGE_RIGHT, between(34, in.w / 3, 92), PANEL_W, in.w - left - MAIN_W);
    int main = in.w - left - right;
    int low = sized(st, EDGE_LOW, in.h >= 34 ? 7 : 6, PANEL_H, in.h - PANEL_H);
    int right_low =
        sized(st, EDGE_RIGHT_LOW, between(10, in.h - heads_lines(s, right - 2) - 2, in.h / 2),
              PANEL_H, in.h - PANEL_H);

    take(p, SLOT_LEFT, in.x, in.y, left, in.h);
    take(p, SLOT_MAIN, in.x + left, in.y, main, in.h - low);
    take(p, SLOT_LOW, in.x + left, in.y + in.h - low, main, low);
    take(p, SLOT_RIGHT, in.x + left + main, in.y, right, in.h - right_low);
    take(p, SLOT_RIGHT_LOW, in.x + left + main, in.y + in.h - right_low, right, right_low);
}

static void plan_narrow(struct plan *p, const struct screen *st, struct rect in)
{
    int side = sized(st, EDGE_SIDE, st->side == SLOT_LEFT ? 24 : 32, PANEL_W, in.w - MAIN_W);
    int low = looked_at(st) == SLOT_LOW || in.h >= 28 ? 7 : 0, main = in.w - side;

    take(p, st->side, in.x, in.y, side, in.h);
    if (low > in.h - PANEL_H)
        low = in.h / 2;
    if (low > 0)
        low = sized(st, EDGE_SIDE_LOW, low, PANEL_H, in.h - PANEL_H);
    take(p, SLOT_MAIN, in.x + side, in.y, main, in.h - low);
    if (low > 0)
        take(p, SLOT_LOW, in.x + side, in.y + in.h - low, main, low);
}

int screen_strip_lines(const struct session *s, int w, int h)
{
    return tokens_strip_height(s, w, h >= 30 ? 3 : h >= 20 ? STRIP_MOST : 1);
}

/* Between the token strip and the message or the line being edited. */
static struct rect panels_area(const struct session *s, const struct screen *st, int w, int h)
{
    int top = 1 + screen_strip_lines(s, w, h);

    return (struct rect){0, top, w, h - 1 - screen_entry_rows(st, w, h) - top};
}

/* Neither one panel alone nor the small screens' two. */
static bool is_wide(const struct screen *st, int w, int h)
{
    return w >= 112 && h >= (st->dock ? 38 : 28);
}

static void take_dock(struct plan *p, const struct session *s, struct rect *in)
{
    int h = lesson_height(s, in->w, in->h);

    take(p, SLOT_DOCK, in->x, in->y + in->h - h, in->w, h);
    in->h -= h;
}

int screen_layout(const struct session *s, const struct screen *st, int w, int h,
                  enum slot slot[SLOT_COUNT], struct rect rect[SLOT_COUNT])
{
    struct plan p = {slot, rect, 0};

    if (w < LEAST_W || h < LEAST_H)
        return 0;
    struct rect in = panels_area(s, st, w, h);
    if (st->maximised) {
        take(&p, st->focus, in.x, in.y, in.w, in.h);
        return p.n;
    }
    if (st->dock)
        take_dock(&p, s, &in);
    if (w < 64 || (in.h < 14 && looked_at(st) == SLOT_LOW))
        take(&p, looked_at(st), in.x, in.y, in.w, in.h);
    else if (is_wide(st, w, h))
        plan_wide(&p, s, st, in);
    else
        plan_narrow(&p, st, in);
    return p.n;
}

void screen_focus_next(struct screen *st, int by, int w, int h)
{
    static const enum slot order[] = {SLOT_LEFT,  SLOT_MAIN,      SLOT_LOW,
                                      SLOT_RIGHT, SLOT_RIGHT_LOW, SLOT_DOCK};
    int at = 0, n = st->dock ? SLOT_COUNT : SLOT_DOCK;

    (void) w;
    (void) h;
    for (int i = 0; i < n; i++)
        if (order[i] == st->focus)
            at = i;
    screen_focus(st, order[(at + by + n) % n]);
}

/* --- edges --- */

/* Each edge: the panel on this side of it (left, above), the one beyond, which of the two has
 * the size, and what else touches it. */
static const struct edge_row {
    const char *name;
    bool wide;       /* of the screen that shows all panels */
    bool across;     /* a vertical line: it moves left and right */
    int sign;        /* what moving right or down does to the size */
    enum slot sized; /* SLOT_COUNT: the side */
} edge_table[EDGE_COUNT] = {
    [EDGE_LEFT] = {"left", true, true, 1, SLOT_LEFT},
    [EDGE_RIGHT] = {"right", true, true, -1, SLOT_RIGHT},
    [EDGE_LOW] = {"low", true, false, -1, SLOT_LOW},
    [EDGE_RIGHT_LOW] = {"right-low", true, false, -1, SLOT_RIGHT_LOW},
    [EDGE_SIDE] = {"side", false, true, 1, SLOT_COUNT},
    [EDGE_SIDE_LOW] = {"side-low", false, false, -1, SLOT_LOW},
};

const char *edge_name(enum edge edge)
{
    return edge_table[edge].name;
}

bool edge_across(enum edge edge)
{
    return edge_table[edge].across;
}

/* The rectangle of the panel whose size the edge is; false when it is not shown. */
static bool sized_panel(const struct session *s, const struct screen *st, int w, int h,
                        enum edge edge, struct rect *r)
{
    enum slot slot[SLOT_COUNT], want = edge_table[edge].sized;
    struct rect rect[SLOT_COUNT];
    int n = screen_layout(s, st, w, h, slot, rect);

    if (n < 2 || edge_table[edge].wide != is_wide(st, w, h))
        return false;
    for (int i = 0; i < n; i++)
        if (slot[i] == (want == SLOT_COUNT ? st->side : want)) {
            *r = rect[i];
            return true;
        }
    return false;
}

int screen_edge_size(const struct session *s, const struct screen *st, int w, int h,
                     enum edge edge)
{
    struct rect r;

    if (!sized_panel(s, st, w, h, edge, &r))
        return -1;
    return edge_table[edge].across ? r.w : r.h;
}

int screen_edge_offset(const struct session *s, const struct screen *st, int w, int h,
                       enum edge edge, int by)
{
    struct screen tried = *st;
    int size = screen_edge_size(s, st, w, h, edge);

    tried.edge[edge] = 0;
    int by_itself = screen_edge_size(s, &tried, w, h, edge);
    tried.edge[edge] = size + edge_table[edge].sign * by - by_itself;
    return screen_edge_size(s, &tried, w, h, edge) - by_itself;
}

/* On the line of the panel that has the size, or on the neighbour's line beside it. */
static bool touches(const struct edge_row *row, struct rect r, int x, int y, struct rect all)
{
    int line, at = row->across ? x : y;

    if (row->across && row->sign > 0)
        line = r.x + r.w - 1;
    else if (row->across)
        line = r.x - 1;
    else
        line = r.y - 1;
    bool along = row->across ? y >= all.y && y < all.y + all.h : x >= r.x && x < r.x + r.w;
    return along && (at == line || at == line + 1);
}

enum edge screen_edge_at(const struct session *s, const struct screen *st, int w, int h, int x,
                         int y)
{
    struct rect r, all = panels_area(s, st, w, h);

    for (int i = 0; i < EDGE_COUNT; i++)
        if (sized_panel(s, st, w, h, (enum edge) i, &r) &&
            touches(&edge_table[i], r, x, y, all))
            return (enum edge) i;
    return EDGE_COUNT;
}

enum edge screen_edge_of(const struct screen *st, int w, int h, bool across)
{
    bool right = st->focus == SLOT_RIGHT || st->focus == SLOT_RIGHT_LOW;

    if (!is_wide(st, w, h))
        return across ? EDGE_SIDE : EDGE_SIDE_LOW;
    if (across)
        return st->focus == SLOT_LEFT ? EDGE_LEFT : EDGE_RIGHT;
    if (st->focus == SLOT_LEFT)
        return EDGE_COUNT;
    return right ? EDGE_RIGHT_LOW : EDGE_LOW;
}
