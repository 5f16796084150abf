/*
 * The open step of a lesson as lines of so many cells: what the view draws and the prompt
 * prints.
 *
 *     struct page page;
 *     page_of(&page, s->course, 76);
 *     for (int i = 0; i < page.n; i++)
 *         puts(page.line[i].text);
 *     page_release(&page);
 */
#ifndef GPTSCOPE_SESSION_PAGE_H
#define GPTSCOPE_SESSION_PAGE_H

#include "session/course.h"

enum page_kind {
    PAGE_HEADING,
    PAGE_TEXT,
    PAGE_FORMULA,
    PAGE_QUESTION,
    PAGE_CHOICE, /* the number of the choice is in `choice` */
    PAGE_RIGHT,  /* the verdict */
    PAGE_WRONG,
    PAGE_REVEAL,
    PAGE_BROKEN,
    PAGE_HINT
};

struct page_line {
    enum page_kind kind;
    int choice;
    char *text; /* safe */
};

struct page {
    struct page_line *line;
    int n, cap;
};

void page_of(struct page *p, const struct course *c, int cells); /* empty when none is open */
/* A paragraph at the end, in as many lines as it takes; all but the first are indented. */
void page_add(struct page *p, enum page_kind kind, const char *text, int cells, int indent);
/* A line as it is. */
void page_keep(struct page *p, enum page_kind kind, const char *text, int choice);
void page_release(struct page *p);

#endif
