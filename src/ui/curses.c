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
#include "session/watch.h"
#include "ui/curses_app.h"
#include "ui/startup.h"
#include "ui/ticks.h"
#include "ui/tool_input.h"
#include "view/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME (1.0 / 30) /* seconds between two pictures while there is work */

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

static void fit_env(struct app *a)
{
    a->env.width = a->env.fold = pager_width(a->canvas->w);
    a->env.ascii = a->canvas->caps.ascii;
    a->env.screen_w = a->canvas->w;
    a->env.screen_h = a->canvas->h;
}

void app_run(struct app *a, const char *line)
{
    struct err err = ERR_INIT;

    str_clear(&a->out);
    interrupt_clear();
    fit_env(a);
    entry_note(a);
    bool ok = command_run(&a->env, line, &err);
    interrupt_clear();
    show_output(a, line);
    if (!ok)
        app_say(a, true, err.text);
    if (a->st.want_find)
        entry_open_find(a);
    else if (a->st.want_line)
        entry_open_line(a, a->st.line);
    else if (a->st.want_edit)
        entry_open_prompt(a);
    a->st.want_line = a->st.want_edit = a->st.want_find = false;
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

void app_draw(struct app *a)
{
    int x = -1, y = -1;

    fit_canvas(a);
    entry_show(a);
    mouse_show(a);
    cache_budget(a->st.cache, cache_more(a->st.cache) ? UI_REFINE : UI_SUMMARY);
    screen_draw(a->s, &a->st, a->canvas);
    pager_draw(&a->pager, a->canvas);
    if (!a->st.entry || a->pager.open ||
        !screen_entry_at(&a->st, a->canvas->w, a->canvas->h, &x, &y))
        x = y = -1;
    term_show(a->canvas, x, y);
    a->drawn = clock_measure();
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
    const struct key *k = key_find(e->key, screen_keys(&a->st));
    char text[128], typed[128];

    if (a->st.search.active && (!k || !k->view)) /* the search has no other use for it */
        k = key_find(e->key, screen_focused(&a->st)->name);
    const char *line = k ? key_line(k, e->key, typed, sizeof typed) : "";

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
    bool match = a->st.search.active && (!strcmp(e->key, "n") || !strcmp(e->key, "N"));

    if (match)
        a->pager.open = false;
    if (pager_key(&a->pager, e->key, a->canvas->h))
        return;
    if (a->entry.kind != ENTRY_NONE)
        entry_key(a, e);
    else
        map_key(a, e);
}

static void interrupt(struct app *a)
{
    if (work_waits(a) || a->st.playing) {
        work_stop(a, NULL);
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

    if (work_waits(a) || dirty)
        return 0;
    if (watch_of(a->s) && (step < 0 || step > WATCH_MS))
        step = WATCH_MS;
    if (!a->mouse.moved)
        return step;
    return step >= 0 && step < frame ? step : frame;
}

/* Keys first, then work, then the picture: it is drawn when no key waits, or when the last one
 * is older than a frame, so that neither a slow line nor a key held down makes it lag. */
static void loop(struct app *a)
{
    bool dirty = cache_more(a->st.cache), hover; /* the first picture may not be whole */
    struct event e;

    while (!a->s->quit && !a->ended) {
        if (!app_typed(a, &e))
            term_event(&e, patience(a, dirty));
        hover = e.kind == EVENT_MOUSE && mouse_hovers(a, &e.mouse);
        if (e.kind != EVENT_NONE && !hover) {
            handle(a, &e);
            ticks_save(a->s, a->args);
            dirty = true;
            fit_canvas(a);
        } else if (work_waits(a)) {
            work_slice(a);
            dirty = true;
        } else if (play_tick(a)) {
            dirty = true;
        }
        dirty = work_watch(a) || dirty;
        a->working = work_waits(a);
        if (!a->working)
            a->st.rate = 0;
        bool frame = clock_measure() > a->drawn + FRAME;
        if ((dirty && ((e.kind == EVENT_NONE && !work_waits(a)) || frame)) ||
            (a->mouse.moved && frame)) {
            app_draw(a);
            dirty = cache_more(a->st.cache);
        }
    }
}

/* --- begin and end --- */

static void begin(struct app *a)
{
    struct err err = ERR_INIT;
    struct cursor_at at = a->s->at;

    a->out = a->entry.shown = a->entry.completion = (struct str) STR_INIT;
    a->entry.typed = a->entry.before = a->entry.sought = (struct str) STR_INIT;
    a->entry.label = (struct str) STR_INIT;
    a->entry.edit = (struct line_edit) LINE_EDIT_INIT;
    a->pager.title = a->pager.text = a->pasted = (struct str) STR_INIT;
    entry_begin(a);
    a->env.live = true;
    a->env.progress = app_progress;
    fit_canvas(a);
    fit_env(a);
    startup_run(&a->env, a->args, true, &err);
    a->st.want_line = a->st.want_edit = a->st.want_find = false;
    app_say(a, *err.text != '\0',
            *err.text ? err.text
                      : "e edits the prompt  g begins again, Space steps  n adds a token  "
                        "? all keys");
    ticks_load(a->s, a->args);
    if (a->args->begin)
        app_run(a, a->args->begin);
    /* The first picture shows a whole pass when that takes no time. */
    a->choose = !memcmp(&at, &a->s->at, sizeof at);
    a->st.running = a->s->ids.n > 0 && !a->args->begin;
    if (a->st.running)
        work_slice(a);
    app_draw(a);
}

static void finish(struct app *a)
{
    if (!a->ended)
        startup_save(&a->env, a->args);
    entry_release(a);
    pager_release(&a->pager);
    str_release(&a->out);
    str_release(&a->pasted);
    canvas_free(a->canvas);
}

int ui_curses(struct session *s, const struct tool_args *args, struct err *err)
{
    struct app a = {.s = s, .args = args};
    bool ok;

    screen_init(&a.st);
    command_env_init(&a.env, s, &a.st, &a.out);
    journal_begin(&a.env.journal, s, tool_model(args, false));
    ok = (!args->record || journal_record(&a.env.journal, args->record, err)) && term_open(err);
    if (ok) {
        begin(&a);
        loop(&a);
        finish(&a);
    }
    command_env_release(&a.env);
    screen_release(&a.st);
    if (ok)
        term_close();
    return ok ? 0 : 1;
}
