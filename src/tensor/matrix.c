#include "tensor/matrix.h"

#include "tensor/simd.h"

#include <assert.h>
#include <string.h>

/* Sizes were tuned on GPT-2's shapes: a widened piece of a panel is to stay in a second-level
 * cache of 1 MB, and panels are to be wide enough to make packing the activations cheap. */
enum {
    FEW_ROWS = 8,         /* up to here, weights are read straight into registers */
    FEW_NARROW = 24,      /* the same for narrow weights, out-major */
    PANEL = 256,          /* outputs of a panel */
    DEPTH = 512,          /* inputs of a widened piece; a multiple of every block */
    FEW_BYTES = 64 << 10, /* stored weights a task, few rows */
    FEW_OUT = 512,        /* outputs at a time, few rows, in-major */
    SMALL = 16 << 10,     /* products not worth waking a thread for */
};

/* A product being done: the arguments of matmul, and how it is split. */
struct product {
    struct compute *compute;
    float *y;
    size_t ldy;
    const float *x;
    size_t ldx;
    int rows;
    const struct matrix *w;
    const float *bias;
    int panel, n_panels; /* outputs a task, and how many such */
    int parts;           /* few rows, in-major: parts of the inputs */
    int row_block;       /* rows a task */
};

static const void *element(const struct matrix *w, size_t i)
{
    return (const uint8_t *) w->data + dtype_bytes(w->dtype, i);
}

/* Whether the stored numbers can be used as they lie: f32 at a multiple of 4. */
static bool in_place(const struct matrix *w)
{
    return w->dtype == DTYPE_F32 && (uintptr_t) w->data % sizeof(float) == 0;
}

/* Stored row i, n elements of it. */
static void stored_row(const struct matrix *w, size_t i, float *dst, int n)
{
    dtype_info(w->dtype)->widen(dst, element(w, i * w->ld), (size_t) n);
}

/* Element i of each of n stored rows. */
static void stored_column(const struct matrix *w, size_t i, float *dst, int n)
{
    const struct dtype_info *info = dtype_info(w->dtype);
    size_t block = (size_t) info->block;
    float buf[32];

    for (int row = 0; row < n; row++) {
        info->widen(buf, element(w, (size_t) row * w->ld + i - i % block), block);
        dst[row] = buf[i % block];
    }
}

void matrix_row(const struct matrix *w, int out, float *dst)
{
    if (w->in_major)
        stored_column(w, (size_t) out, dst, w->n_in);
    else
        stored_row(w, (size_t) out, dst, w->n_in);
}

void matrix_column(const struct matrix *w, int in, float *dst)
{
    if (w->in_major)
        stored_row(w, (size_t) in, dst, w->n_out);
    else
        stored_column(w, (size_t) in, dst, w->n_out);
}

struct matrix matrix_slice(const struct matrix *w, int first, int n)
{
    struct matrix slice = *w;

    assert(!w->in_major || dtype_info(w->dtype)->block == 1);
    slice.data = element(w, (size_t) first * (w->in_major ? 1 : w->ld));
    slice.n_out = n;
    return slice;
}

bool matrix_inputs(struct matrix *part, const struct matrix *w, int first, int n)
{
    int block = w->in_major ? 1 : dtype_info(w->dtype)->block;

    *part = *w;
    if (first % block || n % block)
        return false;
    part->data = element(w, (size_t) first * (w->in_major ? w->ld : 1));
    part->n_in = n;
    return true;
}

size_t matmul_scratch(const struct matrix *w)
{
    size_t many = in_place(w) ? 0 : (size_t) PANEL * DEPTH;
    size_t few = w->in_major ? (size_t) w->n_out * FEW_ROWS : 0;

    return many > few ? many : few;
}

static int ceil_div(int a, int b)
{
    return a / b + (a % b != 0);
}

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

/* Splits the outputs into panels of at most `most`, in multiples of 32 and so that every
 * thread gets as many. */
static void split_outputs(struct product *p, int most)
{
    int threads = compute_threads(p->compute);
    int n = ceil_div(ceil_div(p->w->n_out, most), threads) * threads;

    p->panel = ceil_div(ceil_div(p->w->n_out, n), 32) * 32;
    p->panel = min_int(p->panel, most);
    p->n_panels = ceil_div(p->w->n_out, p->panel);
}

static void preset(const struct product *p, int row, int n_rows, int out, int n_out)
{
    for (int r = row; r < row + n_rows; r++) {
        float *y = p->y + (size_t) r * p->ldy + out;
        for (int o = 0; o < n_out; o++)
            y[o] = p->bias ? p->bias[out + o] : 0;
    }
}

/* --- few rows --- */

/* Out-major: a few outputs for all rows; the weights come from memory once, and from the cache
 * for every further SIMD_ROWS rows. */
static void few_out_major(void *arg, int task, float *scratch)
{
    const struct product *p = arg;
    int out = task * p->panel, n = min_int(p->panel, p->w->n_out - out);

    (void) scratch;
    for (int r = 0; r < p->rows; r += SIMD_ROWS) {
        struct simd_dots d = {.y = p->y + (size_t) r * p->ldy + out,
                              .ldy = p->ldy,
                              .x = p->x + (size_t) r * p->ldx,
                              .ldx = p->ldx,
                              .rows = min_int(SIMD_ROWS, p->rows - r),
                              .w = element(p->w, (size_t) out * p->w->ld),
                              .w_stride = dtype_bytes(p->w->dtype, p->w->ld),
                              .n_out = n,
                              .n = p->w->n_in};
        simd_best()->dots[p->w->dtype](&d);
    }
    if (!p->bias)
        return;
    for (int r = 0; r < p->rows; r++) {
        float *y = p->y + (size_t) r * p->ldy + out;
        for (int o = 0; o < n; o++)
            y[o] += p->bias[out + o];
    }
}

