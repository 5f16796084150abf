#include "base/cursor.h"

#include <string.h>

void cursor_init(struct cursor *c, const void *data, size_t size)
{
    *c = (struct cursor){data, size, 0, false};
}

size_t cursor_left(const struct cursor *c)
{
    return c->failed ? 0 : c->size - c->at;
}

bool cursor_bytes(struct cursor *c, uint64_t n, const uint8_t **bytes)
{
    *bytes = NULL;
    if (c->failed || n > c->size - c->at) {
        c->failed = true;
        return false;
    }
    *bytes = c->data + c->at;
    c->at += (size_t) n;
    return true;
}

static bool read_le(struct cursor *c, int n, uint64_t *v)
{
    const uint8_t *p;

    *v = 0;
    if (!cursor_bytes(c, (uint64_t) n, &p))
        return false;
    for (int i = 0; i < n; i++)
        *v |= (uint64_t) p[i] << (8 * i);
    return true;
}

bool cursor_u8(struct cursor *c, uint8_t *v)
{
    uint64_t x;
    bool ok = read_le(c, 1, &x);

    *v = (uint8_t) x;
    return ok;
}

bool cursor_u16(struct cursor *c, uint16_t *v)
{
    uint64_t x;
    bool ok = read_le(c, 2, &x);

    *v = (uint16_t) x;
    return ok;
}

bool cursor_u32(struct cursor *c, uint32_t *v)
{
    uint64_t x;
    bool ok = read_le(c, 4, &x);

    *v = (uint32_t) x;
    return ok;
}

bool cursor_u64(struct cursor *c, uint64_t *v)
{
    return read_le(c, 8, v);
}

bool cursor_f32(struct cursor *c, float *v)
{
    uint32_t x;
    bool ok = cursor_u32(c, &x);

    memcpy(v, &x, sizeof *v);
    return ok;
}

bool cursor_f64(struct cursor *c, double *v)
{
    uint64_t x;
    bool ok = cursor_u64(c, &x);

    memcpy(v, &x, sizeof *v);
    return ok;
}
