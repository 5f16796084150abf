/* The `:` line, the search and the prompt while they are typed. */
#include "ui/curses_app.h"

#include "base/mem.h"
#include "command/parse.h"
#include "ui/tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROMPT_HELP                                                                            \
    "Enter: done  Ctrl-C: as it was  Alt-Enter: new line  Up: older prompts  Ctrl-R: search  " \
    "Ctrl-_: undo"
#define SEEK_HELP "Ctrl-R: older  Enter: take it  Esc: back"

void entry_begin(struct app *a)
{
    struct entry *e = &a->entry;

    e->lines.file = a->args->clean ? NULL : "history";
    e->prompts = (struct history){.file = a->args->clean ? NULL : "prompts", .escaped = true};
    history_load(&e->lines);
    history_load(&e->prompts);
}

static void close_entry(struct app *a)
{
    struct entry *e = &a->entry;

    e->kind = ENTRY_NONE;
    e->seeking = false;
    str_clear(&e->completion);
    line_edit_forget(&e->edit);
}

void entry_release(struct app *a)
{
    struct entry *e = &a->entry;

    history_save(&e->lines);
    history_save(&e->prompts);
    history_release(&e->lines);
    history_release(&e->prompts);
    line_edit_release(&e->edit);
    str_release(&e->shown);
    str_release(&e->completion);
    str_release(&e->typed);
    str_release(&e->before);
    str_release(&e->sought);
    str_release(&e->label);
}

static void make_label(struct entry *e)
{
    static const char *const label[] = {
        [ENTRY_NONE] = "", [ENTRY_LINE] = ":", [ENTRY_FIND] = "/", [ENTRY_PROMPT] = "prompt: "};

    str_clear(&e->label);
    if (e->seeking)
        str_addf(&e->label, "older with '%s': ", e->sought.text);
    else
        str_adds(&e->label, label[e->kind]);
}

void entry_show(struct app *a)
{
    struct entry *e = &a->entry;
    bool open = e->kind != ENTRY_NONE;

    make_label(e);
    a->st.entry_cursor = open ? (int) line_edit_show(&e->edit, &e->shown) : 0;
    a->st.entry = open ? e->shown.text : NULL;
    a->st.entry_label = e->label.text;
    a->st.completion = NULL;
    if (e->seeking)
        a->st.completion = SEEK_HELP;
    else if (e->kind == ENTRY_PROMPT && e->refused)
        a->st.completion = a->s->message;
    else if (open && e->completion.len > 0)
        a->st.completion = e->completion.text;
    else if (e->kind == ENTRY_PROMPT)
        a->st.completion = PROMPT_HELP;
}

void entry_click(struct app *a, int x, int y)
{
    entry_show(a);
    line_edit_point(&a->entry.edit,
                    screen_entry_byte(&a->st, a->canvas->w, a->canvas->h, x, y));
}

/* --- older lines --- */

static struct history *history_of(struct entry *e)
{
    return e->kind == ENTRY_PROMPT ? &e->prompts : &e->lines;
}

/* Puts the line so far back in place; 0 is the one that was being typed. */
static void look_back(struct entry *e, int back)
{
    const char *line = back > 0 ? history_line(history_of(e), back) : e->typed.text;

    if (!line)
        return;
    if (e->back == 0) {
        str_clear(&e->typed);
        str_add(&e->typed, e->edit.text.text, e->edit.text.len);
        line = back > 0 ? line : e->typed.text;
    }
    e->back = back;
    line_edit_set(&e->edit, line);
}

/* The next line back that is another than the one here. */
static int older_than(const struct entry *e)
{
    const struct history *h = e->kind == ENTRY_PROMPT ? &e->prompts : &e->lines;
    int back = e->back + 1;

    while (history_line(h, back) && !strcmp(history_line(h, back), e->edit.text.text))
        back++;
    return back;
}

static void seek(struct entry *e, int from)
{
    int back = history_find(history_of(e), from, e->sought.text);

    if (back > 0)
        look_back(e, back);
    else
        term_beep();
}

static void begin_seeking(struct entry *e)
{
    e->seeking = true;
    e->seek_from = e->back;
    str_clear(&e->sought);
}

