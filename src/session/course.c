#include "session/course.h"

#include "base/mem.h"
#include "base/safe.h"
#include "session/expr.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[COURSE_W_COUNT][2] = {
    [COURSE_W_RIGHT] = {"Right.", "对了。"},
    [COURSE_W_WRONG] = {"Not this one.", "不对。"},
    [COURSE_W_ANSWER] = {"The answer is", "答案是"},
    [COURSE_W_GUESS_LETTER] = {"Your guess? Press its letter. Space shows the answer.",
                               "先猜一猜：按选项的字母。空格显示答案。"},
    [COURSE_W_GUESS_NUMBER] = {"Your guess? Press = and type a number. Space shows the answer.",
                               "先猜一猜：按 = 再输入一个数。空格显示答案。"},
    [COURSE_W_END] = {"The end of this lesson. Space: the next one.",
                      "这一课结束了。空格：下一课。"},
    [COURSE_W_NOT_HERE] = {"This does not hold here (something was changed):",
                           "在当前状态下不成立（有东西被改动了）："},
};

const char *course_word(const struct course *c, enum course_word w)
{
    return words[w][c->lang == LANG_ZH];
}

static struct course *course_new(void)
{
    struct course *c = xcalloc(1, sizeof *c);

    c->text = c->question = c->reveal = c->verdict = c->broken = (struct str) STR_INIT;
    for (int i = 0; i < LESSON_CHOICES; i++)
        c->choice[i] = (struct str) STR_INIT;
    c->lesson = c->step = c->at_lesson = -1;
    return c;
}

void course_free(struct course *c)
{
    if (!c)
        return;
    lessons_release(&c->lessons);
    str_release(&c->text);
    str_release(&c->question);
    for (int i = 0; i < LESSON_CHOICES; i++)
        str_release(&c->choice[i]);
    str_release(&c->reveal);
    str_release(&c->verdict);
    str_release(&c->broken);
    free(c->model);
    free(c->prompt);
    free(c);
}

struct course *course_of(struct session *s, struct err *err)
{
    struct lessons l;

    if (!s->course)
        s->course = course_new();
    if (s->course->lessons.n > 0 && s->course->lang == s->set.lang)
        return s->course;
    if (!lessons_open(&l, s->set.lang, err))
        return NULL;
    lessons_release(&s->course->lessons);
    s->course->lessons = l;
    s->course->lang = s->set.lang;
    return s->course;
}

const struct lesson *course_lesson(const struct course *c)
{
    return c && c->lesson >= 0 ? &c->lessons.lesson[c->lesson] : NULL;
}

const struct lesson_step *course_step(const struct course *c)
{
    const struct lesson *l = course_lesson(c);

    return l && c->step >= 0 && c->step < l->n_steps ? &l->step[c->step] : NULL;
}

bool course_is_done(const struct course *c, int lesson)
{
    return c->done >> lesson & 1;
}

void course_title(const struct course *c, struct str *out)
{
    str_addf(out, c->lang == LANG_ZH ? "第 %d 课：%s" : "Lesson %d: %s", c->lesson + 1,
             course_lesson(c)->title);
}

const struct settings *course_settings(const struct session *s)
{
    return course_lesson(s->course) ? &s->course->before : &s->set;
}

/* --- a step --- */

static bool look_at_claims(const struct session *s, const struct lesson_step *step,
                           struct str *broken, struct err *err)
{
    struct expr_claim claim;

    for (int i = 0; i < step->n_claims; i++) {
        if (!expr_check(s, step->claim[i], &claim, err))
            return false;
        if (!claim.holds && broken->len == 0)
            str_addf(broken, "%s (%s, %s)", step->claim[i], claim.left, claim.right);
    }
    return true;
}

static bool fill_choices(const struct session *s, const struct lesson_step *step,
                         struct err *err)
{
    struct course *c = s->course;
    bool ok = true;

    for (int i = 0; i < LESSON_CHOICES; i++)
        str_clear(&c->choice[i]);
    for (int i = 0; ok && i < step->n_choices; i++)
        ok = lesson_fill(s, step->choice[i].text, &c->choice[i], err);
    return ok;
}

bool course_show(struct session *s, struct err *err)
{
    struct course *c = s->course;
    const struct lesson_step *step = course_step(c);

    str_clear(&c->text);
    str_clear(&c->question);
    str_clear(&c->reveal);
    str_clear(&c->verdict);
    str_clear(&c->broken);
    c->answered = COURSE_OPEN;
    c->at_lesson = c->lesson;
    c->at_step = c->step;
    c->changed = true;
    return (!step->text || lesson_fill(s, step->text, &c->text, err)) &&
           (!step->question || lesson_fill(s, step->question, &c->question, err)) &&
           fill_choices(s, step, err) && look_at_claims(s, step, &c->broken, err);
}

/* --- answers --- */

