/*
 * Other functions that can stand in an op's place, so that one sees what the op is there for:
 * attention without its mask, without its scale, a model without an activation. A row each,
 * with its formula and its help.
 *
 *     const struct function *f = function_find("uniform");
 *     if (function_fits(f, program, op))
 *         run_put(run, 2, "softmax", f, 0, &err);
 *
 * x is what the op reads, row by row, in the formulas; s a query's row of scores.
 */
#ifndef GPTSCOPE_ENGINE_FUNCTION_H
#define GPTSCOPE_ENGINE_FUNCTION_H

#include "engine/run.h"

struct function {
    const char *name;
    unsigned codes;     /* the opcodes that it can stand for: FUNCTION_OF(code) each */
    const char *number; /* what its number is called, "X"; NULL: it takes none */
    double lo, hi;      /* the least and the most that it may be */
    bool whole;         /* a whole number */
    bool ahead;         /* a mask that shows what comes after a token */
    const char *formula, *help;
    op_function *fn; /* finds its number in call->number */
};
#define FUNCTION_OF(code) (1u << (code))

extern const struct function function_table[]; /* ends with a NULL name */

const struct function *function_find(const char *name); /* or NULL */
/* Whether it can stand for this op: shapes are held against each other, and ops whose numbers
 * nothing but their name shows (the last softmax, the LM head) keep their own function. */
bool function_fits(const struct function *f, const struct program *p, int op);
/* Does a name mean this op? Its label, what it makes, or the kind of op: "mlp up", "mlp.pre",
 * "linear". In layer `layer`, or anywhere for -1. */
bool function_reaches(const struct program *p, int op, int layer, const char *name);

#endif
