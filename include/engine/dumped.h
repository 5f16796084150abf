/*
 * The arrays of a dump as values of a program: whatever their names (engine/alias.h), order of
 * axes and number format. Nothing is copied but the part that is read.
 *
 *     struct dumped *d = dumped_open(arrays, program, &err);
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
    int or_value; /* alias.or_value */
    enum alias_of of;
    int lead, n_lead;  /* FIT_STACKED: index along the first axis and its length; n_lead 0 */
    int part, n_parts; /* FIT_FUSED: first channel, and channels in all; n_parts 0 */
};

struct dumped {
    struct arrays *arrays;
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

/* The arrays are taken over, also on failure; NULL gives NULL. */
struct dumped *dumped_open(struct arrays *arrays, const struct program *p, struct err *err);
void dumped_free(struct dumped *d); /* NULL is fine */
/* The first item from `from` on of that value (by its own name only), or -1. */
int dumped_find(const struct dumped *d, int value, int from);
/* The ways in which the array may hold the value, the likeliest first: more than one when sizes
 * do not tell which axis is which. 0: none. */
int dumped_layouts(const struct dumped *d, int item, struct layout *out, int most);
/* A region of the value, in C order; positions must be those that the layout has. Of a repeated
 * head, copy `rep` of it. */
bool dumped_read(const struct dumped *d, int item, const struct layout *l, int rep,
                 const struct region *region, float *out, struct err *err);

/* The shape of the model that the arrays of one or two (b may be NULL) dumps are of, from their
 * names and shapes: sizes that nothing tells are 1 or fit the others. Always one that
 * program_of_shape takes. */
void dumped_shape(const struct arrays *a, const struct arrays *b, struct hparams *hp);

/* --- for src/engine/dumped*.c --- */

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
