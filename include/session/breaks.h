/*
 * Breakpoints: places and conditions where going through a pass stops (session_run, _layer,
 * _pass, _until, _generate), with the op at the place as the next to run. Going on from there
 * goes on: a breakpoint counts when its op is come to, not when it is left.
 *
 *     OP       this op comes next
 *     LABEL    an op of any block comes next that has this label, or makes this value
 *     HEAD     the softmax of this layer has run; selects the head
 *     ENTROPY  the same, and the weights of the pass's last query in this head have an entropy
 *              (nats) below or above the limit; with several heads the first that does is
 *              selected
 *     TOP      a block has run, and the logit lens (session/lens.h) of the pass's last position
 *              has another top token after the block than before it: before block 0 stands the
 *              embedding; after the last block the lens is the model's own prediction
 *     TOKEN    a pass that holds this token begins; also right after the token was generated
 *
 * Attention that one of them looks into is executed stage by stage; all other layers' attention
 * runs as one kernel as before.
 */
#ifndef GPTSCOPE_SESSION_BREAKS_H
#define GPTSCOPE_SESSION_BREAKS_H

#include "base/str.h"

#include <stdbool.h>

struct lens;
struct session;

enum break_kind { BREAK_OP, BREAK_LABEL, BREAK_HEAD, BREAK_ENTROPY, BREAK_TOP, BREAK_TOKEN };

struct breakpoint {
    int id; /* from 1; given by breaks_add */
    enum break_kind kind;
    bool off;
    int op;          /* OP */
    char label[32];  /* LABEL */
    int layer, head; /* HEAD, ENTROPY; -1: any */
    bool above;      /* ENTROPY */
    double limit;
    int token; /* TOKEN */
};

struct breaks {
    struct breakpoint *item;
    int n, cap;
    int last_id;
    struct lens *lens; /* TOP's; NULL while it was not needed */
    char
        hit[160]; /* where the last going stopped: "breakpoint 2: L2.softmax"; "" for nowhere */
};

/* Adds one and gives it an id; one that is there already is turned on again. Returns its id. */
int breaks_add(struct session *s, const struct breakpoint *b);
/* The one with this id, or one that says the same; NULL when there is none. */
struct breakpoint *breaks_find(struct session *s, int id);
struct breakpoint *breaks_same(struct session *s, const struct breakpoint *b);
void breaks_remove(struct session *s, int id); /* -1: all */
void breaks_release(struct breaks *b);
/* "L2.softmax", "entropy L2.H3 < 0.5", "top", "token ·Tom": what the command break takes. */
void break_print(const struct session *s, const struct breakpoint *b, struct str *out);

/* What waits before op: for views. */
enum break_mark { BREAK_NONE, BREAK_MAYBE, BREAK_SURE }; /* MAYBE: a condition */
enum break_mark breaks_mark(const struct session *s, int op);
/* The first that makes it BREAK_SURE; NULL when none does. */
struct breakpoint *breaks_before(struct session *s, int op);

/* For session/pass.c. */
/* Somebody stops between the stages of this layer's attention. */
bool breaks_inside(const struct session *s, int layer);
/* Whether to stop before the op that comes next in the open pass; fills hit and moves the
 * cursor to the head that is meant. */
bool breaks_stop(struct session *s);
bool breaks_on_token(const struct session *s, int id);

#endif
