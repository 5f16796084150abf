/* How large the panels are, which views are open, and that as commands. */
#include "command/commands.h"

#include "command/data.h"
#include "command/layout.h"
#include "view/cache.h"
#include "view/view.h"

#include <stdio.h>
#include <string.h>

/* Views bound what they show; here it must not run on beyond that. */
void screen_scroll(struct screen *st, int view, int by)
{
    int least = -100000, most = 100000, at = st->scroll[view];

    if (cache_scroll(st->cache, view, &least, &most))
        at = at < least ? least : at > most ? most : at;
    at += by;
    st->scroll[view] = at < least ? least : at > most ? most : at;
}

bool cmd_scroll(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct screen *st = env->screen;
    int view = arg[1].given ? (int) arg[1].i
               : st->help   ? view_find("help")
                            : st->panel[st->focus];

    if (arg[0].i < -100000 || arg[0].i > 100000)
        return err_set(err, "scroll takes a number of rows from -100000 to 100000");
    screen_scroll(env->screen, view, (int) arg[0].i);
    return true;
}

/* --- edges --- */

static bool move_edge(struct command_env *env, enum edge edge, int by, struct err *err)
{
    struct screen *st = env->screen;
    int w = env->screen_w, h = env->screen_h;
    char line[64];

    if (edge == EDGE_COUNT || screen_edge_size(env->session, st, w, h, edge) < 0)
        return err_set(err, "this panel has no edge there that could be moved");
    st->edge[edge] = screen_edge_offset(env->session, st, w, h, edge, by);
    snprintf(line, sizeof line, "layout %s %d", edge_name(edge), st->edge[edge]);
    journal_note(&env->journal, line); /* means the same in every window */
    env->journal.skip = true;
    return true;
}

bool cmd_resize(struct command_env *env, const struct arg *arg, struct err *err)
{
    enum { LEFT, RIGHT, UP, DOWN };
    bool across = arg[0].i == LEFT || arg[0].i == RIGHT;
    int n;

    if (!count_of(&arg[1], 1, &n, err))
        return false;
    n = n < 1000 ? n : 1000;
    return move_edge(env, screen_edge_of(env->screen, env->screen_w, env->screen_h, across),
                     arg[0].i == LEFT || arg[0].i == UP ? -n : n, err);
}

/* --- the whole layout --- */

static void print_views(const struct arrangement *a, struct str *out)
{
    for (int i = 0; i < SLOT_DOCK; i++)
        if (i != (int) a->focus && i != (int) a->side)
            str_addf(out, "view %s\n", view_table[a->panel[i]].name);
    if (a->side != a->focus)
        str_addf(out, "view %s\n", view_table[a->panel[a->side]].name);
    str_addf(out, "view %s\n", view_table[a->panel[a->focus]].name);
}

void layout_print(const struct screen *st, struct str *out)
{
    struct arrangement a = screen_arrangement(st);

    str_adds(out, "layout reset\n");
    for (int i = 0; i < EDGE_COUNT; i++)
        if (st->edge[i] != 0)
            str_addf(out, "layout %s %d\n", edge_name((enum edge) i), st->edge[i]);
    print_views(&a, out);
    if (a.maximised)
        str_adds(out, "maximise\n");
}

static json_t *layout_data(const struct screen *st)
{
    json_t *edges = json_object(), *views = json_array();
    struct str lines = STR_INIT;

    for (int i = 0; i < EDGE_COUNT; i++)
        json_object_set_new(edges, edge_name((enum edge) i), json_integer(st->edge[i]));
    for (int i = 0; i < SLOT_COUNT; i++)
        json_array_append_new(views, json_string(view_table[st->panel[i]].name));
    layout_print(st, &lines);
    json_t *o = json_pack("{s:s, s:o, s:o, s:b, s:o}", "focus",
                          view_table[st->panel[st->focus]].name, "views", views, "edges", edges,
                          "maximised", st->maximised, "lines", data_lines(lines.text));
    str_release(&lines);
    return o;
}

bool cmd_layout(struct command_env *env, const struct arg *arg, struct err *err)
{
    enum { RESET, FIRST_EDGE };

    if (!arg[0].given && result_wanted(env))
        return result_put(env, layout_data(env->screen));
    if (!arg[0].given) {
        layout_print(env->screen, env->out);
        return true;
    }
    if (arg[0].i == RESET && !arg[1].given) {
        screen_default(env->screen);
        return true;
    }
    if (arg[0].i == RESET)
        return err_set(err, "layout reset takes no number");
    if (!arg[1].given || arg[1].i < -1000 || arg[1].i > 1000)
        return err_set(err, "layout %s takes a number of cells from -1000 to 1000",
                       arg[0].text);
    env->screen->edge[arg[0].i - FIRST_EDGE] = (int) arg[1].i;
    return true;
}
