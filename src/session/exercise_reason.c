/* What went wrong, in words. */
#include "session/exercise_check.h"

#include "base/mem.h"

#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE 1e-4
#define HIDDEN    (-1e9) /* as good as -inf before a softmax */

/* --- numbers --- */

double reason_rms(const double *x, size_t n)
{
    double sum = 0;
    size_t finite = 0;

    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i])) {
            sum += x[i] * x[i];
            finite++;
        }
    return finite ? sqrt(sum / (double) finite) : 0;
}

bool reason_same(const struct checked *k, double got, double want, double rms)
{
    double near = k->tolerance > 0 ? k->tolerance : TOLERANCE;

    if (isnan(want) || isnan(got))
        return isnan(want) && isnan(got);
    if (isinf(want))
        return got == want || (k->hides && want < 0 && got <= HIDDEN);
    return fabs(got - want) <= near * (fabs(want) + rms) + (double) FLT_MIN;
}

void reason_solve(const struct checked *k, const struct exercise_case *c, int variant,
                  double *out[CALL_ARRAYS])
{
    for (int i = 0; i < c->call.n_arrays; i++) {
        const struct call_array *a = &c->call.array[i];
        out[i] = NULL;
        if (a->role != ARRAY_OUT && a->role != ARRAY_INOUT)
            continue;
        out[i] = xcalloc(call_floats(a) + 1, sizeof *out[i]);
        if (a->role == ARRAY_INOUT)
            plain_widen(out[i], a->x, call_floats(a));
    }
    k->solve(c, variant, out);
}

void reason_free(double *out[CALL_ARRAYS])
{
    for (int i = 0; i < CALL_ARRAYS; i++) {
        free(out[i]);
        out[i] = NULL;
    }
}

void reason_compare(const struct checked *k, struct tried *t)
{
    t->right = true;
    for (int i = 0; t->right && i < t->c.call.n_arrays; i++) {
        size_t n = call_floats(&t->c.call.array[i]);
        double rms = t->want[i] ? reason_rms(t->want[i], n) : 0;
        for (size_t e = 0; t->want[i] && e < n; e++) {
            if (reason_same(k, (double) t->result.got[i][e], t->want[i][e], rms))
                continue;
            t->right = false;
            t->array = i;
            t->element = e;
            break;
        }
    }
}

/* Are the learner's numbers those of a variant? */
static bool is_variant(const struct checked *k, const struct tried *t, int variant)
{
    struct tried as = *t;

    reason_solve(k, &t->c, variant, as.want);
    reason_compare(k, &as);
    reason_free(as.want);
    return as.right;
}

/* --- words --- */

void reason_place(const struct call_array *a, size_t element, struct str *out)
{
    size_t below = call_floats(a);

    str_adds(out, a->name);
    for (int i = 0; i < a->n_axes; i++) {
        below /= (size_t) a->size[i];
        str_addf(out, "[%s %zu]", a->axis[i], element / below);
        element %= below;
    }
}

static void add_number(struct str *out, double x)
{
    if (isnan(x))
        str_adds(out, "nan");
    else if (isinf(x))
        str_adds(out, x < 0 ? "-inf" : "inf");
    else
        str_addf(out, "%.6g", x);
}

static void tell_element(struct todo_report *r, const struct tried *t, enum lang lang)
{
    double got = (double) t->result.got[t->array][t->element];

    reason_place(&t->c.call.array[t->array], t->element, &r->element);
    str_adds(&r->element, in_lang(lang, ": expected ", "：应为 "));
    add_number(&r->element, t->want[t->array][t->element]);
    if (t->result.got[t->array][t->element] == WORKER_UNTOUCHED) {
        str_adds(&r->element, in_lang(lang, ", but it was never written", "，但从未写入"));
        return;
    }
    str_adds(&r->element, in_lang(lang, ", got ", "，得到 "));
    add_number(&r->element, got);
}

