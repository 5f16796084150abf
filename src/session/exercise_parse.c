/* The lines of an exercise file. */
#include "session/exercise.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    struct exercises *all;
    struct exercise *e;      /* being read, or NULL */
    struct exercise_todo *t; /* being read, or NULL */
    char **field;            /* that a line with two blanks goes on with, or NULL */
    char **verbatim;         /* code or harness being read, or NULL */
    bool blank;              /* the last line was empty */
    struct err *err;
};

static void append(char **at, const char *between, const char *text)
{
    char *all = *at ? xasprintf("%s%s%s", *at, between, text) : xstrdup(text);

    free(*at);
    *at = all;
}

/* Chinese goes on without a blank. */
static bool ends_wide(const char *text)
{
    size_t n = strlen(text);
    uint32_t cp;

    return n >= 3 && utf8_decode(text + n - 3, 3, &cp) == 3 && utf8_cp_width(cp) == 2;
}

/* Prose goes on where the last line ended; a formula, four blanks more, has a line of its own.
 */
static void go_on(struct reader *r, const char *line)
{
    bool formula = !strncmp(line, "    ", 4);
    const char *last = *r->field ? strrchr(*r->field, '\n') : NULL;
    bool after = *r->field && !strncmp(last ? last + 1 : *r->field, "    ", 4);

    append(r->field,
           r->blank || formula || after ? "\n"
           : ends_wide(*r->field)       ? ""
                                        : " ",
           line);
}

static bool begin_exercise(struct reader *r, const char *name)
{
    if (r->all->n == EXERCISE_MOST)
        return err_set(r->err, "more than %d exercises", EXERCISE_MOST);
    r->e = &r->all->item[r->all->n++];
    *r->e = (struct exercise){.number = r->all->n};
    r->e->name = xstrdup(name);
    r->e->model = xstrdup("tiny-gpt2");
    r->t = NULL;
    return true;
}

static bool begin_todo(struct reader *r, const char *name)
{
    if (r->e->n_todos == EXERCISE_TODOS)
        return err_set(r->err, "more than %d TODOs", EXERCISE_TODOS);
    r->t = &r->e->todo[r->e->n_todos++];
    r->t->name = xstrdup(name);
    return true;
}

static bool begin_hint(struct reader *r, int lang, const char *text)
{
    int *n = &r->t->n_hints[lang];

    if (*n == EXERCISE_HINTS)
        return err_set(r->err, "more than %d hints", EXERCISE_HINTS);
    r->field = &r->t->hint[lang][(*n)++];
    *r->field = xstrdup(text);
    return true;
}

/* "title.zh": the field's name without its language. */
static size_t field_lang(const char *key, size_t n, int *lang)
{
    if (n > 3 && (!memcmp(key + n - 3, ".en", 3) || !memcmp(key + n - 3, ".zh", 3))) {
        *lang = key[n - 2] == 'z' ? LANG_ZH : LANG_EN;
        return n - 3;
    }
    *lang = -1;
    return n;
}

static bool set_field(struct reader *r, char **field, const char *text)
{
    r->field = field;
    free(*field);
    *field = xstrdup(text);
    return true;
}

static bool read_texts(struct reader *r, const char *key, size_t n, int lang, const char *text)
{
#define IS(name) (n == strlen(name) && !memcmp(key, name, n))
    if (lang >= 0 && IS("title"))
        return set_field(r, &r->e->title[lang], text);
    if (lang >= 0 && IS("about"))
        return set_field(r, &r->e->about[lang], text);
    if (lang < 0 && IS("model"))
        return set_field(r, &r->e->model, text);
    if (lang < 0 && IS("todo"))
        return begin_todo(r, text);
    if (r->t && lang < 0 && IS("needs"))
        return set_field(r, &r->t->needs, text);
    if (r->t && lang >= 0 && IS("text"))
        return set_field(r, &r->t->text[lang], text);
    if (r->t && lang >= 0 && IS("hint"))
        return begin_hint(r, lang, text);
#undef IS
    return err_set(r->err, "'%.*s' is no field here", (int) n, key);
}

