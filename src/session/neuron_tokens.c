/* Which tokens neurons speak for: their output directions times the unembedding, a block of the
 * vocabulary at a time, for all neurons wanted at once. */
#include "session/neurons.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Weights of the unembedding in a block: about a millisecond's work. */
#define BLOCK_WEIGHTS (1 << 19)
/* Neurons known at most; then all are forgotten. */
#define KNOWN_MOST 4096

struct neuron_tokens {
    uint64_t generation; /* of the session whose model the effects are of */
    struct neuron_effect *known;
    int n_known, cap_known;

    struct neuron_effect *wanted; /* being made: tokens [0, done) are looked at */
    int n_wanted, cap_wanted;
    int done;
    float *direction; /* [n_wanted, d_model], with the final norm's gain */
    float *effect;    /* [n_wanted, block] */
};

struct neuron_tokens *neuron_tokens_new(void)
{
    return xcalloc(1, sizeof(struct neuron_tokens));
}

void neuron_tokens_free(struct neuron_tokens *t)
{
    if (!t)
        return;
    free(t->known);
    free(t->wanted);
    free(t->direction);
    free(t->effect);
    free(t);
}

static const struct neuron_effect *find_in(const struct neuron_effect *e, int n, int layer,
                                           int neuron)
{
    for (int i = 0; i < n; i++)
        if (e[i].layer == layer && e[i].neuron == neuron)
            return &e[i];
    return NULL;
}

const struct neuron_effect *neuron_tokens_find(const struct neuron_tokens *t, int layer,
                                               int neuron)
{
    return find_in(t->known, t->n_known, layer, neuron);
}

static int block_tokens(const struct hparams *hp)
{
    int n = BLOCK_WEIGHTS / hp->d_model;

    return n < 1 ? 1 : n > hp->n_vocab ? hp->n_vocab : n;
}

/* What an activation of 1 adds to the stream, as the unembedding sees it. */
static void find_direction(const struct session *s, int layer, int neuron, float *dir)
{
    const struct hparams *hp = &s->program->hp;
    const float *gain = model_vector(s->model, W_LN_FINAL_GAIN, -1);
    double mean = 0;

    matrix_column(model_matrix(s->model, W_MLP_DOWN, layer), neuron, dir);
    for (int i = 0; hp->norm == NORM_LAYER && i < hp->d_model; i++)
        mean += (double) dir[i] / hp->d_model;
    for (int i = 0; i < hp->d_model; i++)
        dir[i] = gain[i] * (float) ((double) dir[i] - mean);
}

static void add_wanted(struct neuron_tokens *t, int layer, int neuron)
{
    struct neuron_effect e = {.layer = layer, .neuron = neuron};

    for (int i = 0; i < NEURON_TOKENS; i++)
        e.up[i].id = e.down[i].id = -1;
    VEC_ROOM(t->wanted, t->n_wanted, t->cap_wanted);
    t->wanted[t->n_wanted++] = e;
}

static void begin(struct neuron_tokens *t, const struct session *s)
{
    const struct hparams *hp = &s->program->hp;
    size_t n = (size_t) t->n_wanted, d = (size_t) hp->d_model;

    t->done = 0;
    t->direction = xrealloc(t->direction, n * d, sizeof *t->direction);
    t->effect = xrealloc(t->effect, n * (size_t) block_tokens(hp), sizeof *t->effect);
    for (size_t i = 0; i < n; i++)
        find_direction(s, t->wanted[i].layer, t->wanted[i].neuron, t->direction + i * d);
}

void neuron_tokens_want(struct neuron_tokens *t, const struct session *s, int layer,
                        const int *neuron, int n)
{
    bool fresh = false;

    if (t->generation != s->generation || t->n_known > KNOWN_MOST)
        t->n_known = t->n_wanted = 0;
    t->generation = s->generation;
    for (int i = 0; i < n; i++)
        if (!neuron_tokens_find(t, layer, neuron[i]) &&
            !find_in(t->wanted, t->n_wanted, layer, neuron[i]))
            fresh = true;
    if (!fresh)
        return;
    t->n_wanted = 0;
    for (int i = 0; i < n; i++)
        if (!neuron_tokens_find(t, layer, neuron[i]))
            add_wanted(t, layer, neuron[i]);
    begin(t, s);
}

/* Puts a token into a falling list; sign -1 lists the most negative effects. */
static void rank_token(struct neuron_token *list, int id, float effect, float sign)
{
    int at = NEURON_TOKENS;

    while (at > 0 && (list[at - 1].id < 0 || sign * effect > sign * list[at - 1].effect))
        at--;
    if (at == NEURON_TOKENS)
        return;
    memmove(&list[at + 1], &list[at], (size_t) (NEURON_TOKENS - 1 - at) * sizeof *list);
    list[at] = (struct neuron_token){id, effect};
}

static void finish(struct neuron_tokens *t)
{
    for (int i = 0; i < t->n_wanted; i++) {
        VEC_ROOM(t->known, t->n_known, t->cap_known);
        t->known[t->n_known++] = t->wanted[i];
    }
    t->n_wanted = 0;
}

bool neuron_tokens_step(struct neuron_tokens *t, const struct session *s)
{
    const struct hparams *hp = &s->program->hp;
    int n = block_tokens(hp);
    size_t d = (size_t) hp->d_model;

    if (t->n_wanted == 0 || t->generation != s->generation)
        return false;
    n = n < hp->n_vocab - t->done ? n : hp->n_vocab - t->done;
    struct matrix part = matrix_slice(model_matrix(s->model, W_LM_HEAD, -1), t->done, n);
    matmul(s->compute, t->effect, (size_t) n, t->direction, d, t->n_wanted, &part, NULL);
    for (int i = 0; i < t->n_wanted; i++) {
        struct neuron_effect *e = &t->wanted[i];
        const float *x = t->effect + (size_t) i * (size_t) n;
        for (int j = 0; j < n; j++) {
            if (e->up[NEURON_TOKENS - 1].id < 0 || x[j] > e->up[NEURON_TOKENS - 1].effect)
                rank_token(e->up, t->done + j, x[j], 1);
            if (e->down[NEURON_TOKENS - 1].id < 0 || x[j] < e->down[NEURON_TOKENS - 1].effect)
                rank_token(e->down, t->done + j, x[j], -1);
        }
    }
    t->done += n;
    if (t->done == hp->n_vocab)
        finish(t);
    return t->n_wanted > 0;
}
