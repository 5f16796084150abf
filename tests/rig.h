/*
 * A model, its program and a run, made for a test; everything that fails here fails the test.
 *
 *     struct rig g;
 *     rig_open(&g, "tiny-gpt2", &(struct run_options){.chunk = 7});
 *     float *logits = rig_read(g.run, "logits", &n);     // free it
 *     rig_close(&g);
 */
#ifndef GPTSCOPE_TESTS_RIG_H
#define GPTSCOPE_TESTS_RIG_H

#include "engine/run.h"
#include "ref_forward.h"
#include "worst.h"

struct rig {
    struct model *model;
    struct program *program;
    struct compute *compute;
    struct run *run;
};

void rig_open(struct rig *g, const char *spec, const struct run_options *o);
/* A made-up model with weights of such sizes that every part matters: attention is neither flat
 * nor one-hot, biases and gains are not 0 and 1. */
void rig_make(struct rig *g, const struct hparams *hp, enum dtype dtype,
              const struct run_options *o);
/* Another run of the same model in place of the one there is. */
void rig_renew(struct rig *g, const struct run_options *o);
void rig_close(struct rig *g);

int rig_value(const struct run *r, const char *name); /* fails for unknown names */
float *rig_read(const struct run *r, const char *name, size_t *n);
float *rig_read_value(const struct run *r, int value, size_t *n);
void rig_feed(struct run *r, const int32_t *ids, int n);
/* Ids that are the same on every machine. */
void rig_ids(int32_t *ids, int n, int n_vocab, unsigned seed);
/* Every value of the program, for the positions that the run has by now, against the oracle's.
 */
void rig_compare(const struct run *r, const struct ref *ref, struct worst *w);
/* The same for one value. */
void rig_compare_value(const struct run *r, int value, const struct ref *ref, struct worst *w);

/* Small shapes to start from: 61 tokens, 16 positions, d_model = heads * d_head. */
void rig_gpt2(struct hparams *hp, int layers, int heads, int d_head);
void rig_llama(struct hparams *hp, int layers, int heads, int kv_heads, int d_head);

#endif
