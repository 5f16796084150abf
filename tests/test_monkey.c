/*
 * A monkey at the terminal: random keys, mouse reports, pastes, junk and sizes down to 1x1,
 * from a seed. The program must neither crash nor hang, and must give the terminal back.
 *
 *     MONKEY=100000 ./test_monkey       that many events (default: 3000)
 *     MONKEY_SEED=7 ./test_monkey       other ones
 */
#include "press.h"
#include "terminal.h"

#include "base/mem.h"
#include "base/rng.h"
#include "command/keys.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum { EVENTS = 3000, BATCH = 16, GLANCE = 25, ASK = 2000, MOST_W = 160, MOST_H = 56 };

struct monkey {
    struct rng rng;
    struct terminal *t;
    struct str keys; /* of this batch */
    int w, h, starts;
};

static int below(struct monkey *m, int n)
{
    return (int) (rng_u64(&m->rng) % (uint64_t) n);
}

/* What is typed into lines, and what no terminal should send. */
static const char *const text[] = {"a",
                                   "e",
                                   " ",
                                   "the ",
                                   "Tom",
                                   "0",
                                   "1",
                                   "-",
                                   "é",
                                   "中",
                                   "👩‍🚀",
                                   "e\xcc\x81",
                                   "\t",
                                   "\r",
                                   "\n",
                                   "\177",
                                   "\001",
                                   "\005",
                                   "\013",
                                   "\025",
                                   "\027",
                                   "\031",
                                   "\037",
                                   "\022",
                                   "\xff",
                                   "\xc3",
                                   "\033[",
                                   "\033O",
                                   "\033[<",
                                   "\033[<0;0;M",
                                   "\033[<99999999999;1;1M",
                                   "\016",
                                   "\020",
                                   "\033f",
                                   "\033b",
                                   "\033\177",
                                   "\033[200~",
                                   "\033[201~",
                                   "\003",
                                   "\033[200~two\nlines\033[201~",
                                   "set ",
                                   "show ",
                                   "help ",
                                   "ablate ",
                                   "view ",
                                   "\"",
                                   ";",
                                   "'",
                                   "\\",
                                   "\033[1;5C",
                                   "\033[1;5D",
                                   "\033[3~",
                                   "\033"};

static int n_keys(void)
{
    int n = 0;

    while (key_table[n].key)
        n++;
    return n;
}

static void mouse(struct monkey *m)
{
    static const int buttons[] = {PRESS_LEFT,
                                  PRESS_LEFT,
                                  PRESS_RIGHT,
                                  PRESS_MIDDLE,
                                  PRESS_WHEEL,
                                  PRESS_WHEEL + 1,
                                  PRESS_WHEEL + PRESS_SHIFT,
                                  PRESS_MOTION + PRESS_LEFT,
                                  PRESS_MOTION + 3};
    int button = buttons[below(m, (int) (sizeof buttons / sizeof *buttons))];
    int x = below(m, m->w + 3), y = below(m, m->h + 3);

    press_mouse(&m->keys, button, x, y, 1);
    if (button < PRESS_MOTION && below(m, 4))
        press_mouse(&m->keys, button, x, y, 0);
}

/* One event into the batch. Leaving is rare: every start costs more than a thousand keys. */
static void event(struct monkey *m)
{
    int kind = below(m, 10);

    if (kind < 6) {
        const char *key = key_table[below(m, n_keys())].key;
        if (strcmp(key, "Q") && strcmp(key, "C-z") && (strcmp(key, "q") || !below(m, 8)))
            press_key(&m->keys, key);
    } else if (kind < 8) {
        mouse(m);
    } else {
        str_adds(&m->keys, text[below(m, (int) (sizeof text / sizeof *text))]);
    }
}

static void resize(struct monkey *m)
{
    m->w = below(m, 3) ? 20 + below(m, MOST_W - 20) : 1 + below(m, 12);
    m->h = below(m, 3) ? 8 + below(m, MOST_H - 8) : 1 + below(m, 8);
    terminal_window(m->t, m->w, m->h);
}

static void start(struct monkey *m)
{
    static const char *const models[] = {"tiny-gpt2", "tiny-llama"};
    static const struct variable env[] = {{"ASAN_OPTIONS", "detect_leaks=1:exitcode=99"},
                                          {NULL, NULL}};
    char args[96];

    m->w = 80;
    m->h = 24;
    snprintf(args, sizeof args, "-m %s --ctx 64 'Tom gave the red ball to Anna. Anna'",
             models[m->starts++ % 2]);
    m->t = terminal_start(MOST_W, MOST_H, env, args);
    terminal_window(m->t, m->w, m->h);
    terminal_wait(m->t, " gptscope ");
}

/* It ended by itself: that must have been a quit. Keys behind a quit may reach it when it has
 * given the terminal back; then Ctrl-C does what it does to every program. */
static void ended(struct monkey *m, int at)
{
    int status = terminal_wait_end(m->t);
    bool late = WIFSIGNALED(status) && WTERMSIG(status) == SIGINT;

    if (status != 0 && !(late && !terminal_alternate(m->t))) {
        struct str screen = STR_INIT;
        terminal_text(m->t, &screen);
        fprintf(stderr, "%s", screen.text);
        str_release(&screen);
        fail_msg("before event %d the program ended with %s %d", at,
                 WIFSIGNALED(status) ? "signal" : "status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    if (!late)
        terminal_wait_given_back(m->t);
    terminal_free(m->t);
}

enum { PATIENCE = 100 }; /* looks, of a sixth of a second at least */

/* Whatever is open, the screen must come back: it does not hang. */
static bool answers(struct monkey *m)
{
    m->w = 80;
    m->h = 24;
    terminal_window(m->t, m->w, m->h);
    for (int i = 0; i < PATIENCE && terminal_running(m->t); i++) {
        terminal_keys(m->t, "\033[201~\003\033");
        terminal_settle(m->t);
        if (terminal_shows(m->t, " gptscope "))
            return true;
    }
    return false;
}

static void test_monkey(void **state)
{
    const char *most = getenv("MONKEY"), *seed = getenv("MONKEY_SEED");
    int events = most ? atoi(most) : EVENTS;
    struct monkey m = {.keys = STR_INIT};

    (void) state;
    rng_seed(&m.rng, seed ? strtoull(seed, NULL, 10) : 20240607);
    start(&m);
    for (int at = 0, asked = 0, n; at < events; at += n) {
        n = 1 + below(&m, BATCH);
        str_clear(&m.keys);
        for (int i = 0; i < n; i++)
            event(&m);
        terminal_keys(m.t, m.keys.text);
        terminal_glance(m.t, GLANCE); /* so that it draws */
        if (below(&m, 12) == 0)
            resize(&m);
        if (at >= asked + ASK && (asked = at) && terminal_running(m.t) && !answers(&m) &&
            terminal_running(m.t))
            terminal_wait(m.t, " gptscope "); /* in vain: shows what there is */
        if (!terminal_running(m.t)) {
            ended(&m, at);
            start(&m);
        }
    }
    for (int i = 0; i < 20 && terminal_running(m.t); i++) {
        answers(&m);
        terminal_keys(m.t, "Q");
        terminal_settle(m.t);
    }
    ended(&m, events);
    printf("%d events, %d starts\n", events, m.starts);
    str_release(&m.keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_monkey)};
    return cmocka_run_group_tests(tests, terminal_enter, terminal_leave);
}
