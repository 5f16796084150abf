/*
 * Plain text as manual pages in mdoc: what roff would take for its own is made plain, lines
 * stay below 80 columns, each sentence begins a line.
 *
 *     mdoc_text(out, "Shows what is there. Nothing changes.");
 *     str_adds(out, ".It Ic ");
 *     mdoc_word(out, "dump", 4);
 */
#ifndef GPTSCOPE_COMMAND_MDOC_H
#define GPTSCOPE_COMMAND_MDOC_H

#include "base/str.h"

/* .Dd to .Nd of a page. */
void mdoc_head(struct str *out, const char *name, int section, const char *about);
/* The references of SEE ALSO: "name section", ...; ends with NULL. */
void mdoc_see_also(struct str *out, const char *const *pages);

/* Paragraphs, filled. */
void mdoc_text(struct str *out, const char *text);
/* The same with a capital letter first and a full stop last, if there is none. */
void mdoc_sentence(struct str *out, const char *text);
/* Help of a row: its first line is a sentence, the rest text. Lines of two columns, three
 * blanks or more between them, become a list. */
void mdoc_help(struct str *out, const char *help);
/* Lines as they are, without .Bd and .Ed. */
void mdoc_literal(struct str *out, const char *text);
/* Lines as a display of their own; what is too long is broken at a blank. */
void mdoc_lines(struct str *out, const char *text);
/* An example as a display of its own, cut where a line of commands or of the shell may be. */
void mdoc_example(struct str *out, const char *line);

/* One argument of a macro, also when it looks like a macro or is mere punctuation. */
void mdoc_word(struct str *out, const char *text, size_t n);
/* The same with blanks in it. */
void mdoc_quoted(struct str *out, const char *text);
/* "[-m MODEL] FILE | -" as macros. */
void mdoc_usage(struct str *out, const char *usage);

#endif
