/* expect: a claim about the live values, held against them. */
#include "command/commands.h"

#include "command/result.h"
#include "session/expr.h"

bool cmd_expect(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct expr_claim claim;

    if (!expr_check(env->session, arg[0].text, &claim, err))
        return false;
    if (!claim.holds)
        return err_set(err, "expected %s, but it is %s and %s", arg[0].text, claim.left,
                       claim.right);
    return !result_wanted(env) ||
           result_put(env, json_pack("{s:s, s:b, s:s, s:s}", "claim", arg[0].text, "holds",
                                     true, "left", claim.left, "right", claim.right));
}
