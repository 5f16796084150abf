/*
 * The course: which lesson is open, at which step, what was answered, which lessons are done.
 * The texts of the step are filled with live numbers once, when it is shown or answered, so
 * that they stay while the learner plays with the model.
 *
 *     course_open(s, "mask", &err);        // what the commands do: command/cmd_lesson.c
 *     ... execute course_step(c)->command ...
 *     course_show(s, &err);                // fills the texts, looks at the claims
 *     course_answer(s, "b", &err);
 */
#ifndef GPTSCOPE_SESSION_COURSE_H
#define GPTSCOPE_SESSION_COURSE_H

#include "session/lesson.h"

enum course_answered { COURSE_OPEN, COURSE_RIGHT, COURSE_WRONG, COURSE_SHOWN };

struct course {
    struct lessons lessons;
    enum lang lang;                    /* of lessons */
    int lesson, step;                  /* -1: none is open */
    struct str text;                   /* of the step, filled; lines end where paragraphs do */
    struct str question;               /* filled */
    struct str choice[LESSON_CHOICES]; /* the same, each on one line */
    struct str reveal;                 /* filled; "" until it was answered */
    struct str verdict;                /* "Right." or what the right answer is */
    struct str broken;                 /* a claim that does not hold here, or "" */
    enum course_answered answered;
    int right, asked;       /* answers of this lesson */
    uint64_t done;          /* a bit for each lesson */
    bool changed;           /* done or the place has changed: to be saved */
    int at_lesson, at_step; /* where to go on after a restart */
    struct settings before; /* the session's own, put back at the end */
    char *model, *prompt;   /* the same */
};

/* The session's course, made when it is first asked for; in the language of its settings.
 * Fails only when the texts in the program are broken. */
struct course *course_of(struct session *s, struct err *err);
void course_free(struct course *c); /* NULL is fine */

const struct lesson *course_lesson(const struct course *c);    /* NULL: none is open */
const struct lesson_step *course_step(const struct course *c); /* NULL: none is open */
bool course_is_done(const struct course *c, int lesson);
void course_title(const struct course *c, struct str *out); /* "Lesson 7: The causal mask" */

/* The session's own settings, also while a lesson has set others. */
const struct settings *course_settings(const struct session *s);

/* Fills the texts of the present step; a claim that does not hold is told in `broken`. */
bool course_show(struct session *s, struct err *err);
/* A letter or number of a choice, or the number that is asked for. Wrong answers are an answer,
 * too; false for what is no answer. */
bool course_answer(struct session *s, const char *text, struct err *err);
/* The answer without a guess. */
bool course_reveal(struct session *s, struct err *err);
/* The end of a lesson was come to. */
void course_finish(struct course *c);

/* What is kept between sessions, as lines: "done mask", "at mask 3". */
void course_save(const struct course *c, struct str *out);
void course_load(struct course *c, const char *text);

/* A word of the program in the language of the lessons. */
enum course_word {
    COURSE_W_RIGHT,
    COURSE_W_WRONG,
    COURSE_W_ANSWER,
    COURSE_W_GUESS_LETTER,
    COURSE_W_GUESS_NUMBER,
    COURSE_W_END,
    COURSE_W_NOT_HERE,
    COURSE_W_COUNT
};
const char *course_word(const struct course *c, enum course_word w);

#endif
