#include "view/plot.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOTS_X = 2, DOTS_Y = 4 };

void plot_init(struct plot *p, struct rect area, double x0, double x1, double y0, double y1)
{
    struct rect r = {area.x + PLOT_LABEL, area.y, area.w - PLOT_LABEL, area.h - 1};

    if (r.w < 1 || r.h < 1)
        r.w = r.h = 0;
    *p = (struct plot){r, x0, x1, y0, y1, NULL};
    p->dots = xcalloc((size_t) r.w * (size_t) r.h + 1, sizeof *p->dots);
}

void plot_release(struct plot *p)
{
    free(p->dots);
    p->dots = NULL;
}

int plot_columns(const struct plot *p)
{
    return p->r.w * DOTS_X;
}

double plot_x(const struct plot *p, int column)
{
    return p->x0 + (p->x1 - p->x0) * (column + 0.5) / plot_columns(p);
}

/* The dot of a point, counted from the top left. */
static bool find_dot(const struct plot *p, double x, double y, int *dot_x, int *dot_y)
{
    double across = (x - p->x0) / (p->x1 - p->x0), up = (y - p->y0) / (p->y1 - p->y0);
    int w = p->r.w * DOTS_X, h = p->r.h * DOTS_Y;

    if (w == 0 || !(across >= 0 && across <= 1 && up >= 0 && up <= 1))
        return false;
    *dot_x = across < 1 ? (int) (across * w) : w - 1;
    *dot_y = up > 0 ? (int) ((1 - up) * h) : h - 1;
    return true;
}

void plot_dot(struct plot *p, double x, double y)
{
    static const uint8_t bit[DOTS_Y][DOTS_X] = {
        {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    int dx, dy;

    if (find_dot(p, x, y, &dx, &dy))
        p->dots[dy / DOTS_Y * p->r.w + dx / DOTS_X] |= bit[dy % DOTS_Y][dx % DOTS_X];
}

bool plot_cell(const struct plot *p, double x, double y, int *cell_x, int *cell_y)
{
    int dx, dy;

    if (!find_dot(p, x, y, &dx, &dy))
        return false;
    *cell_x = p->r.x + dx / DOTS_X;
    *cell_y = p->r.y + dy / DOTS_Y;
    return true;
}

static void across(const struct plot *p, struct canvas *c, struct rect clip, double x)
{
    char text[16];
    int cell, unused;

    snprintf(text, sizeof text, "%.3g", x);
    if (!plot_cell(p, x, p->y0, &cell, &unused))
        return;
    int n = (int) strlen(text), end = p->r.x + p->r.w;
    cell -= x > p->x0 ? n / 2 : 0;
    canvas_text(c, clip, cell + n > end ? end - n : cell, p->r.y + p->r.h, STYLE_AXIS, text);
}

static void upward(const struct plot *p, struct canvas *c, struct rect clip, double y)
{
    char text[16];
    int unused, cell;

    snprintf(text, sizeof text, "%.3g", y);
    if (plot_cell(p, p->x0, y, &unused, &cell))
        canvas_printf(c, clip, p->r.x - PLOT_LABEL, cell, STYLE_AXIS, "%5.5s", text);
}

void plot_axes(const struct plot *p, struct canvas *c, struct rect clip)
{
    int x, y, unused;

    if (p->r.w < 1)
        return;
    if (plot_cell(p, 0, p->y0, &x, &unused))
        canvas_fill(c, rect_clip((struct rect){x, p->r.y, 1, p->r.h}, clip),
                    canvas_look(c, STYLE_FRAME), 0x2502);
    if (plot_cell(p, p->x0, 0, &unused, &y))
        canvas_fill(c, rect_clip((struct rect){p->r.x, y, p->r.w, 1}, clip),
                    canvas_look(c, STYLE_FRAME), 0x2500);
    across(p, c, clip, p->x0);
    across(p, c, clip, p->x1);
    upward(p, c, clip, p->y0);
    upward(p, c, clip, p->y1);
    if (p->r.w >= 16)
        across(p, c, clip, 0);
    if (p->r.h >= 4)
        upward(p, c, clip, 0);
}

/* Upper and lower half of a cell, for terminals without braille. */
static const char *ascii_dots(uint8_t dots)
{
    bool top = dots & 0x1b, bottom = dots & 0xe4;

    return top && bottom ? ":" : top ? "'" : ".";
}

void plot_draw(const struct plot *p, struct canvas *c, struct rect clip, struct look look)
{
    for (int i = 0; i < p->r.w * p->r.h; i++) {
        char text[8];
        int x = p->r.x + i % p->r.w, y = p->r.y + i / p->r.w;
        if (p->dots[i] == 0)
            continue;
        if (c->caps.ascii) {
            canvas_put(c, clip, x, y, look, ascii_dots(p->dots[i]), 1);
        } else {
            int n = utf8_encode(0x2800u + p->dots[i], text);
            canvas_put(c, clip, x, y, look, text, (size_t) n);
        }
    }
}
