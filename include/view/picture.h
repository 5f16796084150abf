/*
 * Pictures of a canvas: back ends that need no terminal and no program to read them but a
 * browser or a viewer of images. All show the canvas's looks as they are, in 24 bits, whatever
 * its caps say; COLOR_NONE is PICTURE_FG or PICTURE_BG.
 *
 *     struct str page = STR_INIT;
 *     canvas_html(canvas, "gptscope", &page);
 */
#ifndef GPTSCOPE_VIEW_PICTURE_H
#define GPTSCOPE_VIEW_PICTURE_H

#include "base/err.h"
#include "view/canvas.h"
#include "view/glyph.h"

#define PICTURE_FG 0xd4d8de
#define PICTURE_BG 0x14161a
/* A cell of SVG, in its units; of PNG, in pixels, times the factor. */
#define PICTURE_W       9
#define PICTURE_H       18
#define PICTURE_FACTORS 8

/* A page that stands on its own: text in <pre>, cells aligned whatever fonts there are. */
void canvas_html(const struct canvas *c, const char *title, struct str *out);
/* A file that stands on its own; its text stays text. */
void canvas_svg(const struct canvas *c, const char *title, struct str *out);
/* factor: 1 to PICTURE_FACTORS. *missing gets the number of characters that none of the
 * machine's fonts has; they are drawn as boxes. Fails without any font, naming packages, and
 * where the picture would be too large. */
bool canvas_png(const struct canvas *c, int factor, struct str *out, int *missing,
                struct err *err);

/* --- for the back ends --- */

/* A look as it is seen: reverse and dim applied, no COLOR_NONE. */
struct paint {
    uint32_t fg, bg;
    bool bold, underline;
};
struct paint picture_paint(struct look look);
bool picture_same(struct paint a, struct paint b);
/* What shows of a glyph's ink. */
uint32_t picture_ink(struct paint p, const struct glyph *g);
/* Where a line under the text is, in a cell of this size. */
struct rect picture_underline(int w, int h);
/* True for a cell that is drawn as rectangles; text and marks need a font. */
bool picture_glyph(struct glyph *g, const struct cell *cell, int w, int h);
/* Text that runs in its line like Latin letters do in any monospaced font; other characters
 * may be wider or narrower than a cell, and are placed one by one. */
bool picture_runs(const struct cell *cell);
/* A cell's text; any text: as XML. */
void picture_cell(const struct cell *cell, struct str *out);
void picture_xml(const char *text, size_t n, struct str *out);

#endif
