/*
 * The curses program: its loop. Keys are names of command lines; what takes long is computed in
 * slices between keys; the picture is drawn when something has changed, at most 30 times a
 * second. With nothing to do the program sleeps.
 */
#include "ui/ui.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "command/commands.h"
#include "command/keys.h"
#include "ui/curses_app.h"
#include "ui/tool.h"
#include "view/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME       (1.0 / 30) /* seconds between two pictures while there is work */
#define LOOK_AROUND 0.1        /* seconds for finding a head to begin with */
#define SLICE       0.03       /* seconds of computing between two looks at the keys */

/* --- messages --- */

void app_say(struct app *a, bool error, const char *text)
{
    a->st.error = error;
    if (*text)
        session_say(a->s, "%s", text);
    else
        a->s->message[0] = '\0';
}

static void show_output(struct app *a, const char *line)
{
    struct str *out = &a->out;

    while (out->len > 0 && out->text[out->len - 1] == '\n')
        str_cut(out, out->len - 1, 1);
    if (strchr(out->text, '\n'))
        pager_show(&a->pager, line, out->text);
    else
        app_say(a, false, out->text);
}

void app_run(struct app *a, const char *line)
{
    struct err err = ERR_INIT;

    str_clear(&a->out);
    interrupt_clear();
    a->env.width = pager_width(a->canvas->w);
    a->env.ascii = a->canvas->caps.ascii;
    a->env.screen_w = a->canvas->w;
    a->env.screen_h = a->canvas->h;
    bool ok = command_run(&a->env, line, &err);
    interrupt_clear();
    show_output(a, line);
    if (!ok)
        app_say(a, true, err.text);
    if (a->st.want_line)
        entry_open_line(a, a->st.line);
    else if (a->st.want_edit)
        entry_open_prompt(a);
    a->st.want_line = a->st.want_edit = false;
}

/* --- drawing --- */

static void fit_canvas(struct app *a)
{
    struct caps caps = term_caps(&a->s->set);
    const struct theme *theme = theme_find(a->s->set.theme);
    struct canvas *c = a->canvas;
    int w, h;

    term_mouse(a->s->set.mouse);
    term_size(&w, &h);
    if (c && c->w == w && c->h == h && c->caps.ascii == caps.ascii &&
        c->caps.colors == caps.colors && c->theme == (theme ? theme : &themes[0]))
        return;
    canvas_free(c);
    a->canvas = canvas_new(w, h, &caps, theme);
}

static void draw(struct app *a)
{
    int x = -1, y = -1;

    fit_canvas(a);
    entry_show(a);
    mouse_show(a);
    cache_budget(a->st.cache, UI_SUMMARY);
    screen_draw(a->s, &a->st, a->canvas);
    pager_draw(&a->pager, a->canvas);
    if (!a->st.entry || a->pager.open ||
        !screen_entry_at(&a->st, a->canvas->w, a->canvas->h, &x, &y))
        x = y = -1;
    term_show(a->canvas, x, y);
    a->drawn = clock_measure();
}

/* --- work between keys --- */

static bool busy(const struct app *a)
{
    return a->st.running || a->st.generating > 0;
}

/* What is done stays. Says what went wrong, or with NULL where it was stopped. */
static void stop_work(struct app *a, const char *error)
{
    char text[96];

    a->st.running = a->st.playing = false;
    a->st.generating = 0;
    interrupt_clear();
    snprintf(text, sizeof text, "stopped after %d of %d tokens; r goes on",
             run_n_past(a->s->run), a->s->ids.n);
    app_say(a, error != NULL, error ? error : text);
}

static void measure_rate(struct app *a)
{
    int done = run_n_past(a->s->run);
    double now = clock_now();

    if (!a->working || done < a->work_tokens) {
        a->working = true;
        a->work_began = now;
        a->work_tokens = done;
    }
    a->st.rate =
        now > a->work_began + 0.2 ? (done - a->work_tokens) / (now - a->work_began) : 0;
}

