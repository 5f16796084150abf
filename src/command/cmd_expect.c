/* expect: a claim about the numbers that are there, held against them. */
#include "command/commands.h"

#include "base/mem.h"
#include "base/safe.h"
#include "command/parse.h"
#include "command/place.h"
#include "command/result.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is claimed: a quantity, where it is, how it compares. */
struct claim {
    struct str what;     /* "L1.H4.pattern 8,7", as typed */
    const char *value;   /* its first word, */
    const char *cell;    /* and what follows it, or NULL */
    const char *op;      /* "<", ">=", "=", ... */
    double wanted, near; /* `=` holds this near */
    double got;
};

/* --- how it compares --- */

/* Half a unit of the last digit: a number that was rounded is met by what it was rounded from.
 */
static double half_unit(const char *text)
{
    const char *dot = strchr(text, '.'), *e = strpbrk(text, "eE");
    size_t end = e ? (size_t) (e - text) : strlen(text);
    int digits = dot ? (int) (end - (size_t) (dot - text)) - 1 : 0;

    return 0.5 * pow(10, (e ? atoi(e + 1) : 0) - digits) * (1 + 1e-9);
}

static bool is_op(const char *text)
{
    static const char *const ops[] = {"<", "<=", ">", ">=", "=", "==", "!="};

    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (!strcmp(text, ops[i]))
            return true;
    return false;
}

static bool holds(const struct claim *c)
{
    bool same = fabs(c->got - c->wanted) <= c->near;

    if (isinf(c->got) && isinf(c->wanted))
        same = (c->got > 0) == (c->wanted > 0);
    if (*c->op == '!')
        return !same && !isnan(c->got);
    if (*c->op == '=')
        return same;
    if (*c->op == '<')
        return c->op[1] ? c->got <= c->wanted : c->got < c->wanted;
    return c->op[1] ? c->got >= c->wanted : c->got > c->wanted;
}

static bool number(const char *text, double *x)
{
    char *end;

    *x = strtod(text, &end);
    return end != text && !*end && !isnan(*x);
}

/* OP NUMBER [within X], from arg[i] on. */
static bool take_comparison(struct claim *c, const struct arg *arg, int i, struct err *err)
{
    if (i + 1 >= COMMAND_ARGS || !arg[i].given || !is_op(arg[i].text) || !arg[i + 1].given)
        return err_set(err, "compare it: %s > 0.9, or <, <=, >=, =, !=", c->what.text);
    c->op = arg[i].text;
    if (!number(arg[i + 1].text, &c->wanted))
        return err_set(err, "'%s' is not a number", arg[i + 1].text);
    c->near = half_unit(arg[i + 1].text);
    i += 2;
    if (i >= COMMAND_ARGS || !arg[i].given)
        return true;
    if (strcmp(arg[i].text, "within"))
        return err_set(err, "'%s' is too much", arg[i].text);
    if (i + 1 >= COMMAND_ARGS || !arg[i + 1].given || !number(arg[i + 1].text, &c->near) ||
        !(c->near >= 0))
        return err_set(err, "within how much? For example: = 0.85 within 0.01");
    return (*c->op != '<' && *c->op != '>') || err_set(err, "within goes with = and !=");
}

/* --- the quantities --- */

static const struct sample_trace *trace_of(const struct command_env *env, struct err *err)
{
    return candidates_of(env, err);
}

static const struct candidate *candidate_of(const struct command_env *env,
                                            const struct arg *token, int *rank, struct err *err)
{
    const struct sample_trace *t = trace_of(env, err);
    int id;

    if (!t || !token_parse(env->session, token->text, token->quoted, &id, err))
        return NULL;
    for (*rank = 0; *rank < t->n; ++*rank)
        if (t->candidate[*rank].id == id)
            return &t->candidate[*rank];
    err_set(err, "there is no token %s; ids go from 0 to %d", token->text, t->n - 1);
    return NULL;
}

static bool got_p(struct command_env *env, const struct arg *cell, double *x, struct err *err)
{
    int rank;
    const struct candidate *c = candidate_of(env, cell, &rank, err);

    *x = c ? c->prob[SAMPLE_RAW] : 0;
    return c != NULL;
}

