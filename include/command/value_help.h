/*
 * The values, their names and the files they go to, as help and the manual tell of them: each a
 * list of rows, made from the tables of the program.
 */
#ifndef GPTSCOPE_COMMAND_VALUE_HELP_H
#define GPTSCOPE_COMMAND_VALUE_HELP_H

#include "base/str.h"
#include "engine/value_kind.h"

/* The forms that a name of a value may have, as --select and commands take them. */
struct value_form {
    const char *form, *meaning;
    const char *example; /* a selection that there is in both built-in models */
};
extern const struct value_form value_forms[]; /* ends with a NULL form */

/* How a file is laid out, by its suffix; NULL when nobody has written it. */
const char *dump_layout(const char *suffix);

/* How a value is made: "softmax(attn.scores), exp(s - max) / ...", with the families where they
 * differ. */
void value_made_print(const struct value_kind *kind, struct str *out);
/* "gpt2" where not all families have it; "" where all do. */
void value_families_print(const struct value_kind *kind, struct str *out);

/* Topics of help. */
void help_values(struct str *out);
void help_names(struct str *out);
void help_formats(struct str *out);

#endif
