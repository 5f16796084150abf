/* The functions of expressions. */
#include "session/expr_parts.h"

#include "base/mem.h"
#include "session/cost.h"
#include "session/lens.h"
#include "session/mark.h"
#include "session/timing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A number counts as a row of one. */
static const double *row_of(const struct expr_value *v, size_t *n)
{
    *n = v->kind == EXPR_ROW ? v->n : 1;
    return v->kind == EXPR_ROW ? v->row : &v->x;
}

/* --- of one row --- */

enum of_row { SUM, MEAN, VAR, MAX, MIN, ARGMAX, ARGMIN, NORM, ENTROPY, LENGTH };

static double extreme(const double *x, size_t n, bool least, bool place)
{
    size_t at = 0;

    for (size_t i = 1; i < n; i++)
        if (least ? x[i] < x[at] : x[i] > x[at])
            at = i;
    return place ? (double) at : x[at];
}

static double reduce(enum of_row what, const double *x, size_t n)
{
    double sum = 0, squares = 0, entropy = 0;

    for (size_t i = 0; i < n; i++) {
        sum += x[i];
        squares += x[i] * x[i];
        entropy -= x[i] > 0 ? x[i] * log(x[i]) : 0;
    }
    switch (what) {
    case SUM:
        return sum;
    case MEAN:
        return sum / (double) n;
    case VAR:
        squares = 0;
        for (size_t i = 0; i < n; i++)
            squares += (x[i] - sum / (double) n) * (x[i] - sum / (double) n);
        return squares / (double) n;
    case MAX:
    case MIN:
    case ARGMAX:
    case ARGMIN:
        return extreme(x, n, what == MIN || what == ARGMIN, what == ARGMAX || what == ARGMIN);
    case NORM:
        return sqrt(squares);
    case ENTROPY:
        return entropy;
    case LENGTH:
        return (double) n;
    }
    return NAN;
}

#define ROW_FUNCTION(name, what)                                                               \
    static bool name(const struct session *s, const struct expr_value *arg, int n,             \
                     struct expr_value *out, struct err *err)                                  \
    {                                                                                          \
        size_t len;                                                                            \
        const double *x = row_of(arg, &len);                                                   \
        (void) s, (void) n, (void) err;                                                        \
        expr_number(out, reduce(what, x, len));                                                \
        return true;                                                                           \
    }
ROW_FUNCTION(f_sum, SUM)
ROW_FUNCTION(f_mean, MEAN)
ROW_FUNCTION(f_var, VAR)
ROW_FUNCTION(f_max, MAX)
ROW_FUNCTION(f_min, MIN)
ROW_FUNCTION(f_argmax, ARGMAX)
ROW_FUNCTION(f_argmin, ARGMIN)
ROW_FUNCTION(f_norm, NORM)
ROW_FUNCTION(f_entropy, ENTROPY)
ROW_FUNCTION(f_len, LENGTH)

/* --- of two rows --- */

static bool products(const struct expr_value *arg, double *dot, double *a, double *b,
                     struct err *err)
{
    size_t n, m;
    const double *x = row_of(&arg[0], &n), *y = row_of(&arg[1], &m);

    *dot = *a = *b = 0;
    if (n != m)
        return err_set(err, "the rows have %zu and %zu numbers", n, m);
    for (size_t i = 0; i < n; i++) {
        *dot += x[i] * y[i];
        *a += x[i] * x[i];
        *b += y[i] * y[i];
    }
    return true;
}

static bool f_dot(const struct session *s, const struct expr_value *arg, int n,
                  struct expr_value *out, struct err *err)
{
    double dot, a, b;

    (void) s, (void) n;
    if (!products(arg, &dot, &a, &b, err))
        return false;
    expr_number(out, dot);
    return true;
}

static bool f_cosine(const struct session *s, const struct expr_value *arg, int n,
                     struct expr_value *out, struct err *err)
{
    double dot, a, b;

