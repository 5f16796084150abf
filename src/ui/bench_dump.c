/*
 * What a dump of every value takes, against what no dump can be faster than: a plain write of
 * as many bytes with an fsync, and a copy of them in memory, all three in turn.
 */
#include "ui/bench.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "command/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LEAST_ROUNDS 5
#define BUDGET       30.0 /* seconds of rounds, once there are LEAST_ROUNDS */
#define PIECE        ((size_t) 1 << 20)
#define LIMIT        (1 / 0.9) /* of the slower of the two: 90 % of its speed */
#define LIMIT_MB     100

struct dumping {
    struct bench *b;
    char *path;
    double bytes; /* of the file */
    char *piece;  /* PIECE bytes to write, and a second one to copy to */
};

/* --- memory --- */

/* A field of /proc/self/status in MB; 0: unknown. */
static double status_mb(const char *field)
{
    char line[256];
    double kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, field, strlen(field)) == 0)
            kb = strtod(line + strlen(field), NULL);
    if (f)
        fclose(f);
    return kb * 1024 / 1e6;
}

/* From here on the peak is that of what comes, where the system can forget the old one. */
static void forget_peak(void)
{
    int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t done = write(fd, "5", 1);
    (void) done;
    close(fd);
}

/* Every weight is read once, so that the file's pages that become resident are not taken for
 * memory of the run. */
static double touch_weights(const struct model *m)
{
    double sum = 0;
    for (int i = 0; i < model_n_weights(m); i++) {
        struct weight_info w = model_weight_info(m, i);
        const struct matrix *x = model_matrix(m, w.role, w.layer);
        const volatile char *at = x ? x->data : NULL;
        for (size_t k = 0; at && k < w.bytes; k += 4096)
            sum += at[k];
    }
    return sum;
}

bool dump_memory_begin(struct bench *b, struct err *err)
{
    struct blas_info blas;
    (void) err;
    compute_blas(b->compute, &blas);
    touch_weights(b->model);
    b->resident = status_mb("VmRSS:");
    forget_peak();
    return true;
}

/* --- the three --- */

/* Of all threads: hardly sees what else the machine does. */
static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

struct spent {
    double wall, cpu;
};

static bool time_dump(struct dumping *d, struct spent *spent, struct err *err)
{
    struct dump_options o = {.path = d->path};
    struct dump_result written;
    struct selection all;
    struct stat st;
    const struct session *s = d->b->session;
    if (!selection_parse(&all, s->program, "*", err))
        return false;
    struct spent began = {clock_measure(), processor_seconds()};
    bool ok = dump_values(s, &all, &o, &written, err);
    *spent = (struct spent){clock_measure() - began.wall, processor_seconds() - began.cpu};
    if (ok && stat(d->path, &st) == 0)
        d->bytes = (double) st.st_size;
    json_decref(written.file);
    unlink(d->path);
    selection_release(&all);
    return ok;
}

static bool write_pieces(struct dumping *d, int fd, struct err *err)
{
    for (double left = d->bytes; left > 0;) {
        size_t n = left < (double) PIECE ? (size_t) left : PIECE;
        if (interrupt_pending())
            return err_set(err, "interrupted");
        ssize_t done = write(fd, d->piece, n);
        if (done <= 0)
            return err_set(err, "cannot write '%s': %s", d->path, strerror(errno));
        left -= (double) done;
    }
    return fsync(fd) == 0 || err_set(err, "cannot write '%s': %s", d->path, strerror(errno));
}

/* The name goes first, so that nothing stays whatever happens. */
static bool time_plain(struct dumping *d, double *seconds, struct err *err)
{
    int fd = open(d->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, "cannot write '%s': %s", d->path, strerror(errno));
    unlink(d->path);
    double began = clock_measure();
    bool ok = write_pieces(d, fd, err);
    *seconds = clock_measure() - began;
    close(fd);
    return ok;
}

