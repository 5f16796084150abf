/*
 * The ordering game: the operations of the model's pass, with one block, lie there as shuffled
 * cards, and the learner puts them in an order in which they can be executed. The cards are the
 * ops of a program (engine/program.h) and nothing else, so an order is right when each op finds
 * made what it reads: q, k and v may come in any order, softmax not before the mask.
 *
 *     game_begin(s, &err);
 *     game_pick(s->game, "c", &err);       // right, or wrong and told why: g->verdict
 *     while (!game_is_over(s->game)) ...
 */
#ifndef GPTSCOPE_SESSION_GAME_H
#define GPTSCOPE_SESSION_GAME_H

#include "session/session.h"

enum { GAME_CARDS = 26 };

enum game_verdict { GAME_NOTHING, GAME_RIGHT, GAME_WRONG, GAME_HINT };

struct game_card {
    int op;
    char letter; /* an op whose label is a letter (q, k, v) has that one */
    bool placed;
};

struct game {
    struct program *program;           /* the model's, with one block; NULL: no game is on */
    int n_layer;                       /* blocks that the model has in truth */
    struct game_card card[GAME_CARDS]; /* by letter */
    int n;
    int column[GAME_CARDS]; /* the ops that were placed, in their order */
    int n_placed;
    int wrong, hints; /* picks, and how often what comes next was asked for */
    enum game_verdict verdict;
    int tried;    /* the op that the verdict is about */
    bool done;    /* a game was finished, at any time */
    bool changed; /* done has: to be saved */
};

/* The session's, made when it is first asked for. */
struct game *game_of(struct session *s);
void game_free(struct game *g); /* NULL is fine */
bool game_is_done(const struct session *s);

/* Shuffles the cards of the session's model with its random numbers: `set seed` gives the same
 * game again. Fails for a pass with more ops than there are letters; what was on stays then. */
bool game_begin(struct session *s, struct err *err);
void game_end(struct game *g);
bool game_is_on(const struct game *g); /* NULL is fine; also after the last card */
bool game_is_over(const struct game *g);

/* A card by its letter, or by what its op is called or makes ("out_proj", "attn.pattern").
 * Cards that say the same are as good as each other. A wrong pick is a pick, too; false for
 * what is no card. A game is on. */
bool game_pick(struct game *g, const char *what, struct err *err);
/* Names a card that may come next. */
bool game_hint(struct game *g, struct err *err);
/* Values that the op reads and nothing has made yet; returns how many. */
int game_missing(const struct game *g, int op, int value[OP_MAX_IN]);

/* What is kept between sessions: "done". */
void game_save(const struct game *g, struct str *out);
void game_load(struct game *g, const char *text);

#endif