/* A key while older lines are searched; false: it ends the search and means what it says. */
static bool seek_key(struct entry *e, const struct event *ev)
{
    if (!strcmp(ev->key, "C-r")) {
        seek(e, e->back);
    } else if (!strcmp(ev->key, "Backspace") && e->sought.len > 0) {
        size_t n = e->sought.len - 1;
        while (n > 0 && (e->sought.text[n] & 0xc0) == 0x80)
            n--;
        str_cut(&e->sought, n, e->sought.len - n);
    } else if (*ev->text) {
        str_adds(&e->sought, ev->text);
        seek(e, e->back > 0 ? e->back - 1 : 0);
    } else if (!strcmp(ev->key, "Esc") || !strcmp(ev->key, "C-g")) {
        look_back(e, e->seek_from);
        e->seeking = false;
    } else {
        e->seeking = false;
        return !strcmp(ev->key, "Enter");
    }
    return true;
}

/* Keys that both kinds of entry have; false: it is none of them. */
static bool common_key(struct entry *e, const struct event *ev)
{
    bool up = !strcmp(ev->key, "Up") || !strcmp(ev->key, "C-p");
    bool down = !strcmp(ev->key, "Down") || !strcmp(ev->key, "C-n");

    if (e->seeking && seek_key(e, ev))
        return true;
    if (!strcmp(ev->key, "C-r"))
        begin_seeking(e);
    else if (line_edit_key(&e->edit, up ? "Up" : down ? "Down" : ev->key, ev->text))
        return true;
    else if (up)
        look_back(e, older_than(e));
    else if (down && e->back > 0)
        look_back(e, e->back - 1);
    else
        return up || down;
    return true;
}

static void unknown_key(struct app *a, const struct event *ev)
{
    char text[80];

    snprintf(text, sizeof text, "%s does nothing while typing", ev->key);
    str_clear(&a->entry.completion);
    str_adds(&a->entry.completion, text);
    term_beep();
}

/* --- the prompt --- */

void entry_open_prompt(struct app *a)
{
    struct entry *e = &a->entry;

    e->kind = ENTRY_PROMPT;
    e->back = 0;
    str_clear(&e->before);
    str_add(&e->before, a->s->prompt.text, a->s->prompt.len);
    history_note(&e->prompts, a->s->prompt.text);
    if (e->refused)
        return; /* what was typed the last time is still there */
    line_edit_set(&e->edit, "");
    line_edit_insert(&e->edit, a->s->prompt.text, a->s->prompt.len);
    line_edit_forget(&e->edit);
    app_say(a, false, "");
}

/* Every change is computed at once; what cannot be taken stays in the line. */
static void take_prompt(struct app *a, const struct str *text)
{
    struct err err = ERR_INIT;

    a->entry.refused = !session_prompt(a->s, text->text, text->len, &err);
    if (a->entry.refused) {
        app_say(a, true, err.text);
        return;
    }
    a->entry.changed = true;
    a->st.running = a->s->ids.n > 0;
    app_say(a, false, "");
}

void entry_note(struct app *a)
{
    struct session *s = a->s;
    char line[48];

    if (!a->entry.changed)
        return;
    a->entry.changed = false;
    journal_prompt(&a->env.journal, s);
    if (session_done(s))
        journal_note(&a->env.journal, "run");
    if (s->ids.n > 0) { /* where the cursor is hangs on what was typed in between */
        snprintf(line, sizeof line, "select %d,%d", s->at.query, s->at.key);
        journal_note(&a->env.journal, line);
    }
}

static void close_prompt(struct app *a)
{
    history_note(&a->entry.prompts, a->entry.edit.text.text);
    close_entry(a);
    entry_note(a);
}

static void prompt_key(struct app *a, const struct event *ev)
{
    struct entry *e = &a->entry;
    struct line_edit *l = &e->edit;
    bool enter = !strcmp(ev->key, "Enter"), sought = e->seeking;

    if (!e->seeking && (!strcmp(ev->key, "Esc") || (enter && !e->refused))) {
        close_prompt(a);
        if (!e->refused)
            app_say(a, false, "");
        return;
    }
    if (enter && !e->seeking)
        return; /* the message says why it is not taken */
    str_clear(&e->completion);
    char *old = xstrndup(l->text.text, l->text.len);
    size_t n = l->text.len;
    if (!strcmp(ev->key, "M-Enter") || !strcmp(ev->key, "C-j"))
        line_edit_key(l, "", "\n");
    else if (!strcmp(ev->key, "Tab"))
        line_edit_key(l, "", "\t");
    else if (!common_key(e, ev))
        unknown_key(a, ev);
    if (!e->seeking && (l->text.len != n || memcmp(l->text.text, old, n) || sought))
        take_prompt(a, &l->text);
    free(old);
}

