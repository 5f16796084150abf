/*
 * Attention rollout (Abnar & Zuidema, "Quantifying Attention Flow in Transformers", 2020): how
 * much of one position, after some layers, comes from each token, if every layer passes half of
 * the stream on as it is and half by its heads' mean pattern:
 *
 *     A_l = 0.5 I + 0.5 mean over heads of pattern_l        R = A_L ... A_1 A_0
 *
 * Row `pos` of R is the answer. Only this row is kept: it goes down from the last layer to the
 * first, so memory grows with T and not with T x T.
 */
#ifndef GPTSCOPE_SESSION_ROLLOUT_H
#define GPTSCOPE_SESSION_ROLLOUT_H

#include "session/session.h"

/* Tokens that a computed position may come from: pos + 1, or all of its pass where a mask shows
 * what comes later. */
int rollout_tokens(const struct session *s, int pos);
/* weight[rollout_tokens], of position pos after layer `last`. The sum is 1 as long as the rows
 * of all patterns have the sum 1, which patches of patterns may change; nothing is scaled to
 * make it so. Fails where a pattern is not computed, and when interrupted. */
bool rollout(const struct session *s, int pos, int last, double *weight, struct err *err);

#endif
