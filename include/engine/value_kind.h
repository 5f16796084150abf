/*
 * The values there are, of every family of models, one row for all layers: for manuals, help
 * and completion. Read from the families' programs, so that nothing is listed twice.
 *
 *     struct value_kind *kind;
 *     int n = value_kinds(&kind);       // "blocks.N.attn.pattern", "logits", ...
 *     free(kind);
 */
#ifndef GPTSCOPE_ENGINE_VALUE_KIND_H
#define GPTSCOPE_ENGINE_VALUE_KIND_H

#include "engine/program.h"

/* How one family makes it. */
struct value_made {
    bool there;
    enum opcode code; /* OP_COUNT: by no op (the tokens) */
    char how[80];     /* "softmax(attn.scores)"; "blocks.N.attn.k" for another name of it */
    bool alias;       /* `how` is the value that this is another name of */
    bool main;        /* the op's formula is of this value, not of what it makes besides */
};

struct value_kind {
    char name[48]; /* N stands for the layer */
    enum axis axis[3];
    int n_axis;
    const char *meaning; /* what it is, for a reader; NULL when nobody has written it */
    struct value_made in[ARCH_COUNT];
};

/* In the order of the programs; yours (free). */
int value_kinds(struct value_kind **list);
/* "the attention weights: ..." of a value; NULL when nobody has written it. */
const char *value_meaning(const struct value *v);
/* "[head, pos, key]" */
void value_axes_print(const enum axis *axis, int n, struct str *out);

#endif
