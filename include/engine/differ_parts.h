/*
 * The insides of struct differ, shared by src/engine/differ*.c. Nobody else includes this.
 */
#ifndef GPTSCOPE_ENGINE_DIFFER_PARTS_H
#define GPTSCOPE_ENGINE_DIFFER_PARTS_H

#include "engine/differ.h"

/* What an element's difference is held against. */
enum differ_scale { PER_POSITION, PER_VALUE, PER_ROW_MAX };

/* An array that no value has as its name, in both dumps with the same shape. */
struct differ_extra {
    int array[2];
    int rows, cols;
};

struct differ {
    struct differ_side side[2];
    const struct program *program;
    int *map[2]; /* per value: the side's own index, -1: it has none; runs only */
    double tol;
    int n_pos;
    int *order; /* values in the order of comparing */
    int n_order, next;
    struct differ_extra *extra;
    int n_extra, cap_extra, next_extra;
    struct differ_row **row;
    int n, cap;
    int *row_of;  /* per resolved value: its row, -1 */
    double **rms; /* per resolved value: of each position, NULL: not known */
};

/* differ_scan.c: compares with the layouts that row has; fills in its numbers and state. */
bool differ_scan(struct differ *d, struct differ_row *row, struct err *err);
/* The same for an extra. */
bool differ_scan_extra(struct differ *d, const struct differ_extra *x, struct differ_row *row,
                       struct err *err);
/* A region in the value's own coordinates, of one side. */
bool differ_read_side(const struct differ *d, int side, const struct differ_row *row, int value,
                      int rep, const struct region *g, float *out, struct err *err);
/* The value as which the row is read. */
int differ_as(const struct differ_row *row);
/* differ_hint.c: a sentence, or nothing. */
bool differ_hint(const struct differ *d, const struct differ_row *row, struct str *out,
                 struct err *err);
/* The mask hides this entry of a stage, and nothing reads it. */
bool differ_hidden(const struct program *p, int value, int query, int key);

#endif
