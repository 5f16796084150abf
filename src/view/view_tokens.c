/* The text as tokens: a strip across the screen, and a list with ids and bytes. */
#include "view/views.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

static enum style token_style(const struct session *s, int i)
{
    if (i < run_n_past(s->run))
        return STYLE_CACHED;
    return i < run_n_past(s->run) + run_n_new(s->run) ? STYLE_NEW : STYLE_TODO;
}

static void strip_text(const struct session *s, int i, char *out, size_t size)
{
    char label[64];

    tokenizer_label(s->tokenizer, s->ids.id[i], label, sizeof label);
    snprintf(out, size, "%d %s", i, label);
}

static int text_width(const char *text)
{
    return utf8_width(text, strlen(text));
}

/* The line that token `to` starts on when they are laid out from token `from` on. */
static int line_of(const struct session *s, int w, int from, int to)
{
    char text[80];
    int x = 0, line = 0;

    for (int i = from; i <= to && i < s->ids.n; i++) {
        strip_text(s, i, text, sizeof text);
        int width = text_width(text) + 1;
        if (x > 0 && x + width > w) {
            line++;
            x = 0;
        }
        x += width;
    }
    return line;
}

int tokens_strip_height(const struct session *s, int w, int most)
{
    int lines = w > 4 && s->ids.n > 0 ? line_of(s, w - 2, 0, s->ids.n - 1) + 1 : 1;

    return lines < most ? lines : most;
}

/* First token of a line such that the cursor's token is among the h lines shown. */
static int first_token(const struct session *s, int w, int h)
{
    int from = 0, line = line_of(s, w, 0, s->ids.n - 1);
    char text[80];

    if (line < h)
        return 0;
    int want = line_of(s, w, 0, s->at.query) - h / 2;
    want = want > line - h + 1 ? line - h + 1 : want;
    for (int i = 0, x = 0, at = 0; i < s->ids.n && at < want; i++) {
        strip_text(s, i, text, sizeof text);
        int width = text_width(text) + 1;
        if (x > 0 && x + width > w) {
            at++;
            x = 0;
            from = i;
        }
        x += width;
    }
    return from;
}

void tokens_draw_strip(const struct session *s, struct canvas *c, struct rect r)
{
    struct rect in = {r.x + 1, r.y, r.w - 2, r.h};
    int x = 0, y = 0;

    if (s->ids.n == 0) {
        canvas_text(c, in, in.x, in.y, STYLE_DIM, "(no tokens: e edits the prompt)");
        return;
    }
    int i = first_token(s, in.w, in.h);
    if (i > 0)
        canvas_text(c, r, r.x, r.y, STYLE_DIM, "‹");
    for (; i < s->ids.n; i++) {
        char text[80];
        strip_text(s, i, text, sizeof text);
        int width = text_width(text) + 1;
        if (x > 0 && x + width > in.w) {
            x = 0;
            if (++y >= in.h) {
                canvas_text(c, r, r.x + r.w - 1, r.y + r.h - 1, STYLE_DIM, "›");
                return;
            }
        }
        enum style style = token_style(s, i);
        if (i == s->at.query)
            style = STYLE_SELECTED;
        else if (i == s->at.key)
            style = STYLE_KEY;
        canvas_text(c, in, in.x + x, in.y + y, style, text);
        canvas_text(c, in, in.x + x + width - 1, in.y + y, STYLE_FRAME, "│");
        x += width;
    }
}

/* The token at x,y of the strip, -1: none. */
static int strip_token(const struct session *s, struct rect r, int x, int y)
{
    struct rect in = {r.x + 1, r.y, r.w - 2, r.h};
    char text[80];
    int at = in.x, line = in.y;

    for (int i = s->ids.n > 0 ? first_token(s, in.w, in.h) : 0; i < s->ids.n; i++) {
        strip_text(s, i, text, sizeof text);
        int width = text_width(text) + 1;
        if (at > in.x && at + width > in.x + in.w) {
            at = in.x;
            if (++line >= in.y + in.h)
                return -1;
        }
        if (line == y && x >= at && x < at + width)
            return i;
        at += width;
    }
    return -1;
}

static const char *state_word(const struct session *s, int i)
{
    switch (token_style(s, i)) {
    case STYLE_CACHED:
        return "cached";
    case STYLE_NEW:
        return "in this pass";
    default:
        return "to do";
    }
}

void tokens_draw(const struct session *s, const struct screen *st, struct canvas *c,
                 struct rect r)
{
    int around = scroll_around(s->at.query, s->ids.n, r.h);
    int first = scroll_rows(st, "tokens", around, s->ids.n, r.h);

    for (int i = first; i < s->ids.n && i - first < r.h; i++) {
        char label[64];
        const char *bytes;
        size_t n;
        int y = r.y + i - first, x = r.x;
        enum style style = i == s->at.query ? STYLE_SELECTED : token_style(s, i);
        tokenizer_label(s->tokenizer, s->ids.id[i], label, sizeof label);
        x += canvas_printf(c, r, x, y, style, "%4d ", i);
        canvas_fit(c, r, x, y, 18, canvas_look(c, style), label);
        x += 19;
        x += canvas_printf(c, r, x, y, STYLE_TEXT, "id %-7d", (int) s->ids.id[i]);
        x += canvas_printf(c, r, x, y, STYLE_DIM, "%-13s",
                           i < s->n_prompt ? state_word(s, i) : "generated");
        tokenizer_bytes(s->tokenizer, s->ids.id[i], &bytes, &n);
        for (size_t k = 0; k < n && k < 24; k++)
            x += canvas_printf(c, r, x, y, STYLE_DIM, "%02x ", (unsigned char) bytes[k]);
    }
}

static void hit_token(const struct session *s, int i, struct hit *h)
{
    char label[64];

    tokenizer_label(s->tokenizer, s->ids.id[i], label, sizeof label);
    snprintf(h->line, sizeof h->line, "query %d", i);
    snprintf(h->tip, sizeof h->tip, "token %d  %s  id %d  %s%s", i, label, (int) s->ids.id[i],
             i < s->n_prompt ? "" : "generated, ", state_word(s, i));
}

void tokens_strip_hit(const struct session *s, struct rect r, int x, int y, struct hit *h)
{
    int i = strip_token(s, r, x, y);

    if (i >= 0)
        hit_token(s, i, h);
}

void tokens_hit(const struct session *s, const struct screen *st, const struct canvas *c,
                struct rect r, int x, int y, struct hit *h)
{
    int around = scroll_around(s->at.query, s->ids.n, r.h);
    int i = scroll_rows(st, "tokens", around, s->ids.n, r.h) + y - r.y;

    (void) c;
    (void) x;
    h->scrolls = true;
    if (i < s->ids.n)
        hit_token(s, i, h);
}
