/*
 * A bounded cursor over bytes of an untrusted file: every read checks what remains. After the
 * first failure every further read fails and leaves zeros, so a parser may check once a record.
 * Little endian, as all model formats are.
 */
#ifndef GPTSCOPE_BASE_CURSOR_H
#define GPTSCOPE_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
    const uint8_t *data;
    size_t size, at;
    bool failed;
};

void cursor_init(struct cursor *c, const void *data, size_t size);
size_t cursor_left(const struct cursor *c);
bool cursor_u8(struct cursor *c, uint8_t *v);
bool cursor_u16(struct cursor *c, uint16_t *v);
bool cursor_u32(struct cursor *c, uint32_t *v);
bool cursor_u64(struct cursor *c, uint64_t *v);
bool cursor_f32(struct cursor *c, float *v);
bool cursor_f64(struct cursor *c, double *v);
/* Borrowed bytes, valid as long as the data. */
bool cursor_bytes(struct cursor *c, uint64_t n, const uint8_t **bytes);

#endif
