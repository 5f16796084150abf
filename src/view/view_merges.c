/* Byte-pair encoding of the cursor's word, merge by merge: from single bytes (or characters) to
 * the tokens that the model reads. */
#include "view/merges.h"

#include "base/safe.h"
#include "view/cache.h"
#include "view/views.h"

#include <stdio.h>
#include <string.h>

enum { WORD_TOKENS = 24, WORD_BYTES = 256 };

static bool begins_word(const struct session *s, int i)
{
    const char *bytes;
    size_t n;

    return tokenizer_is_special(s->tokenizer, s->ids.id[i]) ||
           !tokenizer_bytes(s->tokenizer, s->ids.id[i], &bytes, &n) || n == 0 ||
           strchr(" \n\t\r", *bytes);
}

static void find_word(const struct session *s, struct merge_word *w)
{
    w->begin = s->at.query;
    w->end = s->at.query + 1;
    if (tokenizer_is_special(s->tokenizer, s->ids.id[w->begin]))
        return;
    while (w->begin > 0 && !begins_word(s, w->begin) &&
           !tokenizer_is_special(s->tokenizer, s->ids.id[w->begin - 1]) &&
           w->end - w->begin < WORD_TOKENS)
        w->begin--;
    while (w->end < s->ids.n && !begins_word(s, w->end) && w->end - w->begin < WORD_TOKENS)
        w->end++;
}

static int piece_length(const struct merge_step *step, int i)
{
    return step->cuts[i + 1] - step->cuts[i];
}

/* Whether the last step's pieces are the tokens of the word, byte for byte. */
static bool same_tokens(const struct session *s, const struct merge_word *w)
{
    const struct merge_step *last = &w->log.step[w->log.n - 1];

    if (last->n_pieces != w->end - w->begin)
        return false;
    for (int i = 0; i < last->n_pieces; i++) {
        const char *bytes;
        size_t n;
        if (!tokenizer_bytes(s->tokenizer, s->ids.id[w->begin + i], &bytes, &n) ||
            n != (size_t) piece_length(last, i) ||
            memcmp(bytes, w->log.text + last->cuts[i], n) != 0)
            return false;
    }
    return true;
}

bool merge_word_read(const struct session *s, struct merge_word *w, struct err *err)
{
    *w = (struct merge_word){.text = STR_INIT, .log = MERGE_LOG_INIT};
    find_word(s, w);
    if (tokenizer_is_special(s->tokenizer, s->ids.id[w->begin]))
        return err_set(err, "a special token: it stands for itself and is never merged");
    tokenizer_decode(s->tokenizer, s->ids.id + w->begin, w->end - w->begin, &w->text);
    if (w->text.len > WORD_BYTES)
        return err_set(err, "this word has %zu bytes: too long to show", w->text.len);
    if (!tokenizer_merges(s->tokenizer, w->text.text ? w->text.text : "", w->text.len, &w->log,
                          err))
        return false;
    w->as_read = same_tokens(s, w);
    return true;
}

void merge_word_release(struct merge_word *w)
{
    str_release(&w->text);
    merge_log_release(&w->log);
}

/* --- drawing --- */

/* The piece that this step made: the one that the step before has in two. -1: none. */
static int new_piece(const struct merge_log *log, int step)
{
    const struct merge_step *now = &log->step[step], *old = step > 0 ? now - 1 : now;

    for (int i = 0; i < now->n_pieces; i++)
        if (now->cuts[i + 1] != old->cuts[i + 1])
            return i;
    return -1;
}

static void draw_pieces(struct canvas *c, struct rect r, int x, int y,
                        const struct merge_log *log, int step, enum style style)
{
    const struct merge_step *now = &log->step[step];
    int made = new_piece(log, step);

    for (int i = 0; i < now->n_pieces && x < r.x + r.w; i++) {
        char piece[128];
        safe_copy(piece, sizeof piece, log->text + now->cuts[i], (size_t) piece_length(now, i),
                  SAFE_SPACE_DOT);
        if (i > 0)
            x += canvas_text(c, r, x, y, STYLE_FRAME, "│");
        x += canvas_text(c, r, x, y, i == made ? STYLE_TITLE : style, piece);
    }
}

