#include "base/mem.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/*
 * AddressSanitizer sees overruns of heap blocks but not of mappings, so under it big blocks
 * come from the heap; except the very large, which its allocator answers by ending the program.
 */
#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif
#ifndef UNDER_ASAN
#define UNDER_ASAN 0
#endif
#define HEAP_MAX ((size_t) 1 << 32)

#define BIG_ALIGN 64

static _Noreturn void out_of_memory(void)
{
    const char *text =
        "gptscope: not enough memory; close other programs or use a smaller model";

    fprintf(stderr, "%s\n", text); /* lint: allowed */
    exit(1);                       /* lint: allowed */
}

void *xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);

    if (!p)
        out_of_memory();
    return p;
}

void *xcalloc(size_t n, size_t size)
{
    void *p = n && size ? calloc(n, size) : calloc(1, 1);

    if (!p)
        out_of_memory();
    return p;
}

void *xrealloc(void *p, size_t n, size_t size)
{
    size_t bytes;

    if (!size_mul(n, size, &bytes))
        out_of_memory();
    p = realloc(p, bytes ? bytes : 1);
    if (!p)
        out_of_memory();
    return p;
}

char *xstrdup(const char *s)
{
    return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t n)
{
    size_t len = strnlen(s, n);
    char *copy = xmalloc(len + 1);

    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *xasprintf(const char *fmt, ...)
{
    struct str s = STR_INIT;
    va_list ap;

    va_start(ap, fmt);
    str_vaddf(&s, fmt, ap);
    va_end(ap);
    return str_steal(&s);
}

bool size_mul(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

static void *big_heap_alloc(size_t bytes)
{
    void *p = NULL;

    if (posix_memalign(&p, BIG_ALIGN, bytes) != 0)
        return NULL;
    memset(p, 0, bytes);
    return p;
}

void *big_alloc(size_t bytes, const char *what, struct err *err)
{
    size_t size = bytes ? bytes : 1;
    void *p;

    if (UNDER_ASAN && size < HEAP_MAX) {
        p = big_heap_alloc(size);
    } else {
        p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            p = NULL;
    }
    if (!p)
        err_nomem(err, bytes, what);
    return p;
}

void big_free(void *p, size_t bytes)
{
    size_t size = bytes ? bytes : 1;

    if (!p)
        return;
    if (UNDER_ASAN && size < HEAP_MAX)
        free(p);
    else
        munmap(p, size);
}
