#include "ui/history.h"

#include "base/mem.h"
#include "base/str.h"
#include "ui/state.h"

#include <stdlib.h>
#include <string.h>

#define LINES_KEPT 1000

static void add(struct history *h, const char *line, size_t n)
{
    if (h->n == LINES_KEPT) {
        free(h->line[0]);
        memmove(h->line, h->line + 1, (size_t) --h->n * sizeof *h->line);
    }
    VEC_ROOM(h->line, h->n, h->cap);
    h->line[h->n++] = xstrndup(line, n);
}

static void add_escaped(struct history *h, const char *text, size_t n)
{
    struct str line = STR_INIT;

    for (size_t i = 0; i < n; i++)
        if (text[i] == '\\' && i + 1 < n)
            str_addc(&line, text[++i] == 'n' ? '\n' : text[i]);
        else
            str_addc(&line, text[i]);
    add(h, line.text, line.len);
    str_release(&line);
}

void history_load(struct history *h)
{
    struct str text = STR_INIT;

    if (h->file && state_read(h->file, &text) && strlen(text.text) == text.len)
        for (const char *p = text.text; *p;) {
            size_t n = strcspn(p, "\n");
            if (n > 0 && h->escaped)
                add_escaped(h, p, n);
            else if (n > 0)
                add(h, p, n);
            p += n + (p[n] != '\0');
        }
    str_release(&text);
}

void history_note(struct history *h, const char *line)
{
    const char *last = history_line(h, 1);

    if (line[strspn(line, " \t\n")] == '\0' || (last && !strcmp(last, line)))
        return;
    add(h, line, strlen(line));
    h->changed = true;
}

const char *history_line(const struct history *h, int back)
{
    return back >= 1 && back <= h->n ? h->line[h->n - back] : NULL;
}

int history_find(const struct history *h, int back, const char *text)
{
    for (back++; back <= h->n; back++)
        if (strstr(history_line(h, back), text))
            return back;
    return 0;
}

void history_save(struct history *h)
{
    struct str text = STR_INIT;

    if (!h->file || !h->changed)
        return;
    for (int i = 0; i < h->n; i++) {
        for (const char *p = h->line[i]; *p; p++)
            if (h->escaped && (*p == '\n' || *p == '\\'))
                str_adds(&text, *p == '\n' ? "\\n" : "\\\\");
            else
                str_addc(&text, *p);
        str_addc(&text, '\n');
    }
    state_write(h->file, &text);
    h->changed = false;
    str_release(&text);
}

void history_release(struct history *h)
{
    for (int i = 0; i < h->n; i++)
        free(h->line[i]);
    free(h->line);
    h->line = NULL;
    h->n = h->cap = 0;
}
