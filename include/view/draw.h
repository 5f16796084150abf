/*
 * Drawing helpers: numbers on colour, bars, spark lines, colour scales. They draw what the
 * canvas can show: colours where there are 256 of them, ramps of characters where there are
 * not.
 */
#ifndef GPTSCOPE_VIEW_DRAW_H
#define GPTSCOPE_VIEW_DRAW_H

#include "session/settings.h"
#include "view/canvas.h"

/* From a number to a place in a colour map. */
struct scale {
    enum color_scale kind;
    bool is_signed; /* blue - 0 - orange; otherwise from 0 up */
    double limit;   /* the value (or, signed, its size) at the end of the map */
};
const char *scale_name(enum color_scale kind); /* "linear", "sqrt", "log", "row max" */
/* 0..1. row_max stands for the limit in SCALE_ROW_MAX. */
double scale_at(const struct scale *s, double v, double row_max);

/* Whether colours can carry values; otherwise characters do. */
bool draw_rich(const struct canvas *c);
/* Colour of a place in the map, readable text on it. */
struct look draw_heat_look(const struct canvas *c, const struct scale *s, double at);
/* One value as `cells` columns of colour, or of a ramp's character. */
void draw_heat(struct canvas *c, struct rect clip, int x, int y, int cells,
               const struct scale *s, double at);
/* The scale itself: "0 ▒▒▒▒▒▒ 1 sqrt"; returns the cells used. */
int draw_scale(struct canvas *c, struct rect clip, int x, int y, int cells,
               const struct scale *s);

/* At most `width` characters of a number: ".93", "-3.1", "24.8", "1e9", "##" for what does not
 * fit, "nan". Right-aligned when `width` is positive, as it comes when negative. Returns out.
 */
char *draw_number(char *out, size_t size, double v, int width);

/* A bar of eighth blocks, part in [0,1] of `cells`. */
void draw_bar(struct canvas *c, struct rect clip, int x, int y, int cells, double part,
              struct look look);
/* The column of eighth blocks for a part in [0,1]: "▁" to "█". */
const char *draw_eighths(double part);
/* n values as one row of columns, pooled by the largest |v| to at most `cells`; negative ones
 * have the map's other colour (a dot above in a terminal without colours). Returns the values
 * in each column. */
int draw_spark(struct canvas *c, struct rect clip, int x, int y, int cells, const float *v,
               int n, bool is_signed);

/* A counted unit: "1.2k", "3.4M", and bytes "1.5 MB". Returns out. */
char *draw_count(char *out, size_t size, double n);
char *draw_bytes(char *out, size_t size, double n);

#endif
