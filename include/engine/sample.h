/*
 * From logits to a token, as stages that can be shown: raw -> temperature -> top-k -> top-p ->
 * min-p -> choice. Stages that are off leave their input as it is.
 */
#ifndef GPTSCOPE_ENGINE_SAMPLE_H
#define GPTSCOPE_ENGINE_SAMPLE_H

#include "base/rng.h"

#include <stdbool.h>

struct sampler {
    double temp;  /* 0: greedy (the lowest id among equals); 1: as the model says */
    int top_k;    /* 0: off */
    double top_p; /* nucleus (Holtzman et al. 2020); >= 1: off; <= 0 keeps one */
    double min_p; /* keep p >= min_p * max p; 0: off */
};

enum sample_stage {
    SAMPLE_RAW,
    SAMPLE_TEMP,
    SAMPLE_TOP_K,
    SAMPLE_TOP_P,
    SAMPLE_MIN_P,
    SAMPLE_STAGES
};
const char *sample_stage_name(enum sample_stage s);
/* The stages that change something, after RAW, which always comes first; returns how many. */
int sample_stages_on(const struct sampler *s, enum sample_stage on[SAMPLE_STAGES]);

struct candidate {
    int id;
    float logit;                /* raw */
    double prob[SAMPLE_STAGES]; /* after each stage, renormalised; 0 once cut */
};

/* All tokens, by falling logit (ties: lower id first), with what each stage makes of them. */
struct sample_trace {
    struct candidate *candidate;
    int n;
    int kept[SAMPLE_STAGES];       /* candidates with prob > 0 */
    double entropy[SAMPLE_STAGES]; /* nats */
};

void sample_trace_of(struct sample_trace *t, const float *logits, int n,
                     const struct sampler *s);
void sample_trace_release(struct sample_trace *t);
/* Draws with one number of rng (none at temp 0). `draw` gets the number in [0,1) if not NULL.
 */
int sample_choose(const struct sample_trace *t, const struct sampler *s, struct rng *rng,
                  double *draw);

/* How a token was drawn: its probability after all stages, the interval that belongs to it
 * among the candidates laid end to end by falling logit, and the number that fell into it.
 *
 *     0         low    u    low + p                 1
 *     |----------|-----x------|---------|---|--|-||||
 */
struct sample_draw {
    bool drawn; /* false: greedy, no number was drawn and the rest is 0 */
    double u, low, p;
};
/* Both at once, without the trace; draw may be NULL. */
int sample_token(const float *logits, int n, const struct sampler *s, struct rng *rng,
                 struct sample_draw *draw);

#endif
