#include "command/zip_store.h"

#include <string.h>

#define MAX16 0xffffu
#define MAX32 0xffffffffu

enum { NEEDS = 20, NEEDS_64 = 45, MADE_BY_UNIX = 3 << 8, EXTRA_64 = 1 };
enum { EXTRA_ALIGN = 0xd935, ALIGN = 4096 }; /* a field that only takes up room */
#define MODE (UINT64_C(0100644) << 16)       /* of a file that is taken out */
/* 1 January 1980, as numpy itself writes: the same values give the same bytes. */
#define DOS_DATE (1 << 5 | 1)

/* The lowest `bytes` bytes of x, little end first. */
static void put(struct str *out, uint64_t x, int bytes)
{
    for (int i = 0; i < bytes; i++)
        str_addc(out, (char) (x >> (8 * i) & 0xff));
}

/* A field of 32 bits, or what says that it stands in the ZIP64 part. */
static void put32(struct str *out, uint64_t x, bool zip64)
{
    put(out, zip64 || x >= MAX32 ? MAX32 : x, 4);
}

static bool is_large(const struct zip_entry *e)
{
    return e->size >= MAX32;
}

/* What headers and the directory have in common: version to crc, sizes, length of the name. */
static void put_common(const struct zip_entry *e, bool zip64, size_t extra, struct str *out)
{
    put(out, zip64 ? NEEDS_64 : NEEDS, 2);
    put(out, 0, 2); /* flags */
    put(out, 0, 2); /* method: stored */
    put(out, 0, 2); /* time */
    put(out, DOS_DATE, 2);
    put(out, e->crc, 4);
    put32(out, e->size, zip64); /* compressed */
    put32(out, e->size, zip64);
    put(out, strlen(e->name), 2);
    put(out, extra, 2);
}

static size_t header_bytes(const struct zip_entry *e)
{
    return 30 + strlen(e->name) + (is_large(e) ? 20 : 0);
}

uint64_t zip_layout(struct zip_entry *e, size_t n)
{
    uint64_t at = 0;
    for (size_t i = 0; i < n; i++) {
        e[i].header = at;
        e[i].data = at + header_bytes(&e[i]);
        if (e[i].align) { /* the field has 6 bytes at least */
            e[i].data += 6;
            e[i].data += -(e[i].data + e[i].align) % ALIGN;
        }
        at = e[i].data + e[i].size;
    }
    return at;
}

void zip_header(const struct zip_entry *e, struct str *out)
{
    bool zip64 = is_large(e);
    size_t pad = (size_t) (e->data - e->header) - header_bytes(e);
    str_add(out, "PK\3\4", 4);
    put_common(e, zip64, (zip64 ? 20 : 0) + pad, out);
    str_adds(out, e->name);
    if (zip64) {
        put(out, EXTRA_64, 2);
        put(out, 16, 2);
        put(out, e->size, 8);
        put(out, e->size, 8);
    }
    if (!pad)
        return;
    put(out, EXTRA_ALIGN, 2);
    put(out, pad - 4, 2);
    put(out, ALIGN, 2);
    for (size_t i = 6; i < pad; i++)
        str_addc(out, 0);
}

/* With one of the ZIP64 fields come all: some readers look for the sizes in any case. */
static void put_entry(const struct zip_entry *e, struct str *out)
{
    bool zip64 = is_large(e) || e->header >= MAX32;
    str_add(out, "PK\1\2", 4);
    put(out, MADE_BY_UNIX | NEEDS_64, 2);
    put_common(e, zip64, zip64 ? 28 : 0, out);
    put(out, 0, 2); /* comment */
    put(out, 0, 2); /* disk */
    put(out, 0, 2); /* internal attributes */
    put(out, MODE, 4);
    put32(out, e->header, zip64);
    str_adds(out, e->name);
    if (!zip64)
        return;
    put(out, EXTRA_64, 2);
    put(out, 24, 2);
    put(out, e->size, 8);
    put(out, e->size, 8);
    put(out, e->header, 8);
}

static void put_end_64(size_t n, uint64_t at, uint64_t size, struct str *out)
{
    str_add(out, "PK\6\6", 4);
    put(out, 44, 8); /* bytes that follow in this record */
    put(out, MADE_BY_UNIX | NEEDS_64, 2);
    put(out, NEEDS_64, 2);
    put(out, 0, 4); /* this disk */
    put(out, 0, 4); /* the directory's */
    put(out, n, 8);
    put(out, n, 8);
    put(out, size, 8);
    put(out, at, 8);
    str_add(out, "PK\6\7", 4); /* the locator: where that record is */
    put(out, 0, 4);
    put(out, at + size, 8);
    put(out, 1, 4); /* disks */
}

void zip_directory(const struct zip_entry *e, size_t n, uint64_t at, struct str *out)
{
    size_t before = out->len;
    for (size_t i = 0; i < n; i++)
        put_entry(&e[i], out);
    uint64_t size = out->len - before;
    if (n >= MAX16 || size >= MAX32 || at >= MAX32)
        put_end_64(n, at, size, out);
    str_add(out, "PK\5\6", 4);
    put(out, 0, 2); /* this disk */
    put(out, 0, 2); /* the directory's */
    put(out, n >= MAX16 ? MAX16 : n, 2);
    put(out, n >= MAX16 ? MAX16 : n, 2);
    put32(out, size, false);
    put32(out, at, false);
    put(out, 0, 2); /* comment */
}
