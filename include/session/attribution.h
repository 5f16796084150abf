/*
 * Direct logit attribution (Elhage et al., "A Mathematical Framework for Transformer Circuits",
 * 2021): a logit as a sum of what each part of the model wrote to the residual stream.
 *
 *     struct attribution a;
 *     attribution_of(&a, s, pos, token, -1, &err);
 *     a.part[i].amount                              // sums to a.sum, which is a.actual
 *     attribution_release(&a);
 *
 * The stream x before the final norm is the sum of its parts c: the embeddings, every head's
 * result, the attentions' output biases, every MLP. With the unembedding's row u, the norm's
 * gain g and bias b, and the scale that it had for this x,
 *
 *     logit = sum over parts of (c - mean c) / scale * g . u  +  b . u  +  bias of the head
 *
 * RMSNorm takes no mean away and has no bias. For the difference of two tokens' logits u is the
 * difference of their rows. The direct effect only: what a part does by way of later layers is
 * in those layers' parts.
 *
 * All numbers are those of the run, ablations and patches included. Where something changed the
 * stream itself (attn_out, resid_*, ln_final.out or the logits patched, or their ops replaced),
 * what is there beyond the parts is a part of its own. Products and sums are in double.
 */
#ifndef GPTSCOPE_SESSION_ATTRIBUTION_H
#define GPTSCOPE_SESSION_ATTRIBUTION_H

#include "session/session.h"

enum from_kind {
    FROM_EMBED,
    FROM_POS_EMBED,
    FROM_HEAD,
    FROM_ATTN_BIAS, /* of the output projection */
    FROM_MLP,
    FROM_PATCH,     /* what a changed value has beyond what makes it */
    FROM_NORM_BIAS, /* of the final norm */
    FROM_HEAD_BIAS  /* of the unembedding */
};

struct attribution_part {
    enum from_kind kind;
    int layer, head; /* -1: none */
    int value;       /* FROM_PATCH: the value that was changed */
    double amount;
};

struct attribution {
    int pos, token;
    int against;                   /* the token whose logit is taken away, or -1 */
    double scale;                  /* of the final norm */
    struct attribution_part *part; /* in program order */
    int n, cap;
    double sum;    /* of the parts */
    double actual; /* the run's logit, or difference of two */
};

/* Of the logit after position pos. Fails where it is not computed, and when interrupted. */
bool attribution_of(struct attribution *a, const struct session *s, int pos, int token,
                    int against, struct err *err);
void attribution_release(struct attribution *a);
/* "embed", "L2.H3", "L2 attn bias", "L2 mlp", "patch of L2 resid_mid", "final norm bias" */
void attribution_name(const struct session *s, const struct attribution_part *part,
                      struct str *out);
/* The sum of the parts of a kind in a layer (-1: all layers); head -1: all heads. */
double attribution_sum(const struct attribution *a, enum from_kind kind, int layer, int head);

#endif
