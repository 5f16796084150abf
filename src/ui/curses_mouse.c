/* The mouse: what it points at says what a click does (struct view's hit), as a command line.
 */
#include "ui/curses_app.h"

#include "base/clock.h"
#include "view/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOUBLE     0.4 /* seconds between the clicks of a double click */
#define WHEEL_ROWS 3

static const char *view_at(const struct app *a, const struct spot *spot)
{
    if (a->st.help && spot->slot == a->st.focus)
        return "help";
    return view_table[a->st.panel[spot->slot]].name;
}

/* --- tips --- */

/* True: it was only a move, and the picture follows at the next frame. */
bool mouse_hovers(struct app *a, const struct mouse *m)
{
    if (m->what != MOUSE_MOTION || a->mouse.drags)
        return false;
    a->mouse.moved = a->mouse.moved || m->x != a->mouse.x || m->y != a->mouse.y;
    a->mouse.x = m->x;
    a->mouse.y = m->y;
    a->mouse.points = true;
    return true;
}

void mouse_show(struct app *a)
{
    struct pointer *p = &a->mouse;
    struct spot spot;

    p->moved = false;
    p->tip[0] = '\0';
    a->st.tip = NULL;
    if (!p->points || a->pager.open)
        return;
    screen_spot(a->s, &a->st, a->canvas, p->x, p->y, &spot);
    snprintf(p->tip, sizeof p->tip, "%s", spot.hit.tip);
    a->st.tip = p->tip[0] ? p->tip : NULL;
}

/* --- clicks --- */

static void run_spot(struct app *a, const struct spot *spot)
{
    char line[160];
    bool away = spot->place == PLACE_PANEL && spot->slot != a->st.focus;

    snprintf(line, sizeof line, "%s%s%s%s", away ? "view " : "", away ? view_at(a, spot) : "",
             away && spot->hit.line[0] ? "; " : "", spot->hit.line);
    if (line[0])
        app_do(a, line);
}

static bool is_double(const struct pointer *p, const struct mouse *m)
{
    return p->clicked > 0 && m->x == p->click_x && m->y == p->click_y &&
           clock_measure() < p->clicked + DOUBLE;
}

static void press(struct app *a, const struct mouse *m)
{
    struct pointer *p = &a->mouse;
    struct spot spot;
    bool twice = is_double(p, m);

    screen_spot(a->s, &a->st, a->canvas, m->x, m->y, &spot);
    p->clicked = twice ? 0 : clock_measure();
    p->click_x = m->x;
    p->click_y = m->y;
    if (spot.place == PLACE_ENTRY) {
        entry_click(a, m->x, m->y);
    } else if (twice && spot.place == PLACE_PANEL && !a->st.help) {
        app_do(a, "maximise");
    } else if (spot.edge != EDGE_COUNT) {
        p->drags = true;
        p->dragged = false;
        p->edge = spot.edge;
        p->spot = spot;
        p->edge_at = edge_across(spot.edge) ? m->x : m->y;
    } else {
        run_spot(a, &spot);
    }
}

/* --- edges --- */

static void drag(struct app *a, const struct mouse *m)
{
    struct pointer *p = &a->mouse;
    int w = a->canvas->w, h = a->canvas->h;
    int by = (edge_across(p->edge) ? m->x : m->y) - p->edge_at;
    int before = screen_edge_size(a->s, &a->st, w, h, p->edge);

    if (before < 0 || by == 0)
        return;
    a->st.edge[p->edge] = screen_edge_offset(a->s, &a->st, w, h, p->edge, by);
    int moved = abs(screen_edge_size(a->s, &a->st, w, h, p->edge) - before);
    p->edge_at += by > 0 ? moved : -moved;
    p->dragged = p->dragged || moved > 0;
}

/* An edge that was not moved was clicked: its panel gets the focus. */
static void release(struct app *a)
{
    struct pointer *p = &a->mouse;
    char line[64];

    if (!p->drags)
        return;
    p->drags = false;
    snprintf(line, sizeof line, "layout %s %d", edge_name(p->edge), a->st.edge[p->edge]);
    if (p->dragged)
        app_do(a, line);
    else
        run_spot(a, &p->spot);
}

/* --- the wheel --- */

/* A list does, and any view that is longer than its panel. */
static bool scrolls(const struct app *a, const struct spot *spot)
{
    int least, most;

    return spot->hit.scrolls ||
           (cache_scroll(a->st.cache, view_find(view_at(a, spot)), &least, &most) &&
            least < most);
}

static void wheel(struct app *a, const struct mouse *m)
{
    int by = m->what == MOUSE_WHEEL_UP ? -1 : 1;
    struct spot spot;
    char line[64] = "";

    screen_spot(a->s, &a->st, a->canvas, m->x, m->y, &spot);
    if ((m->shift || spot.place == PLACE_STRIP) && a->s->ids.n > 0)
        snprintf(line, sizeof line, "query %+d", by);
    else if (spot.place == PLACE_PANEL && spot.hit.wheel)
        snprintf(line, sizeof line, "%s %+d", spot.hit.wheel, by);
    else if (spot.place == PLACE_PANEL && scrolls(a, &spot))
        snprintf(line, sizeof line, "scroll %d %s", by * WHEEL_ROWS, view_at(a, &spot));
    else if (spot.place == PLACE_PANEL)
        snprintf(line, sizeof line, "layer %+d", by);
    if (line[0])
        app_do(a, line);
}

void mouse_event(struct app *a, const struct mouse *m)
{
    bool turns = m->what == MOUSE_WHEEL_UP || m->what == MOUSE_WHEEL_DOWN;

    if (a->pager.open && turns)
        a->pager.top += m->what == MOUSE_WHEEL_UP ? -WHEEL_ROWS : WHEEL_ROWS;
    else if (a->pager.open)
        a->pager.open = m->what != MOUSE_PRESS;
    else if (turns)
        wheel(a, m);
    else if (m->what == MOUSE_MOTION)
        drag(a, m);
    else if (m->what == MOUSE_RELEASE)
        release(a);
    else if (m->button == 1)
        press(a, m);
}
