/*
 * Lines that were typed, the newest last, kept between sessions in a file of ui/state.h:
 * "history" for command lines, "prompts" for prompts.
 *
 *     struct history h = {.file = "history"};
 *     history_load(&h);
 *     history_note(&h, "step layer");
 *     history_save(&h);
 *     history_release(&h);
 */
#ifndef GPTSCOPE_UI_HISTORY_H
#define GPTSCOPE_UI_HISTORY_H

#include <stdbool.h>

struct history {
    const char *file; /* NULL: nothing is remembered */
    bool escaped; /* lines hold line ends, which are \n in the file, and \\ is a backslash */
    char **line;
    int n, cap;
    bool changed;
};

void history_load(struct history *h);
/* Adds a line unless it is blank or the same as the last one. */
void history_note(struct history *h, const char *line);
/* The line `back` lines before the end, 1 is the newest; NULL when there are not so many. */
const char *history_line(const struct history *h, int back);
/* How far back the next line is, after `back`, that holds text; 0: none. */
int history_find(const struct history *h, int back, const char *text);
void history_save(struct history *h); /* does nothing when nothing was added */
void history_release(struct history *h);

#endif
