/*
 * The terminal: shows a canvas, reads keys, is given back whatever happens. The only module
 * that knows curses. There is one terminal in a program; its state is curses' own and that of
 * the signal handlers.
 *
 *     struct err err = ERR_INIT;
 *     if (!term_open(&err))
 *         ...
 *     term_show(canvas, -1, -1);
 *     while (term_event(&e, -1)) ...
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
    EVENT_MOUSE,     /* mouse */
    EVENT_PASTE,     /* text: what was pasted, line ends as \n, no other control characters */
    EVENT_RESIZE,    /* the size changed, or the screen must be drawn anew */
    EVENT_INTERRUPT, /* Ctrl-C; the interrupt flag is cleared */
    EVENT_END        /* the terminal is gone, or a signal ends the program */
};
/* MOTION with a button is a drag. */
enum mouse_what { MOUSE_PRESS, MOUSE_RELEASE, MOUSE_MOTION, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN };
struct mouse {
    enum mouse_what what;
    int x, y;   /* cell, from 0 */
    int button; /* 1 left, 2 middle, 3 right; 0: none */
    bool shift;
};
struct event {
    enum event_kind kind;
    struct mouse mouse;
    char key[16];      /* "a", "Space", "Left", "C-a", "M-b" (names of command/keys.h);
                          "This key" for one that nobody knows */
    char text[8];      /* what the key types; "" for a key that types nothing */
    struct str *paste; /* owned by the terminal until the next event */
};
/* Whether the mouse is the program's; terminals without one are left alone. */
void term_mouse(bool on);
/* The next event, for which it sleeps at most `ms` milliseconds (-1: until there is one);
 * EVENT_NONE when there is none. */
void term_event(struct event *e, int ms);

#endif
