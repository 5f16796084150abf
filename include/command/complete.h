/*
 * Inside completion: shared by src/command/complete*.c. Nobody else includes this.
 */
#ifndef GPTSCOPE_COMMAND_COMPLETE_H
#define GPTSCOPE_COMMAND_COMPLETE_H

#include "command/command.h"
#include "command/parse.h"

/* What is being completed. */
struct completing {
    const struct session *s;
    const struct words *w; /* the words before it, the command first */
    struct completion *c;  /* gets the candidates */
    const char *typed;     /* as it stands in the line, an opening quote included */
    size_t n_typed;
    const char *plain; /* without quotes and escapes */
    bool quoted;
};

/* A candidate, when it begins as what was typed. In quotes it gets quotes. */
void offer(struct completing *x, const char *word);
void offer_words(struct completing *x, const char *words);
/* One that is written as it must be typed, quotes included. */
void offer_literal(struct completing *x, const char *text);

/* complete_value.c: names of values, one or several with commas; ops; places, and what may
 * follow them; functions for the op before. */
void offer_values(struct completing *x, bool many);
void offer_ops(struct completing *x, bool kinds);
void offer_places(struct completing *x, const char *parts);
void offer_functions(struct completing *x);
/* complete_token.c */
void offer_tokens(struct completing *x);

#endif
