#include "session/game.h"

#include "base/mem.h"
#include "base/near.h"

#include <stdlib.h>
#include <string.h>

struct game *game_of(struct session *s)
{
    if (!s->game)
        s->game = xcalloc(1, sizeof *s->game);
    return s->game;
}

void game_end(struct game *g)
{
    program_free(g->program);
    g->program = NULL;
}

void game_free(struct game *g)
{
    if (g)
        game_end(g);
    free(g);
}

bool game_is_done(const struct session *s)
{
    return s->game && s->game->done;
}

bool game_is_on(const struct game *g)
{
    return g && g->program;
}

bool game_is_over(const struct game *g)
{
    return g->n_placed == g->n;
}

/* --- the cards --- */

static const char *label_of(const struct game *g, int op)
{
    return g->program->op[op].label;
}

/* q, k and v: whoever presses the letter means the op. */
static bool is_letter(const char *label)
{
    return label[0] >= 'a' && label[0] <= 'z' && !label[1];
}

static struct game_card *card_of(struct game *g, char letter)
{
    for (int i = 0; i < g->n; i++)
        if (g->card[i].letter == letter)
            return &g->card[i];
    return NULL;
}

static int by_letter(const void *a, const void *b)
{
    return ((const struct game_card *) a)->letter - ((const struct game_card *) b)->letter;
}

static void shuffle(int *op, int n, struct rng *rng)
{
    for (int i = n - 1; i > 0; i--) {
        int j = (int) (rng_uniform(rng) * (i + 1)), kept = op[i];
        op[i] = op[j];
        op[j] = kept;
    }
}

/* Letters of their own first; the others in turn, in the shuffled order. */
static void deal(struct game *g, struct rng *rng)
{
    int op[GAME_CARDS], n = 0, n_ops = g->program->n_steps;
    char letter = 'a';

    g->n = 0;
    for (int i = 0; i < n_ops; i++)
        if (is_letter(label_of(g, i)) && !card_of(g, *label_of(g, i)))
            g->card[g->n++] = (struct game_card){i, *label_of(g, i), false};
        else
            op[n++] = i;
    shuffle(op, n, rng);
    for (int i = 0; i < n; i++) {
        while (card_of(g, letter))
            letter++;
        g->card[g->n++] = (struct game_card){op[i], letter, false};
    }
    qsort(g->card, (size_t) g->n, sizeof *g->card, by_letter);
}

bool game_begin(struct session *s, struct err *err)
{
    struct game *g = game_of(s);
    struct hparams hp = s->program->hp;

    hp.n_layer = 1;
    struct program *p = program_of_shape(&hp, err);
    if (!p)
        return false;
    if (p->n_steps > GAME_CARDS) {
        err_set(err, "this model's block has too many operations for a letter each");
        program_free(p);
        return false;
    }
    game_end(g);
    g->program = p;
    g->n_layer = s->program->hp.n_layer;
    g->n_placed = g->wrong = g->hints = 0;
    g->verdict = GAME_NOTHING;
    deal(g, &s->rng);
    return true;
}

/* --- a pick --- */

static bool is_placed(const struct game *g, int op)
{
    for (int i = 0; i < g->n_placed; i++)
        if (g->column[i] == op)
            return true;
    return false;
}

int game_missing(const struct game *g, int op, int value[OP_MAX_IN])
{
    const struct op *o = &g->program->op[op];
    int n = 0;

    for (int i = 0; i < o->n_in; i++) {
        int maker = g->program->value[o->in[i]].op;
        if (maker >= 0 && !is_placed(g, maker))
            value[n++] = o->in[i];
    }
    return n;
}

static bool is_ready(const struct game *g, int op)
{
    int value[OP_MAX_IN];

    return !is_placed(g, op) && game_missing(g, op, value) == 0;
}

/* Of the open ops that `same` takes for the one that was meant, the first that is ready, or
 * else the first in the program; -1 when there is none. */
static int meant(const struct game *g, const char *text,
                 bool (*same)(const struct program *p, int op, const char *text))
{
    int first = -1;

    for (int i = 0; i < g->n; i++) {
        if (is_placed(g, i) || !same(g->program, i, text))
            continue;
        if (is_ready(g, i))
            return i;
        first = first < 0 ? i : first;
    }
    return first;
}

static bool has_label(const struct program *p, int op, const char *text)
{
    return !strcmp(p->op[op].label, text);
}

/* Takes op's card away; what is written on `picked` says the same, so the two may change. */
static void take_card(struct game *g, struct game_card *picked, int op)
{
    for (int i = 0; i < g->n; i++)
        if (g->card[i].op == op) {
            g->card[i].op = picked->op;
            picked->op = op;
            break;
        }
    picked->placed = true;
}

static void place(struct game *g, struct game_card *picked, int op)
{
    int value[OP_MAX_IN];

    g->tried = op;
    if (game_missing(g, op, value) > 0) {
        g->verdict = GAME_WRONG;
        g->wrong++;
        return;
    }
    g->verdict = GAME_RIGHT;
    take_card(g, picked, op);
    g->column[g->n_placed++] = op;
    if (game_is_over(g)) {
        g->changed = g->changed || !g->done;
        g->done = true;
    }
}

static bool no_card(const struct game *g, const char *what, struct err *err)
{
    struct near near;

    if (!*what || !what[1])
        return err_set(err, "there is no card '%s'; the letters are %c to %c", what,
                       g->card[0].letter, g->card[g->n - 1].letter);
    near_init(&near, what);
    for (int i = 0; i < g->n; i++) {
        if (op_is(g->program, i, what))
            return err_set(err, "%s is placed already", label_of(g, i));
        near_try(&near, label_of(g, i));
    }
    if (near_best(&near))
        return err_set(err, "there is no card '%s'; did you mean '%s'?", what,
                       near_best(&near));
    return err_set(err, "there is no card '%s'; 'game' shows them", what);
}

static bool need_cards(const struct game *g, struct err *err)
{
    return !game_is_over(g) ||
           err_set(err, "all cards are placed; 'game new' shuffles them again");
}

bool game_pick(struct game *g, const char *what, struct err *err)
{
    struct game_card *card = what[0] && !what[1] ? card_of(g, *what) : NULL;

    if (!need_cards(g, err))
        return false;
    if (card && card->placed)
        return err_set(err, "%c, %s, is placed already", card->letter, label_of(g, card->op));
    if (card) {
        place(g, card, meant(g, label_of(g, card->op), has_label));
        return true;
    }
    int op = what[0] && what[1] ? meant(g, what, op_is) : -1;
    for (int i = 0; op >= 0 && i < g->n; i++)
        if (g->card[i].op == op) {
            place(g, &g->card[i], op);
            return true;
        }
    return no_card(g, what, err);
}

bool game_hint(struct game *g, struct err *err)
{
    if (!need_cards(g, err))
        return false;
    for (int i = 0; i < g->n; i++) /* the program's own order is right: one is always ready */
        if (is_ready(g, i)) {
            g->tried = i;
            break;
        }
    g->verdict = GAME_HINT;
    g->hints++;
    return true;
}

/* --- from session to session --- */

void game_save(const struct game *g, struct str *out)
{
    if (g->done)
        str_adds(out, "done\n");
}

void game_load(struct game *g, const char *text)
{
    if (!strcmp(text, "done\n"))
        g->done = true;
}
