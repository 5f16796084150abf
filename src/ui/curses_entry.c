/* The `:` line and the prompt while they are typed. */
#include "ui/curses_app.h"

#include "base/mem.h"
#include "ui/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <readline/history.h>
#include <readline/readline.h>

#define PROMPT_HELP                                                                            \
    "Enter: done  Ctrl-C: as it was  Alt-Enter: new line  Ctrl-U Ctrl-W: erase line, word"

static void close_entry(struct app *a)
{
    a->entry.kind = ENTRY_NONE;
    str_clear(&a->entry.completion);
}

void entry_release(struct app *a)
{
    struct entry *e = &a->entry;

    if (e->has_history)
        history_save();
    line_edit_release(&e->edit);
    str_release(&e->shown);
    str_release(&e->completion);
    str_release(&e->typed);
    str_release(&e->before);
}

void entry_show(struct app *a)
{
    static const char *const label[] = {
        [ENTRY_NONE] = NULL, [ENTRY_LINE] = ":", [ENTRY_PROMPT] = "prompt: "};
    struct entry *e = &a->entry;
    bool open = e->kind != ENTRY_NONE;

    a->st.entry_cursor = open ? (int) line_edit_show(&e->edit, &e->shown) : 0;
    a->st.entry = open ? e->shown.text : NULL;
    a->st.entry_label = label[e->kind];
    a->st.completion = NULL;
    if (e->kind == ENTRY_PROMPT)
        a->st.completion = e->refused ? a->s->message : PROMPT_HELP;
    else if (open && e->completion.len > 0)
        a->st.completion = e->completion.text;
}

void entry_click(struct app *a, int x, int y)
{
    (void) a;
    (void) x;
    (void) y;
}

/* --- the prompt --- */

void entry_open_prompt(struct app *a)
{
    struct entry *e = &a->entry;

    e->kind = ENTRY_PROMPT;
    str_clear(&e->before);
    str_add(&e->before, a->s->prompt.text, a->s->prompt.len);
    if (!e->refused) { /* otherwise what was typed the last time is still there */
        line_edit_set(&e->edit, "");
        line_edit_insert(&e->edit, a->s->prompt.text, a->s->prompt.len);
    }
    if (!e->refused)
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
    a->st.running = a->s->ids.n > 0;
    app_say(a, false, "");
}

static void prompt_key(struct app *a, const struct event *e)
{
    struct line_edit *l = &a->entry.edit;
    size_t n = l->text.len;
    char *old;
    bool enter = !strcmp(e->key, "Enter");

    if (!strcmp(e->key, "Esc") || (enter && !a->entry.refused)) {
        close_entry(a);
        if (!a->entry.refused)
            app_say(a, false, "");
        return;
    }
    if (enter)
        return; /* the message says why it is not taken */
    old = xstrndup(l->text.text, n);
    if (!strcmp(e->key, "M-Enter") || !strcmp(e->key, "C-j"))
        line_edit_insert(l, "\n", 1);
    else if (!strcmp(e->key, "Tab"))
        line_edit_insert(l, "\t", 1);
    else
        line_edit_key(l, e->key, e->text);
    if (l->text.len != n || memcmp(l->text.text, old, n))
        take_prompt(a, &l->text);
    free(old);
}

/* --- the command line --- */

void entry_open_line(struct app *a, const char *begin)
{
    struct entry *e = &a->entry;

    if (!e->has_history)
        history_load();
    e->has_history = true;
    e->kind = ENTRY_LINE;
    e->refused = false;
    e->back = 0;
    line_edit_set(&e->edit, begin);
    app_say(a, false, "");
}

static void older(struct entry *e, int by)
{
    int back = e->back + by;

    if (back < 0 || back > history_length)
        return;
    if (e->back == 0) {
        str_clear(&e->typed);
        str_add(&e->typed, e->edit.text.text, e->edit.text.len);
    }
    e->back = back;
    HIST_ENTRY *line = back ? history_get(history_base + history_length - back) : NULL;
    line_edit_set(&e->edit, line ? line->line : e->typed.text);
}

