#include "worst.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double worst_diff(double got, double want)
{
    if (got == want)
        return 0;
    if (!isfinite(got) || !isfinite(want))
        return INFINITY;
    return fabs(got - want) / fmax(1, fabs(want));
}

/* "blocks.3.attn.q" -> "blocks.*.attn.q" */
static void kind_of(char *out, size_t size, const char *name)
{
    const char *digits = strchr(name, '.');
    size_t n = digits ? strspn(digits + 1, "0123456789") : 0;
    if (n)
        snprintf(out, size, "%.*s.*%s", (int) (digits - name), name, digits + 1 + n);
    else
        snprintf(out, size, "%s", name);
}

static struct worst_row *find_row(struct worst *w, const char *name)
{
    char kind[sizeof w->row[0].name];
    kind_of(kind, sizeof kind, name);
    for (int i = 0; i < w->n; i++) {
        if (strcmp(w->row[i].name, kind) == 0)
            return &w->row[i];
    }
    if (w->n == (int) (sizeof w->row / sizeof *w->row)) {
        fprintf(stderr, "more kinds of values than struct worst has rows\n");
        abort();
    }
    struct worst_row *row = &w->row[w->n++];
    *row = (struct worst_row){.n = 0};
    memcpy(row->name, kind, sizeof kind);
    return row;
}

static void add_one(struct worst_row *row, const char *name, size_t i, double got, double want)
{
    double diff = worst_diff(got, want);
    row->n++;
    if (diff <= row->diff)
        return;
    row->diff = diff;
    snprintf(row->where, sizeof row->where, "%.40s[%zu]: %.7g and not %.7g", name, i, got,
             want);
}

void worst_add(struct worst *w, const char *name, const float *got, const double *want,
               size_t n)
{
    struct worst_row *row = find_row(w, name);
    for (size_t i = 0; i < n; i++)
        add_one(row, name, i, (double) got[i], want[i]);
}

void worst_add_f32(struct worst *w, const char *name, const float *got, const float *want,
                   size_t n)
{
    struct worst_row *row = find_row(w, name);
    for (size_t i = 0; i < n; i++)
        add_one(row, name, i, (double) got[i], (double) want[i]);
}

void worst_missing(struct worst *w, const char *name, const char *why)
{
    struct worst_row *row = find_row(w, name);
    row->diff = INFINITY;
    snprintf(row->where, sizeof row->where, "%.40s: %.50s", name, why);
}

void worst_merge(struct worst *into, const struct worst *from)
{
    for (int i = 0; i < from->n; i++) {
        struct worst_row *row = find_row(into, from->row[i].name);
        size_t n = row->n + from->row[i].n;
        if (from->row[i].diff > row->diff)
            *row = from->row[i];
        row->n = n;
    }
}

double worst_of_all(const struct worst *w)
{
    double diff = 0;
    for (int i = 0; i < w->n; i++)
        diff = fmax(diff, w->row[i].diff);
    return diff;
}

bool worst_report(const struct worst *w, const char *title, double tolerance, bool all)
{
    bool ok = w->n > 0 && worst_of_all(w) <= tolerance;
    printf("%s: %d kinds of values, largest difference %.2g\n", title, w->n, worst_of_all(w));
    for (int i = 0; i < w->n; i++) {
        const struct worst_row *row = &w->row[i];
        if (all || !(row->diff <= tolerance))
            printf("  %-28s %9.2e  of %8zu  %s\n", row->name, row->diff, row->n, row->where);
    }
    return ok;
}
