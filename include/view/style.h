/*
 * Colours by meaning: code names styles, themes name colours.
 */
#ifndef GPTSCOPE_VIEW_STYLE_H
#define GPTSCOPE_VIEW_STYLE_H

#include <stdbool.h>
#include <stdint.h>

enum style {
    STYLE_TEXT,
    STYLE_DIM,
    STYLE_TITLE,
    STYLE_STATUS,
    STYLE_KEY, /* key names in the footer */
    STYLE_ERROR,
    STYLE_CURSOR,   /* the cell or row the cursor is on */
    STYLE_SELECTED, /* selected head, layer, token */
    STYLE_MASKED,   /* the causal mask's glyph */
    STYLE_NEW,      /* tokens and rows of this pass */
    STYLE_CACHED,
    STYLE_DONE, /* ops of the map */
    STYLE_CURRENT,
    STYLE_TODO,
    STYLE_BUS, /* the residual stream */
    STYLE_BAR,
    STYLE_POINT, /* the cursor where a cell is one pixel */
    STYLE_AXIS,
    STYLE_FRAME,
    STYLE_FRAME_ACTIVE,
    STYLE_COUNT
};
const char *style_name(enum style style); /* "title" */

/* Colours are 0xRRGGBB, or COLOR_NONE for the terminal's own. Back ends map them to what is
 * there (256: nearest of the cube and greys; 16, 8: nearest; 0: attributes only). */
#define COLOR_NONE 0xff000000u
enum { ATTR_BOLD = 1, ATTR_DIM = 2, ATTR_REVERSE = 4, ATTR_UNDERLINE = 8 };

struct look {
    uint32_t fg, bg;
    uint8_t attr;
};

enum colormap { MAP_SEQUENTIAL, MAP_DIVERGING };

/* A colour map: evenly spaced colours, mixed in between. */
struct ramp {
    const uint32_t *rgb;
    int n;
};

struct theme {
    const char *name;        /* "viridis", "cividis", "grey" */
    const struct look *look; /* [STYLE_COUNT] */
    struct ramp map[2];      /* from low to high; negative - 0 - positive */
};
extern const struct theme themes[]; /* ends with a NULL name; [0] is the default */
const struct theme *theme_find(const char *name); /* NULL when there is none */
/* t in [0,1] of a map; NAN counts as 0. */
uint32_t theme_color(const struct theme *t, enum colormap map, double at);
uint32_t color_contrast(uint32_t bg); /* black or white, whichever reads better on bg */
int color_to_256(uint32_t rgb);       /* index 16..255 */
int color_to_16(uint32_t rgb);        /* index 0..15 */
int color_to_8(uint32_t rgb);         /* index 0..7 */

#endif
