/*
 * Expressions over the live values of a session: for claims that are checked, numbers in a
 * text, and a researcher's pocket calculator.
 *
 *     L1.H4.pattern[8,7]                           one number
 *     sum(L1.H4.pattern[8])                        a row: what is not indexed is left
 *     dot(L0.H1.q[3], L0.H1.k[2]) / sqrt(d_head)
 *     tok(argmax(logits[last]))                    the text of a token
 *     L1.H4.pattern[8,7] > 0.9 and argmax(logits[last]) = id(" thanked")
 *
 *     struct expr_value v;
 *     if (expr_eval(s, "max(L2.H5.pattern[last])", &v, &err)) {
 *         expr_print(&v, 3, &out);
 *         expr_release(&v);
 *     }
 *
 * Values are named as in engine/select.h, one at a time; indices count from 0, `last` is the
 * last position. With a head in the name its axis is gone. Names of numbers: n (tokens),
 * d_model, d_head, d_mlp, n_head, n_kv_head, n_layer, n_vocab, n_ctx, norm_eps, rope_theta, pi,
 * inf. Functions are the table expr_functions. Everything is computed in double from the f32
 * numbers of the run.
 */
#ifndef GPTSCOPE_SESSION_EXPR_H
#define GPTSCOPE_SESSION_EXPR_H

#include "session/session.h"

enum expr_kind { EXPR_NUMBER, EXPR_ROW, EXPR_TEXT };

struct expr_value {
    enum expr_kind kind;
    double x;
    double *row; /* [n], owned */
    size_t n;
    char *text; /* owned; UTF-8, not yet safe for a terminal */
};

struct expr_function {
    const char *name, *args, *help; /* "dot", "a, b", "sum of a[i] b[i]" */
    int least, most;                /* arguments */
    bool texts;                     /* they may be texts */
    bool (*run)(const struct session *s, const struct expr_value *arg, int n,
                struct expr_value *out, struct err *err);
};
extern const struct expr_function expr_functions[]; /* ends with a NULL name */

/* False with the place of the fault in err. Comparisons and `and` give 1 or 0. */
bool expr_eval(const struct session *s, const char *text, struct expr_value *out,
               struct err *err);
void expr_release(struct expr_value *v);
/* With so many digits after the point; -1: six in all. Rows come as [a, b, ...]; a text as it
 * is, not safe for a terminal. */
void expr_print(const struct expr_value *v, int digits, struct str *out);

/* A claim: a comparison, or several with `and`. */
struct expr_claim {
    bool holds;
    char left[80], right[80]; /* the sides of the comparison that decided, printed */
};
bool expr_check(const struct session *s, const char *text, struct expr_claim *claim,
                struct err *err);

#endif