/* "[14] 1256 ·Tom  p 0.410, draw 0.273 in [0.170, 0.580)" */
static void say_token(struct app *a, int id)
{
    str_clear(&a->out);
    str_addf(&a->out, "[%d] ", a->s->ids.n - 1);
    token_print(a->s, id, &a->out);
    draw_print(&a->s->chosen.draw, &a->out);
    app_say(a, false, a->out.text);
}

bool app_break(struct app *a)
{
    if (!a->s->breaks.hit[0])
        return false;
    a->st.running = a->st.playing = false;
    a->st.generating = 0;
    session_follow(a->s, true);
    a->st.op = -1;
    app_say(a, false, a->s->breaks.hit);
    return true;
}

static void generate_one(struct app *a)
{
    struct err err = ERR_INIT;
    int id;

    if (!session_generate(a->s, &id, &err)) {
        stop_work(a, err.text);
        return;
    }
    if (app_break(a))
        return;
    say_token(a, id);
    a->st.generating--;
    if (tokenizer_is_end(a->s->tokenizer, id) && !a->s->set.ignore_eos) {
        a->st.generating = 0;
        app_say(a, false, "the end-of-text token was chosen");
    }
    /* the last one is computed, too, or played */
    a->st.running = a->st.generating == 0 && !a->st.playing;
}

/* Puts the cursor where there is something to see: on the head with the clearest job, and on
 * the key that the last token looks at most. */
static void choose_head(struct app *a)
{
    struct session *s = a->s;
    struct err err = ERR_INIT;
    const struct heads_summary *sum;

    cache_budget(a->st.cache, LOOK_AROUND);
    sum = cache_heads(a->st.cache, s, 0, &err);

    a->choose = false;
    if (!sum || !heads_clearest(sum, &s->at.layer, &s->at.head))
        return;
    int n = s->at.query + 1, value = session_stage_value(s, s->at.layer, STAGE_PATTERN);
    struct region row = {{s->at.head, s->at.query, 0}, {1, 1, n}};
    float *p = xcalloc((size_t) n, sizeof *p);
    if (run_read(s->run, value, &row, p, &err))
        for (int j = 0; j < n; j++)
            if (p[j] > p[s->at.key])
                s->at.key = j;
    free(p);
}

/* One slice of what is pending, or one new token when all is computed. */
static void work(struct app *a)
{
    struct err err = ERR_INIT;
    bool more = false;

    if (!session_run(a->s, SLICE, &more, &err)) {
        stop_work(a, interrupt_pending() ? NULL : err.text);
        return;
    }
    measure_rate(a);
    if (app_break(a) || more)
        return;
    a->st.running = false;
    if (a->choose)
        choose_head(a);
    if (a->st.generating > 0)
        generate_one(a);
}

/* --- events --- */

static bool begins(const char *line, const char *word)
{
    size_t n = strlen(word);

    return !strncmp(line, word, n) && (line[n] == ' ' || line[n] == '\0');
}

void app_do(struct app *a, const char *line)
{
    char text[128];

    if ((begins(line, "step") || begins(line, "play")) && session_done(a->s) &&
        a->s->ids.n > 0) {
        snprintf(text, sizeof text,
                 "all %d tokens are computed; g begins this pass again, n adds the next token",
                 a->s->ids.n);
        app_say(a, false, text);
    } else {
        app_run(a, line);
    }
}

/* In the list of keys the arrows scroll; every other key closes it and does what it says. */
static void map_key(struct app *a, const struct event *e)
{
    const struct key *k = key_find(e->key, screen_focused(&a->st)->name);
    const char *line = k ? k->line : "";
    char text[128];

    if (a->st.help && !strcmp(e->key, "Space"))
        line = "move down 10";
    if (a->st.help && !begins(line, "move") && !begins(line, "keys") && !begins(line, "close"))
        a->st.help = false;
    if (*line) {
        app_do(a, line);
    } else {
        snprintf(text, sizeof text, "%s does nothing here; ? lists the keys", e->key);
        app_say(a, false, text);
    }
}

