/* What each group of commands is for: one sentence, for help and the manual. */
#include "command/command.h"

#include <string.h>

// clang-format off
const struct command_group command_groups[] = {
    {"tokens", "The prompt, as text and as tokens: given, changed, cut short, continued by the "
     "model, branched."},
    {"stepping", "The forward pass goes on op by op, layer by layer or to its end, and stops at "
     "breakpoints."},
    {"cursor", "The cursor is what the screen shows and what commands mean that are not told "
     "otherwise: a layer, a head, a cell, a value."},
    {"looking", "What is there, as numbers and pictures, on the terminal and in files."},
    {"analysis", "What the numbers say: which parts of the model make a logit, and what its heads "
     "do."},
    {"changing", "Parts are switched off and values are changed as they are computed, and the "
     "model goes on with what came out."},
    {"comparing", "Two runs side by side: one is marked and kept, the other is the present one."},
    {"learning", "The course: lessons that show, claim and ask, and claims of your own about the "
     "live values."},
    {"settings", "Sampling, colours and the rest, which are options of the shell's command line, "
     "too."},
    {"screen", "Views, panels and pictures of the screen; the keys stand for these commands."},
    {"other", "Help, scripts, recordings, and the end."},
    {NULL, NULL},
};
// clang-format on

const char *command_group_intro(const char *group)
{
    for (const struct command_group *g = command_groups; g->name; g++)
        if (strcmp(g->name, group) == 0)
            return g->intro;
    return NULL;
}
