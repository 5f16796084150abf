/*
 * Reads numpy's .npz files for tests: little-endian f4 and i4 arrays in C order. Of texts
 * only name and shape are taken.
 */
#ifndef GPTSCOPE_TESTS_NPZ_H
#define GPTSCOPE_TESTS_NPZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct npz_array {
    char name[64]; /* without ".npy" */
    int shape[4], n_dims;
    size_t n;
    float *f;   /* f4: n numbers; otherwise NULL */
    int32_t *i; /* i4 */
};

struct npz {
    struct npz_array *array;
    int n;
};

/* False, with a line on stderr, when the file is not as described above. */
bool npz_open(struct npz *z, const char *path);
void npz_release(struct npz *z);
const struct npz_array *npz_find(const struct npz *z, const char *name); /* or NULL */

#endif
