/*
 * The header of a npy file (the format's own description: numpy.lib.format):
 *
 *     \x93NUMPY  major minor  length (u16; u32 from version 2 on)
 *     {'descr': '<f4', 'fortran_order': False, 'shape': (6, 10, 10), }
 *
 * It is a Python dictionary, and read as that: keys in any order, no evaluation.
 */
#include "model/arrays_parts.h"

#include "base/cursor.h"
#include "base/mem.h"
#include "base/safe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text {
    const char *at, *end;
};

static void skip_blanks(struct text *t)
{
    while (t->at < t->end && strchr(" \t\n\r", *t->at) && *t->at)
        t->at++;
}

static bool take(struct text *t, char c)
{
    skip_blanks(t);
    if (t->at >= t->end || *t->at != c)
        return false;
    t->at++;
    return true;
}

/* 'text' or "text", without escapes. */
static bool take_string(struct text *t, char *out, size_t size)
{
    skip_blanks(t);
    if (t->at >= t->end || (*t->at != '\'' && *t->at != '"'))
        return false;
    char quote = *t->at++;
    size_t n = 0;
    while (t->at < t->end && *t->at != quote && *t->at != '\\' && n + 1 < size)
        out[n++] = *t->at++;
    out[n] = '\0';
    return t->at < t->end && *t->at++ == quote;
}

static bool take_number(struct text *t, int64_t *v)
{
    skip_blanks(t);
    if (t->at >= t->end || *t->at < '0' || *t->at > '9')
        return false;
    for (*v = 0; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++)
        if (__builtin_mul_overflow(*v, 10, v) || __builtin_add_overflow(*v, *t->at - '0', v))
            return false;
    if (t->at < t->end && *t->at == 'L') /* Python 2 */
        t->at++;
    return true;
}

static bool take_word(struct text *t, const char *word)
{
    size_t n = strlen(word);
    skip_blanks(t);
    if ((size_t) (t->end - t->at) < n || memcmp(t->at, word, n) != 0)
        return false;
    t->at += n;
    return true;
}

/* (6, 10, 10), (5,) or () */
static bool take_shape(struct text *t, struct array *x)
{
    if (!take(t, '('))
        return false;
    while (!take(t, ')')) {
        if (x->n_dims == ARRAY_DIMS || !take_number(t, &x->dim[x->n_dims]))
            return false;
        x->n_dims++;
        if (!take(t, ',')) {
            return take(t, ')');
        }
    }
    return true;
}

/* --- the type --- */

static const struct {
    char kind;
    int bytes;
    enum array_type type;
} types[] = {
    {'f', 8, ARRAY_F64}, {'f', 4, ARRAY_F32}, {'f', 2, ARRAY_F16}, {'V', 2, ARRAY_BF16},
    {'i', 8, ARRAY_I64}, {'i', 4, ARRAY_I32}, {'i', 2, ARRAY_I16}, {'i', 1, ARRAY_I8},
    {'u', 8, ARRAY_U64}, {'u', 4, ARRAY_U32}, {'u', 2, ARRAY_U16}, {'u', 1, ARRAY_U8},
    {'b', 1, ARRAY_U8},
};

/* "<f4": byte order, kind, bytes. Always sets a type; one that cannot be read is OTHER. */
static bool set_type(struct array *x, const char *descr)
{
    char order = strchr("<>|=", *descr) && *descr ? *descr : '\0', *end;
    const char *kind = descr + (order != '\0');
    if (!*kind)
        return false;
    long bytes = strtol(kind + 1, &end, 10);
    safe_copy(x->type_name, sizeof x->type_name, descr, strlen(descr), SAFE_SPACE_KEEP);
    x->type = ARRAY_OTHER;
    x->swapped = order == '>';
    x->refused = *kind == 'O'   ? "Python objects (a pickle, which is not opened)"
                 : *kind == 'c' ? "complex numbers"
                 : *kind == 'S' ? "byte strings"
                                : "no numbers that are known here";
    if (*kind == 'O')
        x->item = 0;
    if (*kind == 'O' || *end)
        return true;
    if (bytes < 0 || bytes > 1 << 20)
        return false;
    x->item = (size_t) bytes;
    if (*kind == 'U') {
        x->type = ARRAY_TEXT;
        x->item *= 4;
        x->refused = "text";
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].kind == *kind && types[i].bytes == bytes) {
            x->type = types[i].type;
            x->refused = NULL;
        }
    }
    return true;
}

