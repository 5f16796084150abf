/*
 * A grid of signed numbers as colours, with names at its sides and its scale below: for
 * pictures of what no view shows.
 *
 *     struct heatmap h = {.rows = 10, .cols = 192, .v = v, .limit = 0.5, ...};
 *     heatmap_draw(canvas, canvas_all(canvas), &h);
 */
#ifndef GPTSCOPE_VIEW_HEATMAP_H
#define GPTSCOPE_VIEW_HEATMAP_H

#include "view/canvas.h"

struct heatmap {
    int rows, cols; /* of v */
    const float *v; /* [rows, cols]; NAN: nothing there */
    float limit;    /* the size at the end of the colours; 0: the largest of v */
    int pool_rows;  /* how many rows and columns of the original each stands for */
    int pool_cols;
    const char *title;               /* safe text, a line each */
    const char *detail;              /* or NULL */
    const char *row_axis, *col_axis; /* "query", "d_model" */
    /* The name of an original row, safe, or NULL; into buf. */
    const char *(*row_name)(void *user, int row, char *buf, size_t size);
    void *user;
};

/* How many rows and columns a map can show in w x h cells. */
void heatmap_room(int w, int h, bool rich, int *rows, int *cols);
void heatmap_draw(struct canvas *c, struct rect r, const struct heatmap *h);

#endif
