/*
 * Branches: other continuations of the same text, kept to go back to. There are none until the
 * first fork; from then on the session's tokens are one of them, the present one.
 *
 *     present  Tom gave the red ball to Anna
 *     branch_fork(s, " blue", 2, ...)
 *     1        Tom gave the| red ball to Anna      kept
 *     present  Tom gave the| blue                  2, forks from 1 at position 3
 *
 * Going to a branch keeps the cache of what both have in common.
 */
#ifndef GPTSCOPE_SESSION_BRANCH_H
#define GPTSCOPE_SESSION_BRANCH_H

#include "base/err.h"
#include "base/str.h"
#include "text/tokenizer.h"

#include <stdbool.h>

struct session;

struct branch {
    int id;         /* from 1 */
    int parent;     /* the branch that it forks from; 0: none, the first */
    int fork;       /* its first own position */
    struct ids ids; /* all its tokens; of the present one: those it had when it was left */
    int n_prompt;
    struct str prompt;
};

struct branches {
    struct branch *item;
    int n, cap;
    int last_id, present, before; /* ids; before: where `back` goes, 0: nowhere */
};

/* The token `token` in place of what follows position at (0 <= at < tokens): keeps the present
 * continuation, forgets all after `at`, appends the token. Goes to a branch that has the token
 * there, if there is one. After the last position there is nothing to keep: just appends. Fails
 * for ids and positions that there are not, and when the context is full. */
bool branch_fork(struct session *s, int token, int at, struct err *err);
/* Makes a branch the present one. */
bool branch_go(struct session *s, int id, struct err *err);
bool branch_back(struct session *s, struct err *err); /* to the one before */
void branches_forget(struct session *s);              /* all; the session's tokens stay */
void branches_release(struct branches *b);
/* Takes the session's tokens over into the present branch, for whoever looks at the list. */
void branches_note(struct session *s);
/* A line each: "* 3  from 1 at 10  ·Tom. Tom gave ...". */
void branches_print(struct session *s, struct str *out);

#endif
