#include "session/page.h"

#include "base/mem.h"
#include "base/wrap.h"

#include <stdlib.h>
#include <string.h>

static void add(struct page *p, enum page_kind kind, const char *text, size_t n)
{
    VEC_ROOM(p->line, p->n, p->cap);
    p->line[p->n++] = (struct page_line){kind, -1, xstrndup(text, n)};
}

/* A paragraph in as many lines as it takes; all but the first are indented. */
static void add_wrapped(struct page *p, enum page_kind kind, const char *text, int cells,
                        int indent)
{
    bool first = true;

    while (*text) {
        const char *next;
        struct str line = STR_INIT;
        int room = cells - (first ? 0 : indent);
        size_t n = wrap_line(text, strlen(text), room > 2 ? room : 2, &next);
        str_addf(&line, "%*s", first ? 0 : indent, "");
        str_add(&line, text, n);
        add(p, kind, line.text, line.len);
        str_release(&line);
        text = next;
        first = false;
    }
}

/* Paragraphs, one a line; those that begin with four blanks are formulas. */
static void add_prose(struct page *p, enum page_kind kind, const char *text, int cells)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        bool formula = strncmp(text, "    ", 4) == 0;
        char *one = xstrndup(formula ? text + 2 : text, formula ? n - 2 : n);
        add_wrapped(p, formula ? PAGE_FORMULA : kind, one, cells, formula ? 4 : 0);
        free(one);
        text += n + (text[n] == '\n');
    }
}

static void add_question(struct page *p, const struct course *c, int cells)
{
    const struct lesson_step *step = course_step(c);

    add_wrapped(p, PAGE_QUESTION, c->question.text, cells, 0);
    for (int i = 0; i < step->n_choices; i++) {
        char *text = xasprintf("  %c) %s", 'a' + i, c->choice[i].text);
        int from = p->n;
        add_wrapped(p, PAGE_CHOICE, text, cells, 5);
        for (; from < p->n; from++)
            p->line[from].choice = i;
        free(text);
    }
    if (c->answered == COURSE_OPEN)
        add_wrapped(
            p, PAGE_HINT,
            course_word(c, step->n_choices > 0 ? COURSE_W_GUESS_LETTER : COURSE_W_GUESS_NUMBER),
            cells, 0);
    else
        add_wrapped(p, c->answered == COURSE_WRONG ? PAGE_WRONG : PAGE_RIGHT, c->verdict.text,
                    cells, 0);
    add_prose(p, PAGE_REVEAL, c->reveal.text, cells);
}

static void add_end(struct page *p, const struct course *c, int cells)
{
    char *score = xasprintf("%d / %d", c->right, c->asked);

    if (c->asked > 0)
        add_wrapped(p, PAGE_RIGHT, score, cells, 0);
    add_wrapped(p, PAGE_HINT, course_word(c, COURSE_W_END), cells, 0);
    free(score);
}

void page_of(struct page *p, const struct course *c, int cells)
{
    const struct lesson *l = course_lesson(c);
    const struct lesson_step *step = course_step(c);

    *p = (struct page){0};
    if (!l)
        return;
    if (!step) {
        add_end(p, c, cells);
        return;
    }
    add_wrapped(p, PAGE_HEADING, step->heading, cells, 0);
    add_prose(p, PAGE_TEXT, c->text.text, cells);
    if (c->broken.len > 0) {
        add_wrapped(p, PAGE_BROKEN, course_word(c, COURSE_W_NOT_HERE), cells, 0);
        add_wrapped(p, PAGE_BROKEN, c->broken.text, cells, 2);
    }
    if (step->question)
        add_question(p, c, cells);
}

void page_release(struct page *p)
{
    for (int i = 0; i < p->n; i++)
        free(p->line[i].text);
    free(p->line);
    *p = (struct page){0};
}
