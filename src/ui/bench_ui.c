/* What the screen takes: every view drawn anew and again, and a key while typing. */
#include "ui/bench.h"

#include "base/clock.h"
#include "base/mem.h"
#include "session/mark.h"
#include "ui/term.h"
#include "ui/ui.h"
#include "view/cache.h"

#include <stdio.h>
#include <string.h>

enum { WIDE = 200, HIGH = 50 };
#define LEAST_ROUNDS 5
#define BUDGET       1.0 /* seconds of rounds, once there are LEAST_ROUNDS */

static bool more_rounds(const struct bench *b, int done, double began)
{
    if (done < LEAST_ROUNDS && done < b->most_rounds)
        return true;
    return done < b->most_rounds && clock_measure() - began < BUDGET;
}

static double since(double began)
{
    return 1e3 * (clock_measure() - began);
}

static struct canvas *make_canvas(void)
{
    struct caps caps = {.ascii = false, .colors = 256};
    return canvas_new(WIDE, HIGH, &caps, NULL);
}

/* A picture, up to the bytes that a terminal would be sent; made as the program makes it. */
static void frame(struct bench *b, const struct session *s)
{
    cache_budget(b->screen.cache, cache_more(b->screen.cache) ? UI_REFINE : UI_SUMMARY);
    screen_draw(s, &b->screen, b->canvas);
    if (b->has_term)
        term_show(b->canvas, -1, -1);
}

/* --- redrawing --- */

/* The view in its home, or over the whole screen. */
static void open_view(struct bench *b, int view, bool maximised)
{
    bool was = b->screen.cache != NULL;
    if (was)
        screen_release(&b->screen);
    screen_init(&b->screen);
    screen_open(&b->screen, view, WIDE, HIGH);
    b->screen.maximised = maximised;
}

/* Cold: nothing is kept from an earlier picture. Every cell is written. */
static double redraw(struct bench *b, int view, bool maximised, bool cold)
{
    if (cold)
        open_view(b, view, maximised);
    if (b->has_term)
        term_redraw();
    double began = clock_measure();
    frame(b, b->session);
    return since(began);
}

static void time_view(struct bench *b, int view, bool maximised, bool cold)
{
    struct samples ms = {0};
    char name[64];
    open_view(b, view, maximised);
    redraw(b, view, maximised, false); /* touches the pages */
    double began = clock_measure();
    for (int i = 0; more_rounds(b, i, began); i++)
        samples_add(&ms, redraw(b, view, maximised, cold));
    snprintf(name, sizeof name, "redraw %s%s%s, %s", view_table[view].name,
             maximised ? " maximised" : "", b->session->comparing ? " comparing" : "",
             cold ? "cold" : "warm");
    bench_add(b, name, "ms", &ms);
    bench_limit(b, 8, 16);
}

/* Until nothing is left to be summed up. */
static void time_whole(struct bench *b, int view, bool maximised, const char *name)
{
    struct samples ms = {0};
    double start = clock_measure();
    for (int i = 0; more_rounds(b, i, start); i++) {
        open_view(b, view, maximised);
        double began = clock_measure();
        do
            frame(b, b->session);
        while (cache_more(b->screen.cache));
        samples_add(&ms, since(began));
    }
    bench_add(b, name, "ms", &ms);
}

static bool measure_redraw(struct bench *b, struct err *err)
{
    (void) err;
    for (int view = 0; view_table[view].name; view++)
        for (int i = 0; i < 4; i++)
            time_view(b, view, i >= 2, i % 2 == 0);
    time_whole(b, view_find("attention"), false, "until the first screen is whole, cold");
    return true;
}

/* --- comparing --- */

static bool time_mark(struct bench *b, struct err *err)
{
    struct samples ms = {0};
    double start = clock_measure();
    bool ok = true;
    for (int i = 0; ok && more_rounds(b, i, start); i++) {
        double began = clock_measure();
        ok = mark_take(b->session, NULL, err);
        samples_add(&ms, since(began));
    }
    bench_add(b, "mark the run", "ms", &ms);
    return ok;
}

/* With a head zeroed in the middle, so that half of the layers differ. */
static bool measure_compare(struct bench *b, struct err *err)
{
    struct session *s = b->session;
    static const struct region head = {{0, 0, 0}, {-1, 1, -1}};
    int z = program_value(s->program, s->program->hp.n_layer / 2, "attn.z");
    bool ok = time_mark(b, err) && session_ablate(s, PATCH_ZERO, z, &head, 0, err) &&
              session_run(s, 0, NULL, err);

    s->comparing = ok;
    for (int i = 0; ok && i < 4; i++)
        time_view(b, view_find(i < 2 ? "attention" : "compare"), i >= 2, i % 2 == 0);
    if (ok)
        time_whole(b, view_find("compare"), true, "until the comparison is whole, cold");
    session_restore(s, -1);
    mark_clear(s);
    return ok && session_run(s, 0, NULL, err);
}

