/* The subject, worked with the numbers that are in it: a few lines where there is little room,
 * every product as a table where there is more. */
#include "base/utf8.h"
#include "view/cache.h"
#include "view/draw.h"
#include "view/views.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROOMY = 12 }; /* rows from which on everything is shown, and scrolls */

/* Where drawing stands. With an empty clip nothing is drawn, and y tells the height. */
struct page {
    const struct session *s;
    struct canvas *c;
    struct rect clip;
    int x, y, w; /* left edge, next row, columns */
    struct table_place {
        int x, y, across, entry; /* of the first entry; entries side by side, their cells */
    } at[WORKED_TABLES];         /* where the tables lie; across 0: nowhere */
};

/* --- lines --- */

static bool is_tone(char c)
{
    return c >= WORKED_STRONG[0] && c <= WORKED_PLAIN[0];
}

static enum style tone_style(char c)
{
    return c == WORKED_STRONG[0] ? STYLE_SELECTED : c == WORKED_DIM[0] ? STYLE_DIM : STYLE_TEXT;
}

/* The cells of a word: up to the next blank; *n gets its bytes. */
static int word_cells(const char *text, size_t *n)
{
    int cells = 0;
    size_t i = 0;

    while (text[i] && text[i] != ' ') {
        size_t part = strcspn(text + i, " \1\2\3");
        cells += utf8_width(text + i, part);
        i += part;
        while (is_tone(text[i]))
            i++;
    }
    *n = i;
    return cells;
}

static int put_word(struct page *p, int x, const char *text, size_t n, enum style *style)
{
    int begin = x;

    for (size_t i = 0; i < n;) {
        if (is_tone(text[i])) {
            *style = tone_style(text[i++]);
            continue;
        }
        size_t part = strcspn(text + i, " \1\2\3");
        part = part < n - i ? part : n - i;
        x += canvas_put(p->c, p->clip, x, p->y, canvas_look(p->c, *style), text + i, part);
        i += part;
    }
    return x - begin;
}

/* Breaks at blanks; what does not fit goes on in the next row, a little further in. */
static void put_line(struct page *p, const char *text)
{
    enum style style = STYLE_TEXT;
    int at = 0;
    size_t n;

    while (*text) {
        size_t gap = strspn(text, " ");
        int cells = word_cells(text + gap, &n);
        if (at > 2 && at + (int) gap + cells > p->w) {
            p->y++;
            at = 2;
            gap = 0;
            text += strspn(text, " ");
        }
        at += (int) gap;
        put_word(p, p->x + at, text + gap, n, &style);
        at += cells;
        text += gap + n;
    }
    p->y++;
}

/* --- tables --- */

static void put_spark(struct page *p, const struct worked_table *t)
{
    int x = p->x, room, pool;

    if (t->n_part == 0)
        return;
    x += canvas_printf(p->c, p->clip, x, p->y, STYLE_AXIS, "%s ", t->title);
    room = p->x + p->w - x - 10;
    pool = draw_spark(p->c, p->clip, x, p->y, room, t->part, t->n_part, t->is_signed);
    if (pool > 1)
        canvas_printf(p->c, p->clip, x + (t->n_part + pool - 1) / pool + 1, p->y, STYLE_DIM,
                      "max of %d", pool);
    p->y++;
}

enum { LABEL_TOKEN = 18, LABEL_CHANNEL = 7, LABEL_MAX = 96 };

static bool of_tokens(const struct worked_table *t)
{
    return t->axis == AXIS_KEY || t->axis == AXIS_VOCAB;
}

/* "6 ·to", "17" */
static void term_label(const struct page *p, const struct worked_table *t, int index,
                       char out[LABEL_MAX])
{
    char label[64];
    int id = t->axis == AXIS_KEY ? p->s->ids.id[index] : index;

    if (of_tokens(t))
        snprintf(out, LABEL_MAX, "%d %s", index,
                 tokenizer_label(p->s->tokenizer, id, label, sizeof label));
    else
        snprintf(out, LABEL_MAX, "%d", index);
}

/* Decimals that give a column's largest number five digits. */
static int decimals_for(double largest)
{
    int n = 4;

    for (; largest >= 10 && n > 1; largest /= 10)
        n--;
    for (; largest < 1 && n < 7; largest *= 10)
        n++;
    return n;
}

struct columns {
    int decimals[3], label, entry; /* cells */
};

enum { NUMBER = 10, GAP_ENTRY = 3 };

static double column_value(const struct worked_term *t, int column)
{
    return column == 0 ? (double) t->a : column == 1 ? (double) t->b : t->product;
}

static void columns_make(struct columns *k, const struct worked_table *t)
{
    k->label = of_tokens(t) ? LABEL_TOKEN : LABEL_CHANNEL;
    for (int j = 0; j < 3; j++) {
        double most = 0;
        for (int i = 0; i < t->n; i++) {
            double x = fabs(column_value(&t->term[i], j));
            if (isfinite(x) && x > most)
                most = x;
        }
        k->decimals[j] = decimals_for(most);
    }
    k->entry = k->label + 3 * NUMBER;
    for (int j = 0; j < 2; j++)
        k->entry += utf8_width(t->join[j], strlen(t->join[j])) + 1;
}

