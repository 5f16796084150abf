#include "ui/line_edit.h"

#include "base/mem.h"
#include "base/safe.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

struct line_edit_state {
    char *text;
    size_t len, at;
};

enum { UNDO_MOST = 100, UNDO_BYTES = 1 << 22, TYPED_MOST = 20 };

/* --- undoing --- */

void line_edit_forget(struct line_edit *l)
{
    while (l->n_undo > 0)
        free(l->undo[--l->n_undo].text);
    l->typed = 0;
}

void line_edit_release(struct line_edit *l)
{
    line_edit_forget(l);
    free(l->undo);
    l->undo = NULL;
    l->cap_undo = 0;
    str_release(&l->text);
    str_release(&l->killed);
    l->at = 0;
}

static void keep(struct line_edit *l)
{
    l->typed = 0;
    if (l->n_undo > 0 && l->undo[l->n_undo - 1].len == l->text.len &&
        !memcmp(l->undo[l->n_undo - 1].text, l->text.text, l->text.len))
        return;
    while (l->n_undo > 0 &&
           (l->n_undo == UNDO_MOST || l->text.len > (size_t) (UNDO_BYTES / (l->n_undo + 1)))) {
        free(l->undo[0].text);
        memmove(l->undo, l->undo + 1, (size_t) --l->n_undo * sizeof *l->undo);
    }
    VEC_ROOM(l->undo, l->n_undo, l->cap_undo);
    l->undo[l->n_undo++] =
        (struct line_edit_state){xstrndup(l->text.text, l->text.len), l->text.len, l->at};
}

static void undo(struct line_edit *l)
{
    if (l->n_undo == 0)
        return;
    struct line_edit_state s = l->undo[--l->n_undo];
    str_clear(&l->text);
    str_add(&l->text, s.text, s.len);
    l->at = s.at;
    l->typed = 0;
    free(s.text);
}

/* --- changing --- */