/* File names, as readline finds them. */
static char **complete_file(const char *word)
{
    char **found = NULL, *name;
    int n = 0, cap = 0;

    for (int i = 0; (name = rl_filename_completion_function(word, i)); i++) {
        VEC_ROOM(found, n, cap);
        found[n++] = name;
    }
    VEC_ROOM(found, n, cap);
    found[n] = NULL;
    return found;
}

static size_t common(char **word)
{
    size_t n = strlen(word[0]);

    for (int i = 1; word[i]; i++)
        for (size_t k = 0; k < n; k++)
            if (word[i][k] != word[0][k])
                n = k;
    while (n > 0 && (word[0][n] & 0xc0) == 0x80)
        n--;
    return n;
}

static void complete(struct app *a)
{
    struct entry *e = &a->entry;
    struct line_edit *l = &e->edit;
    size_t from = l->at;

    while (from > 0 && !strchr(" \t\n;", l->text.text[from - 1]))
        from--;
    char *word = xstrndup(l->text.text + from, l->at - from);
    char **found = command_complete(a->s, l->text.text, l->at);
    bool file = !found;
    if (file)
        found = complete_file(word);
    if (!found[0])
        term_beep();
    if (found[0]) {
        struct str put = STR_INIT;
        str_add(&put, found[0], common(found));
        if (!found[1] && !file)
            str_addc(&put, ' ');
        if (put.len >= l->at - from)
            line_edit_replace(l, l->at - from, put.text);
        str_release(&put);
    }
    for (int i = 0; found[i]; i++) {
        if (found[1])
            str_addf(&e->completion, "%s%s", i ? "  " : "", found[i]);
        free(found[i]);
    }
    free(found);
    free(word);
}

/* Nothing typed is lost: a line that is left is in the history, too. */
static void leave_line(struct app *a)
{
    history_note(a->entry.edit.text.text);
    close_entry(a);
}

static void line_key(struct app *a, const struct event *e)
{
    struct entry *en = &a->entry;

    str_clear(&en->completion);
    if (!strcmp(e->key, "Enter") || !strcmp(e->key, "C-j")) {
        char *line = xstrdup(en->edit.text.text);
        leave_line(a);
        app_run(a, line);
        free(line);
    } else if (!strcmp(e->key, "Esc") ||
               (!strcmp(e->key, "Backspace") && en->edit.text.len == 0)) {
        leave_line(a);
    } else if (!strcmp(e->key, "Up") || !strcmp(e->key, "C-p")) {
        older(en, 1);
    } else if (!strcmp(e->key, "Down") || !strcmp(e->key, "C-n")) {
        older(en, -1);
    } else if (!strcmp(e->key, "Tab")) {
        complete(a);
    } else {
        line_edit_key(&en->edit, e->key, e->text);
    }
}

void entry_key(struct app *a, const struct event *e)
{
    if (a->entry.kind == ENTRY_PROMPT)
        prompt_key(a, e);
    else
        line_key(a, e);
}

void entry_interrupt(struct app *a)
{
    struct entry *e = &a->entry;

    if (e->kind == ENTRY_LINE) {
        leave_line(a);
        return;
    }
    e->refused = false;
    if (e->before.len != a->s->prompt.len ||
        memcmp(e->before.text, a->s->prompt.text, e->before.len)) {
        take_prompt(a, &e->before);
        app_say(a, false, "the prompt is as it was");
    } else {
        app_say(a, false, "");
    }
    close_entry(a);
}

/* Commands that were pasted become one line; they run when Enter is pressed, not before. */
static void paste_line(struct line_edit *l, const struct str *text)
{
    for (size_t i = 0; i < text->len;) {
        size_t n = strcspn(text->text + i, "\n");
        line_edit_insert(l, text->text + i, n);
        i += n + 1;
        if (i < text->len)
            line_edit_insert(l, "; ", 2);
    }
}

/* Outside an entry a paste is text for the prompt, never a row of keys. */
void entry_paste(struct app *a, const struct str *text)
{
    struct entry *e = &a->entry;

    if (text->len == 0)
        return;
    if (e->kind == ENTRY_LINE) {
        paste_line(&e->edit, text);
        return;
    }
    if (e->kind == ENTRY_NONE)
        entry_open_prompt(a);
    line_edit_insert(&e->edit, text->text, text->len);
    take_prompt(a, &e->edit.text);
}