static bool got_rank(struct command_env *env, const struct arg *cell, double *x,
                     struct err *err)
{
    int rank = 0;
    bool ok = candidate_of(env, cell, &rank, err) != NULL;

    *x = rank + 1;
    return ok;
}

static bool got_tokens(struct command_env *env, const struct arg *cell, double *x,
                       struct err *err)
{
    (void) cell;
    (void) err;
    *x = env->session->ids.n;
    return true;
}

/* "L0.H3,7": the weights of one query, [*n]; yours, NULL with err. */
static float *weights_of(const struct session *s, const char *text, int *n, struct err *err)
{
    char *place = xstrdup(text), *comma = strchr(place, ','), *end;
    int layer = s->at.layer, head = s->at.head, value, query = s->at.query;
    const char *rest = "";
    float *row = NULL;

    if (comma) {
        *comma = '\0';
        query = (int) strtol(comma + 1, &end, 10);
    }
    bool ok = place_parse(s, place, &layer, &head, &rest, err);
    if (ok && (*rest || (comma && (end == comma + 1 || *end))))
        ok = err_set(err, "'%s' is no head and query; they are like L0.H3,7", text);
    value = ok ? program_value(s->program, layer, "attn.pattern") : -1;
    if (ok && (query < 0 || query >= run_ready(s->run, value)))
        ok = err_set(err, "%s is not computed at position %d yet; step on or run",
                     s->program->value[value].name, query);
    if (ok) {
        *n = run_seen(s->run, layer, query);
        struct region g = {{head, query, 0}, {1, 1, *n}};
        row = xmalloc((size_t) *n * sizeof *row);
        ok = run_read(s->run, value, &g, row, err);
    }
    if (!ok) {
        free(row);
        row = NULL;
    }
    free(place);
    return row;
}

static bool got_key(struct command_env *env, const struct arg *cell, double *x, struct err *err)
{
    int n, best = 0;
    float *row = weights_of(env->session, cell->text, &n, err);

    for (int j = 1; row && j < n; j++)
        if (row[j] > row[best])
            best = j;
    *x = best;
    free(row);
    return row != NULL;
}

static bool got_entropy(struct command_env *env, const struct arg *cell, double *x,
                        struct err *err)
{
    int n;

    *x = 0;
    if (!cell->given) {
        const struct sample_trace *t = trace_of(env, err);
        *x = t ? t->entropy[SAMPLE_RAW] : 0;
        return t != NULL;
    }
    float *row = weights_of(env->session, cell->text, &n, err);
    for (int j = 0; row && j < n; j++)
        *x -= row[j] > 0 ? (double) row[j] * log((double) row[j]) : 0;
    free(row);
    return row != NULL;
}

static const struct {
    const char *name;
    enum { CELL_NO, CELL_MAY, CELL_MUST } cell;
    const char *example;
    bool (*got)(struct command_env *env, const struct arg *cell, double *x, struct err *err);
} quantities[] = {
    {"p", CELL_MUST, "p \" thanked\" > 0.2", got_p},
    {"rank", CELL_MUST, "rank \" thanked\" = 1", got_rank},
    {"entropy", CELL_MAY, "entropy < 2.5", got_entropy},
    {"key", CELL_MUST, "key L0.H3,7 = 6", got_key},
    {"tokens", CELL_NO, "tokens = 10", got_tokens},
};

/* One element of a value. */
static bool got_element(struct command_env *env, const struct arg *arg, const struct arg *cell,
                        double *x, struct err *err)
{
    const struct session *s = env->session;
    struct region g = {{0, 0, 0}, {1, 1, 1}};
    struct subject what;
    float y = 0;

    if (s->ids.n == 0)
        return err_set(err, "there are no tokens yet; give a prompt first");
    if (!subject_parse(s, arg->text, cell, &what, err))
        return false;
    const struct value *v = &s->program->value[what.value];
    for (int i = 0; i < v->n_axis; i++)
        g.first[i] = what.cell[i];
    int axis = program_is_stage(s->program, what.value) ? 1 : 0;
    if (g.first[axis] >= run_ready(s->run, what.value) && g.first[axis] < s->ids.n)
        return err_set(err, "%s is not computed at position %d yet; step on or run", v->name,
                       g.first[axis]);
    bool ok = run_read(s->run, what.value, &g, &y, err);
    *x = (double) y;
    return ok;
}