    (void) s, (void) n;
    if (!products(arg, &dot, &a, &b, err))
        return false;
    expr_number(out, dot / sqrt(a * b));
    return true;
}

/* Of several numbers, or of one row and a place in it: its rank, 1 the largest. */
static bool f_rank(const struct session *s, const struct expr_value *arg, int n,
                   struct expr_value *out, struct err *err)
{
    size_t len;
    const double *x = row_of(&arg[0], &len);
    double rank = 1;

    (void) s, (void) n;
    if (arg[1].kind != EXPR_NUMBER || arg[1].x < 0 || arg[1].x >= (double) len)
        return err_set(err, "rank takes a row and a place in it, 0 to %zu", len - 1);
    for (size_t i = 0; i < len; i++)
        rank += x[i] > x[(size_t) arg[1].x] ? 1 : 0;
    expr_number(out, rank);
    return true;
}

/* --- of numbers, row by row --- */

#define NUMBER_FUNCTION(name, call)                                                            \
    static bool name(const struct session *s, const struct expr_value *arg, int n,             \
                     struct expr_value *out, struct err *err)                                  \
    {                                                                                          \
        (void) s, (void) n, (void) err;                                                        \
        if (arg->kind == EXPR_NUMBER) {                                                        \
            expr_number(out, call(arg->x));                                                    \
            return true;                                                                       \
        }                                                                                      \
        *out = (struct expr_value){.kind = EXPR_ROW, .n = arg->n};                             \
        out->row = xcalloc(arg->n, sizeof *out->row);                                          \
        for (size_t i = 0; i < arg->n; i++)                                                    \
            out->row[i] = call(arg->row[i]);                                                   \
        return true;                                                                           \
    }
NUMBER_FUNCTION(f_exp, exp)
NUMBER_FUNCTION(f_log, log)
NUMBER_FUNCTION(f_sqrt, sqrt)
NUMBER_FUNCTION(f_abs, fabs)
NUMBER_FUNCTION(f_tanh, tanh)
NUMBER_FUNCTION(f_erf, erf)
NUMBER_FUNCTION(f_round, round)
NUMBER_FUNCTION(f_sin, sin)

NUMBER_FUNCTION(f_cos, cos)

/* --- tokens --- */

static bool token_text(const struct session *s, double id, struct expr_value *out,
                       struct err *err)
{
    const char *bytes = "";
    size_t len = 0;

    if (id < 0 || id >= s->program->hp.n_vocab || id != floor(id))
        return err_set(err, "there is no token %g", id);
    tokenizer_bytes(s->tokenizer, (int) id, &bytes, &len);
    *out = (struct expr_value){.kind = EXPR_TEXT, .text = xstrndup(bytes, len)};
    return true;
}

static bool f_tok(const struct session *s, const struct expr_value *arg, int n,
                  struct expr_value *out, struct err *err)
{
    (void) n;
    return arg->kind == EXPR_NUMBER ? token_text(s, arg->x, out, err)
                                    : err_set(err, "tok takes the id of a token");
}

static bool f_id(const struct session *s, const struct expr_value *arg, int n,
                 struct expr_value *out, struct err *err)
{
    struct ids ids = IDS_INIT;

    (void) n;
    if (arg->kind != EXPR_TEXT)
        return err_set(err, "id takes a text in quotes");
    bool ok = tokenizer_encode(s->tokenizer, arg->text, strlen(arg->text), TOKENIZE_SPECIAL,
                               &ids, err);
    if (ok && ids.n != 1)
        ok = err_set(err, "'%s' is %d tokens, not one", arg->text, ids.n);
    if (ok)
        expr_number(out, ids.id[0]);
    ids_release(&ids);
    return ok;
}

static bool f_at(const struct session *s, const struct expr_value *arg, int n,
                 struct expr_value *out, struct err *err)
{
    (void) n;
    if (arg->kind != EXPR_NUMBER || arg->x < 0 || arg->x >= s->ids.n)
        return err_set(err, "there are positions 0 to %d", s->ids.n - 1);
    return token_text(s, s->ids.id[(int) arg->x], out, err);
}

