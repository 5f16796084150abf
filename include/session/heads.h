/*
 * What attention heads do with the tokens there are: the mean weight on telling places. The
 * view of all heads, and the command headscores, count the same way.
 *
 *     head_row_look(&row, weights, query, same);      // one query of one head
 *     head_tally_add(&tally, &row, query);
 *     head_summary_make(&summary, &tally, &row);
 *
 * or for all queries of a run, and for the sequences of random tokens that heads are usually
 * measured with (Olsson et al., "In-context Learning and Induction Heads", 2022):
 *
 *     heads_of_session(&heads, s, &err);
 *     heads_of_random(&heads, s, &(struct heads_random){50, 8, seed}, &err);
 *     heads_release(&heads);
 */
#ifndef GPTSCOPE_SESSION_HEADS_H
#define GPTSCOPE_SESSION_HEADS_H

#include "session/session.h"

enum head_job { JOB_PREVIOUS, JOB_INDUCTION, JOB_DUPLICATE, JOB_SINK, JOB_SELF, JOB_COUNT };
const char *head_job_name(enum head_job job); /* "previous token" */
char head_job_letter(enum head_job job);      /* 'P' */

/* One query of one head. */
struct head_row {
    float job[JOB_COUNT]; /* NAN: it says nothing about this job */
    float max;            /* the largest weight */
    float entropy;        /* by its largest possible value, log of the keys: 0..1 */
    int strongest;        /* the key with the largest weight */
};

struct head_tally {
    double job[JOB_COUNT], max, entropy;
    int n, counted[JOB_COUNT];
};

/* What a head does with the tokens there are; means over the queries counted. */
struct head_summary {
    bool ready;
    float job[JOB_COUNT]; /* mean weight: on the token before; on what followed the same token
                             earlier; on the same token earlier; on token 0; on itself */
    int n[JOB_COUNT];     /* queries that speak for it: induction needs a repeated token */
    float max;            /* mean of the largest weight */
    float entropy;        /* mean entropy by its largest possible value, 0..1 */
    int tag;              /* the job it does most, or -1 */
    int strongest;        /* the key that the last query looks at most */
    float strongest_weight;
};

/* One query's weights, p[query + 1]; `same`: where its token was before, or -1. Query 0 has no
 * choice and says nothing. */
void head_row_look(struct head_row *r, const float *p, int query, int same);
void head_tally_add(struct head_tally *t, const struct head_row *r, int query);
/* last: the last query's row. A head is tagged with a job that has at least 0.4 of its weight,
 * as the mean of at least three queries: one repeated token proves no induction. */
void head_summary_make(struct head_summary *h, const struct head_tally *t,
                       const struct head_row *last);
/* same[n]: where each token was before, or -1. */
void heads_same(const int32_t *id, int n, int n_vocab, int *same);

/* All heads of a model. */
struct heads {
    int n_layer, n_head;
    int n_query;               /* queries looked at; of all sequences together */
    struct head_summary *head; /* [n_layer, n_head]; not ready: layers that are not computed */
};

/* Of the tokens computed. Fails when none are, and when interrupted. */
bool heads_of_session(struct heads *h, const struct session *s, struct err *err);

struct heads_random {
    int length, sequences; /* ids of a sequence, before they are repeated */
    uint64_t seed;
};
/*
 * Of sequences of `length` different random ids, no special ones, each given once more right
 * after itself (after the BOS token where the model wants one): then the same token earlier is
 * one place, and what followed it another. They go through a run of their own with the
 * session's patches; the session stays as it is. Fails where the context or the vocabulary is
 * too small, and when interrupted.
 */
bool heads_of_random(struct heads *h, const struct session *s, const struct heads_random *how,
                     struct err *err);
/* The largest length that the context and the vocabulary have room for. */
int heads_random_most(const struct session *s);
void heads_release(struct heads *h);

#endif
