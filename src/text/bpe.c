#include "text/bpe.h"

#include "base/mem.h"

#include <stdlib.h>

void bpe_clear(struct bpe *b)
{
    b->n = 0;
    b->n_heap = 0;
}

void bpe_release(struct bpe *b)
{
    free(b->symbol);
    free(b->heap);
    *b = (struct bpe) BPE_INIT;
}

void bpe_push(struct bpe *b, int id, uint32_t at)
{
    VEC_ROOM(b->symbol, b->n, b->cap);
    if (b->n > 0)
        b->symbol[b->n - 1].next = b->n;
    b->symbol[b->n] = (struct symbol){.id = id, .prev = b->n - 1, .next = -1, .at = at};
    b->n++;
}

static bool before(const struct candidate *a, const struct candidate *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void heap_push(struct bpe *b, struct candidate c)
{
    int i;

    VEC_ROOM(b->heap, b->n_heap, b->cap_heap);
    for (i = b->n_heap++; i > 0 && before(&c, &b->heap[(i - 1) / 2]); i = (i - 1) / 2)
        b->heap[i] = b->heap[(i - 1) / 2];
    b->heap[i] = c;
}

static struct candidate heap_pop(struct bpe *b)
{
    struct candidate top = b->heap[0], last = b->heap[--b->n_heap];
    int i = 0;

    for (;;) {
        int child = 2 * i + 1;
        if (child >= b->n_heap)
            break;
        if (child + 1 < b->n_heap && before(&b->heap[child + 1], &b->heap[child]))
            child++;
        if (!before(&b->heap[child], &last))
            break;
        b->heap[i] = b->heap[child];
        i = child;
    }
    b->heap[i] = last;
    return top;
}

static void consider(struct bpe *b, const struct pairs *pairs, int at)
{
    const struct symbol *left = &b->symbol[at];
    const struct pair *p;

    if (left->next < 0 || left->id < 0 || b->symbol[left->next].id < 0)
        return;
    p = pairs_find(pairs, left->id, b->symbol[left->next].id);
    if (p)
        heap_push(b, (struct candidate){p->rank, at, p->left, p->right, p->result});
}

/* A candidate is stale when one of its two symbols has merged with another since: then the ids
 * at its place differ. Should they be the same again, then so is the merge. */
static bool is_stale(const struct bpe *b, const struct candidate *c)
{
    const struct symbol *left = &b->symbol[c->at];

    return left->id != c->left || left->next < 0 || b->symbol[left->next].id != c->right;
}

/* Takes the symbol after `at` out of the list. Returns its index. */
static int join(struct bpe *b, int at, int result)
{
    struct symbol *left = &b->symbol[at];
    int gone = left->next;

    left->id = result;
    left->next = b->symbol[gone].next;
    if (left->next >= 0)
        b->symbol[left->next].prev = at;
    b->symbol[gone].id = -1; /* no candidate may find it again */
    return gone;
}

void bpe_merge(struct bpe *b, const struct pairs *pairs, bpe_watch *watch, void *arg)
{
    for (int i = 0; i + 1 < b->n; i++)
        consider(b, pairs, i);
    while (b->n_heap > 0) {
        struct candidate c = heap_pop(b);
        if (is_stale(b, &c))
            continue;
        int gone = join(b, c.at, c.result);
        if (b->symbol[c.at].prev >= 0)
            consider(b, pairs, b->symbol[c.at].prev);
        consider(b, pairs, c.at);
        if (watch)
            watch(arg, b, &c, gone);
    }
}
