/* scale: a short form of 'patch ... scale'. */
#include "command/commands.h"

#include "command/place.h"

#include <string.h>

/* "L2.H3", "L2.mlp", "attn" as the value that carries it; other text as it is. */
static bool value_of(const struct session *s, const char *text, struct str *out,
                     struct err *err)
{
    struct err wrong = ERR_INIT;
    int layer = s->at.layer, head = -1;
    const char *rest = text;
    bool place = place_parse(s, text, &layer, &head, &rest, &wrong);

    if (!place && !strncmp(wrong.text, "there is no", 11)) {
        *err = wrong;
        return false;
    }
    if (!place)
        rest = text;
    if (place && head >= 0 && !*rest)
        str_addf(out, "L%d.H%d.attn.z", layer, head);
    else if (head < 0 && (!strcmp(rest, "mlp") || !strcmp(rest, "attn")))
        str_addf(out, "L%d.%s_out", layer, rest);
    else if (place && !*rest)
        return err_set(err,
                       "'%s' is nothing to scale; that is a head (L2.H3), L2.mlp, L2.attn "
                       "or a value",
                       text);
    else
        str_adds(out, text);
    return true;
}

bool cmd_scale(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct str value = STR_INIT;
    bool ok = value_of(env->session, arg[0].text, &value, err);

    if (ok) {
        struct arg patch[COMMAND_ARGS] = {
            {.given = true, .text = value.text},
            {.given = true, .text = "scale", .i = 1}, /* the row of patch: zero scale ... */
            arg[1],
            arg[2],
        };
        ok = cmd_patch(env, patch, err);
    }
    str_release(&value);
    return ok;
}
