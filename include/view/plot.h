/*
 * Curves in dots, 2 x 4 a cell (braille; a few characters where only ASCII can be shown), with
 * numbered axes.
 *
 *     struct plot p;
 *     plot_init(&p, area, -4, 4, -1, 4);
 *     plot_axes(&p, canvas, clip);
 *     for (int i = 0; i < plot_columns(&p); i++)
 *         plot_dot(&p, plot_x(&p, i), f(plot_x(&p, i)));
 *     plot_draw(&p, canvas, clip, look);
 *     plot_release(&p);
 */
#ifndef GPTSCOPE_VIEW_PLOT_H
#define GPTSCOPE_VIEW_PLOT_H

#include "view/canvas.h"

enum { PLOT_LABEL = 6 }; /* columns of the vertical axis's numbers */

struct plot {
    struct rect r; /* the dots' cells: what plot_init got without its axes */
    double x0, x1, y0, y1;
    uint8_t *dots; /* [h, w] braille patterns */
};

/* Takes the left PLOT_LABEL columns and the last row of `area` for the axes. Areas too small
 * for any dot give a plot that draws nothing. x0 < x1, y0 < y1. */
void plot_init(struct plot *p, struct rect area, double x0, double x1, double y0, double y1);
void plot_release(struct plot *p);
/* Dots across, and the x of one's middle. */
int plot_columns(const struct plot *p);
double plot_x(const struct plot *p, int column);
void plot_dot(struct plot *p, double x, double y); /* outside: nothing */
/* The cell of a point; false outside. */
bool plot_cell(const struct plot *p, double x, double y, int *cell_x, int *cell_y);
/* The lines x = 0 and y = 0, and the numbers at the ends. */
void plot_axes(const struct plot *p, struct canvas *c, struct rect clip);
void plot_draw(const struct plot *p, struct canvas *c, struct rect clip, struct look look);

#endif
