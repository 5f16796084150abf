/*
 * Parsing and computing in one go:
 *
 *     all     = compare { "and" compare }
 *     compare = sum [ ("<" | "<=" | ">" | ">=" | "=" | "!=") sum [ "within" sum ] ]
 *     sum     = product { ("+" | "-") product }
 *     product = power { ("*" | "/") power }
 *     power   = factor [ "^" power ]
 *     factor  = number | "text" | "-" factor | "(" all ")" | name | name "(" all, ... ")"
 *             | name "[" all, ... "]"
 */
#include "session/expr_parts.h"

#include "base/mem.h"
#include "base/near.h"
#include "base/safe.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MOST = 64, ARGS_MOST = 4 };

struct parser {
    const struct session *s;
    const char *text, *at;
    int depth;
    struct expr_claim *claim; /* or NULL */
    struct err *err;
};

static bool parse_all(struct parser *p, struct expr_value *out);

void expr_release(struct expr_value *v)
{
    free(v->row);
    free(v->text);
    *v = (struct expr_value){0};
}

static void skip(struct parser *p)
{
    while (isspace((unsigned char) *p->at))
        p->at++;
}

static bool take(struct parser *p, const char *sign)
{
    skip(p);
    if (strncmp(p->at, sign, strlen(sign)))
        return false;
    p->at += strlen(sign);
    return true;
}

static bool fault(struct parser *p, const char *what)
{
    skip(p);
    if (!*p->at)
        return err_set(p->err, "'%s' ends where %s is expected", p->text, what);
    return err_set(p->err, "%s is expected before '%.20s' in '%s'", what, p->at, p->text);
}

/* --- operations --- */

static bool is_number(struct parser *p, const struct expr_value *v, const char *what)
{
    return v->kind == EXPR_NUMBER || err_set(p->err, "%s takes numbers, not %s", what,
                                             v->kind == EXPR_TEXT ? "a text" : "a row");
}

static double apply(char sign, double a, double b)
{
    switch (sign) {
    case '+':
        return a + b;
    case '-':
        return a - b;
    case '*':
        return a * b;
    case '/':
        return a / b;
    default:
        return pow(a, b);
    }
}

/* a = a sign b: numbers with numbers, rows with rows of their length, rows with numbers. */
static bool combine(struct parser *p, char sign, struct expr_value *a, struct expr_value *b)
{
    char name[2] = {sign, '\0'};

    if (a->kind == EXPR_TEXT || b->kind == EXPR_TEXT)
        return err_set(p->err, "'%s' takes numbers, not a text", name);
    if (a->kind == EXPR_ROW && b->kind == EXPR_ROW && a->n != b->n)
        return err_set(p->err, "'%s' takes rows of one length, not of %zu and %zu", name, a->n,
                       b->n);
    if (a->kind == EXPR_NUMBER && b->kind == EXPR_NUMBER) {
        a->x = apply(sign, a->x, b->x);
        return true;
    }
    size_t n = a->kind == EXPR_ROW ? a->n : b->n;
    double *row = xcalloc(n, sizeof *row);
    for (size_t i = 0; i < n; i++)
        row[i] = apply(sign, a->kind == EXPR_ROW ? a->row[i] : a->x,
                       b->kind == EXPR_ROW ? b->row[i] : b->x);
    expr_release(a);
    *a = (struct expr_value){.kind = EXPR_ROW, .row = row, .n = n};
    return true;
}

/* --- factors --- */

static bool parse_text(struct parser *p, struct expr_value *out)
{
    struct str text = STR_INIT;

    for (p->at++; *p->at && *p->at != '"'; p->at++) {
        if (*p->at == '\\' && p->at[1])
            p->at++;
        str_addc(&text, *p->at);
    }
    bool ok = *p->at == '"' || err_set(p->err, "a quote is not closed in '%s'", p->text);
    p->at += ok;
    if (ok)
        *out = (struct expr_value){.kind = EXPR_TEXT, .text = xstrdup(text.text)};
    str_release(&text);
    return ok;
}

/* "a, b)": what stands up to the closing sign. */
static bool parse_list(struct parser *p, const char *close, struct expr_value *arg, int most,
                       int *n)
{
    bool ok = true;

    *n = 0;
    while (ok && *n < most) {
        ok = parse_all(p, &arg[*n]);
        *n += ok;
        if (!ok || !take(p, ","))
            break;
    }
    ok = ok && (take(p, close) || fault(p, close));
    for (; !ok && *n > 0; --*n)
        expr_release(&arg[*n - 1]);
    return ok;
}

static const struct expr_function *find_function(struct parser *p, const char *name)
{
    struct near near;

    near_init(&near, name);
    for (const struct expr_function *f = expr_functions; f->name; f++) {
        if (!strcmp(f->name, name))
            return f;
        near_try(&near, f->name);
    }
    if (near_best(&near))
        err_set(p->err, "there is no function '%s'; did you mean '%s'?", name,
                near_best(&near));
    else
        err_set(p->err, "there is no function '%s'; 'help expressions' lists them", name);
    return NULL;
}

