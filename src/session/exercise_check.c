#include "session/exercise_check.h"

#include "base/mem.h"
#include "base/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CASES = 16 };

static void report_begin(struct exercise_report *r, const struct exercise *e, const char *path)
{
    *r = (struct exercise_report){.exercise = e,
                                  .source = path_shown(path),
                                  .log = STR_INIT,
                                  .error = STR_INIT,
                                  .reason = STR_INIT,
                                  .printed = STR_INIT};
    for (int i = 0; i < EXERCISE_TODOS; i++)
        r->todo[i].where = r->todo[i].element = r->todo[i].reason = r->todo[i].note =
            (struct str) STR_INIT;
}

void exercise_report_release(struct exercise_report *r)
{
    free(r->source);
    str_release(&r->log);
    str_release(&r->error);
    str_release(&r->reason);
    str_release(&r->printed);
    for (int i = 0; i < EXERCISE_TODOS; i++) {
        str_release(&r->todo[i].where);
        str_release(&r->todo[i].element);
        str_release(&r->todo[i].reason);
        str_release(&r->todo[i].note);
    }
}

/* --- one TODO --- */

static void tried_release(struct tried *t)
{
    case_release(&t->c);
    call_result_release(&t->result);
    reason_free(t->want);
}

/* Nothing was written: outputs are as they were, and so is what is changed in place. */
static bool untouched(const struct tried *t)
{
    for (int i = 0; i < t->c.call.n_arrays; i++) {
        const struct call_array *a = &t->c.call.array[i];
        const float *got = t->result.got[i];
        for (size_t k = 0; got && k < call_floats(a); k++)
            if (a->role == ARRAY_OUT ? got[k] != WORKER_UNTOUCHED
                                     : memcmp(&got[k], &a->x[k], sizeof *got) != 0)
                return false;
    }
    return true;
}

/* Makes case i and calls the function. *more: there is such a case. */
static bool try_case(struct tried *t, const struct checked *k, int i, struct worker *w,
                     const struct material *m, bool *more, struct err *err)
{
    *t = (struct tried){.c = {.m = m}};
    rng_seed(&t->c.rng, 1000 + (uint64_t) i);
    *more = k->make(&t->c, i, err);
    if (!*more)
        return *err->text == '\0';
    return worker_call(w, &t->c.call, EXERCISE_SECONDS, &t->result, err);
}

static void judge(struct todo_report *r, const struct checked *k, struct tried *t)
{
    const struct mistake *wrong = NULL;

    reason_solve(k, &t->c, 0, t->want);
    reason_compare(k, t);
    if (t->right && k->also && !k->also(&t->c, &t->result, &wrong))
        t->right = false;
    r->n_passed += t->right;
}

/* The case with the largest output. */
static int largest(const struct tried *t, int n)
{
    int most = 0;

    for (int i = 1; i < n; i++)
        if (t[i].c.call.array[0].size[0] > t[most].c.call.array[0].size[0])
            most = i;
    return most;
}

/* All cases of a TODO; ends early where a call does not end well. */
static bool check_todo(struct todo_report *r, const struct checked *k, struct worker *w,
                       const struct material *m, enum lang lang, struct err *err)
{
    struct tried tried[MOST_CASES];
    bool more = true, ok = true, done = true, touched = false, broken = false;
    int n = 0;

    while (ok && more && n < MOST_CASES && !broken) {
        struct tried *t = &tried[n];
        ok = try_case(t, k, n, w, m, &more, err);
        if (!ok || !more) {
            tried_release(t);
            break;
        }
        n++;
        r->n_cases++;
        broken = t->result.outcome != CALL_OK;
        if (broken) {
            reason_outcome(r, t, lang);
        } else {
            judge(r, k, t);
            touched = touched || !untouched(t);
            done = done && t->right;
        }
    }
    if (ok && !broken) {
        r->state = done ? TODO_PASSED : touched ? TODO_FAILED : TODO_OPEN;
        if (r->state == TODO_FAILED)
            reason_tell(r, k, tried, n, lang);
        if (r->state == TODO_PASSED && k->tell)
            k->tell(&tried[largest(tried, n)].c, &tried[largest(tried, n)].result, lang,
                    &r->note);
    }
    for (int i = 0; i < n; i++)
        tried_release(&tried[i]);
    return ok;
}