/* The stream's probabilities after the last token, of one token. */
static bool f_prob(const struct session *s, const struct expr_value *arg, int n,
                   struct expr_value *out, struct err *err)
{
    long index[2] = {s->ids.n - 1, 0};
    struct expr_value id = {.kind = EXPR_NUMBER, .x = arg->x};

    if (arg->kind == EXPR_TEXT && !f_id(s, arg, 1, &id, err))
        return false;
    if (n > 1)
        index[0] = (long) arg[1].x;
    index[1] = (long) id.x;
    return expr_read(s, "probs", index, 2, out, err);
}

/* The session as it would be with the marked run in place of its own. */
static bool f_marked(const struct session *s, const struct expr_value *arg, int n,
                     struct expr_value *out, struct err *err)
{
    struct session then = *s;

    (void) n;
    if (!s->mark)
        return mark_missing(err);
    if (arg->kind != EXPR_TEXT)
        return err_set(err, "marked takes an expression in quotes");
    then.run = s->mark->run;
    then.ids = (struct ids){0};
    for (int i = 0; i < run_n_past(then.run); i++)
        ids_add(&then.ids, run_tokens(then.run)[i]);
    bool ok = expr_eval(&then, arg->text, out, err);
    ids_release(&then.ids);
    return ok;
}

/* --- what the stream says on its way --- */

/* In place. */
static void softmax(double *x, size_t n)
{
    double most = extreme(x, n, false, false), sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i] = exp(x[i] - most);
    for (size_t i = 0; i < n; i++)
        x[i] /= sum;
}

static bool f_lens(const struct session *s, const struct expr_value *arg, int n,
                   struct expr_value *out, struct err *err)
{
    double point = arg[0].x, pos = n > 1 ? arg[1].x : s->ids.n - 1;
    size_t n_vocab = (size_t) s->program->hp.n_vocab;

    if (arg[0].kind != EXPR_NUMBER || point != floor(point) || point < 0 ||
        point > 2 * s->program->hp.n_layer)
        return err_set(err, "the stream has points 0 to %d", 2 * s->program->hp.n_layer);
    if (pos != floor(pos) || pos < 0 || pos >= s->ids.n)
        return err_set(err, "there are positions 0 to %d", s->ids.n - 1);
    struct lens *l = lens_new();
    float *logits = xcalloc(n_vocab, sizeof *logits);
    lens_look(l, s);
    bool ok = lens_logits(l, (int) point, (int) pos, logits, err);
    if (ok) {
        *out = (struct expr_value){.kind = EXPR_ROW, .n = n_vocab};
        out->row = xcalloc(n_vocab, sizeof *out->row);
        for (size_t i = 0; i < n_vocab; i++)
            out->row[i] = (double) logits[i];
        softmax(out->row, n_vocab);
    }
    free(logits);
    lens_free(l);
    return ok;
}

/* --- what a pass costs --- */

/* "past, new" as whole numbers that make a pass. */
static bool pass_of(const struct session *s, const struct expr_value *arg, int *n_past,
                    int *n_new, struct err *err)
{
    double past = arg[0].x, fresh = arg[1].x;

    if (arg[0].kind != EXPR_NUMBER || arg[1].kind != EXPR_NUMBER || past != floor(past) ||
        fresh != floor(fresh) || past < 0 || fresh < 1 || past + fresh > run_n_ctx(s->run))
        return err_set(err,
                       "a pass is new tokens, 1 or more, after past ones, 0 or more, in all at "
                       "most %d",
                       run_n_ctx(s->run));
    *n_past = (int) past;
    *n_new = (int) fresh;
    return true;
}

static bool f_mults(const struct session *s, const struct expr_value *arg, int n,
                    struct expr_value *out, struct err *err)
{
    int n_past, n_new;

