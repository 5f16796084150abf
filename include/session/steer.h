/*
 * Directions in the residual stream, and adding them: steering.
 */
#ifndef GPTSCOPE_SESSION_STEER_H
#define GPTSCOPE_SESSION_STEER_H

#include "session/session.h"

/* Adds x * (m - r) to resid_post of a layer at every position, also those to come: m is the
 * mark's and r the present resid_post of that layer at position pos. */
bool steer_to_mark(struct session *s, int layer, float x, int pos, struct err *err);
/* Adds x * |r| * u / |u|: u is the token's row of the unembedding, |r| the mean length of the
 * present resid_post over the positions computed. */
bool steer_to_token(struct session *s, int layer, float x, int id, struct err *err);

#endif