/* --- the command line and the search --- */

static void open_entry(struct app *a, enum entry_kind kind, const char *begin)
{
    struct entry *e = &a->entry;

    e->kind = kind;
    e->refused = false;
    e->back = 0;
    line_edit_set(&e->edit, begin);
    line_edit_forget(&e->edit);
    app_say(a, false, "");
}

void entry_open_line(struct app *a, const char *begin)
{
    open_entry(a, ENTRY_LINE, begin);
}

void entry_open_find(struct app *a)
{
    open_entry(a, ENTRY_FIND, "");
}

/* Nothing typed is lost: a line that is left is in the history, too. */
static void leave_line(struct app *a)
{
    if (a->entry.kind == ENTRY_LINE)
        history_note(&a->entry.lines, a->entry.edit.text.text);
    close_entry(a);
}

static void run_entry(struct app *a)
{
    struct str line = STR_INIT;
    const struct str *text = &a->entry.edit.text;
    bool find = a->entry.kind == ENTRY_FIND;

    if (find)
        str_adds(&line, "find ");
    if (find)
        quote_print(text->text, text->len, &line);
    else
        str_add(&line, text->text, text->len);
    bool empty = find && text->len == 0;
    leave_line(a);
    if (!empty)
        app_run(a, line.text);
    str_release(&line);
}

static void line_key(struct app *a, const struct event *ev)
{
    struct entry *e = &a->entry;
    bool enter = !strcmp(ev->key, "Enter") || !strcmp(ev->key, "C-j");

    str_clear(&e->completion);
    if (e->seeking && (!enter || !strcmp(ev->key, "Enter"))) {
        if (!common_key(e, ev))
            unknown_key(a, ev);
        e->seeking = e->seeking && !enter;
    } else if (enter) {
        run_entry(a);
    } else if (!strcmp(ev->key, "Esc") ||
               (!strcmp(ev->key, "Backspace") && e->edit.text.len == 0)) {
        leave_line(a);
    } else if (!strcmp(ev->key, "Tab") && e->kind == ENTRY_LINE) {
        entry_complete(a);
    } else if (!common_key(e, ev)) {
        unknown_key(a, ev);
    }
}

void entry_key(struct app *a, const struct event *ev)
{
    if (a->entry.kind == ENTRY_PROMPT)
        prompt_key(a, ev);
    else
        line_key(a, ev);
}

void entry_interrupt(struct app *a)
{
    struct entry *e = &a->entry;

    if (e->seeking) {
        e->seeking = false;
        look_back(e, e->seek_from);
        return;
    }
    if (e->kind != ENTRY_PROMPT) {
        leave_line(a);
        return;
    }
    history_note(&e->prompts, e->edit.text.text); /* nothing typed is lost */
    e->refused = false;
    if (e->before.len != a->s->prompt.len ||
        memcmp(e->before.text, a->s->prompt.text, e->before.len)) {
        take_prompt(a, &e->before);
        app_say(a, false, "the prompt is as it was");
    } else {
        app_say(a, false, "");
    }
    close_entry(a);
    entry_note(a);
}

/* Commands that were pasted become one line; they run when Enter is pressed, not before. */
static void paste_line(struct line_edit *l, const struct str *text)
{
    struct str line = STR_INIT;

    for (size_t i = 0; i < text->len;) {
        size_t n = strcspn(text->text + i, "\n");
        str_add(&line, text->text + i, n);
        i += n + 1;
        if (i < text->len)
            str_adds(&line, "; ");
    }
    line_edit_paste(l, line.text, line.len);
    str_release(&line);
}

/* Outside an entry a paste is text for the prompt, never a row of keys. */
void entry_paste(struct app *a, const struct str *text)
{
    struct entry *e = &a->entry;

    if (text->len == 0)
        return;
    e->seeking = false;
    if (e->kind == ENTRY_LINE || e->kind == ENTRY_FIND) {
        paste_line(&e->edit, text);
        return;
    }
    if (e->kind == ENTRY_NONE)
        entry_open_prompt(a);
    line_edit_paste(&e->edit, text->text, text->len);
    take_prompt(a, &e->edit.text);
}
