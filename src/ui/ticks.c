#include "ui/ticks.h"

#include "session/course.h"
#include "session/exercise_state.h"
#include "session/game.h"
#include "ui/state.h"

void ticks_load(struct session *s, const struct tool_args *args)
{
    struct err unheard = ERR_INIT;
    struct course *c = args->clean ? NULL : course_of(s, &unheard);
    struct str text = STR_INIT;

    if (c && state_read("lessons", &text))
        course_load(c, text.text);
    str_clear(&text);
    if (!args->clean && state_read("exercises", &text))
        exercise_state_load(exercise_state_of(s), text.text);
    str_clear(&text);
    if (!args->clean && state_read("game", &text))
        game_load(game_of(s), text.text);
    str_release(&text);
}

static void save_exercises(struct exercise_state *st)
{
    struct str text = STR_INIT;

    if (!st || !st->changed)
        return;
    exercise_state_save(st, &text);
    state_write("exercises", &text);
    st->changed = false;
    str_release(&text);
}

static void save_game(struct game *g)
{
    struct str text = STR_INIT;

    if (!g || !g->changed)
        return;
    game_save(g, &text);
    state_write("game", &text);
    g->changed = false;
    str_release(&text);
}

void ticks_save(const struct session *s, const struct tool_args *args)
{
    struct str text = STR_INIT;

    if (args->clean)
        return;
    save_exercises(s->exercises);
    save_game(s->game);
    if (!s->course || !s->course->changed)
        return;
    course_save(s->course, &text);
    state_write("lessons", &text);
    s->course->changed = false;
    str_release(&text);
}
