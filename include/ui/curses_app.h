/*
 * The curses program's own state, and what its files share: the loop (curses.c), the lines that
 * are typed (curses_entry.c), the mouse
 * (curses_mouse.c), the work between keys (curses_work.c), commands that work for long
 * (curses_progress.c), output that needs more than the message line (curses_pager.c).
 */
#ifndef GPTSCOPE_UI_CURSES_APP_H
#define GPTSCOPE_UI_CURSES_APP_H

#include "command/command.h"
#include "ui/history.h"
#include "ui/line_edit.h"
#include "ui/term.h"
#include "view/view.h"

/* The `:` line, the `/` line or the prompt while it is edited. */
enum entry_kind { ENTRY_NONE, ENTRY_LINE, ENTRY_FIND, ENTRY_PROMPT };
struct entry {
    enum entry_kind kind;
    struct line_edit edit;
    struct str shown;      /* edit as it is drawn */
    struct str completion; /* candidates */
    struct str typed;      /* the line that was left to look at older ones */
    struct history lines, prompts;
    bool changed; /* the prompt, since it was noted in the journal */
    int back;     /* how many lines back; 0: the one being typed */
    bool seeking; /* older lines are searched for `sought`, since `seek_from` back */
    int seek_from;
    struct str sought, label;
    struct str before; /* the prompt as it was, for Ctrl-C */
    bool refused;      /* the session did not take the text: it waits here */
};

/* Many lines, laid over the screen until a key is pressed. */
struct pager {
    bool open;
    struct str title, text;
    int top;
};

/* The mouse. */
struct pointer {
    bool points, moved; /* it is at x,y; it moved since the last picture */
    int x, y;
    char tip[160];
    double clicked; /* when, 0: not, or as the second of two */
    int click_x, click_y;
    bool drags, dragged; /* an edge is held; it went somewhere */
    enum edge edge;
    int edge_at;      /* column or row of the edge as the pointer holds it */
    struct spot spot; /* where it was taken */
};

struct app {
    struct session *s;
    const struct tool_args *args;
    struct screen st;
    struct command_env env;
    struct str out; /* of the command */
    struct canvas *canvas;
    struct entry entry;
    struct pager pager;
    struct pointer mouse;
    double drawn;  /* when */
    bool choose;   /* no key was pressed yet: the cursor goes where there is something to see */
    double played; /* when play stepped last */
    double watched; /* when the file of an exercise was looked at last */
    bool working;
    double work_began; /* when, and with how many tokens done */
    int work_tokens, work_passes;
    bool ended;

    /* While a command works for long (curses_progress.c): since when, when its progress was
     * drawn last; what was typed meanwhile and waits. */
    double long_since, long_drawn;
    struct event typed[64];
    int n_typed;
    struct str pasted; /* of the last of them */
};

/* Runs a command line and shows what it says. */
void app_run(struct app *a, const char *line);
/* The same for a line that a key or a click stands for. */
void app_do(struct app *a, const char *line);
void app_say(struct app *a, bool error, const char *text);

/* Came to a breakpoint: stops all work, says which it is, and looks there. */
bool app_break(struct app *a);

void app_draw(struct app *a); /* the picture, now */

/* For command_env.progress: shows how far it is on the message line; Esc stops it. */
void app_progress(struct command_env *env, const char *what, uint64_t done, uint64_t total);
/* The next event that came while a command worked; false when none is left. */
bool app_typed(struct app *a, struct event *e);

int play_wait(const struct app *a); /* milliseconds to the next step; -1: not playing */
bool play_tick(struct app *a);      /* steps when it is time to; whether it did */

/* Work between keys: something waits; a part of it; no more of it (error NULL: was asked to).
 */
bool work_waits(const struct app *a);
void work_slice(struct app *a);
void work_stop(struct app *a, const char *error);
/* Looks at most a few times a second whether the file of a watched exercise was saved. */
enum { WATCH_MS = 300 };
bool work_watch(struct app *a);

void entry_begin(struct app *a);
void entry_note(struct app *a); /* the prompt, if it has changed, into the journal */
void entry_open_line(struct app *a, const char *begin);
void entry_open_find(struct app *a);
void entry_complete(struct app *a);
void entry_open_prompt(struct app *a);
void entry_key(struct app *a, const struct event *e);
void entry_paste(struct app *a, const struct str *text);
void entry_interrupt(struct app *a);
void entry_click(struct app *a, int x, int y); /* puts the cursor there */
void entry_show(struct app *a);                /* into the screen's fields */
void entry_release(struct app *a);

bool mouse_hovers(struct app *a, const struct mouse *m); /* only a move: no event */
void mouse_event(struct app *a, const struct mouse *m);
void mouse_show(struct app *a); /* the tip, into the screen's fields */

void pager_show(struct pager *p, const char *title, const char *text);
/* True: the key was for the pager. */
bool pager_key(struct pager *p, const char *key, int h);
void pager_draw(struct pager *p, struct canvas *c);
int pager_width(int w); /* columns of text on a screen of w */
void pager_release(struct pager *p);

#endif
