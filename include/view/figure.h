/*
 * A picture of numbers for a page: maps of values with the tokens beside them, their scale, and
 * what they are of. Not of cells of a terminal: pixels, on white.
 *
 *     struct figure f;
 *     figure_init(&f, theme, SCALE_SQRT);
 *     struct figure_group *g = figure_group(&f);     // sizes, axes, sign
 *     figure_map(&f, "L0.H3");                       // as many maps as the group has
 *     figure_layout(&f, &err);                       // now there are cells to fill
 *     figure_row(&f, 0, row, x);                     // every row of every map, in any order
 *     figure_end(&f);
 *     figure_png(&f, write, user, &err);
 *     figure_release(&f);
 *
 * Memory is for the picture's cells, at most a float for each pixel, whatever the numbers are.
 */
#ifndef GPTSCOPE_VIEW_FIGURE_H
#define GPTSCOPE_VIEW_FIGURE_H

#include "engine/program.h"
#include "view/heat.h"
#include "view/png_out.h"

#define FIGURE_MOST 4000 /* pixels a side */

/* Maps of one shape and one scale. */
struct figure_group {
    struct str title; /* "blocks.0-5.attn.pattern  6 heads, ..." safe text */
    enum axis row_axis, col_axis;
    int rows, cols, first_row, first_col; /* as in struct heat */
    bool causal, is_signed;
    double limit;  /* of the scale; 0: found by heat_range_limit */
    int in_a_line; /* maps that belong on a line, as the heads of a layer; 0: as they fit */

    /* found by figure_layout and figure_end: */
    int first, n;                  /* its maps */
    int columns;                   /* maps a line */
    int cell_w, cell_h;            /* pixels of a cell */
    int pool_r, pool_c;            /* numbers of a cell */
    bool names_rows, names_cols;   /* with the tokens; otherwise numbers stand there */
    int label_w, label_h, title_h; /* what stands left of the first map, and above it */
    struct rect at;                /* with its title and legend */
    struct heat_range range;
    struct scale scale;
};

struct figure_map {
    char title[48];
    int group;
    struct heat heat;
    struct rect at; /* its cells, in pixels of the picture */
};

struct figure {
    const struct theme *theme;
    enum color_scale kind;
    struct str title, about, foot; /* lines of safe text: model; prompt; version */
    char **token;                  /* [n_token] "3 ·gave", safe */
    int n_token;
    struct figure_group *group;
    int n_groups, cap_groups;
    struct figure_map *map;
    int n_maps, cap_maps;
    int w, h; /* pixels */
};

void figure_init(struct figure *f, const struct theme *theme, enum color_scale kind);
void figure_release(struct figure *f);
void figure_token(struct figure *f, const char *bytes, size_t n); /* the next position's text */
/* Both are good until the next one is made. */
struct figure_group *figure_group(struct figure *f);
struct figure_map *figure_map(struct figure *f, const char *title); /* of the newest group */
/* Fails where the maps do not fit FIGURE_MOST pixels, however small. */
bool figure_layout(struct figure *f, struct err *err);
void figure_row(struct figure *f, int map, int row, const float *x); /* x[cols] */
void figure_end(struct figure *f);

/* Fails without any font, naming packages. */
bool figure_png(const struct figure *f, bytes_out *write, void *user, struct err *err);
bool figure_svg(const struct figure *f, bytes_out *write, void *user, struct err *err);

#endif
