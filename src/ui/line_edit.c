#include "ui/line_edit.h"

#include "base/safe.h"
#include "base/utf8.h"

#include <string.h>

#include <utf8proc.h>

void line_edit_release(struct line_edit *l)
{
    str_release(&l->text);
    l->at = 0;
}

void line_edit_set(struct line_edit *l, const char *text)
{
    str_clear(&l->text);
    l->at = 0;
    line_edit_insert(l, text, strlen(text));
}

/* Bytes that are not UTF-8 come in as U+FFFD: an editor must be able to stand on them. */
void line_edit_insert(struct line_edit *l, const char *text, size_t n)
{
    struct str good = STR_INIT;

    for (size_t i = 0; i < n;) {
        uint32_t cp;
        int len = utf8_decode(text + i, n - i, &cp);
        if (len > 0)
            str_add(&good, text + i, (size_t) len);
        else
            str_adds(&good, "\xef\xbf\xbd");
        i += len > 0 ? (size_t) len : 1;
    }
    str_insert(&l->text, l->at, good.text, good.len);
    l->at += good.len;
    str_release(&good);
}

void line_edit_replace(struct line_edit *l, size_t n, const char *text)
{
    n = n < l->at ? n : l->at;
    str_cut(&l->text, l->at - n, n);
    l->at -= n;
    line_edit_insert(l, text, strlen(text));
}

/* --- places --- */

static size_t next_place(const struct line_edit *l, size_t at)
{
    utf8proc_int32_t state = 0;
    uint32_t cp, before = 0;

    for (bool first = true; at < l->text.len; first = false) {
        int len = utf8_decode(l->text.text + at, l->text.len - at, &cp);
        if (!first && utf8proc_grapheme_break_stateful((utf8proc_int32_t) before,
                                                       (utf8proc_int32_t) cp, &state))
            break;
        before = cp;
        at += len > 0 ? (size_t) len : 1;
    }
    return at;
}

/* Clusters can only be told from the front: their state may reach far back (flags, emoji). A
 * line end always stands for itself, so the search begins after the last one. */
static size_t previous_place(const struct line_edit *l, size_t at)
{
    size_t from = 0, next;

    for (size_t i = 0; i + 1 < at; i++)
        if (l->text.text[i] == '\n')
            from = i + 1;
    while ((next = next_place(l, from)) < at)
        from = next;
    return at > 0 ? from : 0;
}

/* Words: what stands between blanks and punctuation, every byte above ASCII belongs to one. */
static bool in_word(char c)
{
    return (c & 0x80) || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '_';
}

static size_t word_left(const struct line_edit *l)
{
    size_t at = l->at;

    while (at > 0 && !in_word(l->text.text[at - 1]))
        at--;
    while (at > 0 && in_word(l->text.text[at - 1]))
        at--;
    return at;
}

static size_t word_right(const struct line_edit *l)
{
    size_t at = l->at;

    while (at < l->text.len && !in_word(l->text.text[at]))
        at++;
    while (at < l->text.len && in_word(l->text.text[at]))
        at++;
    return at;
}

/* To the blank before, as C-w does in shells. */
static size_t blank_left(const struct line_edit *l)
{
    size_t at = l->at;

    while (at > 0 && strchr(" \t\n", l->text.text[at - 1]))
        at--;
    while (at > 0 && !strchr(" \t\n", l->text.text[at - 1]))
        at--;
    return at;
}

static size_t left(const struct line_edit *l)
{
    return previous_place(l, l->at);
}

static size_t right(const struct line_edit *l)
{
    return next_place(l, l->at);
}

static size_t home(const struct line_edit *l)
{
    (void) l;
    return 0;
}

static size_t end(const struct line_edit *l)
{
    return l->text.len;
}

/* --- keys --- */

enum action { MOVE, CUT };

static const struct {
    const char *key;
    enum action action;
    size_t (*place)(const struct line_edit *l); /* moves there; cuts from here to there */
} keys[] = {
    {"Left", MOVE, left},
    {"C-b", MOVE, left},
    {"Right", MOVE, right},
    {"C-f", MOVE, right},
    {"Home", MOVE, home},
    {"C-a", MOVE, home},
    {"End", MOVE, end},
    {"C-e", MOVE, end},
    {"M-b", MOVE, word_left},
    {"C-Left", MOVE, word_left},
    {"M-Left", MOVE, word_left},
    {"M-f", MOVE, word_right},
    {"C-Right", MOVE, word_right},
    {"M-Right", MOVE, word_right},
    {"Backspace", CUT, left},
    {"C-h", CUT, left},
    {"Delete", CUT, right},
    {"C-d", CUT, right},
    {"C-w", CUT, blank_left},
    {"M-Backspace", CUT, word_left},
    {"M-d", CUT, word_right},
    {"C-k", CUT, end},
    {"C-u", CUT, home},
};

static void cut(struct line_edit *l, size_t to)
{
    size_t from = to < l->at ? to : l->at;

    str_cut(&l->text, from, to < l->at ? l->at - to : to - l->at);
    l->at = from;
}

bool line_edit_key(struct line_edit *l, const char *key, const char *typed)
{
    if (*typed) {
        line_edit_insert(l, typed, strlen(typed));
        return true;
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(keys[i].key, key))
            continue;
        if (keys[i].action == MOVE)
            l->at = keys[i].place(l);
        else
            cut(l, keys[i].place(l));
        return true;
    }
    return false;
}

/* --- showing --- */

static void show_part(const char *text, size_t n, struct str *out)
{
    while (n > 0) {
        size_t plain = 0;
        while (plain < n && text[plain] != '\n' && text[plain] != '\t')
            plain++;
        safe_add(out, text, plain, SAFE_SPACE_KEEP);
        if (plain < n)
            str_adds(out, text[plain] == '\n' ? "↵" : "→");
        plain += plain < n;
        text += plain;
        n -= plain;
    }
}

size_t line_edit_show(const struct line_edit *l, struct str *out)
{
    str_clear(out);
    show_part(l->text.text, l->at, out);
    size_t at = out->len;
    show_part(l->text.text + l->at, l->text.len - l->at, out);
    return at;
}
