/*
 * What others call the values of a program: TransformerLens, Hugging Face (outputs of the model
 * and of its modules), llama.cpp. Used wherever names come in: selecting, and dumps of others.
 */
#ifndef GPTSCOPE_ENGINE_ALIAS_H
#define GPTSCOPE_ENGINE_ALIAS_H

#include "base/str.h"
#include "engine/program.h"

/* The names that llama.cpp gives its tensors. Q and K appear there twice under one name, before
 * and after RoPE: here they are those that the scores read. */
struct alias_row {
    const char *name;
    bool layered; /* "name-3" */
    const char *value,
        *otherwise; /* a suffix where layered; the second where no first exists */
};
extern const struct alias_row alias_llama_cpp[]; /* ends with a NULL name */

/* A name without "hook_" at the start of a component, and with our word for TransformerLens'
 * one: "blocks.0.attn.hook_attn_scores" -> "blocks.0.attn.scores". */
void alias_normalize(const char *text, struct str *out);

/* Whose name it is. */
enum alias_of { ALIAS_OWN, ALIAS_TLENS, ALIAS_HF, ALIAS_LLAMA_CPP, ALIAS_OWNERS };
const char *alias_owner(enum alias_of of); /* "Hugging Face" */

struct alias {
    enum alias_of of;
    int value;    /* index into the program */
    int or_value; /* what the name may stand for, too; -1. TransformerLens' LayerNorm calls
                     `normalized` what has its gain and bias, unless they were folded away */
    bool fused;   /* [pos, q | k | v] in one array; value is q */
    bool stacked; /* all layers in one array, along its first axis; value is that of index 0 */
};
/* What a name (not a glob or short form) stands for in the program; false: nothing. */
bool alias_find(const struct program *p, const char *name, struct alias *a);
/* The value that index i of a stacked array of n is, or -1: hidden_states (n_layer + 1) and
 * attentions (n_layer). */
int alias_stacked(const struct program *p, const struct alias *a, int i, int n);

#endif
