/*
 * A grid of cells. Views draw on it, back ends show it: curses, ANSI text, plain text,
 * HTML, SVG, PNG. Nothing below ui/ knows a terminal.
 *
 *     struct canvas *c = canvas_new(80, 24, &caps, &themes[0]);
 *     canvas_printf(c, canvas_all(c), 0, 0, STYLE_TITLE, "gptscope");
 *     canvas_ansi(c, &out);
 */
#ifndef GPTSCOPE_VIEW_CANVAS_H
#define GPTSCOPE_VIEW_CANVAS_H

#include "base/str.h"
#include "view/style.h"

#include <stdbool.h>
#include <stdint.h>

struct rect {
    int x, y, w, h;
};

#define CELL_MARKS 4

struct cell {
    uint32_t cp;               /* first code point; 0: the right half of a wide character */
    uint32_t mark[CELL_MARKS]; /* combining marks, 0-ended when fewer */
    uint8_t width;             /* 1 or 2; 0 for the right half */
    struct look look;          /* colours and attributes, already resolved */
};

/* What the back end can show; drawing code asks only these. */
struct caps {
    bool ascii; /* only ASCII characters: ramps in place of blocks */
    int colors; /* 0 (mono), 8, 16, 256, 1 << 24 */
};

struct canvas {
    int w, h;
    struct caps caps;
    const struct theme *theme;
    struct cell *cell; /* [h * w] */
};

/* Sizes below 1 count as 1, those above 1000 as 1000; theme NULL: the default. */
struct canvas *canvas_new(int w, int h, const struct caps *caps, const struct theme *theme);
void canvas_free(struct canvas *c);
void canvas_clear(struct canvas *c);
struct rect canvas_all(const struct canvas *c);
const struct cell *canvas_at(const struct canvas *c, int x, int y); /* NULL outside */
struct look canvas_look(const struct canvas *c, enum style style);

/* The part of a that lies in b. */
struct rect rect_clip(struct rect a, struct rect b);

/* All drawing is clipped to `clip` and the canvas. Text must be safe (base/safe.h); a tab or
 * control character that slips through is drawn as '?'. Returns the cells used. With caps.ascii
 * every character outside ASCII is drawn by its stand-in from a table (canvas.c), or '?'. A
 * wide character that does not fit whole is left out. */
int canvas_put(struct canvas *c, struct rect clip, int x, int y, struct look look,
               const char *utf8, size_t n);
int canvas_text(struct canvas *c, struct rect clip, int x, int y, enum style style,
                const char *text);
int canvas_printf(struct canvas *c, struct rect clip, int x, int y, enum style style,
                  const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* The same, ending in "…" when it is longer than `cells`. */
int canvas_fit(struct canvas *c, struct rect clip, int x, int y, int cells, struct look look,
               const char *text);
void canvas_fill(struct canvas *c, struct rect r, struct look look, uint32_t cp);
/* Gives cells that are drawn already another look. */
void canvas_paint(struct canvas *c, struct rect r, struct look look);
/* A border with a title; returns the rectangle inside. */
struct rect canvas_frame(struct canvas *c, struct rect r, bool active, const char *title);

/* Two square pixels a cell, colours from a colour map. COLOR_NONE: nothing there (masked);
 * both: the mask's glyph. */
void canvas_pixels(struct canvas *c, struct rect clip, int x, int y, uint32_t top_rgb,
                   uint32_t bottom_rgb);

/* A cell's character and its marks; nothing for the right half of a wide one. */
void canvas_cell_text(const struct cell *cell, struct str *out);

/* Back ends; pictures are in view/picture.h. Plain: lines without trailing blanks. ANSI: SGR by
 * caps.colors, reset at each line's end. Cells: a dump of text and looks for golden tests,
 * stable and diffable: styles by name, other colours in 3 bits a channel. */
void canvas_plain(const struct canvas *c, struct str *out);
void canvas_ansi(const struct canvas *c, struct str *out);
void canvas_golden(const struct canvas *c, struct str *out);

#endif
