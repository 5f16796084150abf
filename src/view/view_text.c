/* The log. */
#include "view/draw.h"
#include "view/views.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

static int count_lines(const char *text)
{
    int n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* The last lines of the log, or what scrolling shows of it. */
void log_draw(const struct session *s, const struct screen *st, struct canvas *c, struct rect r)
{
    int n = count_lines(s->log.text), first = scroll_rows(st, "log", n - r.h, n, r.h), y = 0;

    if (n == 0)
        canvas_text(c, r, r.x, r.y, STYLE_DIM, "No messages yet.");
    for (const char *p = s->log.text; *p && y < first + r.h; y++) {
        const char *end = strchr(p, '\n');
        size_t len = end ? (size_t) (end - p) : strlen(p);
        if (y >= first)
            canvas_put(c, r, r.x, r.y + y - first, canvas_look(c, STYLE_TEXT), p,
                       utf8_fit(p, len, r.w, NULL));
        p += len + (end != NULL);
    }
}

/* A line that is too long for the panel is told whole. */
void log_hit(const struct session *s, const struct screen *st, const struct canvas *c,
             struct rect r, int x, int y, struct hit *h)
{
    int n = count_lines(s->log.text);
    const char *line = s->log.text;

    (void) c;
    (void) x;
    h->scrolls = true;
    for (int i = scroll_rows(st, "log", n - r.h, n, r.h) + y - r.y; i > 0 && *line; i--)
        line += strcspn(line, "\n") + 1;
    if (line < s->log.text + s->log.len)
        snprintf(h->tip, sizeof h->tip, "%.*s",
                 (int) utf8_fit(line, strcspn(line, "\n"), (int) sizeof h->tip / 4, NULL),
                 line);
}