static bool call(struct parser *p, const char *name, struct expr_value *out)
{
    const struct expr_function *f = find_function(p, name);
    struct expr_value arg[ARGS_MOST];
    int n;

    if (!f || !parse_list(p, ")", arg, ARGS_MOST, &n))
        return false;
    bool ok = n >= f->least && n <= f->most;
    if (!ok)
        err_set(p->err, "%s(%s) has another number of arguments in '%s'", name, f->args,
                p->text);
    for (int i = 0; ok && i < n; i++) {
        if (arg[i].kind == EXPR_TEXT && !f->texts)
            ok = err_set(p->err, "%s takes numbers, not a text", name);
        else if (arg[i].kind == EXPR_ROW && arg[i].n == 0)
            ok = err_set(p->err, "%s takes a row with something in it", name);
    }
    ok = ok && f->run(p->s, arg, n, out, p->err);
    for (int i = 0; i < n; i++)
        expr_release(&arg[i]);
    return ok;
}

static bool indexed(struct parser *p, const char *name, struct expr_value *out)
{
    struct expr_value arg[EXPR_INDICES];
    long index[EXPR_INDICES];
    int n = 0;
    bool ok = !take(p, "[") || parse_list(p, "]", arg, EXPR_INDICES, &n);

    for (int i = 0; ok && i < n; i++) {
        ok = is_number(p, &arg[i], "an index");
        if (ok && (arg[i].x != floor(arg[i].x) || fabs(arg[i].x) > 1e9))
            ok = err_set(p->err, "an index is a whole number, not %g", arg[i].x);
        index[i] = ok ? (long) arg[i].x : 0;
    }
    ok = ok && expr_read(p->s, name, index, n, out, p->err);
    for (int i = 0; i < n; i++)
        expr_release(&arg[i]);
    return ok;
}

static bool parse_name(struct parser *p, struct expr_value *out)
{
    char name[96];
    size_t n = 0;
    double x;

    while (isalnum((unsigned char) p->at[n]) || p->at[n] == '_' || p->at[n] == '.')
        n++;
    if (n >= sizeof name)
        return err_set(p->err, "'%.40s...' is too long for a name", p->at);
    memcpy(name, p->at, n);
    name[n] = '\0';
    p->at += n;
    if (take(p, "("))
        return call(p, name, out);
    if (!expr_constant(p->s, name, &x))
        return indexed(p, name, out);
    expr_number(out, x);
    return true;
}

static bool parse_factor(struct parser *p, struct expr_value *out)
{
    char *end;

    skip(p);
    if (*p->at == '"')
        return parse_text(p, out);
    if (take(p, "("))
        return parse_all(p, out) && (take(p, ")") || fault(p, ")"));
    if (take(p, "-")) {
        struct expr_value minus = {.kind = EXPR_NUMBER, .x = -1};
        if (++p->depth > DEPTH_MOST)
            return err_set(p->err, "too many minus signs");
        bool ok = parse_factor(p, out) && combine(p, '*', out, &minus);
        p->depth--;
        return ok;
    }
    if (isdigit((unsigned char) *p->at) || *p->at == '.') {
        expr_number(out, strtod(p->at, &end));
        p->at = end;
        return true;
    }
    if (!isalpha((unsigned char) *p->at))
        return fault(p, "a number or a name");
    return parse_name(p, out);
}

/* --- operators --- */

/* One level: `next` operands joined by one of `signs`, from the left. */
static bool parse_chain(struct parser *p, const char *signs,
                        bool (*next)(struct parser *, struct expr_value *),
                        struct expr_value *out)
{
    struct expr_value right;
    bool ok = next(p, out);

    while (ok) {
        skip(p);
        char sign = *p->at;
        if (!sign || !strchr(signs, sign))
            break;
        p->at++;
        ok = next(p, &right);
        if (ok) {
            ok = combine(p, sign, out, &right);
            expr_release(&right);
        }
        if (!ok)
            expr_release(out);
    }
    return ok;
}

static bool parse_power(struct parser *p, struct expr_value *out)
{
    return parse_chain(p, "^", parse_factor, out);
}

static bool parse_product(struct parser *p, struct expr_value *out)
{
    return parse_chain(p, "*/", parse_power, out);
}

static bool parse_sum(struct parser *p, struct expr_value *out)
{
    return parse_chain(p, "+-", parse_product, out);
}

static const char *const relations[] = {"<=", ">=", "!=", "<", ">", "=", NULL};

static bool related(const char *sign, double order)
{
    if (isnan(order))
        return false;
    return (strchr(sign, '<') && order < 0) || (strchr(sign, '>') && order > 0) ||
           (strchr(sign, '=') && sign[0] != '!' && order == 0) ||
           (sign[0] == '!' && order != 0);
}

static void note(char *out, size_t size, const struct expr_value *v)
{
    struct str text = STR_INIT;

    if (v->kind == EXPR_TEXT)
        str_addc(&text, '"');
    expr_print(v, -1, &text);
    if (v->kind == EXPR_TEXT)
        str_addc(&text, '"');
    safe_copy(out, size, text.text, text.len, SAFE_SPACE_KEEP);
    str_release(&text);
}

