/* Output of many lines, laid over the screen. */
#include "ui/curses_app.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

/* The status line, the token strip above; message and keys below. */
static struct rect area(int w, int h)
{
    if (h < 10)
        return (struct rect){0, 0, w, h};
    return (struct rect){0, 2, w, h - 4};
}

int pager_width(int w)
{
    return w > 6 ? w - 4 : 2;
}

void pager_show(struct pager *p, const char *title, const char *text)
{
    str_clear(&p->title);
    str_clear(&p->text);
    str_adds(&p->title, title);
    str_adds(&p->text, text);
    while (p->text.len > 0 && p->text.text[p->text.len - 1] == '\n')
        str_cut(&p->text, p->text.len - 1, 1);
    p->top = 0;
    p->open = true;
}

void pager_release(struct pager *p)
{
    str_release(&p->title);
    str_release(&p->text);
    p->open = false;
}

/* Rows of the window by which a key scrolls; false when it does not. */
static bool scroll_by(const char *key, int page, int *by)
{
    static const struct {
        const char *key;
        int rows, pages;
    } keys[] = {
        {"j", 1, 0},        {"Down", 1, 0},    {"k", -1, 0},         {"Up", -1, 0},
        {"Space", 0, 1},    {"C-f", 0, 1},     {"PageDown", 0, 1},   {"b", 0, -1},
        {"C-b", 0, -1},     {"PageUp", 0, -1}, {"Home", 0, -100000}, {"g", 0, -100000},
        {"End", 0, 100000}, {"G", 0, 100000},
    };

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!strcmp(keys[i].key, key)) {
            *by = keys[i].rows + keys[i].pages * page;
            return true;
        }
    return false;
}

bool pager_key(struct pager *p, const char *key, int h)
{
    int page = area(1, h).h - 3, by;

    if (!p->open)
        return false;
    if (scroll_by(key, page > 1 ? page : 1, &by)) {
        p->top += by;
        return true;
    }
    p->open = false;
    return strcmp(key, ":") != 0 && strcmp(key, "?") != 0; /* these go on at once */
}

/* Draws the rows from `top` on, long lines folded; returns how many rows there are. */
static int draw_rows(const struct pager *p, struct canvas *c, struct rect r, int top)
{
    const char *text = p->text.text;
    int row = 0;

    for (const char *line = text; *line || line == text; row++) {
        size_t n = strcspn(line, "\n"), fit = utf8_fit(line, n, r.w, NULL);
        fit = fit == 0 && n > 0 ? n : fit;
        if (c && row >= top)
            canvas_put(c, r, r.x, r.y + row - top, canvas_look(c, STYLE_TEXT), line, fit);
        line += fit + (fit == n && line[n] == '\n');
        if (!*line)
            return row + 1;
    }
    return row;
}

void pager_draw(struct pager *p, struct canvas *c)
{
    struct rect r = area(c->w, c->h);
    char foot[80];

    if (!p->open)
        return;
    canvas_fill(c, r, canvas_look(c, STYLE_TEXT), ' ');
    struct rect in = canvas_frame(c, r, true, p->title.text);
    in.x++;
    in.w = in.w > 2 ? in.w - 2 : in.w;
    int rows = draw_rows(p, NULL, in, 0);
    if (p->top > rows - in.h)
        p->top = rows - in.h;
    if (p->top < 0)
        p->top = 0;
    draw_rows(p, c, in, p->top);
    if (rows > in.h)
        snprintf(foot, sizeof foot, " %d-%d of %d  Space b j k: scroll  other keys: close ",
                 p->top + 1, p->top + in.h, rows);
    else
        snprintf(foot, sizeof foot, " any key closes ");
    canvas_fit(c, r, r.x + 2, r.y + r.h - 1, r.w - 4, canvas_look(c, STYLE_AXIS), foot);
}