static bool read_key(struct reader *r, const char *line)
{
    const char *colon = strchr(line, ':');
    int lang;

    if (!colon)
        return err_set(r->err, "'%.40s' is not KEY: TEXT", line);
    const char *text = colon + 1 + strspn(colon + 1, " ");
    size_t n = field_lang(line, (size_t) (colon - line), &lang);
    r->field = NULL;
    if (!strncmp(line, "exercise:", 9))
        return begin_exercise(r, text);
    if (!r->e)
        return err_set(r->err, "an exercise begins with 'exercise: NAME'");
    if (!strcmp(line, "code:") || !strcmp(line, "harness:")) {
        r->verbatim = *line == 'c' ? &r->e->code : &r->e->harness;
        append(r->verbatim, "", "");
        return true;
    }
    return read_texts(r, line, n, lang, text);
}

static bool read_line(struct reader *r, const char *line)
{
    bool ok = true;

    if (r->verbatim && !strcmp(line, "end:")) {
        r->verbatim = NULL;
    } else if (r->verbatim) {
        append(r->verbatim, "", line);
        append(r->verbatim, "", "\n");
    } else if (!line[strspn(line, " ")]) {
        r->blank = true;
        return true;
    } else if (!strncmp(line, "  ", 2)) {
        ok = r->field ? (go_on(r, line + 2), true) : err_set(r->err, "no text goes on here");
    } else if (*line != '#') {
        ok = read_key(r, line);
    }
    r->blank = false;
    return ok;
}

/* What every exercise must have. */
static bool complete(const struct exercise *e, struct err *err)
{
    bool ok = e->code && e->harness && e->n_todos > 0;

    for (int lang = 0; lang < LANG_COUNT; lang++) {
        ok = ok && e->title[lang] && e->about[lang];
        for (int i = 0; i < e->n_todos; i++)
            ok = ok && e->todo[i].text[lang] && e->todo[i].n_hints[lang] == EXERCISE_HINTS;
    }
    return ok || err_set(err, "exercise %s is not complete", e->name);
}

bool exercises_parse(struct exercises *all, const char *text, size_t n, struct err *err)
{
    struct reader r = {.all = all, .err = err};
    const char *end = text + n;
    bool ok = true;

    *all = (struct exercises){0};
    for (int line = 1; ok && text < end; line++) {
        const char *eol = memchr(text, '\n', (size_t) (end - text));
        size_t len = (size_t) ((eol ? eol : end) - text);
        char *one = xstrndup(text, len);
        ok = read_line(&r, one) || err_add(err, "line %d", line);
        free(one);
        text += len + 1;
    }
    if (ok && r.verbatim)
        ok = err_set(err, "code or harness without 'end:'");
    for (int i = 0; ok && i < all->n; i++)
        ok = complete(&all->item[i], err);
    if (!ok)
        exercises_release(all);
    return ok;
}

static void todo_release(struct exercise_todo *t)
{
    free(t->name);
    free(t->needs);
    for (int lang = 0; lang < LANG_COUNT; lang++) {
        free(t->text[lang]);
        for (int i = 0; i < EXERCISE_HINTS; i++)
            free(t->hint[lang][i]);
    }
}

void exercises_release(struct exercises *all)
{
    for (int i = 0; i < all->n; i++) {
        struct exercise *e = &all->item[i];
        free(e->name);
        free(e->model);
        for (int lang = 0; lang < LANG_COUNT; lang++) {
            free(e->title[lang]);
            free(e->about[lang]);
        }
        for (int k = 0; k < e->n_todos; k++)
            todo_release(&e->todo[k]);
        free(e->code);
        free(e->harness);
    }
    *all = (struct exercises){0};
}