/* --- all --- */

static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);

    for (const char *p = list; p && (p = strstr(p, word)); p += n)
        if ((p == list || p[-1] == ' ') && (p[n] == '\0' || p[n] == ' '))
            return true;
    return false;
}

/* A wrong TODO that calls another wrong one waits for it. */
static void look_at_needs(struct exercise_report *r, enum lang lang)
{
    const struct exercise *e = r->exercise;

    for (int i = 0; i < e->n_todos; i++) {
        struct todo_report *t = &r->todo[i];
        for (int k = 0; k < e->n_todos && t->state == TODO_FAILED; k++) {
            if (!has_word(e->todo[i].needs, e->todo[k].name) || r->todo[k].state == TODO_PASSED)
                continue;
            t->state = TODO_WAITS;
            snprintf(t->name, sizeof t->name, "waits");
            str_clear(&t->reason);
            str_addf(&t->reason,
                     in_lang(lang, "it calls %s, and that is not right yet: first TODO %d",
                             "它调用了 %s，而那一步还不对：请先完成 TODO %d"),
                     e->todo[k].name, k + 1);
        }
    }
}

bool exercise_check_built(struct exercise_report *r, const struct exercise *e,
                          const struct exercise_build *b, struct worker *w,
                          const struct material *m, enum lang lang, struct err *err)
{
    bool ok = true;

    report_begin(r, e, b->source);
    str_adds(&r->log, b->log.text);
    str_adds(&r->error, b->error.text);
    r->compiled = b->program != NULL;
    r->sanitized = b->sanitized;
    if (!r->compiled) {
        reason_compiler(r, lang);
        return true;
    }
    for (int i = 0; ok && i < e->n_todos; i++) {
        const struct checked *k = exercise_checked(e, i);
        ok = k ? check_todo(&r->todo[i], k, w, m, lang, err)
               : err_set(err, "TODO %s of %s has no cases", e->todo[i].name, e->name);
        r->n_passed += ok && r->todo[i].state == TODO_PASSED;
    }
    str_adds(&r->printed, w->printed.text);
    str_clear(&w->printed);
    look_at_needs(r, lang);
    r->passed = ok && r->n_passed == e->n_todos;
    if (!ok)
        exercise_report_release(r);
    return ok;
}

bool exercise_check(struct exercise_report *r, const struct exercise *e, const char *path,
                    enum lang lang, struct err *err)
{
    struct exercise_build b;
    struct material m = {0};
    struct worker w = {0};
    bool ok;

    if (!exercise_build(&b, e, path, err))
        return false;
    ok = !b.program || (material_open(&m, err) && worker_start(&w, &b, err));
    ok = ok && exercise_check_built(r, e, &b, &w, &m, lang, err);
    worker_release(&w);
    material_release(&m);
    exercise_build_release(&b);
    return ok;
}

void exercise_sum(const struct exercise_report *r, enum lang lang, struct str *out)
{
    bool first = true;
    const char *between = in_lang(lang, "; wrong: ", "；不对：");

    if (!r->compiled) {
        str_addf(out, in_lang(lang, "%s does not compile: %s", "%s 编译不通过：%s"), r->source,
                 r->error.text);
        return;
    }
    str_addf(out, in_lang(lang, "%s: %d of %d TODOs pass", "%s：%d/%d 处 TODO 通过"),
             r->exercise->name, r->n_passed, r->exercise->n_todos);
    for (int i = 0; i < r->exercise->n_todos; i++) {
        const struct todo_report *t = &r->todo[i];
        if (t->state != TODO_FAILED)
            continue;
        str_addf(out, "%s%s", between, r->exercise->todo[i].name);
        if (first)
            str_addf(out, " (%s)", t->reason.len > 0 ? t->reason.text : t->element.text);
        first = false;
        between = in_lang(lang, ", ", "，");
    }
}
