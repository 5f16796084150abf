/*
 * Lines of the command language cut into words, and words turned into a row's arguments.
 *
 * A text in double quotes may go over several lines, which are kept in it; a backslash at the
 * end of a line joins it with the next one, in quotes and outside.
 */
#ifndef GPTSCOPE_COMMAND_PARSE_H
#define GPTSCOPE_COMMAND_PARSE_H

#include "command/command.h"

struct word {
    char *text; /* unquoted; yours */
    bool quoted;
    size_t at, end; /* where it stands in the line, quotes included */
    char *full;     /* what it abbreviates, or NULL; yours */
};

/* One command of a line. */
struct words {
    struct word *item;
    int n, cap;
    size_t begin, end; /* of the command in the line, without blanks */
    bool open;         /* words_next failed for a quote that is not closed */
    size_t quote;      /* where that is */
};

/* Cuts off the command that begins at line[*at]; *at then is where the next one begins. n
 * counts no words for an empty command. On failure begin, open and quote still hold. */
bool words_next(struct words *w, const char *line, size_t *at, struct err *err);
void words_release(struct words *w);
/* The text goes on in the next line: a quote is open, or it ends with a backslash. */
bool words_open(const char *text);
/* The command as one line that says the same: lines joined, line ends in quotes as \n,
 * abbreviations in full. */
void words_print(const struct words *w, const char *line, struct str *out);
/* All commands of a text as one line. Text that cannot be cut into words stays as it is. */
void words_one_line(const char *text, struct str *out);
/* Part of a line without the backslashes that join lines. */
void join_lines(const char *text, size_t n, struct str *out);

/* The words after the first as arguments of c. Texts live as long as w. The line is the one
 * that w was cut from. Abbreviations are noted in w. */
bool args_take(struct arg arg[COMMAND_ARGS], const struct session *s, const struct command *c,
               struct words *w, const char *line, struct err *err);

/* Text that is one token; without quotes a middle dot is a blank, as labels show it. */
bool token_parse(const struct session *s, const char *text, bool quoted, int *id,
                 struct err *err);

/* Text in quotes, safe, as the lexer reads it back. */
void quote_print(const char *text, size_t n, struct str *out);

/* --- words to choose from, apart by blanks (src/command/choice.c) --- */

/* The i-th of words that are apart by blanks; its length, 0 after the last. */
size_t choice_word(const char *words, int i, const char **word);
/* "op, layer or token" */
void choice_print(const char *words, struct str *out);
/* The word that text is, or the only one that begins so. -1: none; -2: several begin so, with
 * err "'s' could be any of scale, scores". An abbreviation begins with a letter. */
enum { CHOICE_NONE = -1, CHOICE_MANY = -2 };
int choice_find(const char *words, const char *text, struct err *err);
/* The nearest of the words, into `out` as it stands there; false: none is near. */
bool choice_near(const char *words, const char *text, struct str *out);
/* The word of an argument in full when it abbreviates one of `words`, else as it was typed; the
 * journal gets it so. NULL with err when it could be several. */
const char *arg_expand(const struct arg *arg, const char *words, struct err *err);

#endif
