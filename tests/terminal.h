/*
 * A program in a real terminal: a pseudo-terminal on one side, a terminal emulator (libvterm)
 * on the other. Nothing sleeps: what is waited for has a deadline.
 *
 *     struct terminal *t = terminal_start(80, 24, (struct variable[]){{0}}, "-m tiny-llama");
 *     terminal_keys(t, "e");
 *     terminal_wait(t, "prompt:");
 *     terminal_free(t);
 */
#ifndef GPTSCOPE_TESTS_TERMINAL_H
#define GPTSCOPE_TESTS_TERMINAL_H

#include "base/str.h"

#include <stdbool.h>
#include <sys/types.h>

struct terminal;

struct variable {
    const char *name, *value; /* value NULL: taken out of the environment */
};

/* Runs $GPTSCOPE with these arguments (as a shell splits them); TERM is xterm-256color, the
 * locale UTF-8, the clock stands still, unless `env` (ended by a NULL name) says otherwise. */
struct terminal *terminal_start(int w, int h, const struct variable *env, const char *args);
void terminal_free(struct terminal *t); /* kills what still runs */

/* Group fixtures: a folder of its own is home and the current one. */
int terminal_enter(void **state);
int terminal_leave(void **state);
/* With these options and a prompt, when it is ready; and its normal end. */
struct terminal *terminal_open(int w, int h, const char *args);
void terminal_quit(struct terminal *t);

void terminal_keys(struct terminal *t, const char *bytes);
/* Mouse: a report as xterm makes it (end: M pressed, m released); a click of the left button,
 * at a cell or on the first place where the text is. */
void terminal_point(struct terminal *t, int button, int x, int y, char end);
void terminal_click(struct terminal *t, int x, int y);
void terminal_click_on(struct terminal *t, const char *text);
bool terminal_find(const struct terminal *t, const char *text, int *x, int *y);
void terminal_resize(struct terminal *t, int w, int h);
void terminal_signal(struct terminal *t, int sig);

/* Each fails the test, with the screen on stderr, when it does not come true in time. */
void terminal_wait(struct terminal *t, const char *text);
void terminal_wait_without(struct terminal *t, const char *text);
/* The screen's text is that of the file in tests/golden-screens; with GOLDEN_UPDATE set in the
 * environment the file is written instead. */
void terminal_wait_golden(struct terminal *t, const char *name);
int terminal_wait_end(struct terminal *t);      /* as waitpid gives it */
void terminal_wait_stopped(struct terminal *t); /* by a signal */
/* Reads what comes until nothing has come for a moment. */
void terminal_settle(struct terminal *t);
/* Tells the program another size, but leaves the emulator as large as it was: what the program
 * draws stands in its upper left corner. libvterm 0.1.4 does not survive lines that were meant
 * for a larger screen. */
void terminal_window(struct terminal *t, int w, int h);
/* Reads what comes next, if it comes within `ms`. */
void terminal_glance(struct terminal *t, int ms);
bool terminal_running(struct terminal *t);

bool terminal_shows(const struct terminal *t, const char *text);
void terminal_text(const struct terminal *t, struct str *out); /* lines, blanks at ends cut */
/* How many different backgrounds there are beside the default one, cells in reverse counted as
 * one; foregrounds alike. */
int terminal_backgrounds(const struct terminal *t);
int terminal_foregrounds(const struct terminal *t);
bool terminal_ascii(const struct terminal *t); /* nothing but ASCII on it */

/* Modes that a program must leave as it found them: no alternate screen, a cursor, no
 * bracketed paste, no mouse, echo. */
void terminal_wait_given_back(struct terminal *t);
bool terminal_alternate(const struct terminal *t);
bool terminal_cursor(const struct terminal *t);
bool terminal_paste(const struct terminal *t); /* bracketed paste */
bool terminal_mouse(const struct terminal *t); /* reports of the mouse */
bool terminal_echo(const struct terminal *t);  /* of the line discipline */

#endif
