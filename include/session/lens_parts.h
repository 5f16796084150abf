/*
 * Inside the logit lens: what lens.c keeps and lens_job.c computes. Nobody else includes this.
 */
#ifndef GPTSCOPE_SESSION_LENS_PARTS_H
#define GPTSCOPE_SESSION_LENS_PARTS_H

#include "session/lens.h"
#include "tensor/matrix.h"

/* One position. Good while the run's stamp and the token that follows are what they were. */
struct lens_column {
    uint64_t stamp;
    int32_t next; /* -1: none */
    bool has_final;
    struct lens_cell final;
    struct lens_cell *cell; /* [done], NULL before */
    int done;
    bool compared; /* the cells have rank and KL, which need the final prediction */
};

/* A distribution that is summed up while its logits go by. With m the largest logit so far:
 *
 *     z = sum exp(l - m)     s = sum l exp(l - m)     cross = sum l exp(f - m_f)
 *
 * where f are the logits of the final prediction. Then log Z = m + log z, the entropy is
 * log Z - s/z, and KL(final || this) = (s_f/z_f - log Z_f) - (cross/z_f - log Z). */
struct lens_sum {
    int pos, point;
    int final; /* the row of the final prediction after the same position; -1: none */
    int32_t target, next;
    float target_logit, next_logit; /* as found for the ranks */
    int above_target, above_next;   /* tokens with a larger logit */
    float most, rescale;            /* m; exp(m before - m now) */
    double z, s, cross;
    float at_next;                   /* the next token's logit as it went by */
    struct lens_token top[LENS_TOP]; /* prob is the logit */
    float norm, added, cosine;
};

/* Work on points [point, end) of positions [pos, pos + n_pos), as rows of one product:
 *
 *     read     x of one point after the other -> norm -> rows
 *     multiply the rows with a slice of the unembedding after the other, summed up
 *     finish   into the columns
 */
struct lens_job {
    int pos, n_pos, point, end;
    bool all;        /* for the columns' cells; otherwise for their final predictions only */
    uint64_t *stamp; /* [n_pos] */
    int n_rows, read, vocab, slice;
    float *raw, *before;  /* [n_pos, d_model]: the stream at this point and the one before */
    float *x;             /* [n_rows, d_model], normed */
    float *logits, *exps; /* [n_rows, slice] */
    struct lens_sum *sum; /* [n_rows] */
};

struct lens {
    const struct session *s;
    const struct run *run;
    uint64_t generation; /* of the session; 0: none was looked at */

    const struct op *norm, *head; /* the program's: final norm, unembedding */
    int n_points;
    int *value; /* [n_points]: resid_pre of the first block, then resid_mid, resid_post of each
                 */
    int *ready; /* [n_points]: positions that the run has computed */

    struct lens_column *column;
    int n_columns, cap_columns;
    struct lens_job *job; /* NULL: none begun */
};

/* lens.c */
bool lens_has_final(const struct lens *l, int pos);
/* The position's cells are as complete as the run allows. */
bool lens_has_cells(const struct lens *l, int pos);
/* The position's column, emptied if it was of something else. */
struct lens_column *lens_take_column(struct lens *l, int pos);
int32_t lens_next(const struct lens *l, int pos);

/* lens_job.c: `all` for points [point, end), otherwise for the final prediction. */
struct lens_job *lens_job_new(const struct lens *l, int pos, int n_pos, int point, bool all);
/* False when the positions have changed under it. */
bool lens_job_holds(const struct lens *l);
/* One piece; *done at the end. False with err when it cannot go on. */
bool lens_job_step(struct lens *l, bool *done, struct err *err);
void lens_job_free(struct lens_job *j); /* NULL is fine */

#endif