static void say(struct todo_report *r, enum lang lang, const char *name, const char *en,
                const char *zh)
{
    snprintf(r->name, sizeof r->name, "%s", name);
    str_adds(&r->reason, in_lang(lang, en, zh));
}

/* --- reasons that any function may have --- */

struct looks {
    const float *got;
    const double *want;
    size_t n;
    double rms;
    const struct call_array *a;
};

static bool all_zero(const struct looks *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->got[i] != 0)
            return false;
    return true;
}

/* got = factor * want throughout, and more than one number says so. */
static bool by_factor(const struct checked *k, const struct looks *l, double *factor)
{
    size_t biggest = 0;

    for (size_t i = 0; i < l->n; i++)
        if (isfinite(l->want[i]) && fabs(l->want[i]) > fabs(l->want[biggest]))
            biggest = i;
    if (l->n < 2 || l->want[biggest] == 0 || !isfinite(l->want[biggest]))
        return false;
    *factor = (double) l->got[biggest] / l->want[biggest];
    if (!isfinite(*factor) || fabs(*factor) < 1e-6)
        return false;
    for (size_t i = 0; i < l->n; i++)
        if (!reason_same(k, (double) l->got[i], *factor * l->want[i], fabs(*factor) * l->rms))
            return false;
    return true;
}

/* The last two axes changed places. */
static bool transposed(const struct checked *k, const struct looks *l)
{
    int rows, cols;

    if (l->a->n_axes < 2)
        return false;
    rows = l->a->size[l->a->n_axes - 2];
    cols = l->a->size[l->a->n_axes - 1];
    if (rows < 2 || cols < 2)
        return false;
    for (size_t base = 0; base < l->n; base += (size_t) rows * (size_t) cols)
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < cols; j++)
                if (!reason_same(k, (double) l->got[base + (size_t) (j * rows + i)],
                                 l->want[base + (size_t) (i * cols + j)], l->rms))
                    return false;
    return true;
}

/* Left-over memory was added to. */
static bool was_added_to(const struct looks *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (!(fabs((double) l->got[i] - (double) WORKER_UNTOUCHED - l->want[i]) <
              1e-2 + 1e-3 * fabs(l->want[i])))
            return false;
    return true;
}

/* How many rows of the first axis are right, and whether the first and the last are. */
static int right_rows(const struct checked *k, const struct looks *l, bool *first, bool *last)
{
    int rows = l->a->size[0], n = 0;
    size_t width = l->n / (size_t) rows;

    for (int i = 0; i < rows; i++) {
        bool right = true;
        for (size_t c = (size_t) i * width; c < ((size_t) i + 1) * width; c++)
            right = right && reason_same(k, (double) l->got[c], l->want[c], l->rms);
        n += right;
        if (i == 0)
            *first = right;
        *last = right;
    }
    return n;
}

static bool tell_rows(struct todo_report *r, const struct checked *k, const struct looks *l,
                      enum lang lang)
{
    bool first, last;
    int n = right_rows(k, l, &first, &last), rows = l->a->size[0];

    if (rows < 3 || l->a->n_axes < 2 || (n != 1 && n != rows - 1))
        return false;
    if (n == 1 && first)
        say(r, lang, "only-first-row",
            "only the first row is right: an index or a pointer does not move on with the row",
            "只有第一行是对的：某个下标或指针没有随行移动");
    else if (n == 1 && last)
        say(r, lang, "only-last-row",
            "only the last row is right: rows are written over each other, or the loop treats "
            "the "
            "last one in a special way",
            "只有最后一行是对的：各行互相覆盖，或者循环对最后一行做了特殊处理");
    else if (n == rows - 1 && !last)
        say(r, lang, "last-row", "only the last row is wrong: a loop ends one too early",
            "只有最后一行不对：循环少走了一步");
    else if (n == rows - 1 && !first)
        say(r, lang, "first-row", "only the first row is wrong: a loop begins one too late",
            "只有第一行不对：循环晚开始了一步");
    return r->reason.len > 0;
}

