/* calc: expressions over the live values. */
#include "command/commands.h"

#include "base/safe.h"
#include "command/result.h"
#include "session/expr.h"

#include <string.h>

static json_t *data_of(const struct expr_value *v)
{
    json_t *list;

    if (v->kind == EXPR_NUMBER)
        return result_number(v->x);
    if (v->kind == EXPR_TEXT)
        return result_text(v->text, strlen(v->text));
    list = json_array();
    for (size_t i = 0; i < v->n; i++)
        json_array_append_new(list, result_number(v->row[i]));
    return list;
}

bool cmd_calc(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct str text = STR_INIT;
    struct expr_value v;

    if (!expr_eval(env->session, arg[0].text, &v, err))
        return false;
    if (result_wanted(env)) {
        result_put(env,
                   json_pack("{s:s, s:o}", "expression", arg[0].text, "value", data_of(&v)));
    } else {
        expr_print(&v, -1, &text);
        safe_add(env->out, text.text, text.len, SAFE_SPACE_KEEP);
        str_addc(env->out, '\n');
    }
    str_release(&text);
    expr_release(&v);
    return true;
}