/* Through 64 MB and back, so that no cache holds them. */
static bool time_copy(struct dumping *d, double *seconds, struct err *err)
{
    enum { PIECES = 64 };
    char *from = big_alloc(PIECES * PIECE, "copying", err);
    char *to = big_alloc(PIECES * PIECE, "copying", err);
    if (from && to) {
        memset(from, 1, PIECES * PIECE);
        memset(to, 2, PIECES * PIECE);
        double began = clock_measure(), left = d->bytes;
        for (size_t i = 0; left > 0; i = (i + 1) % PIECES) {
            size_t n = left < (double) PIECE ? (size_t) left : PIECE;
            memcpy(to + i * PIECE, from + i * PIECE, n);
            left -= (double) n;
        }
        *seconds = clock_measure() - began;
    }
    bool ok = from && to;
    big_free(from, PIECES * PIECE);
    big_free(to, PIECES * PIECE);
    return ok;
}

/* --- rounds --- */

struct rounds {
    struct samples dump, cpu, plain, copy, ratio;
};

static bool one_round(struct dumping *d, struct rounds *r, bool turned, struct err *err)
{
    struct spent dump = {1, 1};
    double plain = 1, copy = 1;
    bool ok = turned ? time_plain(d, &plain, err) && time_dump(d, &dump, err)
                     : time_dump(d, &dump, err) && time_plain(d, &plain, err);
    if (!ok || !time_copy(d, &copy, err))
        return false;
    samples_add(&r->dump, d->bytes / dump.wall / 1e9);
    samples_add(&r->cpu, dump.cpu);
    samples_add(&r->plain, d->bytes / plain / 1e9);
    samples_add(&r->copy, d->bytes / copy / 1e9);
    samples_add(&r->ratio, dump.wall / (plain > copy ? plain : copy));
    return true;
}

static bool measure_rounds(struct dumping *d, struct err *err)
{
    struct rounds r = {0};
    struct bench *b = d->b;
    double began = clock_measure();
    bool ok = true;
    for (int i = 0; ok && i < b->most_rounds; i++) {
        if (i >= LEAST_ROUNDS && clock_measure() - began > BUDGET)
            break;
        ok = one_round(d, &r, i % 2, err);
    }
    if (ok) {
        bench_add(b, "dump of every value, npz", "GB/s", &r.dump);
        bench_add(b, "processor time of a dump, all threads", "s", &r.cpu);
        bench_add(b, "plain write and fsync", "GB/s", &r.plain);
        bench_add(b, "copy in memory", "GB/s", &r.copy);
        bench_add(b, "time of a dump to the slower's", "x", &r.ratio);
        bench_limit(b, LIMIT, NAN);
    }
    samples_release(&r.dump);
    samples_release(&r.cpu);
    samples_release(&r.plain);
    samples_release(&r.copy);
    samples_release(&r.ratio);
    return ok;
}

static void add_memory(struct bench *b, double peak)
{
    struct run_memory m;
    run_memory(b->session->run, &m);
    bench_add_one(b, "memory, cache", "MB", (double) m.cache / 1e6);
    bench_add_one(b, "memory, kept", "MB", (double) m.kept / 1e6);
    if (peak <= 0)
        return;
    bench_add_one(b, "peak beyond weights and cache", "MB",
                  peak - b->resident - (double) m.cache / 1e6);
    bench_limit(b, LIMIT_MB, NAN);
}

static bool measure_dump(struct bench *b, struct err *err)
{
    const char *folder = getenv("TMPDIR");
    char *name = xasprintf(".gptscope-bench-%ld.npz", (long) getpid());
    struct dumping d = {.b = b, .path = file_join(folder ? folder : "", name)};
    struct spent first;
    free(name);
    d.piece = xmalloc(PIECE);
    for (size_t i = 0; i < PIECE; i++)
        d.piece[i] = (char) (i * i >> 3);
    bool ok = time_dump(&d, &first, err);
    double peak = status_mb("VmHWM:");
    if (ok) {
        bench_add_one(b, "tokens", "tok", b->session->ids.n);
        bench_add_one(b, "bytes of a dump", "MB", d.bytes / 1e6);
        add_memory(b, peak);
        ok = measure_rounds(&d, err);
    }
    free(d.path);
    free(d.piece);
    return ok;
}

// clang-format off
const struct measure dump_table[] = {
    {"dumps", "every value to a file, a plain write of as many bytes, a copy in memory",
     measure_dump},
    {0},
};
// clang-format on