static bool tell_special(struct todo_report *r, const struct looks *l, double got,
                         enum lang lang)
{
    if (isnan(got))
        say(r, lang, "nan",
            "it is not a number (NaN): 0/0, inf - inf, the root of a negative number, or a "
            "variable that was never given a value",
            "这不是一个数（NaN）：可能是 0/0、inf - inf、负数开方，或使用了从未赋值的变量");
    else if (got == (double) WORKER_UNTOUCHED)
        say(r, lang, "unwritten",
            "some elements are never written: look at where the loops begin and end",
            "有些元素从未写入：请检查循环的起点和终点");
    else if (fabs(got + 1.694739e38) < 1e33)
        say(r, lang, "uninitialised",
            "this looks like a variable or memory that was never given a value",
            "这像是一个从未赋值的变量，或未初始化的内存");
    else if (was_added_to(l))
        say(r, lang, "not-set-to-zero",
            "the output is added to (+=) without being set to 0 first: its old content is "
            "meaningless",
            "对输出做了累加（+=），但没有先置 0：输出原来的内容没有意义");
    else if (isinf(got))
        say(r, lang, "inf", "it is infinite: a division by 0, or exp of a large number",
            "结果是无穷大：除以 0，或对很大的数取了 exp");
    else if (all_zero(l))
        say(r, lang, "zero", "everything is 0", "全部都是 0");
    return r->reason.len > 0;
}

static void tell_generic(struct todo_report *r, const struct checked *k, const struct tried *t,
                         enum lang lang)
{
    const struct call_array *a = &t->c.call.array[t->array];
    struct looks l = {t->result.got[t->array], t->want[t->array], call_floats(a), 0, a};
    double factor;

    l.rms = reason_rms(l.want, l.n);
    if (tell_special(r, &l, (double) l.got[t->element], lang))
        return;
    if (by_factor(k, &l, &factor)) {
        snprintf(r->name, sizeof r->name, factor == -1 ? "negated" : "factor");
        str_addf(&r->reason,
                 in_lang(lang, "every number is the right one times %.6g",
                         "每个数都是正确值的 %.6g 倍"),
                 factor);
    } else if (transposed(k, &l)) {
        say(r, lang, "transposed",
            "rows and columns have changed places: this is the transpose",
            "行和列颠倒了：这是正确结果的转置");
    } else if (!tell_rows(r, k, &l, lang)) {
        snprintf(r->name, sizeof r->name, "wrong");
    }
}

/* --- a wrong TODO --- */

/* The mistake that explains every case, else the first one that explains the first wrong case
 * and is not explained by being right there. */
static const struct mistake *find_mistake(const struct checked *k, const struct tried *t, int n,
                                          const struct tried *first)
{
    const struct mistake *near = NULL;

    for (int v = 0; k->mistakes && k->mistakes[v].name; v++) {
        bool all = is_variant(k, first, v + 1);
        if (!all)
            continue;
        if (!near)
            near = &k->mistakes[v];
        for (int i = 0; all && i < n; i++)
            all = &t[i] == first || is_variant(k, &t[i], v + 1);
        if (all)
            return &k->mistakes[v];
    }
    return near;
}

void reason_tell(struct todo_report *r, const struct checked *k, const struct tried *t, int n,
                 enum lang lang)
{
    const struct tried *first = t;
    const struct mistake *m = NULL;

    while (first->right)
        first++;
    str_adds(&r->where, first->c.what[lang]);
    if (k->also && !k->also(&first->c, &first->result, &m)) {
        say(r, lang, m->name, m->en, m->zh);
        return;
    }
    tell_element(r, first, lang);
    m = find_mistake(k, t, n, first);
    if (m)
        say(r, lang, m->name, m->en, m->zh);
    for (int i = 0; i < n && r->reason.len == 0; i++) /* small cases say little */
        if (!t[i].right)
            tell_generic(r, k, &t[i], lang);
}
