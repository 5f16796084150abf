/*
 * Characters that pictures draw as rectangles, not with a font: block elements (U+2580 to
 * U+259F), box drawing of light and heavy lines (U+2500 to U+257F; not the double lines and
 * diagonals), braille (U+2800 to U+28FF) and the blank. Neighbours join without gaps, and a
 * picture looks the same where no font has them.
 */
#ifndef GPTSCOPE_VIEW_GLYPH_H
#define GPTSCOPE_VIEW_GLYPH_H

#include "view/canvas.h"

#include <stdbool.h>
#include <stdint.h>

#define GLYPH_PARTS 8

struct glyph {
    struct rect part[GLYPH_PARTS]; /* inside the cell, in its units */
    int n;
    int quarters; /* how much of the ink: 4, less for shades */
    bool line;    /* a line or dots: thin things, which need smooth edges when scaled */
};

/* False: a character for a font. w, h: the cell's size, at least 4 x 8. */
bool glyph_of(struct glyph *g, uint32_t cp, int w, int h);

#endif
