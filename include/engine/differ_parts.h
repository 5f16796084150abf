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

/* A row to be: the items of sides that are dumps, -1 of runs. */
struct differ_pair {
    int value, head; /* head -1: all that both hold */
    int item[2];
};

struct differ {
    struct differ_side side[2];
    const struct program *program;
    int *map[2]; /* per value: the side's own index, -1: it has none; runs only */
    double tol;
    int n_pos;
    const struct selection *only; /* borrowed; NULL: all */
    struct differ_pair *pair;     /* in the order of comparing */
    int n_pairs, cap_pairs, next;
    bool *paired[2]; /* per array of a dump: in a pair */
    bool single[2];  /* the dump has arrays of single heads */
    struct differ_extra *extra;
    int n_extra, cap_extra, next_extra;
    struct differ_row **row;
    int n, cap;
    int *row_of;  /* per resolved value: its last row, -1; row->before leads to the others */
    double **rms; /* per resolved value: of each position, NULL: not known */
};

/* differ_pairs.c: fills in pair, paired, single. */
void differ_pair_all(struct differ *d);
/* Whether the value, and of it this head (-1: any of its heads), is to be compared. */
bool differ_wanted(const struct differ *d, int value, int head);
/* Whether what the row compares is read by the op for what row `by` compares: of a single head
 * only that one, or the keys and values that serve it. */
bool differ_feeds(const struct differ *d, const struct differ_row *row,
                  const struct differ_row *by);
/* How many of the value's heads share one head of keys and values: of these 1. */
int differ_group(const struct differ *d, const struct differ_row *row);
/* differ_scan.c: compares with the layouts that row has; fills in its numbers and state. */
bool differ_scan(struct differ *d, struct differ_row *row, struct err *err);
/* The same for an extra. */
bool differ_scan_extra(struct differ *d, const struct differ_extra *x, struct differ_row *row,
                       struct err *err);
/* A region of one side: positions are the value's own, heads count those of the row. */
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