/* --- the command --- */

static void print_what(struct claim *c)
{
    str_adds(&c->what, c->value);
    if (c->cell) {
        bool quote = strpbrk(c->cell, " \t\n\";") != NULL || !*c->cell;
        str_addc(&c->what, ' ');
        if (quote)
            quote_print(c->cell, strlen(c->cell), &c->what);
        else
            safe_add(&c->what, c->cell, strlen(c->cell), SAFE_SPACE_KEEP);
    }
}

/* The token that is most likely next. */
static bool expect_top(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct sample_trace *t = trace_of(env, err);
    struct str got = STR_INIT, wanted = STR_INIT;
    int id;

    if (!t)
        return false;
    if (!arg[1].given)
        return err_set(err, "which token? For example: expect top \" thanked\"");
    if (arg[2].given)
        return err_set(err, "'%s' is too much", arg[2].text);
    if (!token_parse(env->session, arg[1].text, arg[1].quoted, &id, err))
        return false;
    token_print(env->session, t->candidate[0].id, &got);
    token_print(env->session, id, &wanted);
    bool ok = t->candidate[0].id == id;
    if (!ok)
        err_set(err, "expected top %s, but it is %s, p %.4g", wanted.text, got.text,
                t->candidate[0].prob[SAMPLE_RAW]);
    else if (result_wanted(env))
        result_put(env, json_pack("{s:s, s:o, s:o, s:b}", "value", "top", "got",
                                  result_token(env->session, t->candidate[0].id), "wanted",
                                  result_token(env->session, id), "ok", 1));
    else
        str_addf(env->out, "top %s, p %.6g\n", got.text, t->candidate[0].prob[SAMPLE_RAW]);
    str_release(&got);
    str_release(&wanted);
    return ok;
}

static bool tell(struct command_env *env, const struct claim *c, bool ok, struct err *err)
{
    if (result_wanted(env))
        result_put(env, json_pack("{s:s, s:o, s:s, s:o, s:o, s:b}", "value", c->value, "cell",
                                  c->cell ? result_text(c->cell, strlen(c->cell)) : json_null(),
                                  "op", c->op, "got", result_number(c->got), "wanted",
                                  result_number(c->wanted), "ok", ok));
    else if (ok)
        str_addf(env->out, "%s is %.6g, %s %g\n", c->what.text, c->got, c->op, c->wanted);
    return ok || err_set(err, "expected %s %s %g, but it is %.6g", c->what.text, c->op,
                         c->wanted, c->got);
}

bool cmd_expect(struct command_env *env, const struct arg *arg, struct err *err)
{
    static const struct arg none = {.given = false};
    struct claim c = {.value = arg[0].text, .what = STR_INIT};
    bool has_cell = arg[1].given && (arg[1].quoted || !is_op(arg[1].text));
    const struct arg *cell = has_cell ? &arg[1] : &none;
    size_t i = 0, n = sizeof quantities / sizeof *quantities;

    if (!strcmp(arg[0].text, "top"))
        return expect_top(env, arg, err);
    c.cell = has_cell ? arg[1].text : NULL;
    print_what(&c);
    while (i < n && strcmp(quantities[i].name, arg[0].text))
        i++;
    bool ok = true;
    if (i < n && ((quantities[i].cell == CELL_MUST && !has_cell) ||
                  (quantities[i].cell == CELL_NO && has_cell)))
        ok = err_set(err, "it is used as in 'expect %s'", quantities[i].example);
    ok = ok && take_comparison(&c, arg, has_cell ? 2 : 1, err);
    ok = ok && (i < n ? quantities[i].got(env, cell, &c.got, err)
                      : got_element(env, &arg[0], cell, &c.got, err));
    ok = ok && tell(env, &c, holds(&c), err);
    str_release(&c.what);
    return ok;
}
