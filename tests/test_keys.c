/*
 * Every key of the key table is pressed in the real terminal and does what it says: a text
 * comes up that was not there before, or one goes away. A key without a line here fails the
 * test.
 */
#include "press.h"
#include "terminal.h"

#include "base/mem.h"
#include "command/keys.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

/* All in a window of 120x40 with ten tokens computed. */
#define START "select L1.H2 6,4;view attention"
struct pressed {
    const char *key, *view; /* a row of key_table */
    const char *before;     /* commands run first, or NULL */
    const char *shows;      /* comes up, or NULL */
    const char *hides;      /* was there, and goes away, or NULL; neither: the program ends */
    const char *then;       /* a key that makes it seen; or NULL */
};
// clang-format off
static const struct pressed presses[] = {
    {"Space", NULL, "back token", "0 * embed ", NULL, NULL},
    {"s", NULL, "back token", "0 * embed ", NULL, NULL},
    {"S", NULL, "back token", "3 > L0.ln1", NULL, NULL},
    {"f", NULL, "back token; step op", "cache 10/256", NULL, NULL},
    {"b", NULL, NULL, "69 > softmax", NULL, NULL},
    {"g", NULL, NULL, "cache 0/256 new 10", NULL, NULL},
    {"r", NULL, "back token", "cache 10/256", NULL, NULL},
    {"n", NULL, NULL, "cache 11/256", NULL, NULL},
    {"N", NULL, NULL, "cache 20/256", NULL, NULL},
    {"p", NULL, "back token; set speed 30", "cache 10/256", NULL, NULL},
    {"+", NULL, NULL, "8 operations a second", NULL, NULL},
    {"-", NULL, NULL, "2 operations a second", NULL, NULL},
    {"B", NULL, NULL, "breakpoint 1: L1.H2", NULL, NULL},
    {"e", NULL, NULL, "prompt: Tom gave", NULL, NULL},

    {"1", NULL, NULL, " u run to it", NULL, NULL},
    {"2", NULL, "view map", "v zoom", " u run to it", NULL},
    {"3", NULL, NULL, " v measure", NULL, NULL},
    {"4", NULL, NULL, " a take it", NULL, NULL},
    {"5", NULL, NULL, " i largest", NULL, NULL},
    {"6", NULL, NULL, "6 program", NULL, NULL},
    {"7", NULL, NULL, "7 cache", NULL, NULL},
    {"8", NULL, NULL, "8 tensor", NULL, NULL},
    {"9", NULL, NULL, "9 model", NULL, NULL},
    {"0", NULL, NULL, "0 tokens", NULL, NULL},
    {"R", NULL, NULL, "R residual", NULL, NULL},
    {"L", NULL, NULL, "Lesson 1: ", NULL, NULL},
    {"M", NULL, NULL, "M mlp", NULL, NULL},
    {"Tab", NULL, NULL, " i largest", NULL, NULL},
    {"BackTab", NULL, NULL, " u run to it", NULL, NULL},
    {"O", NULL, NULL, NULL, "1 map", NULL},
    {"<", NULL, NULL, "key────────────────────────┐┌3", NULL, NULL},
    {">", NULL, NULL, "key────────────────────────────┐┌3", NULL, NULL},
    {"C-Up", NULL, NULL, "│   lm head   1×2048  ✓││0   ", NULL, NULL},
    {"C-Down", NULL, "resize up", NULL, "│   lm head   1×2048  ✓││0   ", NULL},
    {"Enter", NULL, NULL, NULL, "1 map", NULL},
    {"Esc", NULL, "maximise", "1 map", NULL, NULL},

    {"h", NULL, NULL, "[6,3] ·to", NULL, NULL},
    {"j", NULL, NULL, "[7,4] ·Anna", NULL, NULL},
    {"k", NULL, NULL, "[5,4] ·ball", NULL, NULL},
    {"l", NULL, NULL, "[6,5] ·to", NULL, NULL},
    {"Left", NULL, NULL, "[6,3] ·to", NULL, NULL},
    {"Down", NULL, NULL, "[7,4] ·Anna", NULL, NULL},
    {"Up", NULL, NULL, "[5,4] ·ball", NULL, NULL},
    {"Right", NULL, NULL, "[6,5] ·to", NULL, NULL},
    {"PageDown", NULL, NULL, "[9,4] ·Anna", NULL, NULL},
    {"PageUp", NULL, NULL, "[0,4] T", NULL, NULL},
    {"Home", NULL, NULL, "[6,0] ·to", NULL, NULL},
    {"End", NULL, NULL, "[6,9] ·to", NULL, NULL},
    {"[", NULL, NULL, "L1.H1 softmax", NULL, NULL},
    {"]", NULL, NULL, "L1.H3 softmax", NULL, NULL},
    {"J", NULL, NULL, "L2.H2 softmax", NULL, NULL},
    {"K", NULL, NULL, "L0.H2 softmax", NULL, NULL},
    {",", NULL, NULL, "L1.H2 masked", NULL, NULL},
    {".", NULL, NULL, "L1.H2 weighted V", NULL, NULL},
    {"{", NULL, NULL, "logits [pos 10", NULL, NULL},
    {"}", NULL, NULL, "blocks.0.attn.result [pos 10", NULL, NULL},

    {"c", NULL, NULL, "  log  sink shown", NULL, NULL},
    {"C", NULL, NULL, "theme cividis", NULL, NULL},
    {"z", NULL, NULL, "sink hidden", NULL, NULL},
    {"i", NULL, "view tensor", " i largest", NULL, NULL},
    {"x", NULL, "view heads", "1 ablated", NULL, NULL},
    {"X", NULL, "ablate", NULL, "1 ablated", NULL},
    {"m", NULL, NULL, "marked: 10 tokens", NULL, NULL},
    {"=", NULL, "mark; ablate", "comparing with", NULL, NULL},
    {"t", NULL, NULL, ":set temp", NULL, NULL},
    {"T", NULL, NULL, ":set top-k", NULL, NULL},
    {"a", NULL, NULL, " a take it", NULL, NULL},

    {"w", NULL, NULL, ":dump this attention.npy", NULL, NULL},
    {"W", NULL, NULL, ":dump", NULL, NULL},
    {"P", NULL, NULL, ":screenshot gptscope.svg", NULL, NULL},
    {"/", NULL, NULL, "\n/", NULL, NULL},
    {":", NULL, NULL, "\n:\n", NULL, NULL},
    {"?", NULL, NULL, "help──", NULL, NULL},
    {"q", NULL, NULL, NULL, NULL, NULL},
    {"Q", NULL, NULL, NULL, NULL, NULL},

    {"u", "map", "back token; op 12", "12 > L0.out_proj", NULL, NULL},
    {"Home", "map", NULL, "embed [pos 10", NULL, "Enter"},
    {"End", "map", NULL, "probs [pos 10", NULL, "Enter"},
    {"Enter", "map", "op 18", "blocks.0.resid_post [pos 10", NULL, NULL},

    {"v", "attention", NULL, "zoom pixels", NULL, NULL},
    {"x", "attention", NULL, "1 ablated", NULL, NULL},

    {"v", "heads", NULL, "heads job", NULL, NULL},

    {"a", "logits", NULL, "10 ·thanked", NULL, NULL},
    {"Enter", "logits", "candidate 2", "10 ·was", NULL, NULL},
    {"v", "logits", NULL, "after 6 ·to", NULL, NULL},
    {"Home", "logits", "candidate last", "     1 ·thanked", NULL, NULL},
    {"End", "logits", NULL, "  2047 ", NULL, NULL},

    {"i", "explain", NULL, "explain L1.H2.q 6,", NULL, NULL},

    {"u", "program", "back token; op 12", "12 > L0.out_proj", NULL, NULL},
    {"Home", "program", NULL, "0     embed ", NULL, NULL},
    {"End", "program", NULL, " 69     softmax", NULL, NULL},
    {"Enter", "program", "op 18", "blocks.0.resid_post [pos 10", NULL, NULL},

    {"v", "cache", NULL, "again: K", NULL, NULL},

    {"h", "tensor", "column 9", "vocab 8 ", NULL, NULL},
    {"l", "tensor", NULL, "vocab 1 ", NULL, NULL},
    {"Left", "tensor", "column 9", "vocab 8 ", NULL, NULL},
    {"Right", "tensor", NULL, "vocab 1 ", NULL, NULL},
    {"{", "tensor", NULL, "logits [pos 10", NULL, NULL},
    {"}", "tensor", NULL, "blocks.0.attn.result [pos 10", NULL, NULL},
    {"PageUp", "tensor", "column 40", "vocab 24 ", NULL, NULL},
    {"PageDown", "tensor", NULL, "vocab 16 ", NULL, NULL},
    {"Home", "tensor", "column 40", "vocab 0 ", NULL, NULL},
    {"End", "tensor", NULL, "vocab 2047 ", NULL, NULL},

    {"v", "tokens", NULL, "  0 start", NULL, NULL},
    {"Home", "tokens", NULL, "[0,4] T", NULL, NULL},
    {"End", "tokens", NULL, "[9,4] ·Anna", NULL, NULL},

    {"Space", "lesson", "lesson 1", "2/4", "1/4", NULL},
    {"Enter", "lesson", "lesson 1", "2/4", "1/4", NULL},
    {"Right", "lesson", "lesson 1", "2/4", "1/4", NULL},
    {"Left", "lesson", "lesson 1 2", "1/4", "2/4", NULL},
    {"a", "lesson", "lesson 1 2", "Not this one.", "Your guess?", NULL},
    {"b", "lesson", "lesson 1 2", "Right.", "Your guess?", NULL},
    {"c", "lesson", "lesson 1 2", "Not this one.", "Your guess?", NULL},
    {"d", "lesson", "lesson 1 2", "the choices are a to c", NULL, NULL},
    {"=", "lesson", "lesson 1 2", ":answer", NULL, NULL},

    {"c", "residual", NULL, "rank of the final choice", NULL, NULL},
    {"Home", "residual", NULL, "embed   T ", NULL, NULL},
    {"End", "residual", NULL, "embed   ·ball ", NULL, NULL},

    {"x", "mlp", NULL, "1 ablated", NULL, NULL},
    {"h", "mlp", "neuron +1", "neuron 323 gelu", NULL, NULL},
    {"l", "mlp", NULL, NULL, "neuron 323 gelu", NULL},
    {"Left", "mlp", "neuron +1", "neuron 323 gelu", NULL, NULL},
    {"Right", "mlp", NULL, NULL, "neuron 323 gelu", NULL},
    {"PageUp", "mlp", "neuron +10", "neuron 323 gelu", NULL, NULL},
    {"PageDown", "mlp", NULL, NULL, "neuron 323 gelu", NULL},
    {"Home", "mlp", "neuron +10", "neuron 323 gelu", NULL, NULL},
    {"End", "mlp", NULL, NULL, "neuron 323 gelu", NULL},

    {"n", "search", "find Anna", "match 2 of", NULL, NULL},
    {"N", "search", "find Anna", NULL, "match 1 of", NULL},
    {"Esc", "search", "find Anna", NULL, "end search", NULL},
};
// clang-format on

