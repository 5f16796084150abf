/* The keys: each is a name for a command line. */
#include "command/keys.h"

#include "base/mem.h"
#include "view/view.h"

#include <stdio.h>
#include <string.h>

// clang-format off
const struct key key_table[] = {
    {"Space", NULL, "step op", "step one op", "step"},
    {"s", NULL, "step op", "step one op", NULL},
    {"S", NULL, "step layer", "step to the next layer", "layer"},
    {"f", NULL, "step token", "finish this pass", "token"},
    {"b", NULL, "back", "step back", "back"},
    {"g", NULL, "back token", "back to the start of this pass", "again"},
    {"r", NULL, "run", "run to the end", "run"},
    {"n", NULL, "generate", "generate the next token", "next token"},
    {"N", NULL, "generate 10", "generate ten tokens", NULL},
    {"p", NULL, "play", "play: step by itself; pause", "play"},
    {"+", NULL, "speed +1", "play faster", NULL},
    {"-", NULL, "speed -1", "play slower", NULL},
    {"B", NULL, "break here", "breakpoint here, and away again", NULL},
    {"e", NULL, "edit", "edit the prompt, live", "edit prompt"},

    {"1", NULL, "view map", "open the map of operations", NULL},
    {"2", NULL, "view attention", "open the attention of one head", NULL},
    {"3", NULL, "view heads", "open all heads", NULL},
    {"4", NULL, "view logits", "open the candidates for the next token", NULL},
    {"5", NULL, "view explain", "open the cell, worked", NULL},
    {"6", NULL, "view program", "open the list of operations", NULL},
    {"7", NULL, "view cache", "open the KV cache", NULL},
    {"8", NULL, "view tensor", "open a value as numbers", NULL},
    {"9", NULL, "view model", "open the sizes of the model", NULL},
    {"0", NULL, "view tokens", "open the tokens", NULL},
    {"R", NULL, "view residual", "open the residual stream", NULL},
    {"M", NULL, "view mlp", "open the MLP", NULL},
    {"L", NULL, "lesson", "open the lessons, or go on in them", NULL},
    {"Tab", NULL, "panel next", "next panel", NULL},
    {"BackTab", NULL, "panel previous", "previous panel", NULL},
    {"O", NULL, "maximise", "maximise the panel, and back", NULL},
    {"<", NULL, "resize left 2", "edge of the panel left", NULL},
    {">", NULL, "resize right 2", "edge of the panel right", NULL},
    {"C-Up", NULL, "resize up", "edge of the panel up", NULL},
    {"C-Down", NULL, "resize down", "edge of the panel down", NULL},
    {"Enter", NULL, "open", "open what the cursor is on", NULL},
    {"Esc", NULL, "close", "stop what runs; back", NULL},

    {"h", NULL, "move left", "cursor left", NULL},
    {"j", NULL, "move down", "cursor down", NULL},
    {"k", NULL, "move up", "cursor up", NULL},
    {"l", NULL, "move right", "cursor right", NULL},
    {"Left", NULL, "move left", "cursor left", NULL},
    {"Down", NULL, "move down", "cursor down", NULL},
    {"Up", NULL, "move up", "cursor up", NULL},
    {"Right", NULL, "move right", "cursor right", NULL},
    {"PageDown", NULL, "move down 10", "cursor down by ten", NULL},
    {"PageUp", NULL, "move up 10", "cursor up by ten", NULL},
    {"Home", NULL, "key first", "first key", NULL},
    {"End", NULL, "key last", "last key", NULL},
    {"[", NULL, "head -1", "previous head", NULL},
    {"]", NULL, "head +1", "next head", "head"},
    {"J", NULL, "layer +1", "layer down", NULL},
    {"K", NULL, "layer -1", "layer up", NULL},
    {",", NULL, "stage -1", "previous attention stage", NULL},
    {".", NULL, "stage +1", "next attention stage", "stage"},
    {"{", NULL, "value -1; view tensor", "the value before, in the tensor view", NULL},
    {"}", NULL, "value +1; view tensor", "the next value, in the tensor view", NULL},

    {"c", NULL, "cycle scale", "next colour scale", NULL},
    {"C", NULL, "cycle theme", "next colours", NULL},
    {"z", NULL, "cycle hide-sink", "hide or show the first token's column", NULL},
    {"i", NULL, "explain", "explain this cell", "explain"},
    {"x", NULL, "ablate", "ablate the selected head, and back", "ablate"},
    {"X", NULL, "clear", "clear all ablations", NULL},
    {"m", NULL, "mark", "keep this run to compare with", "mark"},
    {"=", NULL, "compare", "show the run less the mark, and back", "compare"},
    {"t", NULL, "command-line \"set temp \"", "set the temperature", NULL},
    {"T", NULL, "command-line \"set top-k \"", "set how many tokens to choose from", NULL},
    {"a", NULL, "view logits", "choose another token", NULL},

    {"w", NULL, "command-line \"dump this attention.npy\"", "dump this stage of the head", NULL},
    {"W", NULL, "command-line \"dump \"", "dump values by name", NULL},
    {"P", NULL, "command-line \"screenshot gptscope.svg\"", "write a picture of the screen", NULL},
    {"/", NULL, "search", "search tokens, values, ops and help", NULL},
    {":", NULL, "command-line", "command line", "command"},
    {"?", NULL, "keys", "list the keys", "help"},
    {"q", NULL, "close quit", "close, or quit", "quit"},
    {"Q", NULL, "quit", "quit", NULL},

    /* --- of one view --- */
    {"u", "map", "until", "run to the cursor", "run to it"},
    {"Home", "map", "op first", "first operation", NULL},
    {"End", "map", "op last", "last operation", NULL},
    {"Enter", "map", "open", "what the operation made", "open"},

    {"v", "attention", "cycle zoom", "zoom: all, pixels, numbers", "zoom"},
    {"x", "attention", "ablate edge", "knock this edge out, and back", "knock out"},

    {"v", "heads", "cycle heads", "pictures, or one measure of each head", "measure"},

    {"a", "logits", "branch", "go on with this token", "take it"},
    {"Enter", "logits", "branch", "go on with this token", NULL},
    {"v", "logits", "cycle logits-at", "candidates after the last token, or the cursor's",
     "last/cursor"},
    {"Home", "logits", "candidate first", "the most likely candidate", NULL},
    {"End", "logits", "candidate last", "the least likely candidate", NULL},

    {"i", "explain", "explain largest", "explain what makes most of it", "largest"},

    {"u", "program", "until", "run to the cursor", "run to it"},
    {"Home", "program", "op first", "first operation", NULL},
    {"End", "program", "op last", "last operation", NULL},
    {"Enter", "program", "open", "what the operation made", "open"},

    {"v", "cache", "verify", "compare the cache with computing again", "verify"},

    {"h", "tensor", "column -1", "column left", NULL},
    {"l", "tensor", "column +1", "column right", "column"},
    {"Left", "tensor", "column -1", "column left", NULL},
    {"Right", "tensor", "column +1", "column right", NULL},
    {"{", "tensor", "value -1", "the value before", NULL},
    {"}", "tensor", "value +1", "the next value", "value"},
    {"PageUp", "tensor", "column -16", "sixteen columns left", NULL},
    {"PageDown", "tensor", "column +16", "sixteen columns right", NULL},
    {"Home", "tensor", "column first", "first column", NULL},
    {"End", "tensor", "column last", "last column", NULL},

    {"v", "tokens", "cycle merges", "show or hide the merges of the word", "merges"},
    {"Home", "tokens", "query first", "first token", NULL},
    {"End", "tokens", "query last", "last token", NULL},

    {"c", "residual", "cycle lens", "next colours: probability, rank, KL, entropy", "lens"},
    {"Home", "residual", "query first", "first position", NULL},
    {"End", "residual", "query last", "last position", NULL},

    {"x", "mlp", "ablate mlp", "ablate this layer's MLP, and back", NULL},
    {"h", "mlp", "neuron -1", "stronger neuron", NULL},
    {"l", "mlp", "neuron +1", "weaker neuron", "neuron"},
    {"Left", "mlp", "neuron -1", "stronger neuron", NULL},
    {"Right", "mlp", "neuron +1", "weaker neuron", NULL},
    {"PageUp", "mlp", "neuron -10", "ten neurons up", NULL},
    {"PageDown", "mlp", "neuron +10", "ten neurons down", NULL},
    {"Home", "mlp", "neuron first", "the strongest neuron", NULL},
    {"End", "mlp", "neuron last", "the weakest neuron", NULL},

    {"Space", "lesson", "lesson next", "go on, or show the answer", "go on"},
    {"Enter", "lesson", "lesson next", "go on, or show the answer", NULL},
    {"Right", "lesson", "lesson next", "go on, or show the answer", NULL},
    {"Left", "lesson", "lesson back", "one step back", "back"},
    {"a", "lesson", "answer a", "answer a", "answer"},
    {"b", "lesson", "answer b", "answer b", NULL},
    {"c", "lesson", "answer c", "answer c", NULL},
    {"d", "lesson", "answer d", "answer d", NULL},
    {"=", "lesson", "command-line \"answer \"", "answer with a number", NULL},

    {"a-z", "game", "game", "take this card next", "put it next"},
    {"Space", "game", "game hint", "name a card that may be next", "hint"},

    {"n", "search", "match next", "next match", "next match"},
    {"N", "search", "match previous", "previous match", "previous"},
    {"Esc", "search", "match end", "end of the search", "end search"},
    {NULL, NULL, NULL, NULL, NULL},
};
// clang-format on

bool key_runs(const struct key *k, const char *command)
{
    size_t n = strlen(command);

    return !strncmp(k->line, command, n) && strchr(" ", k->line[n]);
}

const char *key_line(const struct key *k, const char *pressed, char *out, size_t size)
{
    bool letter = strcmp(k->key, pressed) != 0;

    snprintf(out, size, "%s%s%s", k->line, letter ? " " : "", letter ? pressed : "");
    return out;
}

const struct key *key_find(const char *key, const char *view)
{
    const struct key *found = NULL;

    for (const struct key *k = key_table; k->key; k++) {
        if (!hint_key_is(k->key, key))
            continue;
        if (k->view && view && !strcmp(k->view, view))
            return k;
        if (!k->view)
            found = k;
    }
    return found;
}

struct hint *key_hints(void)
{
    struct hint *hints;
    size_t n = 0;

    while (key_table[n].key)
        n++;
    hints = xcalloc(n + 1, sizeof *hints);
    for (size_t i = 0; i < n; i++)
        hints[i] = (struct hint){key_table[i].key, key_table[i].view, key_table[i].line,
                                 key_table[i].help, key_table[i].footer};
    return hints;
}