    (void) n;
    if (!pass_of(s, arg, &n_past, &n_new, err))
        return false;
    expr_number(out, cost_of(s->program, n_past, n_new).total);
    return true;
}

static bool f_seconds(const struct session *s, const struct expr_value *arg, int n,
                      struct expr_value *out, struct err *err)
{
    int n_past, n_new;
    double x = 0;

    (void) n;
    if (!pass_of(s, arg, &n_past, &n_new, err) || !timing_of(s, n_past, n_new, &x, err))
        return false;
    expr_number(out, x);
    return true;
}

// clang-format off
const struct expr_function expr_functions[] = {
    {"sum", "a", "the sum of a row", 1, 1, false, f_sum},
    {"mean", "a", "its mean", 1, 1, false, f_mean},
    {"var", "a", "its variance, divided by the count", 1, 1, false, f_var},
    {"max", "a", "its largest number", 1, 1, false, f_max},
    {"min", "a", "its smallest number", 1, 1, false, f_min},
    {"argmax", "a", "where the largest is, the first of equals", 1, 1, false, f_argmax},
    {"argmin", "a", "where the smallest is", 1, 1, false, f_argmin},
    {"norm", "a", "its length, sqrt(sum a^2)", 1, 1, false, f_norm},
    {"entropy", "a", "-sum a log a, in nats", 1, 1, false, f_entropy},
    {"len", "a", "how many numbers it has", 1, 1, false, f_len},
    {"dot", "a, b", "sum of a[i] b[i]", 2, 2, false, f_dot},
    {"cosine", "a, b", "the cosine of the angle between two rows", 2, 2, false, f_cosine},
    {"rank", "a, i", "the rank of a[i] in the row, 1 the largest", 2, 2, false, f_rank},
    {"exp", "x", "of a number, or of each of a row", 1, 1, false, f_exp},
    {"log", "x", "natural logarithm", 1, 1, false, f_log},
    {"sqrt", "x", "square root", 1, 1, false, f_sqrt},
    {"abs", "x", "without its sign", 1, 1, false, f_abs},
    {"tanh", "x", "hyperbolic tangent", 1, 1, false, f_tanh},
    {"erf", "x", "error function", 1, 1, false, f_erf},
    {"sin", "x", "sine of an angle in radians", 1, 1, false, f_sin},
    {"cos", "x", "cosine of an angle in radians", 1, 1, false, f_cos},
    {"round", "x", "to a whole number", 1, 1, false, f_round},
    {"tok", "id", "the text of a token", 1, 1, false, f_tok},
    {"id", "\"text\"", "the id of a text that is one token", 1, 1, true, f_id},
    {"at", "i", "the text of the token at a position", 1, 1, false, f_at},
    {"prob", "token[, i]", "a token's probability after the last position, or after position i",
     1, 2, true, f_prob},
    {"weight", "\"name\", ...",
     "a row of a weight: (\"tok_embd\", token), (\"q\", layer, row), (\"ln1_gain\", layer); with one "
     "more index a number",
     1, 4, true, expr_weight},
    {"marked", "\"expression\"", "the expression over the marked run", 1, 1, true, f_marked},
    {"lens", "point[, i]", "probabilities the logit lens sees at a point of the stream, 0 the embedding",
     1, 2, false, f_lens},
    {"mults", "past, new", "multiplications of a pass of new tokens after past cached ones",
     2, 2, false, f_mults},
    {"seconds", "past, new", "how long such a pass takes, measured now: the least of seven",
     2, 2, false, f_seconds},
    {"params", "\"part\"", "how many in embedding, positions, attention, mlp, norms, head, or total",
     1, 1, true, expr_params},
    {"headscore", "head, job[, length[, n]]",
     "mean weight of \"L0.H3\" on \"previous\", \"induction\", \"duplicate\", \"sink\" or "
     "\"self\"; with a length, of n sequences of random ids given twice",
     2, 4, true, expr_headscore},
    {0},
};
// clang-format on
