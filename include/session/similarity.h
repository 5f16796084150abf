/*
 * Cosine similarity, a . b / (|a| |b|): between positions of a value, and between the rows of
 * the embedding.
 *
 *     struct similarity sim;
 *     similarity_init(&sim, s, value, -1, &err);
 *     similarity_read(&sim, s, 0, sim.n, 0, sim.n, out, &err);    // [n, n]
 *     similarity_nearest(s, W_TOK_EMBD, token, near, 10, &err);
 */
#ifndef GPTSCOPE_SESSION_SIMILARITY_H
#define GPTSCOPE_SESSION_SIMILARITY_H

#include "session/session.h"

struct similarity {
    int value;
    int head;  /* of its head axis; -1: all heads, one after the other */
    int n;     /* positions computed */
    int width; /* numbers of a position that are compared */
};

/* Fails for values that have no numbers a position (tokens, scores and the pattern), and where
 * nothing is computed. */
bool similarity_init(struct similarity *sim, const struct session *s, int value, int head,
                     struct err *err);
/* Positions [row, row + rows) with [col, col + cols) into out[rows, cols], in single precision.
 * NAN where a position is all zeros. Memory is a few megabytes beyond out. Fails when
 * interrupted. */
bool similarity_read(const struct similarity *sim, const struct session *s, int row, int rows,
                     int col, int cols, float *out, struct err *err);

struct neighbour {
    int id;
    double cosine;
};
/* The n tokens whose rows of a matrix [n_vocab, ...] (W_TOK_EMBD, W_LM_HEAD) are nearest to
 * that of `id`, itself left out; nearest first, of equals the lower id. Returns how many there
 * are: fewer than n in a small vocabulary, and rows that are all zeros are left out; -1 with
 * err when `id` has such a row, and when interrupted. */
int similarity_nearest(const struct session *s, enum weight_role role, int id,
                       struct neighbour *out, int n, struct err *err);

#endif
