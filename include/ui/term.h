/*
 * The terminal: shows a canvas, reads keys, is given back whatever happens. The only module
 * that knows curses. There is one terminal in a program; its state is curses' own and that of
 * the signal handlers.
 *
 *     struct err err = ERR_INIT;
 *     if (!term_open(&err))
 *         ...
 *     term_show(canvas, -1, -1);
 *     while (term_event(&e, true)) ...
 *     term_close();
 */
#ifndef GPTSCOPE_UI_TERM_H
#define GPTSCOPE_UI_TERM_H

#include "base/err.h"
#include "base/str.h"
#include "session/settings.h"
#include "view/canvas.h"

#include <stdbool.h>

/* Takes the terminal and the signals; false when the terminal cannot show a screen. */
bool term_open(struct err *err);
/* Gives both back. A signal that wanted the program to end is raised again: it may not return.
 */
void term_close(void);

/* A terminal of 256 colours whose output goes nowhere: for measuring. False when this machine
 * does not know such a one. */
bool term_open_nowhere(int w, int h);
void term_close_nowhere(void);
void term_redraw(void); /* the next term_show writes every cell */

void term_size(int *w, int *h);
/* What can be shown, given the settings and NO_COLOR. */
struct caps term_caps(const struct settings *set);
/* Shows the canvas; the terminal's cursor at x,y, or hidden when x < 0. */
void term_show(const struct canvas *c, int x, int y);
void term_beep(void);

enum event_kind {
    EVENT_NONE,
    EVENT_KEY,       /* key */
    EVENT_PASTE,     /* text: what was pasted, line ends as \n, no other control characters */
    EVENT_RESIZE,    /* the size changed, or the screen must be drawn anew */
    EVENT_INTERRUPT, /* Ctrl-C; the interrupt flag is cleared */
    EVENT_END        /* the terminal is gone, or a signal ends the program */
};
struct event {
    enum event_kind kind;
    char key[16];      /* "a", "Space", "Left", "C-a", "M-b" (names of command/keys.h) */
    char text[8];      /* what the key types; "" for a key that types nothing */
    struct str *paste; /* owned by the terminal until the next event */
};
/* The next event. With `wait` sleeps until there is one, otherwise EVENT_NONE comes at once
 * when there is none. */
void term_event(struct event *e, bool wait);

#endif
