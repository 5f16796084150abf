/* Elements of an array as floats: from any of the types, byte orders and strides there are. */
#include "model/arrays_parts.h"

#include "base/utf8.h"
#include "tensor/dtype.h"

#include <string.h>

/* The bytes of an element in this machine's order. */
static void take_bytes(void *out, const uint8_t *from, size_t n, bool swapped)
{
    uint8_t *to = out;
    for (size_t i = 0; i < n; i++)
        to[i] = from[swapped ? n - 1 - i : i];
}

static float bf16(uint16_t v)
{
    uint32_t bits = (uint32_t) v << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

// clang-format off
#define CASE(name, type, widen)                                                                \
    case name: {                                                                               \
        type v;                                                                                \
        take_bytes(&v, p, sizeof v, swapped);                                                  \
        return widen(v);                                                                       \
    }

static float element(enum array_type type, const uint8_t *p, bool swapped)
{
    switch (type) {
    CASE(ARRAY_F64, double, (float))
    CASE(ARRAY_F32, float, (float))
    CASE(ARRAY_F16, uint16_t, dtype_f16_to_f32)
    CASE(ARRAY_BF16, uint16_t, bf16)
    CASE(ARRAY_I64, int64_t, (float))
    CASE(ARRAY_I32, int32_t, (float))
    CASE(ARRAY_I16, int16_t, (float))
    CASE(ARRAY_I8, int8_t, (float))
    CASE(ARRAY_U64, uint64_t, (float))
    CASE(ARRAY_U32, uint32_t, (float))
    CASE(ARRAY_U16, uint16_t, (float))
    CASE(ARRAY_U8, uint8_t, (float))
    case ARRAY_TEXT:
    case ARRAY_OTHER:
        break;
    }
    return 0;
}
// clang-format on

void arrays_read(const struct arrays *a, size_t at, size_t n, ptrdiff_t step, float *out)
{
    const struct array *x = &a->item[a->loaded];
    const uint8_t *p = a->data + at * x->item;
    if (x->type == ARRAY_F32 && !x->swapped && step == 1) {
        if (n)
            memcpy(out, p, n * sizeof *out);
        return;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = element(x->type, p + (ptrdiff_t) i * step * (ptrdiff_t) x->item, x->swapped);
}

void arrays_text(const struct arrays *a, size_t at, struct str *out)
{
    const struct array *x = &a->item[a->loaded];
    const uint8_t *p = a->data + at * x->item;
    for (size_t i = 0; i + 4 <= x->item; i += 4) {
        uint32_t cp;
        char utf8[4];
        take_bytes(&cp, p + i, sizeof cp, x->swapped);
        if (!cp)
            break;
        if (cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
            cp = 0xfffd;
        str_add(out, utf8, (size_t) utf8_encode(cp, utf8));
    }
}