/* --- a token more --- */

/* What the model alone takes for the last token. */
static bool decode_last(struct bench *b, struct samples *ms, struct err *err)
{
    struct session *s = b->session;
    int32_t id = s->ids.id[s->ids.n - 1];
    session_truncate(s, s->ids.n - 1);
    double began = clock_measure();
    bool ok = session_append(s, id, err) && session_run(s, 0, NULL, err);
    samples_add(ms, since(began));
    return ok;
}

/* The same, and the picture of it, after the picture without it. */
static bool show_last(struct bench *b, struct samples *ms, struct err *err)
{
    struct session *s = b->session;
    int32_t id = s->ids.id[s->ids.n - 1];
    session_truncate(s, s->ids.n - 1);
    frame(b, s);
    double began = clock_measure();
    bool ok = session_append(s, id, err) && session_run(s, 0, NULL, err);
    frame(b, s);
    samples_add(ms, since(began));
    return ok;
}

static bool measure_append(struct bench *b, struct err *err)
{
    struct samples decode = {0}, show = {0}, ratio = {0};
    double began = clock_measure();
    bool ok = b->session->ids.n > 1;
    open_view(b, view_find("attention"), false);
    for (int i = 0; ok && more_rounds(b, i, began); i++) {
        ok = decode_last(b, &decode, err) && show_last(b, &show, err);
        if (ok)
            samples_add(&ratio, show.x[show.n - 1] / decode.x[decode.n - 1]);
    }
    if (ok) {
        bench_add(b, "decode a token", "ms", &decode);
        bench_add(b, "a token more, with its picture", "ms", &show);
        bench_add(b, "the same by decoding", "x", &ratio);
        bench_limit(b, 2.5, 2.5);
    }
    samples_release(&decode);
    samples_release(&show);
    samples_release(&ratio);
    return ok || b->session->ids.n < 2;
}

/* --- typing --- */

/* One key: the text one character longer, computed, drawn. */
static bool type_to(struct bench *b, struct session *s, const char *text, size_t n,
                    struct samples *ms, struct err *err)
{
    double began = clock_measure();
    bool ok = session_prompt(s, text, n, err) && session_run(s, 0, NULL, err);
    frame(b, s);
    if (ms)
        samples_add(ms, since(began));
    return ok;
}

static bool measure_typing(struct bench *b, struct err *err)
{
    static const char text[] =
        "Tom gave the red ball to Anna. Anna gave the blue cup to Ben. Ben saw the red ball "
        "and "
        "the blue cup. Then Tom thanked Anna, and Anna thanked Ben for the cup.";
    struct samples ms = {0};
    struct settings set = b->session->set;
    set.ctx = 0;
    struct session *s = session_new("tiny-gpt2", b->compute, &set, err);
    size_t n = sizeof text - 1;
    int rounds = b->most_rounds < 80 ? b->most_rounds : 80;
    bool ok = s != NULL;

    open_view(b, view_find("attention"), false);
    ok = ok && type_to(b, s, text, n - (size_t) rounds, NULL, err);
    for (size_t i = n - (size_t) rounds + 1; ok && i <= n; i++)
        ok = type_to(b, s, text, i, &ms, err);
    if (ok) {
        bench_add(b, "a key while typing, tiny-gpt2", "ms", &ms);
        bench_limit(b, 50, 50);
    }
    samples_release(&ms);
    session_free(s);
    return ok;
}

static bool open_screen(struct bench *b, struct err *err)
{
    (void) err;
    b->canvas = make_canvas();
    b->has_term = term_open_nowhere(WIDE, HIGH);
    bench_add_one(b, "tokens", "tok", b->session->ids.n);
    if (!b->has_term)
        fprintf(stderr, "gptscope: no xterm-256color here: pictures are drawn, not sent\n");
    return true;
}

static bool close_screen(struct bench *b, struct err *err)
{
    (void) err;
    if (b->has_term)
        term_close_nowhere();
    return true;
}

// clang-format off
const struct measure ui_table[] = {
    {"the screen", "a terminal that shows nothing", open_screen},
    {"redraw", "every view in its home and maximised, cold and warm", measure_redraw},
    {"compare", "the run less a mark: taking it, and redrawing", measure_compare},
    {"append", "a token more, against its pass alone", measure_append},
    {"typing", "from a key to the picture", measure_typing},
    {"the screen", "given back", close_screen},
    {"start", "from exec to the first picture, and the rest after it", measure_start},
    {0},
};
// clang-format on
