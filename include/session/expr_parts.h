/*
 * Inside expressions: for the files src/session/expr*.c only.
 */
#ifndef GPTSCOPE_SESSION_EXPR_PARTS_H
#define GPTSCOPE_SESSION_EXPR_PARTS_H

#include "session/expr.h"

enum { EXPR_INDICES = 3, EXPR_ROW_MOST = 1 << 24 };

/* A number by name ("d_head"); false when there is none. */
bool expr_constant(const struct session *s, const char *name, double *x);
/* name[index...]: a number when all axes are indexed, otherwise a row of what is left, in C
 * order. */
bool expr_read(const struct session *s, const char *name, const long *index, int n_index,
               struct expr_value *out, struct err *err);
void expr_number(struct expr_value *out, double x);
/* The function weight of the table: a row of a weight, or one of its numbers. */
bool expr_weight(const struct session *s, const struct expr_value *arg, int n,
                 struct expr_value *out, struct err *err);
/* The functions params and headscore of the table. */
bool expr_params(const struct session *s, const struct expr_value *arg, int n,
                 struct expr_value *out, struct err *err);
bool expr_headscore(const struct session *s, const struct expr_value *arg, int n,
                    struct expr_value *out, struct err *err);

#endif
