/*
 * The logit lens (nostalgebraist, "interpreting GPT: the logit lens", 2020): the residual
 * stream at any point of the model read as if it were the last. x goes through the final norm
 * with the statistics of this x, then through the unembedding, and gives a distribution over
 * the vocabulary. The last point is the model's own prediction, and with it comes the surprisal
 * of the token that does follow.
 *
 *     struct lens *l = lens_new();
 *     lens_look(l, s);
 *     while (lens_work(l, first, count, true, &err)) ;   // a piece of about a millisecond each
 *     struct lens_cell cell;
 *     if (lens_cell(l, point, pos, &cell)) ...
 *
 * Work is done on the positions asked for and kept; tokens that are added leave those before
 * them as they are. Memory grows with the positions that were asked for.
 *
 * Patches of the final norm or the logits themselves (engine/run.h) are not looked at; those of
 * the stream are in it, and so is another function in the final norm's place.
 */
#ifndef GPTSCOPE_SESSION_LENS_H
#define GPTSCOPE_SESSION_LENS_H

#include "session/session.h"

struct lens; /* what was computed for one sequence */

struct lens *lens_new(void);
void lens_free(struct lens *l); /* NULL is fine */
/* Takes notice of where the session stands and forgets what is no longer so; s is borrowed
 * until the next look. Before everything below, whenever the session may have changed. */
void lens_look(struct lens *l, const struct session *s);

/* Points of the stream as session_point counts them: [0, lens_n_points). */
int lens_n_points(const struct lens *l);
/* How many points, from the first on, the run has computed at this position. */
int lens_ready(const struct lens *l, int pos);

/* --- what the lens sees --- */

enum { LENS_TOP = 5 };

struct lens_token {
    int32_t id; /* -1: none (a smaller vocabulary; logits that are not numbers) */
    float prob;
};

struct lens_cell {
    struct lens_token top[LENS_TOP];
    float entropy;   /* nats */
    float kl;        /* KL(final || this) in nats; NAN until the final prediction is there */
    float surprisal; /* -log p of the token that follows, nats; NAN: none does */
    int rank;        /* of the final prediction's token, 1: the most likely; 0: not there yet */
    int rank_next;   /* of the token that follows; 0: none does */

    float norm;   /* |x| of the stream here */
    float added;  /* |what was added| since the point before; 0 at the embedding */
    float cosine; /* of what was added with the stream before it; NAN at the embedding */
};

/* Does a piece of the work that positions [first, first + count) lack: the final predictions,
 * and with `all` every point. Returns true when it has done something, so that more may be
 * left; false when all is there or cannot be had (err is set then). */
bool lens_work(struct lens *l, int first, int count, bool all, struct err *err);
/* Whether lens_work has something left to do. */
bool lens_wants(const struct lens *l, int first, int count, bool all);

/* False while it is not computed, by the run or by the lens. */
bool lens_cell(const struct lens *l, int point, int pos, struct lens_cell *cell);
/* The logits that the lens sees at a point after `pos`, into out[n_vocab]: for more than the
 * top LENS_TOP. Computed anew at each call. False when the run has not computed the point. */
bool lens_logits(const struct lens *l, int point, int pos, float *out, struct err *err);
/* The model's own prediction after `pos`; norm, added and cosine are 0. */
bool lens_final(const struct lens *l, int pos, struct lens_cell *cell);
/* -log p(token at pos | the tokens before) in nats, and the token's rank. There is none at
 * position 0. */
bool lens_surprisal(const struct lens *l, int pos, float *nats, int *rank);

#endif
