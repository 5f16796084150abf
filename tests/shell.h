/*
 * Runs shell commands with the program under test on the PATH, in a folder of their own.
 *
 *     struct ran r = shell("gptscope info --json");
 *     assert_int_equal(r.status, 0);
 *     ran_release(&r);
 */
#ifndef GPTSCOPE_TESTS_SHELL_H
#define GPTSCOPE_TESTS_SHELL_H

#include "base/str.h"

struct ran {
    int status; /* exit status; 128 + number for a signal */
    struct str out, err;
};

/* Before and after a group of tests: makes the folder and goes there; removes it. */
int shell_enter(void **state);
int shell_leave(void **state);
struct ran shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same in a terminal: out is what the terminal gets, err is empty. `keys` is typed once
 * something was printed, or after half a second. */
struct ran shell_terminal(const char *line, const char *keys);
void ran_release(struct ran *r);
const char *shell_data(const char *name); /* a file of tests/data; static memory */

#endif
