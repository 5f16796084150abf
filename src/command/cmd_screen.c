/* Commands of the curses program's screen. They only leave wishes in struct screen. */
#include "command/commands.h"

#include "command/data.h"
#include "command/keys.h"
#include "view/view.h"

#include <stdio.h>
#include <string.h>

static bool need_terminal(const struct command_env *env, const char *name, const char *remedy,
                          struct err *err)
{
    return env->live || err_set(err, "%s needs the full screen; %s", name, remedy);
}

static void open_view(struct command_env *env, int view)
{
    screen_open(env->screen, view, env->screen_w, env->screen_h);
}

bool cmd_view(struct command_env *env, const struct arg *arg, struct err *err)
{
    (void) err;
    open_view(env, (int) arg[0].i);
    return true;
}

bool cmd_panel(struct command_env *env, const struct arg *arg, struct err *err)
{
    (void) err;
    screen_focus_next(env->screen, arg[0].given && arg[0].i == 1 ? -1 : 1, env->screen_w,
                      env->screen_h);
    return true;
}

bool cmd_maximise(struct command_env *env, const struct arg *arg, struct err *err)
{
    (void) arg;
    (void) err;
    env->screen->maximised = !env->screen->maximised;
    return true;
}

/* What the op under the cursor made, as numbers; on the map a stage of attention as a map. */
static void open_made(struct command_env *env, bool stages)
{
    struct session *s = env->session;
    int at = screen_op(s, env->screen);
    const struct op *op = &s->program->op[at];

    if (stages && op->layer >= 0 && op->code >= OP_SCORES && op->code <= OP_MIX) {
        s->at.layer = op->layer;
        s->at.stage = (enum stage)(STAGE_RAW + (op->code - OP_SCORES));
        open_view(env, view_find("attention"));
        return;
    }
    env->screen->value = op->out[0];
    open_view(env, view_find("tensor"));
}

/* Enter: from an overview to the one thing the cursor is on; elsewhere the panel takes all. */
bool cmd_open(struct command_env *env, const struct arg *arg, struct err *err)
{
    const char *view = screen_focused(env->screen)->name;

    (void) arg;
    (void) err;
    if (!strcmp(view, "heads"))
        open_view(env, view_find("attention"));
    else if (!strcmp(view, "map") || !strcmp(view, "program"))
        open_made(env, !strcmp(view, "map"));
    else
        env->screen->maximised = !env->screen->maximised;
    return true;
}

bool cmd_close(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct screen *st = env->screen;

    (void) err;
    env->journal.skip =
        st->running || st->playing || st->generating > 0 || session_verifying(env->session);
    if (env->journal.skip) {
        st->running = st->playing = false;
        st->generating = 0;
        session_verify_stop(env->session);
    } else if (st->help) {
        st->help = false;
    } else if (st->maximised) {
        st->maximised = false;
    } else if (arg[0].given) {
        env->journal.skip = true;
        env->session->quit = true;
    }
    return true;
}

bool cmd_keys(struct command_env *env, const struct arg *arg, struct err *err)
{
    (void) arg;
    if (result_wanted(env))
        return result_put(env, data_keys());
    if (!env->live)
        return command_topic("keys", env->fold, env->out, err);
    env->screen->help = !env->screen->help;
    return true;
}

bool cmd_line(struct command_env *env, const struct arg *arg, struct err *err)
{
    if (!need_terminal(env, "command-line", "type the command itself", err))
        return false;
    env->journal.skip = true;
    env->screen->want_line = true;
    snprintf(env->screen->line, sizeof env->screen->line, "%s",
             arg[0].given ? arg[0].text : "");
    return true;
}

bool cmd_edit(struct command_env *env, const struct arg *arg, struct err *err)
{
    (void) arg;
    if (!need_terminal(env, "edit", "'prompt TEXT' gives a new one", err))
        return false;
    env->journal.skip = true;
    env->screen->want_edit = true;
    return true;
}
