/*
 * A figure as a list of what is to be drawn, in that order: what its back ends share.
 */
#ifndef GPTSCOPE_VIEW_FIGURE_PARTS_H
#define GPTSCOPE_VIEW_FIGURE_PARTS_H

#include "view/figure.h"

enum { FIGURE_MARGIN = 24, FIGURE_GAP = 16, FIGURE_LEGEND = 2 }; /* lines of a legend */
enum { SMALL_W = 7, SMALL_H = 14, LARGE_W = 9, LARGE_H = 18 };   /* a character's cell */
enum { NAME_CELLS = 14 };                                        /* most of a token's name */
enum { HATCH_STEP = 6, HATCH_LINE = 2 };                         /* pixels */
#define FIGURE_BG    0xffffff
#define FIGURE_FG    0x1b1f24
#define FIGURE_DIM   0x68707a
#define FIGURE_FRAME 0xb4bac2
#define HATCH_BG     0xf3f4f6
#define HATCH_FG     0xd3d8de

enum item_kind {
    ITEM_FILL,
    ITEM_HATCH, /* the causal mask: stripes */
    ITEM_MAP,   /* cells of a map that are not masked; what is below shows through */
    ITEM_RAMP,  /* the colours of a group's scale, from left to right */
    ITEM_TEXT
};

struct item {
    enum item_kind kind;
    struct rect r;
    uint32_t rgb; /* FILL, TEXT */
    int index;    /* MAP: the map; RAMP: the group */
    char *text;   /* TEXT: safe; fills r from its left, or from its foot when it stands up */
    bool large, bold, up;
};

struct items {
    struct item *item;
    int n, cap;
};

void figure_items(const struct figure *f, struct items *list);
void items_release(struct items *list);
/* The text of an item as one line of cells. */
struct canvas *item_cells(const struct item *it);
uint32_t figure_color(const struct figure *f, const struct figure_map *m, int row, int col);

#endif