static bool take_word(struct parser *p, const char *word)
{
    size_t n = strlen(word);

    skip(p);
    return !strncmp(p->at, word, n) && !isalnum((unsigned char) p->at[n]) && take(p, word);
}

/* "within x": how near is near enough for = and !=; 0 when nothing is said. */
static bool parse_within(struct parser *p, const char *sign, double *near)
{
    struct expr_value v;

    *near = 0;
    if (!take_word(p, "within"))
        return true;
    if (!strchr("=!", *sign))
        return err_set(p->err, "within goes with = and !=, in '%s'", p->text);
    if (!parse_sum(p, &v))
        return false;
    bool ok = is_number(p, &v, "within");
    *near = v.x;
    expr_release(&v);
    return ok;
}

/* The comparison stands in the text from `begin` on. */
static bool compare(struct parser *p, const char *begin, const char *sign, struct expr_value *a,
                    const struct expr_value *b)
{
    double near;

    if (!parse_within(p, sign, &near))
        return false;
    if (a->kind != b->kind || a->kind == EXPR_ROW)
        return err_set(p->err, "'%s' compares two numbers or two texts, in '%s'", sign,
                       p->text);
    double order = a->kind == EXPR_TEXT ? strcmp(a->text, b->text) : a->x - b->x;
    if (a->kind == EXPR_NUMBER && (a->x == b->x || fabs(order) <= near))
        order = 0; /* infinities, too */
    bool holds = related(sign, order);
    if (p->claim && p->claim->holds) {
        p->claim->from = (size_t) (begin - p->text);
        p->claim->n = (size_t) (p->at - begin);
        note(p->claim->left, sizeof p->claim->left, a);
        note(p->claim->right, sizeof p->claim->right, b);
        p->claim->holds = holds;
    }
    expr_release(a);
    expr_number(a, holds);
    return true;
}

static bool parse_compare(struct parser *p, struct expr_value *out)
{
    struct expr_value right;

    skip(p);
    const char *begin = p->at;
    if (!parse_sum(p, out))
        return false;
    for (int i = 0; relations[i]; i++) {
        if (!take(p, relations[i]))
            continue;
        bool ok = parse_sum(p, &right);
        if (ok) {
            ok = compare(p, begin, relations[i], out, &right);
            expr_release(&right);
        }
        if (!ok)
            expr_release(out);
        return ok;
    }
    return true;
}

static bool parse_all(struct parser *p, struct expr_value *out)
{
    struct expr_value right;

    if (++p->depth > DEPTH_MOST)
        return err_set(p->err, "brackets stand in each other more than %d deep", DEPTH_MOST);
    bool ok = parse_compare(p, out);
    while (ok && take_word(p, "and")) {
        ok = is_number(p, out, "and") && parse_compare(p, &right);
        if (ok) {
            ok = is_number(p, &right, "and");
            out->x = out->x != 0 && right.x != 0;
            expr_release(&right);
        }
        if (!ok)
            expr_release(out);
    }
    p->depth--;
    return ok;
}

static bool evaluate(const struct session *s, const char *text, struct expr_claim *claim,
                     struct expr_value *out, struct err *err)
{
    struct parser p = {.s = s, .text = text, .at = text, .claim = claim, .err = err};

    *out = (struct expr_value){0};
    if (!parse_all(&p, out)) {
        expr_release(out);
        return false;
    }
    skip(&p);
    if (!*p.at)
        return true;
    expr_release(out);
    return err_set(err, "'%.30s' is too much in '%s'", p.at, text);
}

bool expr_eval(const struct session *s, const char *text, struct expr_value *out,
               struct err *err)
{
    return evaluate(s, text, NULL, out, err);
}

bool expr_check(const struct session *s, const char *text, struct expr_claim *claim,
                struct err *err)
{
    struct expr_value v;

    *claim = (struct expr_claim){.holds = true};
    if (!evaluate(s, text, claim, &v, err))
        return false;
    expr_release(&v);
    return *claim->left || err_set(err,
                                   "'%s' compares nothing; a claim is like "
                                   "L1.H4.pattern[8,7] > 0.9",
                                   text);
}

static void print_number(double x, int digits, struct str *out)
{
    if (isnan(x)) /* whatever its sign */
        str_adds(out, "nan");
    else if (digits >= 0)
        str_addf(out, "%.*f", digits, x);
    else
        str_addf(out, "%.6g", x);
}

void expr_print(const struct expr_value *v, int digits, struct str *out)
{
    if (v->kind == EXPR_TEXT)
        str_adds(out, v->text);
    if (v->kind == EXPR_NUMBER)
        print_number(v->x, digits, out);
    for (size_t i = 0; v->kind == EXPR_ROW && i < v->n; i++) {
        str_adds(out, i ? ", " : "[");
        print_number(v->row[i], digits, out);
    }
    if (v->kind == EXPR_ROW)
        str_addc(out, ']');
}