/* Right-aligned in `cells`. */
static void put_right(struct page *p, int x, int cells, enum style style, const char *text)
{
    int w = utf8_width(text, strlen(text));

    canvas_text(p->c, p->clip, w < cells ? x + cells - w : x, p->y, style, text);
}

static void put_entry(struct page *p, const struct worked_table *t, const struct columns *k,
                      int x, int i)
{
    char text[LABEL_MAX];

    term_label(p, t, t->term[i].index, text);
    if (of_tokens(t))
        canvas_fit(p->c, p->clip, x, p->y, k->label - 1, canvas_look(p->c, STYLE_AXIS), text);
    else
        put_right(p, x, k->label, STYLE_AXIS, text);
    x += k->label;
    for (int j = 0; j < 3; j++) {
        snprintf(text, sizeof text, "%.*f", k->decimals[j], column_value(&t->term[i], j));
        put_right(p, x, NUMBER, j == 2 ? STYLE_SELECTED : STYLE_TEXT, text);
        x += NUMBER + 1;
        if (j < 2)
            x += canvas_text(p->c, p->clip, x, p->y, STYLE_DIM, t->join[j]);
    }
}

static void put_heading(struct page *p, const struct worked_table *t, const struct columns *k,
                        int x)
{
    canvas_text(p->c, p->clip, x, p->y, STYLE_AXIS, of_tokens(t) ? "token" : "channel");
    x += k->label;
    for (int j = 0; j < 3; j++) {
        put_right(p, x, NUMBER, STYLE_AXIS, t->col[j]);
        x += NUMBER + 1;
        if (j < 2)
            x += utf8_width(t->join[j], strlen(t->join[j]));
    }
}

static void put_sum(struct page *p, const struct worked_table *t)
{
    char rest[WORKED_NUMBER], sum[WORKED_NUMBER];

    if (t->n < t->n_all)
        canvas_printf(p->c, p->clip, p->x, p->y++, STYLE_DIM, "the other %d of %d: %s",
                      t->n_all - t->n, t->n_all, worked_number(rest, t->rest));
    canvas_printf(p->c, p->clip, p->x, p->y++, STYLE_TEXT, "sum of %d: %s", t->n_all,
                  worked_number(sum, t->sum + t->rest));
}

/* All terms by falling size, as many side by side as fit. */
static void put_table(struct page *p, const struct worked_table *t, struct table_place *at)
{
    struct columns k;
    int across, rows, bottom = p->clip.y + p->clip.h;

    if (t->n == 0)
        return;
    columns_make(&k, t);
    across = (p->w + GAP_ENTRY) / (k.entry + GAP_ENTRY);
    across = across < 1 ? 1 : across > t->n ? t->n : across;
    for (int j = 0; j < across; j++)
        put_heading(p, t, &k, p->x + j * (k.entry + GAP_ENTRY));
    p->y++;
    *at = (struct table_place){p->x, p->y, across, k.entry + GAP_ENTRY};
    rows = (t->n + across - 1) / across;
    for (int row = 0; row < rows; row++, p->y++)
        for (int j = 0; j < across && row * across + j < t->n; j++)
            if (p->y >= p->clip.y && p->y < bottom)
                put_entry(p, t, &k, p->x + j * (k.entry + GAP_ENTRY), row * across + j);
    put_sum(p, t);
}

/* The largest terms one after the other, in the rows that are left. */
static void put_largest(struct page *p, const struct worked_table *t)
{
    int bottom = p->clip.y + p->clip.h, x = p->x;

    if (t->n == 0 || p->y >= bottom)
        return;
    x += canvas_text(p->c, p->clip, x, p->y, STYLE_AXIS, "top") - 1;
    for (int i = 0; i < t->n; i++) {
        char label[LABEL_MAX], number[3][16], text[LABEL_MAX];
        term_label(p, t, t->term[i].index, label);
        for (int j = 0; j < 3; j++)
            draw_number(number[j], sizeof number[j], column_value(&t->term[i], j), -5);
        snprintf(text, sizeof text, "%s%s%s%s%s", number[0], t->join[0], number[1], t->join[1],
                 number[2]);
        int w = utf8_width(label, strlen(label)) + 1 + utf8_width(text, strlen(text));
        if (x + 2 + w > p->x + p->w) {
            p->y++;
            x = p->x - 2;
        }
        if (p->y >= bottom || w > p->w)
            return;
        x += 2 + canvas_text(p->c, p->clip, x + 2, p->y, STYLE_AXIS, label);
        x += 1 + canvas_text(p->c, p->clip, x + 1, p->y, STYLE_TEXT, text);
    }
}

/* --- the page --- */