static const struct pressed *find(const struct key *k)
{
    for (size_t i = 0; i < sizeof presses / sizeof *presses; i++) {
        const struct pressed *p = &presses[i];
        bool same_view = k->view && p->view ? !strcmp(k->view, p->view) : k->view == p->view;
        if (!strcmp(p->key, k->key) && same_view)
            return p;
    }
    return NULL;
}

/* A line of its own for each command: more than one line of output waits for a key. */
static void run_lines(struct terminal *t, const char *commands)
{
    while (commands && *commands) {
        struct str keys = STR_INIT;
        size_t n = strcspn(commands, ";");
        str_addf(&keys, ":%.*s\r", (int) n, commands);
        terminal_keys(t, keys.text);
        str_release(&keys);
        commands += n + (commands[n] == ';');
    }
    terminal_settle(t);
}

static void press(const struct pressed *p)
{
    static const struct variable plain[] = {{NULL, NULL}};
    struct terminal *t =
        terminal_start(120, 40, plain, "'Tom gave the red ball to Anna. Anna'");
    struct str keys = STR_INIT;

    terminal_wait(t, "e edits the prompt");
    terminal_wait(t, "cache 10/256"); /* all are computed */
    str_adds(&keys, START);
    if (p->view && strcmp(p->view, "search"))
        str_addf(&keys, ";view %s", p->view);
    if (p->before)
        str_addf(&keys, ";%s", p->before);
    run_lines(t, keys.text);
    str_clear(&keys);
    if (p->shows && terminal_shows(t, p->shows))
        fail_msg("%s in %s: '%s' is there before the key", p->key, p->view ? p->view : "all",
                 p->shows);
    if (p->hides)
        terminal_wait(t, p->hides);
    press_key(&keys, p->key);
    if (p->then)
        press_key(&keys, p->then);
    terminal_keys(t, keys.text);
    if (p->shows)
        terminal_wait(t, p->shows);
    if (p->hides)
        terminal_wait_without(t, p->hides);
    if (!p->shows && !p->hides)
        assert_int_equal(terminal_wait_end(t), 0);
    str_release(&keys);
    terminal_free(t);
}

static void test_key(void **state)
{
    const struct key *k = *state;
    const struct pressed *p = find(k);

    if (!p)
        fail_msg("nobody presses %s (%s)", k->key, k->view ? k->view : "everywhere");
    press(p);
}

enum { MOST = 200 };

/* A test for each row: KEYS_ONLY=x for those of one key. */
int main(void)
{
    static struct CMUnitTest tests[MOST];
    const char *only = getenv("KEYS_ONLY");
    size_t n = 0;

    for (const struct key *k = key_table; k->key && n < MOST; k++) {
        if (only && strcmp(only, k->key))
            continue;
        tests[n++] =
            (struct CMUnitTest){.name = xasprintf("%s %s", k->key, k->view ? k->view : ""),
                                .test_func = test_key,
                                .initial_state = (void *) (uintptr_t) k};
    }
    int status = _cmocka_run_group_tests("keys", tests, n, terminal_enter, terminal_leave);
    while (n > 0)
        free((char *) (uintptr_t) tests[--n].name);
    return status;
}