static void key(struct app *a, const struct event *e)
{
    if (pager_key(&a->pager, e->key, a->canvas->h))
        return;
    if (a->entry.kind != ENTRY_NONE)
        entry_key(a, e);
    else
        map_key(a, e);
}

static void interrupt(struct app *a)
{
    if (busy(a) || a->st.playing) {
        stop_work(a, NULL);
    } else if (a->entry.kind != ENTRY_NONE) {
        entry_interrupt(a);
    } else {
        app_say(a, false, "Q quits");
    }
}

static void handle(struct app *a, const struct event *e)
{
    a->choose = a->choose && e->kind == EVENT_RESIZE;
    a->mouse.points = a->mouse.points && e->kind != EVENT_KEY && e->kind != EVENT_PASTE;
    switch (e->kind) {
    case EVENT_KEY:
        key(a, e);
        break;
    case EVENT_MOUSE:
        mouse_event(a, &e->mouse);
        break;
    case EVENT_PASTE:
        a->pager.open = false;
        entry_paste(a, e->paste);
        break;
    case EVENT_INTERRUPT:
        interrupt(a);
        break;
    case EVENT_END:
        a->ended = true;
        break;
    case EVENT_RESIZE:
    case EVENT_NONE:
        break;
    }
}

/* Milliseconds to wait for a key: to the next step of play; a pointer that moves is followed
 * frame by frame. */
static int patience(const struct app *a, bool dirty)
{
    double left = a->drawn + FRAME - clock_measure();
    int frame = left > 0 ? 1 + (int) (left * 1000) : 0, step = play_wait(a);

    if (busy(a) || dirty)
        return 0;
    if (!a->mouse.moved)
        return step;
    return step >= 0 && step < frame ? step : frame;
}

/* Keys first, then work, then the picture: it is drawn when no key waits, or when the last one
 * is older than a frame, so that neither a slow line nor a key held down makes it lag. */
static void loop(struct app *a)
{
    bool dirty = false, hover;
    struct event e;

    while (!a->s->quit && !a->ended) {
        term_event(&e, patience(a, dirty));
        hover = e.kind == EVENT_MOUSE && mouse_hovers(a, &e.mouse);
        if (e.kind != EVENT_NONE && !hover) {
            handle(a, &e);
            dirty = true;
            fit_canvas(a);
        } else if (busy(a)) {
            work(a);
            dirty = true;
        } else if (play_tick(a)) {
            dirty = true;
        }
        a->working = busy(a);
        if (!a->working)
            a->st.rate = 0;
        bool frame = clock_measure() > a->drawn + FRAME;
        if ((dirty && ((e.kind == EVENT_NONE && !busy(a)) || frame)) ||
            (a->mouse.moved && frame)) {
            draw(a);
            dirty = cache_more(a->st.cache);
        }
    }
}

/* --- begin and end --- */

static void begin(struct app *a)
{
    a->out = a->entry.shown = a->entry.completion = (struct str) STR_INIT;
    a->entry.typed = a->entry.before = a->entry.edit.text = (struct str) STR_INIT;
    a->pager.title = a->pager.text = (struct str) STR_INIT;
    screen_init(&a->st);
    command_env_init(&a->env, a->s, &a->st, &a->out);
    a->env.live = true;
    fit_canvas(a);
    app_say(a, false,
            "e edits the prompt  g begins again, Space steps  n adds a token  ? all keys");
    /* The first picture shows a whole pass when that takes no time. */
    a->choose = true;
    a->st.running = a->s->ids.n > 0;
    if (a->st.running)
        work(a);
    draw(a);
}

static void finish(struct app *a)
{
    entry_release(a);
    pager_release(&a->pager);
    str_release(&a->out);
    screen_release(&a->st);
    canvas_free(a->canvas);
}

int ui_curses(struct session *s, struct err *err)
{
    struct app a = {.s = s};

    if (!term_open(err))
        return 1;
    begin(&a);
    loop(&a);
    finish(&a);
    term_close();
    return 0;
}
