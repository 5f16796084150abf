/*
 * The manual pages as mdoc, printed from the tables: `gptscope help --man [PAGE]`.
 */
#ifndef GPTSCOPE_UI_MAN_H
#define GPTSCOPE_UI_MAN_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

struct man_page {
    const char *page; /* what follows --man; "" for the first one */
    const char *name; /* "gptscope-commands" */
    int section;
    const char *about;
    bool (*write)(struct str *out, struct err *err); /* what follows the name */
};
extern const struct man_page man_pages[]; /* ends with a NULL page */

bool man_tool(struct str *out, struct err *err);     /* tool_man_tool.c */
bool man_commands(struct str *out, struct err *err); /* tool_man_commands.c */
bool man_values(struct str *out, struct err *err);   /* tool_man_values.c */

/* The section with the pictures of the screen. */
bool man_screens(struct str *out, struct err *err);

#endif
