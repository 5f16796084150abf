/* Play: operations that are stepped by themselves, so many a second. */
#include "ui/curses_app.h"

#include "base/clock.h"

#include <stdio.h>

/* Seconds to the next step. */
static double left(const struct app *a)
{
    return a->played + 1 / settings_speed(&a->s->set) - clock_measure();
}

int play_wait(const struct app *a)
{
    double wait = left(a);

    if (!a->st.playing)
        return -1;
    return wait > 0 ? 1 + (int) (wait * 1000) : 0;
}

static void play_end(struct app *a)
{
    char text[96];

    a->st.playing = false;
    snprintf(text, sizeof text, "all %d tokens are computed; g begins this pass again",
             a->s->ids.n);
    app_say(a, false, text);
}

bool play_tick(struct app *a)
{
    struct err err = ERR_INIT;

    if (!a->st.playing || left(a) > 0)
        return false;
    a->played = clock_measure();
    if (!session_step(a->s, &err)) {
        a->st.playing = false;
        app_say(a, true, err.text);
        return true;
    }
    journal_note(&a->env.journal, "step op");
    session_follow(a->s, true);
    a->st.op = -1;
    if (!app_break(a) && session_done(a->s))
        play_end(a);
    return true;
}