/* The first choice whose claim holds; -1 when none does. */
static int right_choice(const struct session *s, const struct lesson_step *step,
                        struct err *err)
{
    struct expr_claim claim;

    for (int i = 0; i < step->n_choices; i++) {
        if (!expr_check(s, step->choice[i].claim, &claim, err))
            return -1;
        if (claim.holds)
            return i;
    }
    err_set(err, "no choice of this question holds here");
    return -1;
}

static bool right_number(const struct session *s, const struct lesson_step *step, double *x,
                         struct err *err)
{
    struct expr_value v;

    if (!expr_eval(s, step->answer, &v, err))
        return false;
    bool ok = v.kind == EXPR_NUMBER || err_set(err, "the answer is not a number");
    *x = v.x;
    expr_release(&v);
    return ok;
}

static bool tell(struct session *s, enum course_answered how, const char *answer,
                 struct err *err)
{
    struct course *c = s->course;
    const struct lesson_step *step = course_step(c);

    c->answered = how;
    c->asked += how != COURSE_SHOWN;
    c->right += how == COURSE_RIGHT;
    str_clear(&c->verdict);
    str_clear(&c->reveal);
    if (how == COURSE_RIGHT)
        str_addf(&c->verdict, "%s %s", course_word(c, COURSE_W_RIGHT), answer);
    else
        str_addf(&c->verdict, "%s%s%s %s",
                 how == COURSE_WRONG ? course_word(c, COURSE_W_WRONG) : "",
                 how == COURSE_WRONG ? " " : "", course_word(c, COURSE_W_ANSWER), answer);
    return !step->reveal || lesson_fill(s, step->reveal, &c->reveal, err);
}

static bool answer_choice(struct session *s, const char *text, struct err *err)
{
    const struct lesson_step *step = course_step(s->course);
    int right = right_choice(s, step, err), given = -1;
    char shown[400];

    if (right < 0)
        return false;
    if (text && isalpha((unsigned char) *text) && !text[1])
        given = tolower((unsigned char) *text) - 'a';
    else if (text && isdigit((unsigned char) *text) && !text[1])
        given = *text - '1';
    if (text && (given < 0 || given >= step->n_choices))
        return err_set(err, "the choices are a to %c, not '%s'", 'a' + step->n_choices - 1,
                       text);
    snprintf(shown, sizeof shown, "%c) %s", 'a' + right, s->course->choice[right].text);
    return tell(s,
                !text            ? COURSE_SHOWN
                : given == right ? COURSE_RIGHT
                                 : COURSE_WRONG,
                shown, err);
}

static bool answer_number(struct session *s, const char *text, struct err *err)
{
    const struct lesson_step *step = course_step(s->course);
    char shown[32], *end = NULL;
    double right = 0, given = 0;

    if (!right_number(s, step, &right, err))
        return false;
    if (text)
        given = strtod(text, &end);
    if (text && (end == text || *end || !isfinite(given)))
        return err_set(err, "the answer is a number, not '%s'", text);
    snprintf(shown, sizeof shown, "%.6g", right);
    return tell(s,
                !text                                 ? COURSE_SHOWN
                : fabs(given - right) <= step->within ? COURSE_RIGHT
                                                      : COURSE_WRONG,
                shown, err);
}

static bool answer(struct session *s, const char *text, struct err *err)
{
    const struct lesson_step *step = course_step(s->course);

    if (!step || !step->question)
        return err_set(err, "nothing is asked here; lesson next goes on");
    if (s->course->answered != COURSE_OPEN)
        return err_set(err, "this was answered; lesson next goes on");
    return step->n_choices > 0 ? answer_choice(s, text, err) : answer_number(s, text, err);
}

bool course_answer(struct session *s, const char *text, struct err *err)
{
    return answer(s, text, err);
}

bool course_reveal(struct session *s, struct err *err)
{
    return answer(s, NULL, err);
}

void course_finish(struct course *c)
{
    c->done |= UINT64_C(1) << c->lesson;
    c->at_lesson = -1;
    c->changed = true;
}

/* --- from session to session --- */

void course_save(const struct course *c, struct str *out)
{
    for (int i = 0; i < c->lessons.n; i++)
        if (course_is_done(c, i))
            str_addf(out, "done %s\n", c->lessons.lesson[i].name);
    if (c->at_lesson >= 0)
        str_addf(out, "at %s %d\n", c->lessons.lesson[c->at_lesson].name, c->at_step + 1);
}

void course_load(struct course *c, const char *text)
{
    char name[64];
    int step, n = 0;

    for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
        bool done = sscanf(text, "done %63s", name) == 1;
        if (!done && sscanf(text, "at %63s %d%n", name, &step, &n) != 2)
            continue;
        int i = lessons_find(&c->lessons, name);
        if (i < 0)
            continue;
        if (done)
            c->done |= UINT64_C(1) << i;
        else if (step >= 1 && step <= c->lessons.lesson[i].n_steps)
            c->at_lesson = i, c->at_step = step - 1;
    }
}
