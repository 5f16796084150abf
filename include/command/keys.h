/*
 * Keys: each is a name for a command line. One table; help and footer are printed from it.
 */
#ifndef GPTSCOPE_COMMAND_KEYS_H
#define GPTSCOPE_COMMAND_KEYS_H

#include "base/str.h"

#include <stdbool.h>

struct hint;

struct key {
    const char *key;  /* "Space", "s", "Left", "Tab", "Esc", "C-c"; "a-z": each small letter */
    const char *view; /* only while this view has the focus, or something is searched
                         ("search"); NULL: everywhere */
    const char *line; /* "step op" */
    const char *help; /* "step one op" */
    const char *footer; /* short word for the footer, or NULL */
};
extern const struct key key_table[]; /* ends with a NULL key */
/* A view's own key comes before one that is everywhere. view may be NULL; NULL: no such key. */
const struct key *key_find(const char *key, const char *view);
/* The line that a key stands for; at "a-z" with the letter that was pressed. Returns out. */
const char *key_line(const struct key *k, const char *pressed, char *out, size_t size);
/* Whether the key's line begins with this command. */
bool key_runs(const struct key *k, const char *command);
/* The table for the views' footer and help (struct screen's hints); yours. */
struct hint *key_hints(void);
/* Sections of the manual: KEYS, and THE VIEWS with each view's own keys. */
void key_man(struct str *out);
void view_man(struct str *out);
void mouse_man(struct str *out);
void files_man(struct str *out);
/* A topic of help that is a list, its names as arguments of a macro. */
void rows_man(const char *topic, const char *macro, struct str *out);

#endif
