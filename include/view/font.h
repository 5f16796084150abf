/*
 * Text in pictures of pixels: the machine's fonts, found with fontconfig and drawn with
 * FreeType. Cells of a fixed size; each character comes from the first font that has it, in
 * the order that fontconfig gives for a monospaced one.
 *
 *     struct font *f = font_open(9, 18, &err);
 *     font_draw(f, &raster, cell, x, y, rgb, bold);
 *     font_close(f);
 */
#ifndef GPTSCOPE_VIEW_FONT_H
#define GPTSCOPE_VIEW_FONT_H

#include "base/err.h"
#include "view/canvas.h"

#include <stddef.h>
#include <stdint.h>

/* Pixels, three bytes each: red, green, blue. */
struct raster {
    uint8_t *rgb; /* [h][w][3] */
    int w, h;
};
/* Both are clipped. alpha: 0 to 255. */
void raster_blend(struct raster *to, int x, int y, uint32_t rgb, int alpha);
void raster_fill(struct raster *to, struct rect r, uint32_t rgb);

struct font;

/* NULL when the machine has no font; the error names packages. */
struct font *font_open(int cell_w, int cell_h, struct err *err);
void font_close(struct font *f);
/* The cell's text over what is there, its upper left corner at x, y. False when a character of
 * it is in no font: a box stands for it. */
bool font_draw(struct font *f, struct raster *to, const struct cell *cell, int x, int y,
               uint32_t rgb, bool bold);

#endif
