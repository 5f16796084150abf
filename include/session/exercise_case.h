/*
 * What a learner's function is tried with: cases, each a call with its arrays, and the right
 * results, in double and in plain loops. Real inputs are the values and weights of the built-in
 * models on the example sentence; others are seeded random numbers.
 *
 * Beside the right computation stand the typical wrong ones: where the learner's numbers are
 * those of one of them, the checker can name the mistake. A file for each exercise,
 * src/session/exercise_NN_NAME.c, ends with its table.
 */
#ifndef GPTSCOPE_SESSION_EXERCISE_CASE_H
#define GPTSCOPE_SESSION_EXERCISE_CASE_H

#include "base/rng.h"
#include "session/exercise.h"
#include "session/session.h"
#include "session/worker.h"

enum material_model { MATERIAL_GPT2, MATERIAL_LLAMA, MATERIAL_COUNT };
struct material {
    struct compute *compute;
    struct session *session[MATERIAL_COUNT]; /* the example sentence, computed */
};
bool material_open(struct material *m, struct err *err);
void material_release(struct material *m);

struct exercise_case {
    const struct material *m;
    char what[LANG_COUNT][80]; /* "one token"; filled by case_say */
    struct call call;
    struct rng rng;
};

/* A text in both languages, printf-like with the same integers. */
void case_say(struct exercise_case *c, const char *en, const char *zh, ...);
void case_number(struct exercise_case *c, double x);
/* Adds an array of so many axes: for each its name and its size. Returns its floats, zero. */
float *case_array(struct exercise_case *c, enum array_role role, const char *name, int n_axes,
                  ...);
void case_random(struct exercise_case *c, float *x, size_t n, double scale);
/* One value of a model's run, all of it, into x. */
bool case_value(const struct exercise_case *c, enum material_model model, const char *name,
                float *x, struct err *err);
/* A weight with a row for each output, or a vector; zeros where the family has none. */
void case_weight(const struct exercise_case *c, enum material_model model,
                 enum weight_role role, int layer, float *x, size_t n);
const struct hparams *case_hparams(const struct exercise_case *c, enum material_model model);
int case_tokens(const struct exercise_case *c, enum material_model model);
void case_release(struct exercise_case *c);

/* The i-th array's input and the i-th number. */
static inline const float *case_in(const struct exercise_case *c, int i)
{
    return c->call.array[i].x;
}
static inline int case_int(const struct exercise_case *c, int i)
{
    return (int) c->call.number[i];
}

/* A typical mistake. */
struct mistake {
    const char *name; /* for --json: "no-scale" */
    const char *en, *zh;
};

struct checked {
    const char *todo;
    /* Case i, from 0; false when there are no more, or with err when there should be. */
    bool (*make)(struct exercise_case *c, int i, struct err *err);
    /* What comes out into out[array], C order: right with variant 0, else with mistake
     * variant - 1. */
    void (*solve)(const struct exercise_case *c, int variant, double *const out[]);
    const struct mistake *mistakes; /* ends with a NULL name */
    double tolerance;               /* 0: 1e-4 */
    bool hides;                     /* -inf is met by everything up to -1e9 */
    /* Something else that must hold of an answer with the right numbers; says what is wrong in
     * both languages. May be NULL. */
    bool (*also)(const struct exercise_case *c, const struct call_result *r,
                 const struct mistake **wrong);
    /* Something worth knowing of the largest case, when all is right. May be NULL. */
    void (*tell)(const struct exercise_case *c, const struct call_result *r, enum lang lang,
                 struct str *out);
};

struct exercise_checks {
    const char *exercise;
    const struct checked *todo;
    int n;
};
extern const struct exercise_checks *const exercise_checks[]; /* ends with NULL */
const struct checked *exercise_checked(const struct exercise *e, int todo);

/* --- plain double computations that several exercises need: exercise_plain.c --- */

/* out[rows][n_out] = x[rows][n_in] w^T + bias (may be NULL) */
void plain_linear(double *out, const double *x, const float *w, const float *bias, int rows,
                  int n_in, int n_out);
void plain_widen(double *out, const float *x, size_t n);
double plain_gelu(double x);
void plain_layer_norm(double *out, const double *x, const float *gain, const float *bias,
                      int rows, int n, double eps);
/* Causal attention of all heads; q[n_q][n_head * d_head], k, v[n_k][n_kv * d_head]; query i
 * stands at position n_k - n_q + i. */
void plain_attention(double *out, const double *q, const double *k, const double *v, int n_q,
                     int n_k, int n_head, int n_kv, int d_head);
/* Weights as the arrays of a call from `first` on, in the order of the structs of exercise.h.
 */
void plain_self_attention(double *out, const double *x, int n, const struct call_array *w,
                          int d_model, int n_head);
void plain_mlp(double *out, const double *x, int n, const struct call_array *w, int d_model,
               int d_mlp);
void plain_block(double *out, const double *x, int n, const struct call_array *w, int d_model,
                 int n_head, int d_mlp, double eps);
/* Adds a block's 16 weight arrays: of a layer of tiny-gpt2, or random (layer -1). */
void case_block(struct exercise_case *c, int layer, int d_model, int n_head, int d_mlp);

#endif
