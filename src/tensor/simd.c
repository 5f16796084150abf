#include "tensor/simd.h"

static const struct simd *const table[] = {
#ifdef __x86_64__
    &simd_avx2,
#endif
    &simd_plain, /* runs everywhere */
};

#define N_TABLE (int) (sizeof table / sizeof *table)

const struct simd *simd_at(int i)
{
    return i >= 0 && i < N_TABLE ? table[i] : NULL;
}

const struct simd *simd_best(void)
{
    int i = 0;

    while (i < N_TABLE - 1 && !table[i]->runs_here())
        i++;
    return table[i];
}
