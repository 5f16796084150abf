#include "tensor/blas.h"

#include "base/mem.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const candidates[] = {
    "libopenblas.so.0",
    "libopenblasp.so.0",
    "libopenblas.so",
    "libopenblas.0.dylib",
    "libopenblas.dylib",
    "/opt/homebrew/opt/openblas/lib/libopenblas.0.dylib",
    "/usr/local/opt/openblas/lib/libopenblas.0.dylib",
};

/*
 * Kernel sets that a library which does not know the processor falls back to, and the newest
 * instructions each makes use of. A name that is not here (Cooperlake, SapphireRapids, another
 * architecture's) is left as the library detected it.
 */
static const struct {
    const char *core;
    enum blas_cpu uses;
} old_cores[] = {
    {"Haswell", BLAS_CPU_AVX2},      {"Zen", BLAS_CPU_AVX2},
    {"Excavator", BLAS_CPU_AVX2},    {"Steamroller", BLAS_CPU_OTHER},
    {"Piledriver", BLAS_CPU_OTHER},  {"Bulldozer", BLAS_CPU_OTHER},
    {"Sandybridge", BLAS_CPU_OTHER}, {"Nehalem", BLAS_CPU_OTHER},
    {"Dunnington", BLAS_CPU_OTHER},  {"Penryn", BLAS_CPU_OTHER},
    {"Core2", BLAS_CPU_OTHER},       {"Prescott", BLAS_CPU_OTHER},
    {"Northwood", BLAS_CPU_OTHER},   {"Banias", BLAS_CPU_OTHER},
    {"Atom", BLAS_CPU_OTHER},        {"Barcelona", BLAS_CPU_OTHER},
    {"Bobcat", BLAS_CPU_OTHER},      {"Opteron_SSE3", BLAS_CPU_OTHER},
    {"Opteron", BLAS_CPU_OTHER},     {"Athlon", BLAS_CPU_OTHER},
    {"Katmai", BLAS_CPU_OTHER},      {"Coppermine", BLAS_CPU_OTHER},
    {"Generic", BLAS_CPU_OTHER},
};

/* The set for each kind of processor. */
static const char *const best_core[] = {
    [BLAS_CPU_AVX2] = "Haswell",
    [BLAS_CPU_AVX512] = "SkylakeX",
};

enum blas_cpu blas_cpu(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return BLAS_CPU_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return BLAS_CPU_AVX2;
#endif
    return BLAS_CPU_OTHER;
}

const char *blas_better_core(const char *detected, enum blas_cpu cpu)
{
    for (size_t i = 0; i < sizeof old_cores / sizeof *old_cores; i++)
        if (strcasecmp(detected, old_cores[i].core) == 0)
            return cpu > old_cores[i].uses ? best_core[cpu] : NULL;
    return NULL;
}

/* A variable of the environment that is changed for a while. */
struct env {
    const char *name;
    char *before; /* NULL: was not set */
};

static struct env env_change(const char *name, const char *value)
{
    const char *before = getenv(name);
    struct env e = {name, before ? xstrdup(before) : NULL};

    setenv(name, value, 1);
    return e;
}

static void env_restore(struct env *e)
{
    if (e->before)
        setenv(e->name, e->before, 1);
    else
        unsetenv(e->name);
    free(e->before);
}

/* A function of the library. ISO C has no cast from void * to a function: copy its bits. */
static bool symbol(void *lib, const char *name, void *function)
{
    void *p = dlsym(lib, name);

    if (p)
        memcpy(function, &p, sizeof p);
    return p != NULL;
}

static bool load(struct blas *b, const char *path)
{
    char *(*corename)(void), *(*config)(void);
    int (*parallel)(void);
    void (*set_threads)(int);
    void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (!lib)
        return false;
    if (!symbol(lib, "cblas_sgemm", &b->sgemm) ||
        !symbol(lib, "openblas_get_corename", &corename) ||
        !symbol(lib, "openblas_get_config", &config) ||
        !symbol(lib, "openblas_get_parallel", &parallel) ||
        !symbol(lib, "openblas_set_num_threads", &set_threads) ||
        strstr(config(), "USE64BITINT")) {
        dlclose(lib);
        return false;
    }
    set_threads(1);
    b->lib = lib;
    b->one_caller = parallel() == 0;
    snprintf(b->core, sizeof b->core, "%s", corename());
    snprintf(b->config, sizeof b->config, "%s", config());
    return true;
}

void blas_open_core(struct blas *b, const char *core)
{
    size_t n = sizeof candidates / sizeof *candidates, i = 0;
    struct env threads = env_change("OPENBLAS_NUM_THREADS", "1"), type = {NULL, NULL};

    if (core)
        type = env_change("OPENBLAS_CORETYPE", core);
    memset(b, 0, sizeof *b);
    while (i < n && !load(b, candidates[i]))
        i++;
    if (!b->lib)
        snprintf(b->config, sizeof b->config, "no OpenBLAS found (looked for %s and others)",
                 candidates[0]);
    b->why = core ? "chosen by gptscope" : "as detected";
    if (core)
        env_restore(&type);
    env_restore(&threads);
}

/*
 * Which set a library chooses depends on its version and on how it was built, so it is asked:
 * loaded once, and loaded again with OPENBLAS_CORETYPE if what it chose is older than the
 * processor. (With one thread it leaves nothing behind that would keep it from going away.)
 * Where the second load changes nothing, that is what is reported.
 */
void blas_open(struct blas *b)
{
    const char *user = getenv("OPENBLAS_CORETYPE"), *better;
    char detected[sizeof b->core];

    blas_open_core(b, NULL);
    if (user && *user) {
        b->why = "set by OPENBLAS_CORETYPE";
        return;
    }
    better = b->lib ? blas_better_core(b->core, blas_cpu()) : NULL;
    if (!better)
        return;
    snprintf(detected, sizeof detected, "%s", b->core);
    blas_release(b);
    blas_open_core(b, better);
    if (strcasecmp(b->core, detected) == 0)
        b->why = "as detected";
}

void blas_release(struct blas *b)
{
    if (b->lib)
        dlclose(b->lib);
    memset(b, 0, sizeof *b);
}
