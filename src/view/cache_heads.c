/* What every head does with the tokens there are: the weight on telling places, row by row, so
 * that a token more costs one row; a few rows at a time, so that no drawing waits for all. */
#include "view/cache_parts.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Weights looked at: about half a second's work on one core. Beyond it only the last queries
 * are counted. */
#define WEIGHTS_MAX  160000000LL
#define PIECE_FLOATS 100000 /* read at a time: half a millisecond */
#define ALONE_FLOATS 8192   /* too few to wake other threads */

void heads_cache_release(struct heads_cache *h)
{
    free(h->sum.head);
    free(h->sum.pixel);
    free(h->seen.stamp);
    free(h->same);
    free(h->layer);
    free(h->row);
    free(h->tally);
    free(h->cell);
    free(h->p);
    memset(h, 0, sizeof *h);
}

/* --- one head --- */

static struct head_row *row_at(const struct heads_cache *h, int layer, int head, int query)
{
    size_t i = (size_t) (layer * h->sum.n_head + head);
    return &h->row[i * (size_t) h->window + (size_t) (query % h->window)];
}

static void conclude_layer(struct heads_cache *h, int layer)
{
    struct layer_rows *l = &h->layer[layer];
    for (int head = 0; head < h->sum.n_head; head++) {
        int i = layer * h->sum.n_head + head;
        if (l->recount) {
            memset(&h->tally[i], 0, sizeof h->tally[i]);
            for (int q = l->lo; q < l->hi; q++)
                head_tally_add(&h->tally[i], row_at(h, layer, head, q), q);
        }
        if (l->hi > l->lo)
            head_summary_make(&h->sum.head[i], &h->tally[i], row_at(h, layer, head, l->hi - 1));
        else
            h->sum.head[i] = (struct head_summary){.tag = -1};
    }
    thumbs_make(h, layer);
    l->recount = l->changed = false;
}

/* --- a few rows of a layer --- */

struct piece {
    struct heads_cache *h;
    int layer, first, count;
};

static void piece_head(void *arg, int head, float *scratch)
{
    const struct piece *p = arg;
    struct heads_cache *h = p->h;
    struct head_tally *tally = &h->tally[p->layer * h->sum.n_head + head];
    size_t width = (size_t) (p->first + p->count);
    const float *weights = h->p + (size_t) head * (size_t) p->count * width;
    (void) scratch;
    for (int q = p->first; q < p->first + p->count; q++, weights += width) {
        struct head_row *row = row_at(h, p->layer, head, q);
        head_row_look(row, weights, q, h->same[q]);
        head_tally_add(tally, row, q);
        thumbs_add(h, p->layer, head, q, weights);
    }
}

static int piece_rows(const struct heads_cache *h, int first, int ready)
{
    int count = 1;
    while (first + count < ready &&
           (long long) h->sum.n_head * (count + 1) * (first + count + 1) < PIECE_FLOATS)
        count++;
    return count;
}

static bool add_piece(struct heads_cache *h, const struct session *s, int layer,
                      struct err *err)
{
    struct layer_rows *l = &h->layer[layer];
    int value = session_stage_value(s, layer, STAGE_PATTERN), n_head = h->sum.n_head;
    struct piece piece = {h, layer, l->hi, piece_rows(h, l->hi, l->ready)};
    int n_key = piece.first + piece.count;
    size_t floats = (size_t) n_head * (size_t) piece.count * (size_t) n_key;
    struct region part = {{0, piece.first, 0}, {n_head, piece.count, n_key}};
    if (floats > h->n_p)
        h->p = xrealloc(h->p, h->n_p = floats + PIECE_FLOATS, sizeof *h->p);
    if (!run_read(s->run, value, &part, h->p, err))
        return false;
    if (floats >= ALONE_FLOATS)
        compute_each(s->compute, n_head, piece_head, &piece);
    else
        for (int head = 0; head < n_head; head++)
            piece_head(&piece, head, NULL);
    int row = piece.first / h->fine_q;
    l->thumb_row = row < l->thumb_row ? row : l->thumb_row;
    l->hi += piece.count;
    l->changed = true;
    if (l->hi - l->lo > h->window) {
        l->lo = l->hi - h->window;
        l->recount = true;
    }
    return true;
}

/* --- what is to be done --- */

static void begin(struct heads_cache *h, const struct session *s)
{
    const struct hparams *hp = &s->program->hp;
    size_t heads = (size_t) hp->n_layer * (size_t) hp->n_head;
    long long window = WEIGHTS_MAX / ((long long) heads * run_n_ctx(s->run));
    heads_cache_release(h);
    h->window = window > run_n_ctx(s->run) ? run_n_ctx(s->run) : window < 8 ? 8 : (int) window;
    h->sum.n_layer = hp->n_layer;
    h->sum.n_head = hp->n_head;
    h->sum.thumb = -1;
    h->sum.head = xcalloc(heads, sizeof *h->sum.head);
    h->layer = xcalloc((size_t) hp->n_layer, sizeof *h->layer);
    h->row = xcalloc(heads * (size_t) h->window, sizeof *h->row);
    h->tally = xcalloc(heads, sizeof *h->tally);
    h->cell = xmalloc(heads * HEAD_RING * HEAD_CELLS * sizeof *h->cell);
    for (size_t i = 0; i < heads * HEAD_RING * HEAD_CELLS; i++)
        h->cell[i] = NAN;
    h->fine_q = h->fine_k = 1;
}

