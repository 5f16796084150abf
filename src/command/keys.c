/* The keys: each is a name for a command line. */
#include "command/keys.h"

#include <string.h>

// clang-format off
const struct key key_table[] = {
    {"Space", "step op", "step one op", "step"},
    {"s", "step op", "step one op", NULL},
    {"S", "step layer", "step to the next layer", "layer"},
    {"f", "step token", "finish this pass", "token"},
    {"b", "back", "step back", "back"},
    {"g", "back token", "back to the start of this pass", "again"},
    {"r", "run", "run to the end", "run"},
    {"n", "generate", "generate the next token", "next token"},
    {"N", "generate 10", "generate ten tokens", NULL},
    {"e", "edit", "edit the prompt, live", "edit prompt"},
    {"h", "move left", "cursor left", NULL},
    {"j", "move down", "cursor down", NULL},
    {"k", "move up", "cursor up", NULL},
    {"l", "move right", "cursor right", NULL},
    {"Left", "move left", "cursor left", NULL},
    {"Down", "move down", "cursor down", NULL},
    {"Up", "move up", "cursor up", NULL},
    {"Right", "move right", "cursor right", NULL},
    {"PageDown", "move down 10", "cursor down by ten", NULL},
    {"PageUp", "move up 10", "cursor up by ten", NULL},
    {"Home", "key first", "first key", NULL},
    {"End", "key last", "last key", NULL},
    {"[", "head -1", "previous head", NULL},
    {"]", "head +1", "next head", "head"},
    {"J", "layer +1", "layer down", NULL},
    {"K", "layer -1", "layer up", NULL},
    {",", "stage -1", "previous attention stage", NULL},
    {".", "stage +1", "next attention stage", "stage"},
    {"1", "view 1", "open view 1", NULL},
    {"2", "view 2", "open view 2", NULL},
    {"3", "view 3", "open view 3", NULL},
    {"4", "view 4", "open view 4", NULL},
    {"5", "view 5", "open view 5", NULL},
    {"6", "view 6", "open view 6", NULL},
    {"7", "view 7", "open view 7", NULL},
    {"8", "view 8", "open view 8", NULL},
    {"9", "view 9", "open view 9", NULL},
    {"0", "view 0", "open view 0", NULL},
    {"Tab", "panel next", "next panel", NULL},
    {"BackTab", "panel previous", "previous panel", NULL},
    {"O", "maximise", "maximise the panel, and back", NULL},
    {"Enter", "open", "open what the cursor is on", NULL},
    {"Esc", "close", "stop what runs; back", NULL},
    {"c", "cycle scale", "next colour scale", NULL},
    {"C", "cycle theme", "next colours", NULL},
    {"z", "cycle hide-sink", "hide or show the first token's column", NULL},
    {"x", "ablate", "ablate the selected head, and back", "ablate"},
    {"X", "clear", "clear all ablations", NULL},
    {"i", "view explain", "explain this cell", "explain"},
    {"t", "command-line \"set temp \"", "set the temperature", NULL},
    {"T", "command-line \"set top-k \"", "set how many tokens to choose from", NULL},
    {"a", "command-line \"append \"", "append another token", NULL},
    {"w", "command-line \"dump this attention.npy\"", "dump this stage of the head", NULL},
    {"W", "command-line \"dump \"", "dump values by name", NULL},
    {":", "command-line", "command line", "command"},
    {"?", "keys", "list the keys", "help"},
    {"q", "close quit", "close, or quit", "quit"},
    {"Q", "quit", "quit", NULL},
    {NULL, NULL, NULL, NULL},
};
// clang-format on

const struct key *key_find(const char *key)
{
    for (const struct key *k = key_table; k->key; k++)
        if (!strcmp(k->key, key))
            return k;
    return NULL;
}
