/*
 * The models inside the program, and those that lie in the usual folders.
 */
#ifndef GPTSCOPE_MODEL_BUILTIN_H
#define GPTSCOPE_MODEL_BUILTIN_H

#include "model/gguf.h"

#include <stddef.h>

struct builtin {
    const char *name;                /* "tiny-gpt2" */
    const char *summary;             /* one line */
    const unsigned char *data, *end; /* a GGUF file, 64-byte aligned */
};

extern const struct builtin
    builtins[]; /* ends with a row whose name is NULL; [0] is the default */
const struct builtin *builtin_find(const char *name); /* or NULL */
/* The GGUF container inside; yours: gguf_free. */
struct gguf *builtin_open(const struct builtin *b, struct err *err);

/* A model file or folder found under $GPTSCOPE_MODELS, $XDG_DATA_HOME/gptscope/models,
 * ./models,
 * ~/models and the Hugging Face cache. */
struct found_model {
    char *path;
    char what[16]; /* "gguf", "hf" */
    unsigned long long bytes;
};
int found_models(struct found_model **list); /* yours: found_models_free */
void found_models_free(struct found_model *list, int n);

#endif
