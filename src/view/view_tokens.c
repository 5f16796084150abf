/* The text as tokens: a strip across the screen, and a list with ids, bytes and surprisal. */
#include "view/views.h"

#include "base/utf8.h"
#include "view/cache.h"
#include "view/draw.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static enum style token_style(const struct session *s, int i)
{
    if (i < run_n_past(s->run))
        return STYLE_CACHED;
    return i < run_n_past(s->run) + run_n_new(s->run) ? STYLE_NEW : STYLE_TODO;
}

/* --- surprisal --- */

/* The lens with the surprisal of tokens [first, first + count), as far as there was time: it is
 * known after the token before. */
static const struct lens *see_tokens(const struct session *s, const struct screen *st,
                                     int first, int count)
{
    struct err err = ERR_INIT; /* then there is none to show */

    return cache_lens(st->cache, s, first - 1, count, false, &err);
}

/* A bar of one cell: full when the token was as surprising as a guess among all tokens. */
static void draw_surprisal(const struct session *s, struct canvas *c, struct rect r, int x,
                           int y, const struct lens *l, int i)
{
    float nats;
    int rank;

    if (lens_surprisal(l, i, &nats, &rank) && isfinite(nats))
        canvas_text(c, r, x, y, STYLE_BAR,
                    draw_eighths((double) nats / log((double) s->program->hp.n_vocab)));
}

/* --- the strip --- */

/* "3 ·the", a cell for its surprisal, and a line */
static int strip_text(const struct session *s, int i, char *out, size_t size)
{
    char label[64];

    tokenizer_label(s->tokenizer, s->ids.id[i], label, sizeof label);
    snprintf(out, size, "%d %s", i, label);
    return utf8_width(out, strlen(out)) + 2;
}

/* Token after token, with line breaks where they are needed. */
struct layout {
    int w, x, line;           /* where the next token begins */
    int at_x, at_line, width; /* where the last one lies */
    char text[80];
};

static void lay_token(struct layout *lay, const struct session *s, int i)
{
    lay->width = strip_text(s, i, lay->text, sizeof lay->text);
    if (lay->x > 0 && lay->x + lay->width > lay->w) {
        lay->line++;
        lay->x = 0;
    }
    lay->at_x = lay->x;
    lay->at_line = lay->line;
    lay->x += lay->width;
}

/* The line that token `to` lies on when they are laid out from the first on; at most `most`. */
static int line_of(const struct session *s, int w, int to, int most)
{
    struct layout lay = {.w = w};

    for (int i = 0; i <= to && i < s->ids.n && lay.at_line < most; i++)
        lay_token(&lay, s, i);
    return lay.at_line;
}

int tokens_strip_height(const struct session *s, int w, int most)
{
    return w > 4 && s->ids.n > 0 ? line_of(s, w - 2, s->ids.n - 1, most - 1) + 1 : 1;
}

/* First token of a line such that the cursor's token is among the h lines shown. */
static int first_token(const struct session *s, int w, int h)
{
    struct layout lay = {.w = w};
    int cursor = line_of(s, w, s->at.query, INT_MAX), want = cursor - h / 2;
    int last = line_of(s, w, s->ids.n - 1, cursor + h);

    want = want > last - h + 1 ? last - h + 1 : want;
    for (int i = 0; i < s->ids.n && want > 0; i++) {
        lay_token(&lay, s, i);
        if (lay.at_line >= want)
            return i;
    }
    return 0;
}

static struct rect inside(struct rect r)
{
    return (struct rect){r.x + 1, r.y, r.w - 2, r.h};
}

/* One past the last token that the strip shows from token `first` on. */
static int end_token(const struct session *s, struct rect in, int first)
{
    struct layout lay = {.w = in.w};
    int i = first;

    for (; i < s->ids.n; i++) {
        lay_token(&lay, s, i);
        if (lay.at_line >= in.h)
            break;
    }
    return i;
}

void tokens_draw_strip(const struct session *s, const struct screen *st, struct canvas *c,
                       struct rect r)
{
    struct rect in = inside(r);
    struct layout lay = {.w = in.w};

    if (s->ids.n == 0) {
        canvas_text(c, in, in.x, in.y, STYLE_DIM, "(no tokens: e edits the prompt)");
        return;
    }
    int first = first_token(s, in.w, in.h), end = end_token(s, in, first);
    const struct lens *l = see_tokens(s, st, first, end - first);
    if (first > 0)
        canvas_text(c, r, r.x, r.y, STYLE_DIM, "‹");
    if (end < s->ids.n)
        canvas_text(c, r, r.x + r.w - 1, r.y + r.h - 1, STYLE_DIM, "›");
    for (int i = first; i < end; i++) {
        enum style style = token_style(s, i);
        if (i == s->at.query)
            style = STYLE_SELECTED;
        else if (i == s->at.key)
            style = STYLE_KEY;
        lay_token(&lay, s, i);
        int x = in.x + lay.at_x, y = in.y + lay.at_line;
        canvas_text(c, in, x, y, style, lay.text);
        draw_surprisal(s, c, in, x + lay.width - 2, y, l, i);
        canvas_text(c, in, x + lay.width - 1, y, STYLE_FRAME, "│");
    }
}

