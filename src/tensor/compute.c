#include "tensor/compute.h"

#include "base/mem.h"
#include "base/pool.h"
#include "tensor/blas.h"
#include "tensor/simd.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct compute {
    struct pool *pool;
    float **scratch; /* [threads] */
    size_t scratch_floats;
    struct blas blas;
    atomic_bool blas_loaded;
    pthread_mutex_t lock; /* loading; calls of a library that takes one at a time */
};

struct compute *compute_new(int threads)
{
    struct compute *c = xcalloc(1, sizeof *c);

    c->pool = pool_new(threads);
    c->scratch = xcalloc((size_t) pool_threads(c->pool), sizeof *c->scratch);
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

static void free_scratch(float **scratch, int n, size_t floats)
{
    for (int i = 0; i < n; i++)
        big_free(scratch[i], floats * sizeof(float));
    free(scratch);
}

void compute_free(struct compute *c)
{
    if (!c)
        return;
    free_scratch(c->scratch, compute_threads(c), c->scratch_floats);
    pool_free(c->pool);
    blas_release(&c->blas);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

int compute_threads(const struct compute *c)
{
    return pool_threads(c->pool);
}

bool compute_reserve(struct compute *c, size_t floats, struct err *err)
{
    int n = compute_threads(c);
    float **fresh;
    size_t bytes;

    if (floats <= c->scratch_floats)
        return true;
    if (!size_mul(floats, sizeof(float), &bytes))
        return err_nomem(err, SIZE_MAX, "scratch memory");
    fresh = xcalloc((size_t) n, sizeof *fresh);
    for (int i = 0; i < n; i++) {
        fresh[i] = big_alloc(bytes, "scratch memory", err);
        if (!fresh[i]) {
            free_scratch(fresh, n, floats);
            return false;
        }
    }
    free_scratch(c->scratch, n, c->scratch_floats);
    c->scratch = fresh;
    c->scratch_floats = floats;
    return true;
}

struct each {
    struct compute *compute;
    compute_task *fn;
    void *arg;
};

static void each_task(void *arg, int task, int worker)
{
    struct each *e = arg;

    e->fn(e->arg, task, e->compute->scratch[worker]);
}

void compute_each(struct compute *c, int n, compute_task *fn, void *arg)
{
    struct each e = {c, fn, arg};

    if (n == 1)
        fn(arg, 0, c->scratch[0]);
    else
        pool_each(c->pool, n, each_task, &e);
}

float *compute_scratch(struct compute *c, int i)
{
    return c->scratch[i];
}

/* Loading changes the environment for a moment. That is safe: the other threads are our
 * pool's, and nothing that they run looks at the environment. */
static void load_blas(struct compute *c)
{
    if (atomic_load_explicit(&c->blas_loaded, memory_order_acquire))
        return;
    pthread_mutex_lock(&c->lock);
    if (!atomic_load_explicit(&c->blas_loaded, memory_order_relaxed)) {
        blas_open(&c->blas);
        atomic_store_explicit(&c->blas_loaded, true, memory_order_release);
    }
    pthread_mutex_unlock(&c->lock);
}

void compute_avoid_blas(struct compute *c)
{
    snprintf(c->blas.config, sizeof c->blas.config, "OpenBLAS was not asked for");
    c->blas.why = "as detected";
    atomic_store_explicit(&c->blas_loaded, true, memory_order_release);
}

void compute_blas(struct compute *c, struct blas_info *info)
{
    load_blas(c);
    snprintf(info->core, sizeof info->core, "%s", c->blas.lib ? c->blas.core : "own kernels");
    snprintf(info->config, sizeof info->config, "%s", c->blas.config);
    info->why = c->blas.why;
    info->simd = simd_best()->name;
}

/* --- products without OpenBLAS, a block of outputs at a time --- */

enum { GEMM_COLS = 256 };

struct gemm {
    bool trans_b;
    int k;
    float alpha, beta;
    const float *a, *b;
    size_t lda, ldb, ldc;
    float *out;
};

/* sum[r][j] = A[i + r] . B^T[j0 + j] */
static void gemm_block_trans(const struct gemm *g, int i, int rows, int j0, int cols,
                             float sum[SIMD_ROWS][GEMM_COLS])
{
    struct simd_dots d = {.y = sum[0],
                          .ldy = GEMM_COLS,
                          .x = g->a + (size_t) i * g->lda,
                          .ldx = g->lda,
                          .rows = rows,
                          .w = g->b + (size_t) j0 * g->ldb,
                          .w_stride = g->ldb * sizeof(float),
                          .n_out = cols,
                          .n = g->k};

    simd_best()->dots[DTYPE_F32](&d);
}

/* sum[r] = sum over p of A[i + r, p] B[p, j0..] */
static void gemm_block_plain(const struct gemm *g, int i, int rows, int j0, int cols,
                             float sum[SIMD_ROWS][GEMM_COLS])
{
    const struct simd *simd = simd_best();
    const float *b[SIMD_ROWS];

    memset(sum, 0, SIMD_ROWS * sizeof *sum);
    for (int p = 0; p < g->k; p += SIMD_ROWS) {
        int n = g->k - p < SIMD_ROWS ? g->k - p : SIMD_ROWS;
        for (int q = 0; q < n; q++)
            b[q] = g->b + (size_t) (p + q) * g->ldb + j0;
        for (int r = 0; r < rows; r++)
            simd->axpy(sum[r], g->a + (size_t) (i + r) * g->lda + p, b, n, (size_t) cols);
    }
}

static void own_gemm(const struct gemm *g, int m, int n)
{
    float sum[SIMD_ROWS][GEMM_COLS];

    for (int j0 = 0; j0 < n; j0 += GEMM_COLS) {
        int cols = n - j0 < GEMM_COLS ? n - j0 : GEMM_COLS;
        for (int i = 0; i < m; i += SIMD_ROWS) {
            int rows = m - i < SIMD_ROWS ? m - i : SIMD_ROWS;
            (g->trans_b ? gemm_block_trans : gemm_block_plain)(g, i, rows, j0, cols, sum);
            for (int r = 0; r < rows; r++) {
                float *out = g->out + (size_t) (i + r) * g->ldc + j0;
                for (int j = 0; j < cols; j++) /* beta 0: what is there may be anything */
                    out[j] = g->alpha * sum[r][j] + (g->beta != 0 ? g->beta * out[j] : 0);
            }
        }
    }
}

void compute_gemm(struct compute *c, bool trans_b, int m, int n, int k, float alpha,
                  const float *a, size_t lda, const float *b, size_t ldb, float beta,
                  float *out, size_t ldc)
{
    load_blas(c);
    if (!c->blas.lib) {
        struct gemm g = {trans_b, k, alpha, beta, a, b, lda, ldb, ldc, out};
        own_gemm(&g, m, n);
        return;
    }
    if (c->blas.one_caller)
        pthread_mutex_lock(&c->lock);
    c->blas.sgemm(BLAS_ROW_MAJOR, BLAS_NO_TRANS, trans_b ? BLAS_TRANS : BLAS_NO_TRANS, m, n, k,
                  alpha, a, (int) lda, b, (int) ldb, beta, out, (int) ldc);
    if (c->blas.one_caller)
        pthread_mutex_unlock(&c->lock);
}
