/*
 * Entropy of attention: how widely a query spreads its weight over the keys it sees.
 *
 *     H = - sum over keys k of p_k log p_k        nats; at most the log of their number
 */
#ifndef GPTSCOPE_SESSION_ROW_ENTROPY_H
#define GPTSCOPE_SESSION_ROW_ENTROPY_H

#include "session/session.h"

/* The largest possible of a computed query of a layer (-1: of any): log(query + 1), or more
 * where a mask shows what comes later. */
double row_entropy_most(const struct session *s, int layer, int query);
/* out[n_layer, n_head] for one query; NAN in layers where it is not computed. Fails where it is
 * computed in none. */
bool row_entropy_at(const struct session *s, int query, double *out, struct err *err);
/* Means over all queries that a layer has computed: `queries` gets those of layer 0, *most the
 * mean of row_entropy_most over these. Fails when interrupted. */
bool row_entropy_mean(const struct session *s, double *out, int *queries, double *most,
                      struct err *err);
/* All queries of one head: out[queries of the layer that are computed]. */
bool row_entropy_head(const struct session *s, int layer, int head, double *out,
                      struct err *err);

#endif
