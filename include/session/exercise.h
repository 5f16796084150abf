/*
 * Exercises: functions of a GPT that the learner writes in C. A file each,
 * assets/exercises/NN-NAME.exercise, from which come the text, the hints, the file to fill in
 * and the solution, so that they cannot drift apart:
 *
 *     exercise: attention                its name, for commands; begins an exercise
 *     model: tiny-llama                  that watch runs; tiny-gpt2 when there is none
 *     title.en: Attention                every text in English and in Chinese (.zh)
 *     about.en: What it is about.
 *       A line that begins with two blanks goes on; an empty one ends a paragraph.
 *     todo: scores                       begins a TODO; they count from 1
 *     needs: linear gelu                 TODOs that it calls: wrong ones are told first
 *     text.en: What to do.
 *     hint.en: The first of three hints, each plainer than the one before.
 *     code:                              the solution, up to the line "end:"
 *     @todo scores                         a region that `start` replaces by the TODO's text
 *     @end
 *     @en A comment in one language; // in the file.
 *     harness:                           calls of the learner's functions for the checker
 *                                        (assets/exercises/harness.c), up to "end:"
 *
 * A line of # outside code is a comment.
 */
#ifndef GPTSCOPE_SESSION_EXERCISE_H
#define GPTSCOPE_SESSION_EXERCISE_H

#include "base/err.h"
#include "base/str.h"
#include "session/settings.h"

enum { LANG_COUNT = 2, EXERCISE_HINTS = 3, EXERCISE_TODOS = 8, EXERCISE_MOST = 16 };

struct exercise_todo {
    char *name;
    char *needs; /* names apart by blanks, or NULL */
    char *text[LANG_COUNT];
    char *hint[LANG_COUNT][EXERCISE_HINTS];
    int n_hints[LANG_COUNT];
};

struct exercise {
    int number; /* from 1 */
    char *name, *model;
    char *title[LANG_COUNT], *about[LANG_COUNT];
    struct exercise_todo todo[EXERCISE_TODOS];
    int n_todos;
    char *code, *harness;
};

struct exercises {
    struct exercise item[EXERCISE_MOST];
    int n;
};

/* Those in the program; made once. Fails only when the texts in the program are broken. */
const struct exercises *exercises_all(struct err *err);
bool exercises_parse(struct exercises *all, const char *text, size_t n, struct err *err);
void exercises_release(struct exercises *all);
/* By name or number; NULL with "did you mean" in err. */
const struct exercise *exercise_find(const char *name, struct err *err);
/* Index of a TODO by name or number from 1; -1 with the names there are in err. */
int exercise_todo_find(const struct exercise *e, const char *name, struct err *err);

/* The file to fill in, and the whole solution, with comments in a language. */
void exercise_template(const struct exercise *e, enum lang lang, struct str *out);
void exercise_solution(const struct exercise *e, enum lang lang, struct str *out);
void exercise_makefile(const struct exercise *e, struct str *out);
/* The text of include/gptscope/exercise.h and of assets/exercises/harness.c. */
const char *exercise_header(size_t *n);
const char *exercise_harness(size_t *n);

/* Writes the file to fill in, exercise.h and a Makefile into a folder, which is made. Fails,
 * with nothing written, where one of them is there and is another. dir NULL: named like the
 * exercise. */
bool exercise_start(const struct exercise *e, const char *dir, enum lang lang, struct err *err);
/* The learner's file: in `dir` (or dir itself, when it is a file); NULL: in the folder named
 * like the exercise, or in this one. Yours; NULL with err when there is none. */
char *exercise_path(const struct exercise *e, const char *dir, struct err *err);

/* One of two texts. */
const char *in_lang(enum lang lang, const char *en, const char *zh);

#endif
