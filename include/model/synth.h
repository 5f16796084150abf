/*
 * Models made from a seed, for benchmarks and tests: right shapes, random weights (normal,
 * 0.02; gains 1, biases 0), no tokenizer.
 */
#ifndef GPTSCOPE_MODEL_SYNTH_H
#define GPTSCOPE_MODEL_SYNTH_H

#include "model/model.h"

/* "gpt2", "gpt2-medium", "llama-1b" ... with changes: "gpt2:n_layer=2,n_ctx=64". A row each. */
struct shape {
    const char *name, *summary;
    struct hparams hp;
};
extern const struct shape shapes[]; /* ends with a NULL name */
bool shape_parse(struct hparams *hp, const char *spec, struct err *err);

/* Weights in `dtype`; hp is checked. Memory: as many bytes as such a file would have. */
struct model *model_synth(const struct hparams *hp, enum dtype dtype, unsigned long long seed,
                          struct err *err);

#endif