static void put_block(struct page *p, const struct worked *w, int i)
{
    p->y++;
    put_spark(p, &w->table[i]);
    put_table(p, &w->table[i], &p->at[i]);
}

/* Two tables lie side by side where there is room. */
static void put_tables(struct page *p, const struct worked *w)
{
    enum { GAP = 4 };
    struct page right = *p;

    if (w->n_tables == 2) {
        struct columns a, b;
        columns_make(&a, &w->table[0]);
        columns_make(&b, &w->table[1]);
        if (a.entry + GAP + b.entry <= p->w) {
            right.x += p->w - b.entry;
            right.w = b.entry;
            p->w -= GAP + b.entry;
            put_block(p, w, 0);
            put_block(&right, w, 1);
            p->at[1] = right.at[1];
            p->y = right.y > p->y ? right.y : p->y;
            return;
        }
    }
    for (int i = 0; i < w->n_tables; i++)
        put_block(p, w, i);
}

static void put_all(struct page *p, const struct worked *w)
{
    for (int i = 0; i < w->n_lines; i++)
        put_line(p, w->line[i].text);
    put_tables(p, w);
}

static void put_essence(struct page *p, const struct worked *w)
{
    for (int i = 0; i < w->n_lines; i++)
        if (!w->line[i].detail)
            put_line(p, w->line[i].text);
    for (int i = 0; i < w->n_tables; i++)
        if (p->y < p->clip.y + p->clip.h)
            put_spark(p, &w->table[i]);
    if (w->n_tables > 0)
        put_largest(p, &w->table[0]);
}

/* The first row of the page; it is laid out for it without drawing, so that p->at is known. */
static void lay_out(struct page *p, const struct worked *w, const struct screen *st)
{
    struct page measure = *p;

    measure.clip.h = 0;
    put_all(&measure, w);
    int scroll = scroll_rows(st, "explain", 0, measure.y - p->y, p->clip.h);
    p->y -= scroll;
    memcpy(p->at, measure.at, sizeof p->at);
    for (int i = 0; i < WORKED_TABLES; i++)
        p->at[i].y -= scroll;
}

void explain_draw(const struct session *s, const struct screen *st, struct canvas *c,
                  struct rect r)
{
    struct page p = {
        .s = s, .c = c, .clip = rect_clip(r, canvas_all(c)), .x = r.x, .y = r.y, .w = r.w};
    struct err err = ERR_INIT;
    const struct worked *w = cache_worked(st->cache, s, &err);

    if (!w && s->ids.n > 0) {
        draw_paragraph(c, r, r.x, r.y, STYLE_DIM, err.text);
    } else if (w && r.h >= ROOMY) {
        lay_out(&p, w, st);
        put_all(&p, w);
    } else if (w) {
        put_essence(&p, w);
    }
}

/* --- the pointer --- */

/* The term drawn at x,y, or -1. */
static int term_at(const struct table_place *at, int n, int x, int y)
{
    int column = at->across > 0 ? (x - at->x) / at->entry : 0;

    if (at->across == 0 || y < at->y || x < at->x || column >= at->across)
        return -1;
    int i = (y - at->y) * at->across + column;
    return i < n ? i : -1;
}

/* A term leads to the element that it begins with. */
static void hit_term(const struct session *s, const struct worked_table *t, int term,
                     struct hit *h)
{
    struct str place = STR_INIT;
    int value, cell[3];

    if (!worked_origin(s, t, term, &value, cell))
        return;
    const struct value *v = &s->program->value[value];
    worked_place(s, value, cell, &place);
    snprintf(h->tip, sizeof h->tip, "explain %s", place.text);
    if (v->axis[v->n_axis - 1] == AXIS_VOCAB) /* a text may not be typed so */
        snprintf(h->line, sizeof h->line, "explain %s %d,%d", v->name, cell[0], cell[1]);
    else
        snprintf(h->line, sizeof h->line, "explain %s", place.text);
    str_release(&place);
}

void explain_hit(const struct session *s, const struct screen *st, const struct canvas *c,
                 struct rect r, int x, int y, struct hit *h)
{
    struct canvas *none = canvas_new(1, 1, &c->caps, c->theme);
    struct page p = {.s = s, .c = none, .clip = r, .x = r.x, .y = r.y, .w = r.w};
    struct err err = ERR_INIT;
    const struct worked *w = cache_worked(st->cache, s, &err);

    if (w && r.h >= ROOMY) {
        lay_out(&p, w, st);
        for (int i = 0; i < w->n_tables; i++) {
            int term = term_at(&p.at[i], w->table[i].n, x, y);
            if (term >= 0)
                hit_term(s, &w->table[i], term, h);
        }
    }
    canvas_free(none);
}

void explain_title(const struct session *s, char *out, size_t size)
{
    struct str place = STR_INIT;
    int value, cell[3];

    if (session_subject(s, &value, cell))
        worked_place(s, value, cell, &place);
    snprintf(out, size, "explain %s", place.text);
    str_release(&place);
}