static void step_text(const struct session *s, const struct merge_log *log, int step, char *out,
                      size_t size)
{
    const struct merge_step *now = &log->step[step];
    char left[48], right[48], result[48];

    if (now->result < 0) {
        snprintf(out, size, "start");
        return;
    }
    tokenizer_label(s->tokenizer, now->result, result, sizeof result);
    if (now->left < 0) {
        snprintf(out, size, "whole: %s", result);
        return;
    }
    tokenizer_label(s->tokenizer, now->left, left, sizeof left);
    tokenizer_label(s->tokenizer, now->right, right, sizeof right);
    snprintf(out, size, "rank %d: %s + %s", now->rank, left, right);
}

static void draw_step(const struct session *s, struct canvas *c, struct rect r, int y,
                      const struct merge_log *log, int step, bool chosen)
{
    int name = r.w >= 60 ? 28 : 20;
    char text[160];

    step_text(s, log, step, text, sizeof text);
    canvas_printf(c, r, r.x, y, chosen ? STYLE_SELECTED : STYLE_DIM, "%3d", step);
    canvas_fit(c, r, r.x + 4, y, name, canvas_look(c, chosen ? STYLE_SELECTED : STYLE_TEXT),
               text);
    draw_pieces(c, r, r.x + 5 + name, y, log, step, chosen ? STYLE_SELECTED : STYLE_TEXT);
}

/* "·thanked 1234  . 13": what the model reads. */
static void draw_result(const struct session *s, struct canvas *c, struct rect r, int y,
                        const struct merge_word *w)
{
    int x = r.x + canvas_text(c, r, r.x, y, STYLE_AXIS, w->as_read ? "tokens" : "here");

    for (int i = w->begin; i < w->end; i++) {
        char label[64];
        tokenizer_label(s->tokenizer, s->ids.id[i], label, sizeof label);
        x += 2;
        x += canvas_text(c, r, x, y, i == s->at.query ? STYLE_SELECTED : STYLE_TEXT, label);
        x += canvas_printf(c, r, x, y, STYLE_DIM, " %d", (int) s->ids.id[i]);
    }
    if (!w->as_read)
        canvas_text(c, r, x, y, STYLE_DIM, "  (the word alone would be cut otherwise)");
}

static void draw_log(const struct session *s, const struct screen *st, struct canvas *c,
                     struct rect r, const struct merge_word *w)
{
    const struct merge_log *log = &w->log;
    int view = view_find("tokens"), rows = r.h > 2 ? r.h - 1 : r.h, chosen = st->scroll[view];

    cache_scrolled(st->cache, view, 0, log->n - 1);
    chosen = chosen < 0 ? 0 : chosen < log->n ? chosen : log->n - 1;
    int first = scroll_around(chosen, log->n, rows);
    for (int i = 0; i < rows && first + i < log->n; i++)
        draw_step(s, c, r, r.y + i, log, first + i, first + i == chosen);
    int used = log->n - first < rows ? log->n - first : rows;
    if (used < r.h)
        draw_result(s, c, r, r.y + used, w);
}

void merges_draw(const struct session *s, const struct screen *st, struct canvas *c,
                 struct rect r)
{
    struct err err = ERR_INIT;
    struct merge_word w;

    if (s->ids.n < 1) {
        canvas_text(c, r, r.x, r.y, STYLE_DIM, "No tokens yet: e edits the prompt.");
        return;
    }
    if (merge_word_read(s, &w, &err))
        draw_log(s, st, c, r, &w);
    else
        draw_paragraph(c, r, r.x, r.y, STYLE_DIM, err.text);
    merge_word_release(&w);
}
