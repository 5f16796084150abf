/* The line being edited: one or more rows above the footer, with the cursor among them. */
#include "view/views.h"

#include "base/utf8.h"

#include <string.h>

/* How the text is cut into rows; `first` of them is the first shown, of `shown`. */
struct rows {
    int x, room; /* column and cells of a row's text; a cell is left for the cursor */
    int n, cursor, first, shown;
};

/* The row that begins at `text`; *next is where the next begins, *next == text at the end. */
static size_t row_length(const char *text, int room, const char **next)
{
    size_t n = strcspn(text, "\n"), fit = utf8_fit(text, n, room, NULL);

    if (fit == 0 && n > 0) /* a wide character in a single cell */
        fit = n;
    *next = text + fit + (fit == n && text[n] == '\n');
    return fit;
}

static bool at_end(const char *text, const char *next)
{
    return *next == '\0' && (next == text || next[-1] != '\n');
}

static void cut_rows(struct rows *l, const struct screen *st, int w, int h)
{
    const char *label = st->entry_label ? st->entry_label : "", *text = st->entry, *next;
    const char *cursor = st->entry + st->entry_cursor;
    int most = h / 3 > 1 ? h / 3 : 1;

    *l = (struct rows){.x = utf8_width(label, strlen(label))};
    l->x = l->x < w / 2 ? l->x : 0;
    l->room = w - l->x - 1 > 2 ? w - l->x - 1 : 2;
    for (;; text = next) {
        row_length(text, l->room, &next);
        if (cursor >= text && (cursor < next || at_end(text, next)))
            l->cursor = l->n;
        l->n++;
        if (at_end(text, next))
            break;
    }
    l->shown = l->n < most ? l->n : most;
    l->first = l->cursor - l->shown + 1 > 0 ? l->cursor - l->shown + 1 : 0;
}

int screen_entry_rows(const struct screen *st, int w, int h)
{
    struct rows l;

    if (!st->entry)
        return 1;
    cut_rows(&l, st, w, h);
    return l.shown;
}

static const char *find_row(const struct screen *st, const struct rows *l, int row)
{
    const char *text = st->entry;

    while (row-- > 0)
        row_length(text, l->room, &text);
    return text;
}

bool screen_entry_at(const struct screen *st, int w, int h, int *x, int *y)
{
    struct rows l;

    if (!st->entry || w < 1 || h < 2)
        return false;
    cut_rows(&l, st, w, h);
    const char *row = find_row(st, &l, l.cursor);
    int column = l.x + utf8_width(row, (size_t) (st->entry + st->entry_cursor - row));
    *x = column < w ? column : w - 1;
    *y = h - 1 - l.shown + l.cursor - l.first;
    return true;
}

size_t screen_entry_byte(const struct screen *st, int w, int h, int x, int y)
{
    struct rows l;
    const char *next;

    if (!st->entry)
        return 0;
    cut_rows(&l, st, w, h);
    int row = y - (h - 1 - l.shown) + l.first;
    row = row < 0 ? 0 : row >= l.n ? l.n - 1 : row;
    const char *text = find_row(st, &l, row);
    size_t n = row_length(text, l.room, &next), at = 0;
    if (x > l.x)
        at = utf8_fit(text, n, x - l.x, NULL);
    /* The mark of a line end is not to be stood behind: that is the next line. */
    if (at == n && text[n] == '\n' && n >= strlen("↵"))
        at -= strlen("↵");
    return (size_t) (text - st->entry) + at;
}

void entry_draw(const struct screen *st, struct canvas *c)
{
    const char *label = st->entry_label ? st->entry_label : "", *next;
    struct rows l;

    cut_rows(&l, st, c->w, c->h);
    struct rect r = {0, c->h - 1 - l.shown, c->w, l.shown};
    if (l.x > 0 && l.first == 0)
        canvas_text(c, r, 0, r.y, STYLE_KEY, label);
    else if (l.first > 0)
        canvas_text(c, r, 0, r.y, STYLE_DIM, "▲");
    const char *text = find_row(st, &l, l.first);
    for (int i = 0; i < l.shown; i++, text = next) {
        size_t n = row_length(text, l.room, &next);
        canvas_put(c, r, l.x, r.y + i, canvas_look(c, STYLE_TEXT), text, n);
    }
    if (l.first + l.shown < l.n)
        canvas_text(c, r, c->w - 1, r.y + r.h - 1, STYLE_DIM, "▼");
}
