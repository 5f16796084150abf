#include "text/nfc.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

struct points {
    utf8proc_int32_t *cp;
    int n, cap;
};

static int class_of(utf8proc_int32_t cp)
{
    int class = utf8proc_get_property(cp)->combining_class;

    return class > 0 && class < 256 ? class : 0;
}

static void add_point(struct points *p, utf8proc_int32_t cp)
{
    VEC_ROOM(p->cp, p->n, p->cap);
    p->cp[p->n++] = cp;
}

/* A character's parts, marks not in order yet. */
static void decompose(struct points *p, utf8proc_int32_t cp)
{
    utf8proc_int32_t part[32];
    int boundary = 0;
    utf8proc_ssize_t n =
        utf8proc_decompose_char(cp, part, 32, UTF8PROC_STABLE | UTF8PROC_DECOMPOSE, &boundary);

    if (n < 0 || n > 32)
        add_point(p, cp);
    for (utf8proc_ssize_t i = 0; n <= 32 && i < n; i++)
        add_point(p, part[i]);
}

/* Marks in a row by class, those of one class as they were. */
static void sort_marks(utf8proc_int32_t *cp, int n)
{
    int place[257] = {0};
    utf8proc_int32_t *sorted = xcalloc((size_t) n, sizeof *sorted);

    for (int i = 0; i < n; i++)
        place[class_of(cp[i]) + 1]++;
    for (int c = 0; c < 256; c++)
        place[c + 1] += place[c];
    for (int i = 0; i < n; i++)
        sorted[place[class_of(cp[i])]++] = cp[i];
    memcpy(cp, sorted, (size_t) n * sizeof *cp);
    free(sorted);
}

static void order(struct points *p)
{
    for (int i = 0; i < p->n; i++) {
        int begin = i;
        while (i < p->n && class_of(p->cp[i]) > 0)
            i++;
        if (i - begin > 1)
            sort_marks(p->cp + begin, i - begin);
    }
}

static void add_composed(struct str *out, struct points *p)
{
    utf8proc_ssize_t n = p->n;
    char bytes[4];

    order(p);
    if (n > 0)
        n = utf8proc_normalize_utf32(p->cp, n, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    for (utf8proc_ssize_t i = 0; i < n; i++)
        str_add(out, bytes, (size_t) utf8_encode((uint32_t) p->cp[i], bytes));
    p->n = 0;
}

static size_t ascii_run(const char *text, size_t n)
{
    size_t i = 0;

    while (i < n && (uint8_t) text[i] < 0x80)
        i++;
    return i;
}

void nfc_add(struct str *out, const char *text, size_t n)
{
    struct points p = {0};

    for (size_t i = 0; i < n;) {
        size_t plain = ascii_run(text + i, n - i);
        uint32_t cp;
        if (plain > 1) { /* all but the last, with which a mark may combine */
            add_composed(out, &p);
            str_add(out, text + i, plain - 1);
            i += plain - 1;
        }
        int len = utf8_decode(text + i, n - i, &cp);
        if (len > 0) {
            decompose(&p, (utf8proc_int32_t) cp);
        } else {
            add_composed(out, &p);
            str_addc(out, text[i]);
        }
        i += (size_t) (len > 0 ? len : 1);
    }
    add_composed(out, &p);
    free(p.cp);
}