/* A list [('x', '<f4'), ...]: a record array. Its end is looked for, no more. */
static bool take_record(struct text *t, struct array *x)
{
    int depth = 0;
    do {
        skip_blanks(t);
        if (t->at >= t->end)
            return false;
        depth += *t->at == '[' || *t->at == '(';
        depth -= *t->at == ']' || *t->at == ')';
        t->at++;
    } while (depth > 0);
    x->type = ARRAY_OTHER;
    x->refused = "records of several fields";
    snprintf(x->type_name, sizeof x->type_name, "record");
    return true;
}

static bool take_descr(struct text *t, struct array *x)
{
    char descr[64];
    skip_blanks(t);
    if (t->at < t->end && *t->at == '[')
        return take_record(t, x);
    return take_string(t, descr, sizeof descr) && set_type(x, descr);
}

/* --- the dictionary --- */

static bool take_pair(struct text *t, struct array *x, unsigned *seen)
{
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    char key[32];
    unsigned i = 0;
    if (!take_string(t, key, sizeof key) || !take(t, ':'))
        return false;
    while (i < 3 && strcmp(key, keys[i]) != 0)
        i++;
    if (i == 3 || (*seen & 1u << i))
        return false;
    *seen |= 1u << i;
    if (i == 0)
        return take_descr(t, x);
    if (i == 2)
        return take_shape(t, x);
    x->fortran = take_word(t, "True");
    return x->fortran || take_word(t, "False");
}

static bool take_dictionary(struct text *t, struct array *x)
{
    unsigned seen = 0;
    if (!take(t, '{'))
        return false;
    while (!take(t, '}')) {
        if (!take_pair(t, x, &seen))
            return false;
        if (!take(t, ',')) {
            if (!take(t, '}'))
                return false;
            break;
        }
    }
    return seen == 7;
}

static bool count_elements(struct array *x)
{
    size_t bytes;
    x->count = 1;
    for (int i = 0; i < x->n_dims; i++)
        if (x->dim[i] > INT32_MAX || !size_mul(x->count, (size_t) x->dim[i], &x->count))
            return false;
    return size_mul(x->count, x->item ? x->item : 1, &bytes);
}

size_t npy_header(struct array *x, const uint8_t *bytes, size_t n, struct err *err)
{
    struct cursor c;
    const uint8_t *magic, *header;
    uint8_t major, minor;
    uint32_t length = 0;
    uint16_t half = 0;
    cursor_init(&c, bytes, n);
    if (!cursor_bytes(&c, 6, &magic) || memcmp(magic, "\x93NUMPY", 6) != 0 ||
        !cursor_u8(&c, &major) || !cursor_u8(&c, &minor) || major < 1 || major > 3) {
        err_set(err, "it does not begin like an npy file of version 1 to 3");
        return 0;
    }
    if (major == 1 ? !cursor_u16(&c, &half) : !cursor_u32(&c, &length))
        length = UINT32_MAX;
    length = major == 1 ? half : length;
    if (length > NPY_HEADER_MAX || !cursor_bytes(&c, length, &header)) {
        err_set(err, "its npy header is cut short or too long");
        return 0;
    }
    struct text t = {(const char *) header, (const char *) header + length};
    if (!take_dictionary(&t, x)) {
        err_set(err, "its npy header is not a dictionary of descr, fortran_order and shape");
        return 0;
    }
    if (!count_elements(x)) {
        err_set(err, "its shape is too large");
        return 0;
    }
    return c.at;
}
