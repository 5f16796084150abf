/*
 * What kernels run on: the pool of threads, the BLAS library and scratch memory per thread.
 * One for a process; made at start, passed down.
 *
 * There is one set of threads: ours. OpenBLAS is loaded (dlopen) with one thread of its own,
 * and its products are split over our pool, so the two never fight. Before it is loaded, CPUID
 * is held against the kernel set that this version of OpenBLAS would choose, and
 * OPENBLAS_CORETYPE is set where the library would fall back to an older one; a value that the
 * user set wins. Loading happens at the first product that needs it, so commands that compute
 * nothing start at once. Where no OpenBLAS can be loaded, our own kernels do the same products,
 * slower, and compute_blas says so.
 */
#ifndef GPTSCOPE_TENSOR_COMPUTE_H
#define GPTSCOPE_TENSOR_COMPUTE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct compute;

struct compute *compute_new(int threads); /* 0: all cores of this process */
void compute_free(struct compute *c);     /* NULL is fine */
int compute_threads(const struct compute *c);
/* Never load OpenBLAS: for tests and comparisons. Before the first product. */
void compute_avoid_blas(struct compute *c);

/* Which BLAS is in use; loads it when that has not happened. */
struct blas_info {
    char core[32];    /* kernel set in use, "SkylakeX"; "own kernels" without OpenBLAS */
    char config[128]; /* what the library says of itself, or why it could not be loaded */
    const char *why;  /* "as detected", "chosen by gptscope", "set by OPENBLAS_CORETYPE" */
    const char *simd; /* our own kernels: "avx2", "plain" */
};
void compute_blas(struct compute *c, struct blas_info *info);

/* Calls task(arg, i, scratch) for i in [0, n): scratch is scratch_floats f32 of the thread's
 * own, 64-byte aligned, kept between calls. scratch_floats must have been reserved. */
typedef void compute_task(void *arg, int task, float *scratch);
void compute_each(struct compute *c, int n, compute_task *fn, void *arg);
/* Makes every thread's scratch at least `floats` long. Fails only for lack of memory. */
bool compute_reserve(struct compute *c, size_t floats, struct err *err);

/* Scratch of thread i, for loops whose tasks are one a thread and keep something there. */
float *compute_scratch(struct compute *c, int i);

/* One-thread f32 product for use inside tasks, row major:
 * C[m,n] = alpha * A[m,k] op(B) + beta * C; op(B) is B[k,n], or B[n,k] transposed. */
void compute_gemm(struct compute *c, bool trans_b, int m, int n, int k, float alpha,
                  const float *a, size_t lda, const float *b, size_t ldb, float beta,
                  float *out, size_t ldc);

#endif
