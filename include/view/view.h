/*
 * Views: pure functions from the session to cells. One file per view, one row per view.
 *
 *     struct screen st;
 *     screen_init(&st);
 *     screen_open(&st, view_find("heads"), canvas->w, canvas->h);
 *     screen_draw(session, &st, canvas);
 *     screen_release(&st);
 */
#ifndef GPTSCOPE_VIEW_VIEW_H
#define GPTSCOPE_VIEW_VIEW_H

#include "session/session.h"
#include "view/canvas.h"

/* Places of the screen. Every view has its home; opening a view puts it there. Small screens
 * show LEFT, RIGHT and RIGHT_LOW one at a time, beside MAIN. DOCK, below all, is for lessons,
 * and there only while one is open. */
enum slot { SLOT_LEFT, SLOT_MAIN, SLOT_LOW, SLOT_RIGHT, SLOT_RIGHT_LOW, SLOT_DOCK, SLOT_COUNT };

/* Lines between panels that can be moved: what is left of, right of, below the main panel, and
 * below the right one; on small screens the panel beside the main one, and the one below. */
enum edge {
    EDGE_LEFT,
    EDGE_RIGHT,
    EDGE_LOW,
    EDGE_RIGHT_LOW,
    EDGE_SIDE,
    EDGE_SIDE_LOW,
    EDGE_COUNT
};

/* A key for the footer and the help view: rows of command/keys.h, filled in by the front end
 * (this layer does not know commands). The list ends with a NULL key. */
struct hint {
    const char *key;
    const char *view; /* only while this view has the focus; NULL: everywhere */
    const char *line; /* the command line that it stands for */
    const char *help;
    const char *footer; /* short word for the footer, or NULL */
};

/* What lies under the pointer: the command that a click stands for, and a few words for the
 * message line. Both may be "". */
struct hit {
    char line[96], tip[160];
    bool scrolls;      /* the wheel scrolls this view; */
    const char *wheel; /* or gives this command +1 or -1; NULL: it goes through the layers */
};

/* Where a cell of the screen is. */
enum place { PLACE_NONE, PLACE_STRIP, PLACE_PANEL, PLACE_HINT, PLACE_ENTRY };
struct spot {
    enum place place;
    enum slot slot; /* PANEL */
    enum edge edge; /* a line that can be moved is there; EDGE_COUNT: none */
    struct hit hit;
};

struct view_cache; /* summaries kept between drawings, by run_version (view/cache.h) */

/* What is searched: while it is, keys have the meanings of the rows for "search". */
struct search {
    bool active;
    char text[128];
    int at; /* which of the matches is shown */
};

#define VIEW_MAX 32

/* Which views are open, and where. */
struct arrangement {
    int panel[SLOT_COUNT];
    enum slot focus, side;
    bool maximised;
};

/* State of the screen that is not the session's: which views are open, where they scroll, what
 * commands want from the program's loop. */
struct screen {
    enum slot focus;        /* the slot with the bright frame */
    int panel[SLOT_COUNT];  /* view in each slot: index into view_table */
    enum slot side;         /* which of LEFT, RIGHT, RIGHT_LOW a small screen shows */
    int edge[EDGE_COUNT];   /* cells that the user has added to the size that the edge bounds */
    bool dock;              /* DOCK is shown */
    bool maximised;         /* the focused panel takes all */
    bool help;              /* help is laid over the panels */
    enum slot behind;       /* what had the focus before DOCK got it */
    struct arrangement own; /* while DOCK is shown: the user's, for the end of the lesson */
    int scroll[VIEW_MAX];   /* rows scrolled, by view (scroll_rows in view/views.h) */
    int value;              /* the tensor view's value; -1: what the last op made */
    int candidate;          /* the rank, from 0, that the logits view's cursor is on */
    int op;                 /* the cursor of the map and the program; -1: follows the pass */

    /* Left by commands, done by the program's loop between keys. */
    bool running;   /* compute what is pending, in slices; Esc stops */
    bool playing;   /* step by itself, settings_speed operations a second */
    int generating; /* tokens still to be generated */
    bool want_find; /* open the `/` line */
    bool want_line; /* open the `:` line; it begins with `line` */
    char line[128];
    bool want_edit; /* open the prompt for editing */

