/*
 * OpenBLAS, loaded at run time so that its kernel set can be chosen first. For compute.c.
 */
#ifndef GPTSCOPE_TENSOR_BLAS_H
#define GPTSCOPE_TENSOR_BLAS_H

#include <stdbool.h>

typedef void blas_sgemm(int order, int trans_a, int trans_b, int m, int n, int k, float alpha,
                        const float *a, int lda, const float *b, int ldb, float beta, float *c,
                        int ldc);

#define BLAS_ROW_MAJOR 101 /* numbers of the CBLAS interface */
#define BLAS_NO_TRANS  111
#define BLAS_TRANS     112

struct blas {
    void *lib;         /* NULL: none could be loaded, config says why */
    blas_sgemm *sgemm; /* cblas_sgemm */
    bool one_caller;   /* a build without threads: may not be called by two at once */
    char core[32];     /* its kernel set */
    char config[128];
    const char *why; /* how the kernel set came to be chosen, as in struct blas_info */
};

/* Loads the library with one thread and the best kernel set. Changes the environment while it
 * loads and puts it back: no other thread may use the environment meanwhile. */
void blas_open(struct blas *b);
/* The same with a kernel set by name, NULL: as the library detects. */
void blas_open_core(struct blas *b, const char *core);
void blas_release(struct blas *b);

/* What the processor can run. */
enum blas_cpu { BLAS_CPU_OTHER, BLAS_CPU_AVX2, BLAS_CPU_AVX512 };
enum blas_cpu blas_cpu(void);
/* A better kernel set than the one that was detected, or NULL when that is fine. */
const char *blas_better_core(const char *detected, enum blas_cpu cpu);

#endif
