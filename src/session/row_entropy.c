#include "session/row_entropy.h"

#include "session/reading.h"
#include "tensor/stats.h"

#include <math.h>

static int pattern_of(const struct session *s, int layer)
{
    return program_value(s->program, layer, "attn.pattern");
}

/* One query's; rounded weights may make it a little less than nothing. */
static double entropy_of(const struct pattern_block *b, int head, int query)
{
    return fmax(0, entropy(pattern_row(b, head, query), (size_t) pattern_keys(b, query)));
}

/* Entropies of all heads, each query's added to its head's sum. */
struct sums {
    struct compute *compute;
    double *head; /* [n_head] */
    const struct pattern_block *block;
};

static void add_head(void *arg, int head, float *scratch)
{
    const struct sums *sums = arg;
    const struct pattern_block *b = sums->block;

    (void) scratch;
    for (int q = b->first; q < b->first + b->count; q++)
        sums->head[head] += entropy_of(b, head, q);
}

static bool add_block(const struct pattern_block *b, void *arg, struct err *err)
{
    struct sums *sums = arg;

    (void) err;
    sums->block = b;
    compute_each(sums->compute, b->n_head, add_head, sums);
    return true;
}

/* Sums over queries [first, first + count) of a layer. */
static bool add_layer(const struct session *s, int layer, int first, int count, double *out,
                      struct err *err)
{
    struct sums sums = {s->compute, out, NULL};

    return pattern_walk(s->run, layer, first, count, add_block, &sums, err);
}

double row_entropy_most(const struct session *s, int layer, int query)
{
    return log((double) run_seen(s->run, layer, query));
}

bool row_entropy_at(const struct session *s, int query, double *out, struct err *err)
{
    const struct hparams *hp = &s->program->hp;

    if (!reading_ready(s, pattern_of(s, 0), query, err))
        return false;
    for (int layer = 0; layer < hp->n_layer; layer++) {
        double *row = out + (size_t) layer * (size_t) hp->n_head;
        bool ready = query < run_ready(s->run, pattern_of(s, layer));
        for (int head = 0; head < hp->n_head; head++)
            row[head] = ready ? 0 : NAN;
        if (ready && !add_layer(s, layer, query, 1, row, err))
            return false;
    }
    return true;
}

bool row_entropy_mean(const struct session *s, double *out, int *queries, double *most,
                      struct err *err)
{
    const struct hparams *hp = &s->program->hp;

    if (!reading_ready(s, pattern_of(s, 0), 0, err))
        return false;
    *queries = run_ready(s->run, pattern_of(s, 0));
    *most = 0;
    for (int q = 0; q < *queries; q++)
        *most += row_entropy_most(s, -1, q) / *queries;
    for (int layer = 0; layer < hp->n_layer; layer++) {
        double *row = out + (size_t) layer * (size_t) hp->n_head;
        int n = run_ready(s->run, pattern_of(s, layer));
        for (int head = 0; head < hp->n_head; head++)
            row[head] = 0;
        if (!add_layer(s, layer, 0, n, row, err))
            return false;
        for (int head = 0; head < hp->n_head; head++)
            row[head] /= n; /* NAN without queries */
    }
    return true;
}

/* One head of the blocks. */
struct one {
    int head;
    double *out;
};

static bool take_block(const struct pattern_block *b, void *arg, struct err *err)
{
    const struct one *one = arg;

    (void) err;
    for (int q = b->first; q < b->first + b->count; q++)
        one->out[q] = entropy_of(b, one->head, q);
    return true;
}

bool row_entropy_head(const struct session *s, int layer, int head, double *out,
                      struct err *err)
{
    struct one one = {head, out};

    if (!reading_ready(s, pattern_of(s, layer), 0, err))
        return false;
    return pattern_walk(s->run, layer, 0, run_ready(s->run, pattern_of(s, layer)), take_block,
                        &one, err);
}
