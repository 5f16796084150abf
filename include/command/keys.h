/*
 * Keys: each is a name for a command line. One table; help and footer are printed from it.
 */
#ifndef GPTSCOPE_COMMAND_KEYS_H
#define GPTSCOPE_COMMAND_KEYS_H

#include "base/str.h"

struct key {
    const char *key;    /* "Space", "s", "Left", "Tab", "Esc", "C-c" */
    const char *line;   /* "step op" */
    const char *help;   /* "step one op" */
    const char *footer; /* short word for the footer, or NULL */
};
extern const struct key key_table[]; /* ends with a NULL key */
const struct key *key_find(const char *key);
void key_man(struct str *out);

#endif
