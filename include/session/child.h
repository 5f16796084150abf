/*
 * Another program, run beside this one and never trusted: in a process group of its own, which
 * is killed at the end; with limits; its output gathered and cut off where it is too much.
 *
 *     struct child c;
 *     child_start(&c, argv, &(struct child_how){.seconds = 30}, &err);
 *     child_wait(&c, 30, &err);                 // c.status, c.out, c.log
 *     child_release(&c);
 */
#ifndef GPTSCOPE_SESSION_CHILD_H
#define GPTSCOPE_SESSION_CHILD_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { CHILD_TEXT = 1 << 16 }; /* bytes that are kept of what it prints */

struct child_how {
    const char *dir;  /* its working folder; NULL: this one's */
    char *const *env; /* NULL: this program's */
    int seconds;      /* of CPU time */
    size_t memory;    /* bytes of address space; 0: no limit */
    bool link;        /* a socket to talk over, its file descriptor 3 */
    bool confined; /* cannot make processes or signal others, where the system has the means */
};

struct child {
    pid_t pid;           /* 0: none runs */
    int link;            /* -1: none */
    int pipe[2];         /* its standard output and error; -1: ended */
    struct str out, log; /* what it printed to them; not made safe */
    int status;          /* as waitpid has it, once it has ended */
};

/* Fails when it cannot be started; that the program is not there shows as exit status 127. */
bool child_start(struct child *c, char *const argv[], const struct child_how *how,
                 struct err *err);
/* Gathers output until something happens on the link (`events` as of poll), or the time is
 * over. Returns what happened on the link, 0 for nothing yet; POLLHUP when there is no link and
 * all output has ended. */
int child_poll(struct child *c, int events, int ms);
/* Waits for its end and for all it prints; kills it after so many seconds. False with err when
 * it had to be killed for that, or when interrupted. */
bool child_wait(struct child *c, double seconds, struct err *err);
/* Ends it if it has not ended within `seconds`, and all its group; sets status. */
void child_end(struct child *c, double seconds);
void child_release(struct child *c); /* ends it, too */

#endif