/* Where each token was before: all of it again, it takes no time. */
static void find_same(struct heads_cache *h, const struct session *s)
{
    h->same = xrealloc(h->same, (size_t) h->seen.cap + 1, sizeof *h->same);
    heads_same(run_tokens(s->run), h->seen.n, s->program->hp.n_vocab, h->same);
}

/* Forgets the layer's rows from position n on; a row of cells only as a whole. */
static void forget(struct heads_cache *h, int layer, int n)
{
    struct layer_rows *l = &h->layer[layer];
    if (n >= l->hi)
        return;
    n -= n % h->fine_q;
    thumbs_forget(h, layer, n, l->hi);
    l->hi = n > l->lo ? n : l->lo;
    l->recount = l->changed = true;
}

/* Sees what the run has now. */
static void take_ready(struct heads_cache *h, const struct session *s, int same)
{
    h->sum.done = h->sum.want = 0;
    for (int layer = 0; layer < h->sum.n_layer; layer++) {
        struct layer_rows *l = &h->layer[layer];
        int value = session_stage_value(s, layer, STAGE_PATTERN);
        int ready = value < 0 ? 0 : run_ready(s->run, value);
        if (ready > s->ids.n)
            ready = s->ids.n;
        forget(h, layer, same < ready ? same : ready);
        int lo = ready > h->window ? ready - h->window : 0;
        if (l->hi <= lo && l->lo < lo)
            l->lo = l->hi = lo;
        if (l->lo > lo && l->lo > 0) /* shorter than before: what slid out is missing */
            l->lo = l->hi = lo;
        l->recount |= l->lo == l->hi;
        l->changed |= ready != l->ready || l->recount;
        l->ready = ready;
        h->sum.want += ready - lo;
    }
}

/* The layer that is furthest behind, or -1. */
static int next_layer(const struct heads_cache *h)
{
    int best = -1;
    for (int layer = 0; layer < h->sum.n_layer; layer++) {
        const struct layer_rows *l = &h->layer[layer];
        if (l->hi < l->ready && (best < 0 || l->hi < h->layer[best].hi))
            best = layer;
    }
    return best;
}

static void set_thumb(struct heads_cache *h, int thumb)
{
    size_t heads = (size_t) (h->sum.n_layer * h->sum.n_head), side = (size_t) thumb;
    if (thumb == h->sum.thumb)
        return;
    h->sum.thumb = thumb;
    h->sum.pixel = xrealloc(h->sum.pixel, heads * side * side + 1, sizeof *h->sum.pixel);
    for (size_t i = 0; i < heads * side * side; i++)
        h->sum.pixel[i] = NAN;
    for (int layer = 0; layer < h->sum.n_layer; layer++)
        h->layer[layer].thumb_side = -1;
    for (int layer = 0; layer < h->sum.n_layer; layer++)
        h->layer[layer].changed = true;
}

const struct heads_summary *cache_heads(struct view_cache *c, const struct session *s,
                                        int thumb, struct err *err)
{
    struct heads_cache *h = &c->heads;
    if (!h->layer || !seen_same_run(&h->seen, s))
        begin(h, s);
    int same = seen_update(&h->seen, s), layer;
    if (same < h->seen.n || !h->same)
        find_same(h, s);
    set_thumb(h, thumb < 0 ? 0 : thumb > THUMB_MAX ? THUMB_MAX : thumb);
    thumbs_fit(h, h->seen.n);
    take_ready(h, s, same);
    h->sum.n_query = h->seen.n < h->window ? h->seen.n : h->window;
    for (bool late = false; !late && (layer = next_layer(h)) >= 0;) {
        if (!add_piece(h, s, layer, err))
            return NULL;
        late = next_layer(h) >= 0 && cache_late(c); /* a piece at least, each time */
    }
    for (layer = 0; layer < h->sum.n_layer; layer++) {
        if (h->layer[layer].changed)
            conclude_layer(h, layer);
        h->sum.done += h->layer[layer].hi - h->layer[layer].lo;
    }
    return &h->sum;
}

bool heads_clearest(const struct heads_summary *sum, int *layer, int *head)
{
    float most = 0;
    for (int i = 0; i < sum->n_layer * sum->n_head; i++) {
        const struct head_summary *h = &sum->head[i];
        if (!h->ready || h->tag < 0 || h->tag == JOB_SINK || h->tag == JOB_SELF)
            continue;
        /* a repeat found again is more to look at than the token before */
        float worth = h->job[h->tag] + (h->tag == JOB_PREVIOUS ? 0 : 1);
        if (worth > most) {
            most = worth;
            *layer = i / sum->n_head;
            *head = i % sum->n_head;
        }
    }
    return most > 0;
}