    /* The `:` line or prompt being edited, safe, with line ends where rows end; or NULL. */
    const char *entry; /* entry_label is before it */
    const char *entry_label;
    int entry_cursor;       /* byte of the cursor in entry */
    const char *completion; /* candidates, or NULL */
    struct search search;
    const char *tip; /* shown over the message, or NULL */
    double rate;     /* tokens a second of the work that is going on; 0: unknown */
    bool error;      /* the session's message is an error */

    struct hint *hints;       /* the screen's own; NULL: none */
    struct view_cache *cache; /* made by screen_init */
};

struct view {
    const char *name;  /* "attention" */
    const char *digit; /* the key that opens it: "4"; "" has none */
    enum slot home;
    const char *keys; /* what keys do here, "j k query  h l key  , . stage" */
    const char *help; /* a paragraph */
    void (*draw)(const struct session *s, const struct screen *st, struct canvas *c,
                 struct rect r);
    void (*title)(const struct session *s, char *out, size_t size); /* NULL: the name */
    /* What is drawn at x,y of the canvas when the view has r. NULL: nothing anywhere. */
    void (*hit)(const struct session *s, const struct screen *st, const struct canvas *c,
                struct rect r, int x, int y, struct hit *h);
};
/* Whether a row's key stands for this one: "a-z" for each small letter. */
bool hint_key_is(const char *row, const char *key);
extern const struct view view_table[]; /* ends with a NULL name */
int view_find(const char *name);       /* index or -1 */
/* A view's row, or what stands in for it while runs are compared. */
const struct view *view_now(const struct session *s, int index);

/* The view that keys are for: the focused panel's. */
/* Whose own keys hold: "search" while something is searched, otherwise the focused view. */
const char *screen_keys(const struct screen *st);
const struct view *screen_focused(const struct screen *st);

/* The op that the cursor of the map and the program view is on. */
int screen_op(const struct session *s, const struct screen *st);

void screen_init(struct screen *st);
void screen_release(struct screen *st);
void screen_default(struct screen *st); /* the panels and sizes of the beginning */
/* Shows DOCK, or takes it away: then the views are where they were before. */
void screen_dock(struct screen *st, bool on);
void screen_focus(struct screen *st, enum slot slot);
/* The user's own arrangement, with or without DOCK. */
struct arrangement screen_arrangement(const struct screen *st);
/* The whole screen: status line, token strip, panels by size, message line, footer.
 * When too small a notice. Never fails, at any size from 1x1. */
void screen_draw(const struct session *s, const struct screen *st, struct canvas *c);
/* Puts a view in its home slot, shows that slot and gives it the focus. */
void screen_open(struct screen *st, int view, int w, int h);
/* The slots shown at this size, in reading order, with their rectangles; returns how many. */
int screen_layout(const struct session *s, const struct screen *st, int w, int h,
                  enum slot slot[SLOT_COUNT], struct rect rect[SLOT_COUNT]);
int screen_strip_lines(const struct session *s, int w, int h); /* of the token strip */

const char *edge_name(enum edge edge); /* "right-low" */
bool edge_across(enum edge edge);      /* it moves left and right, not up and down */
/* Cells of the panel that the edge bounds; -1 when it is not on a screen of this size. */
int screen_edge_size(const struct session *s, const struct screen *st, int w, int h,
                     enum edge edge);
/* What st->edge must be for the edge (it is on the screen) to stand `by` cells further right or
 * down, or as far as there is room. */
int screen_edge_offset(const struct session *s, const struct screen *st, int w, int h,
                       enum edge edge, int by);
/* The edge drawn at x,y; the one that the focused panel is resized by. EDGE_COUNT: none. */
enum edge screen_edge_at(const struct session *s, const struct screen *st, int w, int h, int x,
                         int y);
enum edge screen_edge_of(const struct screen *st, int w, int h, bool across);

/* What is drawn at x,y: asks the view there, the token strip, or the keys of the footer. */
void screen_spot(const struct session *s, const struct screen *st, const struct canvas *c,
                 int x, int y, struct spot *out);
/* Moves the focus to the next (+1) or previous (-1) panel shown at this size. */
void screen_focus_next(struct screen *st, int by, int w, int h);
/* Where the cursor of the line being edited stands after screen_draw; false: nowhere. */
size_t screen_entry_byte(const struct screen *st, int w, int h, int x, int y); /* of entry */
int screen_entry_rows(const struct screen *st, int w, int h); /* 1 when nothing is edited */
bool screen_entry_at(const struct screen *st, int w, int h, int *x, int *y);

#endif
