#include "base/strmap.h"

#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

struct entry {
    const char *key; /* NULL: a free slot */
    size_t len;
    uint32_t hash;
    int value;
};

struct strmap {
    struct entry *slots;
    size_t n, mask; /* mask + 1 slots, a power of two, at most 3/4 of them used */
    uint64_t seed[2];
};

/*
 * SipHash-1-3 (Aumasson and Bernstein): the keys come from files, and a file must not be able
 * to choose keys that all fall into one slot.
 */
static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static uint64_t load_word(const char *p, size_t n)
{
    uint64_t w = 0;

    for (size_t i = 0; i < n; i++)
        w |= (uint64_t) (uint8_t) p[i] << (8 * i);
    return w;
}

static void sip_word(uint64_t v[4], uint64_t w)
{
    v[3] ^= w;
    sip_round(v);
    v[0] ^= w;
}

static uint32_t hash_bytes(const struct strmap *m, const char *key, size_t len)
{
    uint64_t v[4] = {m->seed[0] ^ 0x736f6d6570736575u, m->seed[1] ^ 0x646f72616e646f6du,
                     m->seed[0] ^ 0x6c7967656e657261u, m->seed[1] ^ 0x7465646279746573u};
    size_t i;

    for (i = 0; i + 8 <= len; i += 8)
        sip_word(v, load_word(key + i, 8));
    sip_word(v, load_word(key + i, len - i) | (uint64_t) len << 56);
    v[2] ^= 0xff;
    for (int r = 0; r < 3; r++)
        sip_round(v);
    return (uint32_t) (v[0] ^ v[1] ^ v[2] ^ v[3]);
}

static void choose_seed(struct strmap *m)
{
    if (getentropy(m->seed, sizeof m->seed) != 0) {
        m->seed[0] = (uint64_t) time(NULL);
        m->seed[1] = (uint64_t) (uintptr_t) m;
    }
}

struct strmap *strmap_new(size_t expected)
{
    struct strmap *m = xcalloc(1, sizeof *m);
    size_t slots = 16;

    while (slots / 4 * 3 < expected && slots <= SIZE_MAX / 2 / sizeof *m->slots)
        slots *= 2;
    m->slots = xcalloc(slots, sizeof *m->slots);
    m->mask = slots - 1;
    choose_seed(m);
    return m;
}

void strmap_free(struct strmap *m)
{
    if (!m)
        return;
    free(m->slots);
    free(m);
}

/* The slot that holds the key, or the free one where it would go. */
static struct entry *find_slot(const struct strmap *m, const char *key, size_t len,
                               uint32_t hash)
{
    size_t i = hash & m->mask;

    for (;; i = (i + 1) & m->mask) {
        struct entry *e = &m->slots[i];
        if (!e->key)
            return e;
        if (e->hash == hash && e->len == len && memcmp(e->key, key, len) == 0)
            return e;
    }
}

static void grow(struct strmap *m)
{
    struct entry *old = m->slots;
    size_t n_old = m->mask + 1;

    m->slots = xcalloc(n_old * 2, sizeof *m->slots);
    m->mask = n_old * 2 - 1;
    for (size_t i = 0; i < n_old; i++) {
        if (old[i].key)
            *find_slot(m, old[i].key, old[i].len, old[i].hash) = old[i];
    }
    free(old);
}

bool strmap_add(struct strmap *m, const char *key, size_t len, int value)
{
    uint32_t hash = hash_bytes(m, key, len);
    struct entry *e = find_slot(m, key, len, hash);

    if (e->key)
        return false;
    if (m->n >= (m->mask + 1) / 4 * 3) {
        grow(m);
        e = find_slot(m, key, len, hash);
    }
    *e = (struct entry){key, len, hash, value};
    m->n++;
    return true;
}

int strmap_find(const struct strmap *m, const char *key, size_t len)
{
    const struct entry *e = find_slot(m, key, len, hash_bytes(m, key, len));

    return e->key ? e->value : -1;
}
