/*
 * What the files of the terminal share (ui/term.h).
 */
#ifndef GPTSCOPE_UI_TERM_PARTS_H
#define GPTSCOPE_UI_TERM_PARTS_H

#include "ui/term.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* term_signal.c: handlers, and the pipe that wakes a poll. */
struct signals_seen {
    bool resized; /* SIGWINCH */
    bool suspend; /* SIGTSTP */
    bool resumed; /* SIGCONT */
    int end;      /* SIGTERM, SIGHUP, SIGQUIT; 0: none */
};
void signals_catch(void);
void signals_restore(void);
void signals_take(struct signals_seen *seen); /* what came since the last call; end stays */
int signals_fd(void);                         /* readable after a signal */
/* What a dying program writes to the terminal: async-signal-safe, made beforehand. */
void signals_give_back(const char *bytes, size_t n);

/* term_color.c: pairs of colours as curses knows them. */
void color_start(void);
void color_stop(void);
int color_count(void);  /* 0, 8, 16, 256, 1 << 24 */
void color_frame(void); /* a new picture begins: pairs of the last one may be used again */
int color_pair(uint32_t fg, uint32_t bg, int colors);

/* term_key.c */
#define KEY_UNKNOWN_NAME "This key"
enum { KEYS_MOUSE = 2500 }; /* what keys_byte says for "ESC [ <" */
void keys_start(void);
int keys_byte(int ms);    /* the next byte of a sequence or a key; -1 when none comes in time */
void keys_skip(int byte); /* a sequence that went wrong at `byte`, up to its end */
void keys_read(struct event *e, struct str *paste); /* EVENT_NONE: nothing to read */

/* term_mouse.c: "ESC [ < button ; x ; y M", after its "<". */
void mouse_find(bool modern); /* modern: has an alternate screen */
const char *mouse_on(void);   /* bytes; "" for terminals without a mouse */
const char *mouse_off(void);
void mouse_read(struct event *e); /* EVENT_NONE: it was no event */

#endif
