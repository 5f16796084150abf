/* Settings: set, unset, cycle. */
#include "command/commands.h"

#include "command/data.h"
#include "command/parse.h"

#include <string.h>

static void print_row(const struct session *s, const struct setting *row, struct str *out)
{
    struct str value = STR_INIT;

    settings_print(&s->set, row, &value);
    str_addf(out, "%-12s %-10s %s\n", row->name, value.text, row->help);
    str_release(&value);
}

static void print_change(struct command_env *env, const struct setting *row)
{
    if (result_wanted(env)) {
        result_put(env, data_setting(env->session, row, false));
        return;
    }
    str_addf(env->out, "%s ", row->name);
    settings_print(&env->session->set, row, env->out);
    str_addc(env->out, '\n');
}

static json_t *all_settings(const struct session *s)
{
    json_t *list = json_array();

    for (const struct setting *row = setting_table; row->name; row++)
        json_array_append_new(list, data_setting(s, row, true));
    return json_pack("{s:o}", "settings", list);
}

/* A word of the setting's in full. */
static const char *setting_value(const struct setting *row, const struct arg *arg,
                                 struct err *err)
{
    struct str words = STR_INIT;

    for (int i = 0; row->words && row->words[i]; i++)
        str_addf(&words, "%s ", row->words[i]);
    const char *value = words.len ? arg_expand(arg, words.text, err) : arg->text;
    str_release(&words);
    return value;
}

bool cmd_set(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct setting *row = &setting_table[arg[0].i];

    if (result_wanted(env) && !arg[1].given)
        return result_put(env, arg[0].given ? data_setting(env->session, row, true)
                                            : all_settings(env->session));
    if (!arg[0].given) {
        for (row = setting_table; row->name; row++)
            print_row(env->session, row, env->out);
        return true;
    }
    if (!arg[1].given) {
        print_row(env->session, row, env->out);
        return true;
    }
    const char *value = setting_value(row, &arg[1], err);
    if (!value || !session_set(env->session, row->name, value, err))
        return false;
    print_change(env, row);
    return true;
}

bool cmd_unset(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct setting *row = &setting_table[arg[0].i];
    struct settings set = env->session->set;

    settings_reset(&set, row);
    if (!session_set_all(env->session, &set, err))
        return false;
    print_change(env, row);
    return true;
}

bool cmd_cycle(struct command_env *env, const struct arg *arg, struct err *err)
{
    const struct setting *row = &setting_table[arg[0].i];
    struct settings set = env->session->set;

    if (!settings_cycle(&set, row))
        return err_set(err, "%s is a number and cannot be cycled; use set %s N", row->name,
                       row->name);
    if (!session_set_all(env->session, &set, err))
        return false;
    print_change(env, row);
    return true;
}
