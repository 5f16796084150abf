/* The length of every row of the KV cache, layer by layer; rows are added as they come. */
#include "view/cache_parts.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Floats of the cache read in one go. */
#define PIECE_FLOATS 262144

void kv_cache_release(struct kv_cache *k)
{
    for (int i = 0; i < k->n; i++)
        free(k->side[i].length);
    free(k->side);
    memset(k, 0, sizeof *k);
}

/* What the first n rows of the cache depend on. */
static uint64_t rows_key(const struct session *s, int n)
{
    uint64_t key = 1469598103934665603ULL ^ s->generation;

    for (int i = 0; i < n; i++)
        key = (key ^ (uint64_t) s->ids.id[i]) * 1099511628211ULL;
    if (run_n_patches(s->run) > 0)
        key ^= run_version(s->run) * 0x9e3779b97f4a7c15ULL;
    return key;
}

static void measure(float *length, const float *row, int rows, int heads, int width)
{
    for (int i = 0; i < rows * heads; i++) {
        double sum = 0;
        for (int j = 0; j < width; j++)
            sum += (double) row[i * width + j] * (double) row[i * width + j];
        length[i] = (float) sqrt(sum);
    }
}

static void add_rows(struct view_cache *c, struct kv_side *side, const struct session *s,
                     int value, int ready)
{
    const struct hparams *hp = &s->program->hp;
    int width = hp->n_kv_head * hp->d_head, step = PIECE_FLOATS / width;
    struct err err = ERR_INIT;

    step = step < 1 ? 1 : step > ready - side->ready ? ready - side->ready : step;
    float *row = xmalloc((size_t) step * (size_t) width * sizeof *row);
    while (side->ready < ready && !cache_late(c)) {
        int n = ready - side->ready < step ? ready - side->ready : step;
        struct region g = {{side->ready, 0, 0}, {n, hp->n_kv_head, hp->d_head}};
        if (!run_read(s->run, value, &g, row, &err))
            break;
        measure(side->length + (size_t) side->ready * (size_t) hp->n_kv_head, row, n,
                hp->n_kv_head, hp->d_head);
        side->ready += n;
    }
    free(row);
}

const struct kv_side *cache_kv(struct view_cache *c, const struct session *s, int layer, bool v)
{
    const struct hparams *hp = &s->program->hp;
    struct kv_cache *k = &c->kv;
    char name[32];

    if (k->n != 2 * hp->n_layer || k->generation != s->generation) {
        kv_cache_release(k);
        k->n = 2 * hp->n_layer;
        k->generation = s->generation;
        k->side = xcalloc((size_t) k->n, sizeof *k->side);
    }
    struct kv_side *side = &k->side[2 * layer + v];
    snprintf(name, sizeof name, "cache.%d.%c", layer, v ? 'v' : 'k');
    int value = program_find(s->program, name), ready = run_ready(s->run, value);
    ready = ready < s->ids.n ? ready : s->ids.n;
    if (side->ready > ready || side->key != rows_key(s, side->ready))
        side->ready = 0;
    if (ready > side->room) {
        side->room = ready + 64;
        side->length = xrealloc(side->length, (size_t) side->room * (size_t) hp->n_kv_head,
                                sizeof *side->length);
    }
    if (side->ready < ready)
        add_rows(c, side, s, value, ready);
    side->key = rows_key(s, side->ready);
    return side;
}