/* The token at x,y of the strip, -1: none. */
static int strip_token(const struct session *s, struct rect r, int x, int y)
{
    struct rect in = inside(r);
    struct layout lay = {.w = in.w};

    for (int i = s->ids.n > 0 ? first_token(s, in.w, in.h) : 0; i < s->ids.n; i++) {
        lay_token(&lay, s, i);
        if (lay.at_line >= in.h)
            break;
        if (y == in.y + lay.at_line && x >= in.x + lay.at_x && x < in.x + lay.at_x + lay.width)
            return i;
    }
    return -1;
}

/* --- the list --- */

static const char *state_word(const struct session *s, int i)
{
    if (i >= s->n_prompt)
        return "generated";
    switch (token_style(s, i)) {
    case STYLE_CACHED:
        return "cached";
    case STYLE_NEW:
        return "in this pass";
    default:
        return "to do";
    }
}

/* The list and the merges, when both are shown: side by side, or one above the other. */
static void split(const struct session *s, struct rect r, struct rect *list,
                  struct rect *merges)
{
    *list = r;
    *merges = (struct rect){0};
    if (!s->set.merges)
        return;
    *merges = r;
    if (r.w >= 100) {
        list->w = r.w / 2 - 1;
        merges->x += r.w / 2;
        merges->w -= r.w / 2;
    } else if (r.h >= 12) {
        list->h = r.h / 2 - 1;
        merges->y += r.h / 2;
        merges->h -= r.h / 2;
    } else {
        list->w = 0;
    }
}

/* The merges scroll when both are shown; the list then follows the cursor. */
static int first_row(const struct session *s, const struct screen *st, struct rect list)
{
    int around = scroll_around(s->at.query, s->ids.n, list.h);

    return s->set.merges ? around : scroll_rows(st, "tokens", around, s->ids.n, list.h);
}

static void draw_token(const struct session *s, struct canvas *c, struct rect r, int y, int i,
                       const struct lens *l)
{
    enum style style = i == s->at.query ? STYLE_SELECTED : token_style(s, i);
    int x = r.x, rank, name = r.w >= 70 ? 18 : 10;
    const char *bytes;
    char label[64];
    float nats;
    size_t n;

    tokenizer_label(s->tokenizer, s->ids.id[i], label, sizeof label);
    x += canvas_printf(c, r, x, y, style, "%4d ", i);
    canvas_fit(c, r, x, y, name, canvas_look(c, style), label);
    x += name + 1;
    x += canvas_printf(c, r, x, y, STYLE_TEXT, "id %-7d", (int) s->ids.id[i]);
    draw_surprisal(s, c, r, x, y, l, i);
    bool bits = r.w >= 100;
    if (lens_surprisal(l, i, &nats, &rank)) {
        int at =
            x + 2 + canvas_printf(c, r, x + 2, y, STYLE_TEXT, "%.2f nats  ", (double) nats);
        if (bits)
            at += canvas_printf(c, r, at, y, STYLE_TEXT, "%.2f bits  ", (double) nats / M_LN2);
        canvas_printf(c, r, at, y, STYLE_TEXT, "rank %d", rank);
    }
    x += bits ? 37 : 25;
    x += canvas_printf(c, r, x, y, STYLE_DIM, "%-13s", state_word(s, i));
    tokenizer_bytes(s->tokenizer, s->ids.id[i], &bytes, &n);
    for (size_t k = 0; k < n && k < 24; k++)
        x += canvas_printf(c, r, x, y, STYLE_DIM, "%02x ", (unsigned char) bytes[k]);
}

void tokens_draw(const struct session *s, const struct screen *st, struct canvas *c,
                 struct rect r)
{
    struct rect list, merges;

    split(s, r, &list, &merges);
    if (list.w > 0) {
        int first = first_row(s, st, list), rows = s->ids.n - first;
        rows = rows < list.h ? rows : list.h;
        const struct lens *l = see_tokens(s, st, first, rows);
        for (int i = 0; i < rows; i++)
            draw_token(s, c, list, list.y + i, first + i, l);
    }
    if (merges.w > 0)
        merges_draw(s, st, c, merges);
}

static void hit_token(const struct session *s, const struct screen *st, int i, struct hit *h)
{
    const struct lens *l = see_tokens(s, st, 0, 0);
    char label[64], seen[64] = "";
    float nats;
    int rank;

    tokenizer_label(s->tokenizer, s->ids.id[i], label, sizeof label);
    if (lens_surprisal(l, i, &nats, &rank))
        snprintf(seen, sizeof seen, "  %.2f nats, rank %d", (double) nats, rank);
    snprintf(h->line, sizeof h->line, "query %d", i);
    snprintf(h->tip, sizeof h->tip, "token %d  %s  id %d%s  %s", i, label, (int) s->ids.id[i],
             seen, state_word(s, i));
}

void tokens_strip_hit(const struct session *s, const struct screen *st, struct rect r, int x,
                      int y, struct hit *h)
{
    int i = strip_token(s, r, x, y);

    if (i >= 0)
        hit_token(s, st, i, h);
}

void tokens_hit(const struct session *s, const struct screen *st, const struct canvas *c,
                struct rect r, int x, int y, struct hit *h)
{
    struct rect list, merges;

    (void) c;
    h->scrolls = true;
    split(s, r, &list, &merges);
    int i = first_row(s, st, list) + y - list.y;
    if (x >= list.x && x < list.x + list.w && y >= list.y && y < list.y + list.h &&
        i < s->ids.n)
        hit_token(s, st, i, h);
}
