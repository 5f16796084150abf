/* Commands that work for long while the screen stands: how far they are, and Esc. */
#include "ui/curses_app.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/safe.h"
#include "ui/progress.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define DELAY  0.3 /* seconds before anything is shown */
#define REDRAW 0.1

/* Keys wait for the command's end; Esc and Ctrl-C end it. What is not kept in `typed` stays in
 * the terminal: nothing is read any more once that is full or ends in what was pasted. */
static void look_at_keys(struct app *a)
{
    int room = (int) (sizeof a->typed / sizeof *a->typed);
    struct event e;

    while (!a->ended && a->n_typed < room && a->pasted.len == 0) {
        term_event(&e, 0);
        if (e.kind == EVENT_NONE)
            return;
        if (e.kind == EVENT_INTERRUPT || (e.kind == EVENT_KEY && !strcmp(e.key, "Esc"))) {
            interrupt_set();
            return;
        }
        if (e.kind == EVENT_END) {
            a->ended = true;
            interrupt_set();
        }
        if (e.kind == EVENT_PASTE)
            str_add(&a->pasted, e.paste->text, e.paste->len);
        if (e.kind == EVENT_PASTE)
            e.paste = &a->pasted;
        a->typed[a->n_typed++] = e;
    }
}

bool app_typed(struct app *a, struct event *e)
{
    if (a->n_typed == 0) {
        str_clear(&a->pasted); /* it was handled */
        return false;
    }
    *e = a->typed[0];
    memmove(a->typed, a->typed + 1, (size_t) --a->n_typed * sizeof *a->typed);
    return true;
}

static void say(struct app *a, const char *what, uint64_t done, uint64_t total, double seconds)
{
    struct str text = STR_INIT;

    progress_print(&text, what, &progress_bytes, done, total, done, seconds);
    str_adds(&text, "; Esc stops");
    a->st.error = false;
    /* not session_say: the log is for what has happened */
    safe_copy(a->s->message, sizeof a->s->message, text.text, text.len, SAFE_SPACE_KEEP);
    str_release(&text);
}

void app_progress(struct command_env *env, const char *what, uint64_t done, uint64_t total)
{
    struct app *a = (struct app *) (void *) ((char *) env - offsetof(struct app, env));
    double now = clock_measure();

    if (!what) {
        a->long_since = 0;
        return;
    }
    if (a->long_since == 0)
        a->long_since = a->long_drawn = now;
    look_at_keys(a);
    if (now < a->long_since + DELAY || now < a->long_drawn + REDRAW || interrupt_pending())
        return;
    say(a, what, done, total, now - a->long_since);
    app_draw(a);
    a->long_drawn = now;
}
