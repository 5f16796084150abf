/*
 * Views: pure functions from the session to cells. One file per view, one row per view.
 */
#ifndef GPTSCOPE_VIEW_VIEW_H
#define GPTSCOPE_VIEW_VIEW_H

#include "session/session.h"
#include "view/canvas.h"

/* State of the screen that is not the session's: which views are open, where they scroll. */
struct screen {
    int focus;    /* panel index in the layout */
    int panel[8]; /* view of each panel: index into view_table */
    bool maximised;
    bool help;         /* help is laid over the focused panel */
    int scroll[16];    /* per view: first row shown, kept around the cursor by the views */
    const char *entry; /* the `:` line or prompt being edited, or NULL; entry_label before it */
    const char *entry_label;
    int entry_cursor;       /* cell column of the cursor in entry */
    const char *completion; /* candidates, or NULL */
    bool busy;              /* work is going on */
    double rate;            /* tokens per second of it; 0: unknown */
};

struct view {
    const char *name;  /* "attention" */
    const char *digit; /* the key that opens it: "4" */
    const char *keys;  /* what keys do here, "j k query  h l key  , . stage" */
    const char *help;  /* a paragraph */
    void (*draw)(const struct session *s, const struct screen *st, struct canvas *c,
                 struct rect r);
    void (*title)(const struct session *s, char *out, size_t size); /* NULL: the name */
};
extern const struct view view_table[]; /* ends with a NULL name */
int view_find(const char *name);       /* index or -1 */

/* The whole screen: status line, token strip, panels by size, message line, footer.
 * Below 40x10 (or what fits) a notice. Never fails, at any size from 1x1. */
void screen_init(struct screen *st);
void screen_draw(const struct session *s, const struct screen *st, struct canvas *c);
int screen_panels(const struct screen *st, int w, int h); /* panels shown at this size */
void screen_open(struct screen *st, int view, int w,
                 int h); /* puts a view in the focus panel */

#endif
