/*
 * Lines of the command language cut into words, and words turned into a row's arguments.
 */
#ifndef GPTSCOPE_COMMAND_PARSE_H
#define GPTSCOPE_COMMAND_PARSE_H

#include "command/command.h"

struct word {
    char *text; /* unquoted; yours */
    bool quoted;
    size_t at, end; /* where it stands in the line, quotes included */
};

/* One command of a line. */
struct words {
    struct word *item;
    int n, cap;
    size_t end; /* of the command in the line, without blanks */
};

/* Cuts off the command that begins at line[*at]; *at then is where the next one begins. n
 * counts no words for an empty command. */
bool words_next(struct words *w, const char *line, size_t *at, struct err *err);
void words_release(struct words *w);

/* The words after the first as arguments of c. Texts live as long as w. The line is the one
 * that w was cut from. */
bool args_take(struct arg arg[COMMAND_ARGS], const struct session *s, const struct command *c,
               struct words *w, const char *line, struct err *err);

/* Text that is one token; without quotes a middle dot is a blank, as labels show it. */
bool token_parse(const struct session *s, const char *text, bool quoted, int *id,
                 struct err *err);

/* Text in quotes, safe, as the lexer reads it back. */
void quote_print(const char *text, size_t n, struct str *out);
/* The i-th of words that are apart by blanks; its length, 0 after the last. */
size_t choice_word(const char *words, int i, const char **word);
/* "op, layer or token" */
void choice_print(const char *words, struct str *out);

#endif
