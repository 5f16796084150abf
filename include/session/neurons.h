/*
 * The MLP's neurons: what one position made of them, and which tokens each speaks for.
 *
 *     struct neuron_row row = {0};
 *     while (neuron_row_step(&row, s, layer, pos, &err) && !row.ready) ;
 *     row.order[0]                               // the strongest neuron, by |post|
 *     neuron_row_release(&row);
 *
 *     struct neuron_tokens *t = neuron_tokens_new();
 *     neuron_tokens_want(t, s, layer, row.order, 8);
 *     while (neuron_tokens_step(t, s)) ;         // pieces of about a millisecond
 *     neuron_tokens_find(t, layer, row.order[0])->up[0].id;
 *     neuron_tokens_free(t);
 *
 * A neuron writes its activation (post) times its output direction W_down[:, n] to the residual
 * stream. Its direct effect on the logit of token t, for an activation of 1, is
 *
 *     effect[t] = sum_d W_head[t, d] * gain[d] * (W_down[d, n] - mean of W_down[:, n])
 *
 * gain: the final norm's; the mean: LayerNorm takes it away, RMSNorm does not. The final norm's
 * scale, one positive number a position, is left out, and so is all that later layers do with
 * it. The effect depends on the weights alone.
 */
#ifndef GPTSCOPE_SESSION_NEURONS_H
#define GPTSCOPE_SESSION_NEURONS_H

#include "session/session.h"

/* --- one position --- */

struct neuron_row {
    int layer, pos, n;   /* n: d_mlp; 0: nothing was read */
    bool ready;          /* all parts are read */
    float *pre, *linear; /* [n]; linear: gated families, else NULL */
    float *act, *post;   /* act is post itself where the MLP has no gate */
    int *order;          /* [n] neurons by falling |post| */
    int n_active;        /* post (gated: act) above 0 */

    /* what it was made for */
    uint64_t generation, version;
    int parts; /* arrays that are read */
};

/* Reads the next of the row's parts; what was read for another place is dropped. Calls after
 * `ready` cost nothing. False when the values cannot be read, or are not computed yet. */
bool neuron_row_step(struct neuron_row *row, const struct session *s, int layer, int pos,
                     struct err *err);
void neuron_row_release(struct neuron_row *row);
/* Where a neuron stands in `order`; 0 for the one that is there at -1. */
int neuron_row_rank(const struct neuron_row *row, int neuron);

/* The MLP's activation function, with what the model has: act(x). */
float neuron_act(const struct hparams *hp, float x);
const char *neuron_act_name(const struct hparams *hp); /* "GELU (tanh)" */
/* What acts in a layer of the session, which may be another function: "gelu", "relu". */
const char *neuron_function(const struct session *s, int layer);
/* y[i] is what it makes of x[i]. */
void neuron_curve(const struct session *s, int layer, const float *x, float *y, int n);

/* --- tokens --- */

#define NEURON_TOKENS 5

struct neuron_token {
    int id;       /* -1: the vocabulary is smaller than that */
    float effect; /* for an activation of 1 */
};

struct neuron_effect {
    int layer, neuron;
    struct neuron_token up[NEURON_TOKENS];   /* largest effects, falling */
    struct neuron_token down[NEURON_TOKENS]; /* most negative ones: what it promotes when its
                                                activation is negative */
};

struct neuron_tokens; /* the neurons asked about so far, for the model that the session has */

struct neuron_tokens *neuron_tokens_new(void);
void neuron_tokens_free(struct neuron_tokens *t); /* NULL is fine */
/* Asks for these neurons of a layer; those known already cost nothing. Work that was begun for
 * others is dropped when one of these is new. */
void neuron_tokens_want(struct neuron_tokens *t, const struct session *s, int layer,
                        const int *neuron, int n);
/* Goes on with what is wanted: one block of the vocabulary for all of them at once. False when
 * nothing is left. */
bool neuron_tokens_step(struct neuron_tokens *t, const struct session *s);
/* NULL while it is not known. Borrowed until the next want or step. */
const struct neuron_effect *neuron_tokens_find(const struct neuron_tokens *t, int layer,
                                               int neuron);

#endif