void line_edit_set(struct line_edit *l, const char *text)
{
    keep(l);
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

void line_edit_paste(struct line_edit *l, const char *text, size_t n)
{
    keep(l);
    line_edit_insert(l, text, n);
}

void line_edit_replace(struct line_edit *l, size_t n, const char *text)
{
    keep(l);
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

/* The begin and the end of the line that the cursor is in. */
static size_t home(const struct line_edit *l)
{
    size_t at = l->at;

    while (at > 0 && l->text.text[at - 1] != '\n')
        at--;
    return at;
}

static size_t end(const struct line_edit *l)
{
    return l->at + strcspn(l->text.text + l->at, "\n");
}

/* The same for cutting: at the begin or the end already, the line end goes. */
static size_t cut_home(const struct line_edit *l)
{
    size_t at = home(l);

    return at == l->at && at > 0 ? at - 1 : at;
}

static size_t cut_end(const struct line_edit *l)
{
    size_t at = end(l);

    return at == l->at && at < l->text.len ? at + 1 : at;
}

/* As many cells into the line that begins at `line` as the cursor is into its own. */
static size_t same_column(const struct line_edit *l, size_t line)
{
    size_t from = home(l), n = strcspn(l->text.text + line, "\n");
    int cells = utf8_width(l->text.text + from, l->at - from);
    size_t want = line + utf8_fit(l->text.text + line, n, cells, NULL), at = line, next;

    while (at < want && (next = next_place(l, at)) <= want)
        at = next;
    return at;
}

static size_t above(const struct line_edit *l)
{
    struct line_edit before = *l;

    before.at = home(l);
    if (before.at == 0)
        return l->at;
    before.at--;
    return same_column(l, home(&before));
}

static size_t below(const struct line_edit *l)
{
    size_t at = end(l);

    return at < l->text.len ? same_column(l, at + 1) : l->at;
}

/* --- keys --- */

enum action { MOVE, LINE, CUT, KILL, CALL };

static void yank(struct line_edit *l)
{
    line_edit_insert(l, l->killed.text, l->killed.len);
}

/* The two characters around the cursor, or the last two at the end of a line. */
static void transpose(struct line_edit *l)
{
    size_t mid = l->at == end(l) ? left(l) : l->at, first, last;

    if (l->text.len == 0 || mid == home(l))
        return;
    first = previous_place(l, mid);
    last = next_place(l, mid);
    char *one = xstrndup(l->text.text + first, mid - first);
    str_cut(&l->text, first, mid - first);
    l->at = first + last - mid;
    str_insert(&l->text, l->at, one, mid - first);
    l->at = last;
    free(one);
}

static const struct {
    const char *key;
    enum action action;
    size_t (*place)(const struct line_edit *l); /* moves there; cuts from here to there */
    void (*call)(struct line_edit *l);
} keys[] = {
    {"Left", MOVE, left, NULL},
    {"C-b", MOVE, left, NULL},
    {"Right", MOVE, right, NULL},
    {"C-f", MOVE, right, NULL},
    {"Home", MOVE, home, NULL},
    {"C-a", MOVE, home, NULL},
    {"End", MOVE, end, NULL},
    {"C-e", MOVE, end, NULL},
    {"Up", LINE, above, NULL},
    {"Down", LINE, below, NULL},
    {"M-b", MOVE, word_left, NULL},
    {"C-Left", MOVE, word_left, NULL},
    {"M-Left", MOVE, word_left, NULL},
    {"M-f", MOVE, word_right, NULL},
    {"C-Right", MOVE, word_right, NULL},
    {"M-Right", MOVE, word_right, NULL},
    {"Backspace", CUT, left, NULL},
    {"C-h", CUT, left, NULL},
    {"Delete", CUT, right, NULL},
    {"C-d", CUT, right, NULL},
    {"C-w", KILL, blank_left, NULL},
    {"M-Backspace", KILL, word_left, NULL},
    {"M-d", KILL, word_right, NULL},
    {"C-k", KILL, cut_end, NULL},
    {"C-u", KILL, cut_home, NULL},
    {"C-y", CALL, NULL, yank},
    {"C-t", CALL, NULL, transpose},
};

/* What is cut in a row can be put back as one. */
static void cut(struct line_edit *l, size_t to, bool kill)
{
    size_t from = to < l->at ? to : l->at, n = to < l->at ? l->at - to : to - l->at;

    if (kill && !l->cutting)
        str_clear(&l->killed);
    if (kill)
        str_insert(&l->killed, to < l->at ? 0 : l->killed.len, l->text.text + from, n);
    str_cut(&l->text, from, n);
    l->at = from;
}

static bool act(struct line_edit *l, enum action action, size_t to)
{
    if (action == LINE && to == l->at)
        return false;
    if (action == MOVE || action == LINE) {
        l->at = to;
        l->typed = TYPED_MOST;
    } else {
        keep(l);
        cut(l, to, action == KILL);
        l->cutting = action == KILL;
    }
    return true;
}

bool line_edit_key(struct line_edit *l, const char *key, const char *typed)
{
    bool was_cutting = l->cutting;

    if (*typed) {
        if (l->typed == 0 || l->typed >= TYPED_MOST || l->n_undo == 0)
            keep(l);
        l->typed++;
        l->cutting = false;
        line_edit_insert(l, typed, strlen(typed));
        return true;
    }
    if (!strcmp(key, "C-_")) {
        undo(l);
        l->cutting = false;
        return true;
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(keys[i].key, key))
            continue;
        if (keys[i].action != CALL) {
            bool done = act(l, keys[i].action, keys[i].place(l));
            l->cutting = l->cutting && keys[i].action == KILL;
            return done;
        }
        keep(l);
        keys[i].call(l);
        l->cutting = false;
        return true;
    }
    l->cutting = was_cutting;
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
            str_adds(out, text[plain] == '\n' ? "↵\n" : "→");
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

void line_edit_point(struct line_edit *l, size_t at)
{
    struct str shown = STR_INIT;
    size_t place = 0;

    while (place < l->text.len) {
        size_t next = next_place(l, place);
        show_part(l->text.text + place, next - place, &shown);
        if (shown.len > at)
            break;
        place = next;
    }
    l->at = place;
    l->typed = TYPED_MOST;
    str_release(&shown);
}