/* In-major: each thread adds up a part of the inputs, for all outputs, in its scratch: so the
 * stored rows are read as they lie, from end to end. Then the parts are added. */
static void few_part(void *arg, int task, float *unused)
{
    const struct product *p = arg;
    const struct matrix *w = p->w;
    float *sum = compute_scratch(p->compute, task);
    size_t n_out = (size_t) w->n_out;
    int begin = (int) ((int64_t) w->n_in * task / p->parts);
    int end = (int) ((int64_t) w->n_in * (task + 1) / p->parts);

    (void) unused;
    memset(sum, 0, (size_t) p->rows * n_out * sizeof *sum);
    for (int in = begin; in < end; in++)
        for (size_t out = 0; out < n_out; out += FEW_OUT) {
            const void *stored = element(w, (size_t) in * w->ld + out);
            size_t n = n_out - out < FEW_OUT ? n_out - out : FEW_OUT;
            for (int r = 0; r < p->rows; r++)
                simd_best()->add_row[w->dtype](sum + (size_t) r * n_out + out,
                                               p->x[(size_t) r * p->ldx + (size_t) in], stored,
                                               n);
        }
}

static void add_parts(const struct product *p)
{
    size_t n = (size_t) p->w->n_out;

    preset(p, 0, p->rows, 0, p->w->n_out);
    for (int part = 0; part < p->parts; part++)
        for (int r = 0; r < p->rows; r++) {
            float *y = p->y + (size_t) r * p->ldy;
            simd_best()->add(y, y, compute_scratch(p->compute, part) + (size_t) r * n, n);
        }
}

static void few_rows(struct product *p)
{
    const struct matrix *w = p->w;
    size_t row_bytes = dtype_bytes(w->dtype, w->ld);
    int threads = compute_threads(p->compute), most;

    if ((size_t) w->n_out * (size_t) w->n_in * (size_t) p->rows < SMALL)
        threads = 1;
    if (w->in_major) {
        p->parts = threads;
        compute_each(p->compute, p->parts, few_part, p);
        add_parts(p);
        return;
    }
    most = row_bytes < FEW_BYTES ? (int) (FEW_BYTES / row_bytes) : 1;
    p->panel = threads == 1 ? w->n_out : min_int(most, ceil_div(w->n_out, threads));
    p->n_panels = ceil_div(w->n_out, p->panel);
    compute_each(p->compute, p->n_panels, few_out_major, p);
}

/* --- many rows --- */

/* A piece of a panel, widened: [n, depth] out-major, [depth, n] in-major. Returns its ld. */
static size_t widen_piece(const struct matrix *w, float *dst, int out, int n, int in, int depth)
{
    const struct dtype_info *info = dtype_info(w->dtype);
    int stored = w->in_major ? depth : n;
    size_t len = (size_t) (w->in_major ? n : depth);
    size_t first =
        w->in_major ? (size_t) in * w->ld + (size_t) out : (size_t) out * w->ld + (size_t) in;

    for (int s = 0; s < stored; s++)
        info->widen(dst + (size_t) s * len, element(w, first + (size_t) s * w->ld), len);
    return len;
}

static void many_task(void *arg, int task, float *scratch)
{
    const struct product *p = arg;
    const struct matrix *w = p->w;
    int out = task % p->n_panels * p->panel, n = min_int(p->panel, w->n_out - out);
    int row = task / p->n_panels * p->row_block, n_rows = min_int(p->row_block, p->rows - row);
    int step = in_place(w) ? w->n_in : DEPTH;

    if (p->bias)
        preset(p, row, n_rows, out, n);
    for (int in = 0; in < w->n_in; in += step) {
        int depth = min_int(step, w->n_in - in);
        const float *b = scratch;
        size_t ldb = w->ld;
        if (in_place(w))
            b = element(w, (size_t) out * (w->in_major ? 1 : w->ld));
        else
            ldb = widen_piece(w, scratch, out, n, in, depth);
        compute_gemm(p->compute, !w->in_major, n_rows, n, depth, 1,
                     p->x + (size_t) row * p->ldx + in, p->ldx, b, ldb, in || p->bias ? 1 : 0,
                     p->y + (size_t) row * p->ldy + out, p->ldy);
    }
}

static void many_rows(struct product *p)
{
    int threads = compute_threads(p->compute), blocks;

    split_outputs(p, PANEL);
    /* Few outputs: split the rows, too, into blocks of at least 32. */
    blocks = p->n_panels >= threads ? 1 : ceil_div(threads, p->n_panels);
    blocks = min_int(blocks, ceil_div(p->rows, 32));
    p->row_block = ceil_div(p->rows, blocks);
    blocks = ceil_div(p->rows, p->row_block);
    compute_each(p->compute, p->n_panels * blocks, many_task, p);
}

void matmul(struct compute *c, float *y, size_t ldy, const float *x, size_t ldx, int rows,
            const struct matrix *w, const float *bias)
{
    struct product p = {.compute = c,
                        .y = y,
                        .ldy = ldy,
                        .x = x,
                        .ldx = ldx,
                        .rows = rows,
                        .w = w,
                        .bias = bias};

    if (rows <= (w->in_major || in_place(w) ? FEW_ROWS : FEW_NARROW))
        few_rows(&p);
    else
        many_rows(&p);
}
