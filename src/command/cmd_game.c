/* game: putting the operations of the model in their order. */
#include "command/commands.h"

#include "command/data.h"
#include "command/result.h"
#include "session/game_page.h"
#include "view/view.h"

#include <string.h>

/* The cards in the middle; the map beside them grows. */
static void show(struct command_env *env)
{
    struct screen *st = env->screen;

    screen_open(st, view_find("map"), env->screen_w, env->screen_h);
    screen_open(st, view_find("game"), env->screen_w, env->screen_h);
    st->maximised = false;
}

static bool print(struct command_env *env)
{
    const struct game *g = env->session->game;
    struct page page;

    if (result_wanted(env))
        return result_put(env, data_game(env->session));
    if (env->live)
        return true; /* the view shows it */
    game_page(&page, g, env->session->set.lang, env->width < 100 ? env->width - 2 : 98,
              GAME_IN_PRINT);
    for (int i = 0; i < page.n; i++)
        str_addf(env->out, "%s\n", page.line[i].text);
    page_release(&page);
    return true;
}

static bool begin(struct command_env *env, struct err *err)
{
    if (!game_begin(env->session, err))
        return false;
    show(env);
    return print(env);
}

/* On the screen the main panel goes back to what is there in the beginning. */
static bool end(struct command_env *env, struct err *err)
{
    struct screen *st = env->screen;

    (void) err;
    if (result_wanted(env))
        result_put(env, data_game(env->session)); /* how it stood */
    game_end(env->session->game);
    if (st->panel[SLOT_MAIN] == view_find("game"))
        screen_open(st, view_find("attention"), env->screen_w, env->screen_h);
    return true;
}

bool cmd_game(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct game *g = game_of(env->session);
    const char *what = arg[0].given ? arg[0].text : "";

    if (!strcmp(what, "new") || (!arg[0].given && !game_is_on(g)))
        return begin(env, err);
    if (!game_is_on(g))
        return err_set(err, "no game is on; 'game' begins one");
    if (!strcmp(what, "end"))
        return end(env, err);
    if (!arg[0].given)
        show(env);
    else if (!strcmp(what, "hint") ? !game_hint(g, err) : !game_pick(g, what, err))
        return false;
    return print(env);
}
