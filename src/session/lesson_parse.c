/* The lines of a lesson file. */
#include "session/lesson.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct lessons *all;
    struct lesson *lesson;    /* being read, or NULL */
    struct lesson_step *step; /* being read, or NULL */
    bool blank;               /* the last line was empty */
    struct err *err;
};

static void set_text(char **at, const char *text)
{
    free(*at);
    *at = xstrdup(text + strspn(text, " "));
}

static void add_item(char ***list, int *n, const char *text)
{
    *list = xrealloc(*list, (size_t) *n + 1, sizeof **list);
    (*list)[(*n)++] = xstrdup(text + strspn(text, " "));
}

/* Chinese goes on without a blank. */
static bool ends_wide(const char *text)
{
    size_t n = strlen(text);
    uint32_t cp;

    return n >= 3 && utf8_decode(text + n - 3, 3, &cp) == 3 && utf8_cp_width(cp) == 2;
}

/* Prose goes on where the last line ended; a formula has a line of its own. */
static void add_prose(struct reader *r, char **at, const char *line)
{
    bool formula = strncmp(line, "    ", 4) == 0;
    struct str all = STR_INIT;

    if (*at) {
        const char *last = strrchr(*at, '\n');
        bool after_formula = strncmp(last ? last + 1 : *at, "    ", 4) == 0;
        str_addf(&all, "%s%s", *at,
                 r->blank || formula || after_formula ? "\n"
                 : ends_wide(*at)                     ? ""
                                                      : " ");
    }
    str_adds(&all, line);
    free(*at);
    *at = str_steal(&all);
}

static void begin_lesson(struct reader *r, const char *name)
{
    VEC_ROOM(r->all->lesson, r->all->n, r->all->cap);
    r->lesson = &r->all->lesson[r->all->n++];
    *r->lesson = (struct lesson){0};
    r->step = NULL;
    set_text(&r->lesson->name, name);
    set_text(&r->lesson->model, "tiny-gpt2");
    set_text(&r->lesson->prompt, lesson_prompt);
}

static void begin_step(struct reader *r, const char *heading)
{
    struct lesson *l = r->lesson;

    l->step = xrealloc(l->step, (size_t) l->n_steps + 1, sizeof *l->step);
    r->step = &l->step[l->n_steps++];
    *r->step = (struct lesson_step){0};
    set_text(&r->step->heading, heading);
}

static bool read_header(struct reader *r, const char *line)
{
    static const char *const names[] = {"title:", "model:", "prompt:"};
    char **fields[] = {&r->lesson->title, &r->lesson->model, &r->lesson->prompt};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(names[i]);
        if (strncmp(line, names[i], n))
            continue;
        set_text(fields[i], line + n);
        return true;
    }
    return err_set(r->err, "'%.40s' is neither title, model nor prompt, and no step has begun",
                   line);
}

static bool read_choice(struct reader *r, const char *line)
{
    struct lesson_step *step = r->step;
    const char *claim = strstr(line, " :: ");

    if (!step->question || step->answer)
        return err_set(r->err, "a choice without a question");
    if (!claim)
        return err_set(r->err, "a choice is followed by its claim: - text :: claim");
    if (step->n_choices == LESSON_CHOICES)
        return err_set(r->err, "a question has at most %d choices", LESSON_CHOICES);
    struct lesson_choice *c = &step->choice[step->n_choices++];
    char *text = xstrndup(line, (size_t) (claim - line));
    set_text(&c->text, text);
    set_text(&c->claim, claim + 4);
    free(text);
    return true;
}

static bool read_answer(struct reader *r, const char *line)
{
    const char *near = strrchr(line, '~');
    char *end;

    if (!r->step->question || r->step->n_choices > 0)
        return err_set(r->err, "an answer without a question");
    if (!near)
        return err_set(r->err, "an answer says how near one must come: = expression ~ 0.1");
    r->step->within = strtod(near + 1, &end);
    if (end == near + 1 || *end || !(r->step->within >= 0) || isinf(r->step->within))
        return err_set(r->err, "'%s' is no distance", near + 1);
    char *text = xstrndup(line, (size_t) (near - line));
    set_text(&r->step->answer, text);
    free(text);
    return true;
}

/* A line of a step, by its sign. */
static bool read_line(struct reader *r, const char *line)
{
    struct lesson_step *step = r->step;
    const char *rest = line + 1;

    switch (*line) {
    case '>':
        add_item(&step->command, &step->n_commands, rest);
        return true;
    case '&':
        add_item(&step->claim, &step->n_claims, rest);
        return true;
    case '?':
        set_text(&step->question, rest);
        return true;
    case '-':
        return read_choice(r, rest);
    case '=':
        return read_answer(r, rest);
    case '!':
        add_prose(r, &step->reveal, rest + strspn(rest, " "));
        return true;
    default:
        add_prose(r, step->reveal ? &step->reveal : &step->text, line);
        return true;
    }
}

static bool read_any(struct reader *r, const char *line)
{
    bool ok = true;

    if (!*line) {
        r->blank = true;
        return true;
    }
    if (*line == '#')
        return true;
    if (!strncmp(line, "lesson:", 7))
        begin_lesson(r, line + 7);
    else if (!r->lesson)
        ok = err_set(r->err, "a lesson begins with 'lesson: NAME'");
    else if (!strncmp(line, "==", 2))
        begin_step(r, line + 2);
    else
        ok = r->step ? read_line(r, line) : read_header(r, line);
    r->blank = false;
    return ok;
}

bool lessons_parse(struct lessons *l, const char *name, const char *text, size_t n,
                   struct err *err)
{
    struct reader r = {.all = l, .err = err};
    const char *end = text + n;
    bool ok = true;

    *l = (struct lessons){0};
    for (int line = 1; ok && text < end; line++) {
        const char *eol = memchr(text, '\n', (size_t) (end - text));
        size_t len = (size_t) ((eol ? eol : end) - text);
        char *one = xstrndup(text, len);
        ok = read_any(&r, one) || err_add(err, "%s:%d", name, line);
        free(one);
        text += len + 1;
    }
    if (!ok)
        lessons_release(l);
    return ok;
}

static void free_list(char **list, int n)
{
    for (int i = 0; i < n; i++)
        free(list[i]);
    free(list);
}

static void step_release(struct lesson_step *s)
{
    free(s->heading);
    free(s->text);
    free_list(s->command, s->n_commands);
    free_list(s->claim, s->n_claims);
    free(s->question);
    for (int i = 0; i < s->n_choices; i++) {
        free(s->choice[i].text);
        free(s->choice[i].claim);
    }
    free(s->answer);
    free(s->reveal);
}

void lessons_release(struct lessons *l)
{
    for (int i = 0; i < l->n; i++) {
        struct lesson *lesson = &l->lesson[i];
        for (int k = 0; k < lesson->n_steps; k++)
            step_release(&lesson->step[k]);
        free(lesson->step);
        free(lesson->name);
        free(lesson->title);
        free(lesson->model);
        free(lesson->prompt);
    }
    free(l->lesson);
    *l = (struct lessons){0};
}
