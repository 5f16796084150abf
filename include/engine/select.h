/*
 * Selecting values by name: exact names, globs, short forms and others' names.
 *
 *     blocks.*.attn.pattern,logits      globs over names, joined by commas
 *     L0-3.attn.q   L5.H1.pattern       layers, ranges; one head or a range of heads
 *     L*.pattern                        "attn." or "mlp." may be left out where that is clear
 *     blocks.0.attn.hook_q, hidden_states.2, kq_soft_max-2    others' names (engine/alias.h)
 */
#ifndef GPTSCOPE_ENGINE_SELECT_H
#define GPTSCOPE_ENGINE_SELECT_H

#include "engine/program.h"

struct selected {
    int value;
    int head; /* counts along the value's own head axis (key heads for k and v); -1: all */
};

struct selection {
    struct selected *item;
    int n, cap;
};

/* In program order without doubles; what *s held before is not looked at. A part that names
 * nothing is an error that gives the nearest names, and leaves *s empty. */
bool selection_parse(struct selection *s, const struct program *p, const char *text,
                     struct err *err);
void selection_release(struct selection *s);

/* Other programs' names for values, for lists of them. */
struct other_name {
    const char *program; /* "llama.cpp" */
    char name[48];       /* "kq_soft_max-N"; N stands for the layer */
    char value[48];      /* "blocks.N.attn.pattern" */
    char otherwise[48];  /* in families that have no such value, this one; or "" */
};
/* Row i of all; rows of a program stand together. False after the last. */
bool other_name(int i, struct other_name *o);

#endif
