/*
 * Lessons: texts that set the scene, claim things of live values, ask and reveal. The files are
 * assets/lessons/{en,zh}/NN-NAME.txt, put into the program as they are:
 *
 *     lesson: mask                         its name, for commands; begins a lesson
 *     title: The causal mask
 *     model: tiny-llama                    tiny-gpt2 when there is none
 *     prompt: Tom gave the red ball        the example sentence when there is none
 *
 *     == Looking back only                 begins a step, with its heading
 *     > view attention; select L0.H3       commands that set the scene
 *     & L0.H3.pattern[2,5] = 0             a claim: must hold whenever the step is shown
 *     Paragraphs of prose with live numbers: the weight is {L0.H3.pattern[2,1]:3}.
 *     An empty line ends a paragraph.
 *         a line that begins with four blanks is kept as it is: a formula
 *     ? What can token 2 see?              a question, with live numbers, too
 *     - all tokens :: L0.H3.pattern[2,5] > 0     a choice, with live numbers, right when its
 *                                                claim holds
 *     - tokens 0 to 2 :: L0.H3.pattern[2,5] = 0
 *     = 3 ~ 0.1                            or, in place of choices, the number that is asked
 *                                          for (an expression), and how near an answer must be
 *     ! What is told after the answer, with live numbers, too.
 *
 * {expression} or {expression:digits} is an expression of session/expr.h; {{ is a brace. A line
 * of # is a comment.
 */
#ifndef GPTSCOPE_SESSION_LESSON_H
#define GPTSCOPE_SESSION_LESSON_H

#include "session/session.h"

enum { LESSON_CHOICES = 4 };

struct lesson_choice {
    char *text, *claim;
};

struct lesson_step {
    char *heading, *text;
    char **command, **claim;
    int n_commands, n_claims;
    char *question; /* NULL: nothing is asked */
    struct lesson_choice choice[LESSON_CHOICES];
    int n_choices;
    char *answer; /* the expression asked for, when there are no choices */
    double within;
    char *reveal; /* or NULL */
};

struct lesson {
    char *name, *title, *model, *prompt;
    struct lesson_step *step;
    int n_steps;
};

struct lessons {
    struct lesson *lesson;
    int n, cap;
};

extern const char lesson_prompt[]; /* the example sentence */

/* The lessons in the program, in their order. Fails with "LANG:line: ...". */
bool lessons_open(struct lessons *l, enum lang lang, struct err *err);
/* The same of a text; name is for messages. */
bool lessons_parse(struct lessons *l, const char *name, const char *text, size_t n,
                   struct err *err);
void lessons_release(struct lessons *l);
/* By name or by number, from 1; -1 when there is none. */
int lessons_find(const struct lessons *l, const char *name);

/* A text with its live numbers, safe for a terminal. Tokens show blanks as middle dots. */
bool lesson_fill(const struct session *s, const char *text, struct str *out, struct err *err);

#endif
