/* The open step of a lesson. */
#include "view/views.h"

#include "session/page.h"

#include <stdio.h>
#include <string.h>

enum { READABLE = 100, LEAST = 5, LEFT_FREE = 8 };

static int columns(int w)
{
    return w < READABLE ? w : READABLE;
}

/* The page without its heading, which is in the frame. */
static void lines_of(const struct session *s, int w, struct page *page, int *first)
{
    page_of(page, s->course, columns(w));
    *first = page->n > 0 && page->line[0].kind == PAGE_HEADING;
}

int lesson_height(const struct session *s, int w, int h)
{
    struct page page;
    int first, most = h - LEFT_FREE > h / 2 ? h - LEFT_FREE : h / 2;

    lines_of(s, w - 2, &page, &first);
    int n = page.n - first + 2;
    page_release(&page);
    n = n < LEAST ? LEAST : n;
    return n < most ? n : most;
}

static enum style style_of(enum page_kind kind)
{
    switch (kind) {
    case PAGE_HEADING:
    case PAGE_QUESTION:
        return STYLE_TITLE;
    case PAGE_FORMULA:
    case PAGE_REVEAL:
        return STYLE_SELECTED;
    case PAGE_CHOICE:
        return STYLE_KEY;
    case PAGE_RIGHT:
        return STYLE_DONE;
    case PAGE_WRONG:
    case PAGE_BROKEN:
        return STYLE_ERROR;
    case PAGE_HINT:
        return STYLE_DIM;
    case PAGE_TEXT:
        break;
    }
    return STYLE_TEXT;
}

/* Once it was answered, the end is what one wants to read. */
static int top_row(const struct session *s, const struct screen *st, int n, int h)
{
    bool answered = s->course && s->course->answered != COURSE_OPEN;

    return scroll_rows(st, "lesson", answered ? n - h : 0, n, h);
}

void lesson_draw(const struct session *s, const struct screen *st, struct canvas *c,
                 struct rect r)
{
    struct page page;
    int first;

    lines_of(s, r.w, &page, &first);
    if (page.n == 0)
        draw_paragraph(
            c, r, r.x, r.y, STYLE_DIM,
            "No lesson is open. Space or 'lesson' opens one, 'lesson list' names them.");
    int n = page.n - first, top = top_row(s, st, n, r.h);
    for (int i = 0; i < r.h && top + i < n; i++) {
        const struct page_line *line = &page.line[first + top + i];
        canvas_put(c, r, r.x, r.y + i, canvas_look(c, style_of(line->kind)), line->text,
                   strlen(line->text));
    }
    if (top + r.h < n)
        canvas_text(c, r, r.x + r.w - 2, r.y + r.h - 1, STYLE_DIM, "▼");
    page_release(&page);
}

void lesson_title(const struct session *s, char *out, size_t size)
{
    const struct course *c = s->course;
    struct str title = STR_INIT;

    if (!course_lesson(c)) {
        snprintf(out, size, "lesson");
        return;
    }
    course_title(c, &title);
    if (course_step(c))
        str_addf(&title, "  %d/%d  %s", c->step + 1, course_lesson(c)->n_steps,
                 course_step(c)->heading);
    snprintf(out, size, "%s", title.text);
    str_release(&title);
}

void lesson_hit(const struct session *s, const struct screen *st, const struct canvas *c,
                struct rect r, int x, int y, struct hit *h)
{
    struct page page;
    int first;

    (void) c;
    (void) x;
    h->scrolls = true;
    lines_of(s, r.w, &page, &first);
    int n = page.n - first, at = top_row(s, st, n, r.h) + y - r.y;
    if (at >= 0 && at < n && page.line[first + at].choice >= 0) {
        snprintf(h->line, sizeof h->line, "answer %c", 'a' + page.line[first + at].choice);
        snprintf(h->tip, sizeof h->tip, "%s", h->line);
    }
    page_release(&page);
}
