/*
 * Two runs of one model compared: the session's, "now", less the mark. Positions are compared
 * one by one up to the end of the shorter run, whether their tokens are the same or not.
 */
#ifndef GPTSCOPE_SESSION_DIFF_H
#define GPTSCOPE_SESSION_DIFF_H

#include "session/session.h"

struct diff {
    const struct run *now, *mark; /* borrowed */
    const float *mark_logits;     /* borrowed: after the mark's last position */
    int n;                        /* tokens that both have */
    int n_same;                   /* the first n_same are the same */
};

bool diff_open(struct diff *d, const struct session *s, struct err *err); /* needs a mark */
/* Positions for which both have the value. */
int diff_ready(const struct diff *d, int value);
/* now - mark in a region with counts given. 0 where both are -inf (hidden by the mask, or out
 * in both); +-inf where one is. */
bool diff_read(const struct diff *d, int value, const struct region *region, float *out,
               struct err *err);
/* Raises most[n_head] to the largest |now - mark| of each head's pattern in queries
 * [first, first + count). */
bool diff_heads(const struct diff *d, int layer, int first, int count, float *most,
                struct err *err);
/* Lengths (L2) of one position's rows: of now - mark, and of the mark's. */
struct diff_length {
    double change, mark;
};
bool diff_length(const struct diff *d, int value, int pos, struct diff_length *out,
                 struct err *err);

/* What became of a token; probabilities are those of the logits, before any sampling. */
struct logit_change {
    int id;
    float now, mark; /* logits */
    double p_now, p_mark;
};
#define DIFF_TOKENS 64
struct logit_diff {
    int pos;   /* after this position */
    double kl; /* KL(mark || now) = sum p_mark log(p_mark / p_now), nats; may be infinite */
    int top_now, top_mark;                                  /* the likeliest tokens */
    struct logit_change up[DIFF_TOKENS], down[DIFF_TOKENS]; /* the largest changes first */
    int n_up, n_down;
};
/* After position pos of both. */
bool diff_logits(const struct diff *d, int pos, struct logit_diff *out, struct err *err);

#endif
