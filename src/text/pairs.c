#include "text/pairs.h"

#include "base/mem.h"

#include <stdlib.h>
#include <sys/random.h>

static size_t slot_of(const struct pairs *p, int left, int right)
{
    uint64_t x = ((uint64_t) (uint32_t) left << 32 | (uint32_t) right) + p->seed;

    /* splitmix64's finalizer; the seed keeps a file from choosing where its pairs fall */
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (size_t) (x ^ (x >> 31)) & p->mask;
}

static void make_slots(struct pairs *p, size_t slots)
{
    p->slot = xcalloc(slots, sizeof *p->slot);
    p->mask = slots - 1;
    for (size_t i = 0; i < slots; i++)
        p->slot[i].left = -1;
}

void pairs_init(struct pairs *p, size_t expected)
{
    size_t slots = 16;

    while (slots / 2 < expected)
        slots *= 2;
    p->n = 0;
    if (getrandom(&p->seed, sizeof p->seed, GRND_NONBLOCK) != (ssize_t) sizeof p->seed)
        p->seed = (uint64_t) (uintptr_t) p;
    make_slots(p, slots);
}

void pairs_release(struct pairs *p)
{
    free(p->slot);
    p->slot = NULL;
    p->n = 0;
}

/* The slot that holds the pair, or the free one where it would go. */
static struct pair *find_slot(const struct pairs *p, int left, int right)
{
    size_t i = slot_of(p, left, right);

    while (p->slot[i].left >= 0 && (p->slot[i].left != left || p->slot[i].right != right))
        i = (i + 1) & p->mask;
    return &p->slot[i];
}

static void grow(struct pairs *p)
{
    struct pair *old = p->slot;
    size_t n_old = p->mask + 1;

    make_slots(p, n_old * 2);
    for (size_t i = 0; i < n_old; i++) {
        if (old[i].left >= 0)
            *find_slot(p, old[i].left, old[i].right) = old[i];
    }
    free(old);
}

bool pairs_add(struct pairs *p, struct pair pair)
{
    struct pair *s;

    if (p->n >= (p->mask + 1) / 2)
        grow(p);
    s = find_slot(p, pair.left, pair.right);
    if (s->left >= 0)
        return false;
    *s = pair;
    p->n++;
    return true;
}

const struct pair *pairs_find(const struct pairs *p, int left, int right)
{
    const struct pair *s = find_slot(p, left, right);

    return s->left >= 0 ? s : NULL;
}
