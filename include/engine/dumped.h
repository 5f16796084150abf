/*
 * The arrays of a dump as values of a program: whatever their names (engine/alias.h), order of
 * axes and number format. Nothing is copied but the part that is read.
 *
 *     struct dumped *d = dumped_open(arrays, program, NULL, &err);
 *     int item = dumped_find(d, value, 0);                // -1: the dump has no such value
 *     int n = dumped_layouts(d, item, layout, LAYOUTS);   // how it may lie; 0: it does not fit
 *     dumped_read(d, item, &layout[0], 0, &region, out, &err);
 */
#ifndef GPTSCOPE_ENGINE_DUMPED_H
#define GPTSCOPE_ENGINE_DUMPED_H

#include "engine/alias.h"
#include "engine/run.h"
#include "model/arrays.h"

/* What was done to an array so that it became the value; bits. */
enum fit {
    FIT_BATCH = 1,     /* axes of length 1 were dropped */
    FIT_FLAT = 2,      /* [pos, head * d_head] */
    FIT_SWAPPED = 4,   /* axes in another order */
    FIT_REVERSED = 8,  /* the shape counts from the contiguous axis on, as ggml's does */
    FIT_REPEATED = 16, /* key and value heads repeated for each query head */
    FIT_LAST = 32,     /* only the last position is there */
    FIT_PAIRS = 64,    /* channels of RoPE's pairs side by side, as GGUF files of Llama have */
    FIT_KEYS = 128,    /* more keys than positions: padding was cut off */
    FIT_FUSED = 256,   /* q, k and v are one array */
    FIT_STACKED = 512  /* all layers are one array */
};
enum { FITS = 10 };
/* "batch axis dropped" for bit 1 << i. */
const char *fit_name(int i);

/* Where element (i, j, k) of the value lies, counted in elements of the array. */
struct layout {
    size_t offset;
    ptrdiff_t stride[3];
    int repeat;    /* heads of the array to one of the value; 1 but for FIT_REPEATED */
    int first_pos; /* the position that comes first in the array: not 0 for FIT_LAST */
    int n_pos;     /* positions there are */
    unsigned fit;  /* enum fit */
};
enum { LAYOUTS = 16 };

struct dumped_item {
    int array, value;
    int head;     /* the one head that the array is of; -1: of all that the dump holds */
    int or_value; /* alias.or_value */
    enum alias_of of;
    int lead, n_lead;  /* FIT_STACKED: index along the first axis and its length; n_lead 0 */
    int part, n_parts; /* FIT_FUSED: first channel, and channels in all; n_parts 0 */
};

/* What a description that lies beside a file says: which part of the values its arrays hold,
 * and of what model and tokens they are. All zero: there is none. */
struct dumped_part {
    enum { PART_NONE, PART_TOLD, PART_OTHER } told; /* PART_OTHER: it is of another file */
    int first, count;   /* positions: rows of values, queries of scores; count 0: all */
    int *head, n_heads; /* query heads, rising; NULL: all. Of keys and values those of them */
    int group;          /* query heads to one of keys and values; at least 1 with heads */
    bool shape_known;   /* the model's shape is `hp` */
    struct hparams hp;  /* one that program_of_shape takes */
    int32_t *tokens;    /* of all positions; NULL: not said */
    char **text;        /* [n_tokens] their texts, safe; or NULL */
    int n_tokens;
    char *value; /* the name of the only array; or NULL */
};
void dumped_part_release(struct dumped_part *p);

struct dumped {
    struct arrays *arrays;
    struct dumped_part part;
    int *rank[2];  /* per query head, per key head: its place in arrays, -1: not there; NULL:
                      all are */
    int n_rank[2]; /* how many there are */
    const struct program *program;
    struct dumped_item *item; /* in the order of the program's values */
    int n, cap;
    int n_pos;       /* positions that the arrays have; 0: cannot be said */
    int32_t *tokens; /* NULL: the dump has none */
    int n_tokens;
    char **text;      /* [n_tokens] of the tokens, safe; NULL: the dump has no token_str */
    bool *known;      /* per array: its name stands for a value */
    enum alias_of of; /* whose names most of them are */
};

/* The arrays, and what `part` (NULL: nothing is known) holds, are taken over, also on failure;
 * NULL arrays give NULL. Tokens of the part count where the arrays have none. */
struct dumped *dumped_open(struct arrays *arrays, const struct program *p,
                           struct dumped_part *part, struct err *err);
void dumped_free(struct dumped *d); /* NULL is fine */
/* The first item of that value (by its own name only) and of that one head (-1: of all that the
 * dump holds), or -1. */
int dumped_find(const struct dumped *d, int value, int head);
/* The same under any of the value's names. */
int dumped_find_any(const struct dumped *d, int value, int head);
/* Where the array has a head of its value (of those its head axis counts); -1: nowhere. */
int dumped_head(const struct dumped *d, int item, int head);
/* How long axis i of the value should be in the array; 1 for the axis that a single head has
 * lost. */
int dumped_axis(const struct dumped *d, int item, int i);
/* "shape [4, 192]WHERE does not fit [pos 10, d_model 192]", and what would tell more. */
void dumped_misfit_print(const struct dumped *d, int item, const char *where, struct str *out);
/* The ways in which the array may hold the value, the likeliest first: more than one when sizes
 * do not tell which axis is which. 0: none. */
int dumped_layouts(const struct dumped *d, int item, struct layout *out, int most);
/* A region of the value, in C order; heads and positions must be those that are there. Of a
 * repeated head, copy `rep` of it. */
bool dumped_read(const struct dumped *d, int item, const struct layout *l, int rep,
                 const struct region *region, float *out, struct err *err);

/* The shape of the model that the arrays of one or two (b may be NULL) dumps are of, from their
 * names and shapes: sizes that nothing tells are 1 or fit the others. Always one that
 * program_of_shape takes. */
void dumped_shape(const struct arrays *a, const struct arrays *b, struct hparams *hp);

/* --- for src/engine/dumped*.c --- */

/* Takes over the part and counts the heads that it says are there. */
void dumped_part_take(struct dumped *d, struct dumped_part *part);
/* Moves the part's tokens to the dump, which has none; true. */
bool dumped_part_tokens(struct dumped *d);
/* The array holds only some positions of its value, d->part.first and on. */
bool dumped_cut(const struct dumped *d, int item);

/* An array's axes without those of length 1, in elements. */
struct axes {
    int n;
    int64_t dim[ARRAY_DIMS];
    ptrdiff_t stride[ARRAY_DIMS];
    size_t offset;
    unsigned fit;
};
void axes_of(const struct array *x, struct axes *out);

#endif
