/*
 * The program's prompt on a pseudo-terminal: what is typed, and what comes.
 *
 *     struct prompt t;
 *     prompt_start(&t, "xterm");
 *     prompt_await(&t, "tiny-gpt2> ");
 *     prompt_type(&t, "quit\n");
 *     assert_int_equal(prompt_finish(&t), 0);
 */
#ifndef GPTSCOPE_TESTS_PROMPT_H
#define GPTSCOPE_TESTS_PROMPT_H

#include "base/str.h"

#include <sys/types.h>

struct prompt {
    pid_t pid;
    int fd;
    struct str seen; /* since the last text that was waited for */
    struct str all;
};

extern char prompt_home[]; /* its home folder */

/* Group fixtures: those of command_fixture.h, and the home folder. */
int prompt_setup(void **state);
int prompt_teardown(void **state);
/* `gptscope repl -m tiny-gpt2` in 200 columns; term NULL: TERM is not set. */
void prompt_start(struct prompt *t, const char *term);
/* Reads until `text` was seen; what came up to its end is forgotten. */
void prompt_await(struct prompt *t, const char *text);
void prompt_type(struct prompt *t, const char *text);
/* Waits for the program's end; its wait status. */
int prompt_finish(struct prompt *t);

#endif
