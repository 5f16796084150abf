#include "text/added.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void added_init(struct added_set *s)
{
    memset(s, 0, sizeof *s);
}

void added_release(struct added_set *s)
{
    free(s->item);
    added_init(s);
}

void added_add(struct added_set *s, const char *text, size_t len, int id)
{
    VEC_ROOM(s->item, s->n, s->cap);
    s->item[s->n++] = (struct added){text, len, id};
}

static int compare(const void *pa, const void *pb)
{
    const struct added *a = pa, *b = pb;
    int order = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);

    if (order != 0)
        return order;
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

void added_sort(struct added_set *s)
{
    int i = 0;

    if (s->n > 0)
        qsort(s->item, (size_t) s->n, sizeof *s->item, compare);
    for (int byte = 0; byte < 257; byte++) {
        while (i < s->n && (uint8_t) s->item[i].text[0] < byte)
            i++;
        s->first[byte] = i;
    }
}

/* Among items lo..hi, which agree in their first `depth` bytes and are all longer, those whose
 * next byte is `byte`. */
static void narrow(const struct added_set *s, int *lo, int *hi, size_t depth, uint8_t byte)
{
    int a = *lo, b = *hi;

    while (a < b) {
        int mid = a + (b - a) / 2;
        if ((uint8_t) s->item[mid].text[depth] < byte)
            a = mid + 1;
        else
            b = mid;
    }
    *lo = a;
    b = *hi;
    while (a < b) {
        int mid = a + (b - a) / 2;
        if ((uint8_t) s->item[mid].text[depth] <= byte)
            a = mid + 1;
        else
            b = mid;
    }
    *hi = a;
}

const struct added *added_at(const struct added_set *s, const char *text, size_t n)
{
    const struct added *best = NULL;
    int lo, hi;

    if (n == 0)
        return NULL;
    lo = s->first[(uint8_t) text[0]];
    hi = s->first[(uint8_t) text[0] + 1];
    for (size_t depth = 1; lo < hi; depth++) {
        if (s->item[lo].len == depth) /* the shortest comes first; then its doubles */
            best = &s->item[lo];
        while (lo < hi && s->item[lo].len == depth)
            lo++;
        if (depth == n || lo == hi)
            break;
        if (hi - lo == 1) {
            const struct added *a = &s->item[lo];
            return a->len <= n && memcmp(a->text, text, a->len) == 0 ? a : best;
        }
        narrow(s, &lo, &hi, depth, (uint8_t) text[depth]);
    }
    return best;
}

const struct added *added_find(const struct added_set *s, const char *text, size_t n)
{
    const struct added *a = added_at(s, text, n);

    return a && a->len == n ? a : NULL;
}
