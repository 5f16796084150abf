#include "base/pool.h"

#include "base/clock.h"
#include "base/mem.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS_MAX  256
#define SPIN_SECONDS 80e-6

/*
 * `ticket` is the loop's number in its upper half and the tasks not handed out yet in its lower
 * half. A worker takes a task by counting the lower half down; as the loop's number is part of
 * the same word, a worker that was late can never take a task of one loop for another's. A loop
 * is over when `unfinished` is 0, so nobody waits for workers that sleep: the caller alone can
 * finish it.
 *
 * Both kinds of sleep follow one rule: announce first (`sleepers`, `caller_waits`), then look
 * again at what one waits for; the other side changes that first, then looks for the
 * announcement. All four are sequentially consistent, so no wake-up is lost.
 */
struct pool {
    int threads, started;
    bool spin;
    _Atomic uint64_t ticket;
    atomic_int unfinished;
    int n_tasks; /* these three belong to the loop of the ticket */
    pool_task *fn;
    void *arg;
    atomic_int sleepers;
    atomic_bool caller_waits, quit;
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    struct worker {
        struct pool *pool;
        int index;
        pthread_t thread;
    } * workers; /* workers[0] is the caller and has no thread */
};

static int cores_for_process(void)
{
#ifdef __linux__
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set);
#endif
    return sysconf(_SC_NPROCESSORS_ONLN) > 0 ? (int) sysconf(_SC_NPROCESSORS_ONLN) : 1;
}

static void cpu_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static uint32_t tasks_left(const struct pool *p)
{
    return (uint32_t) atomic_load(&p->ticket);
}

/* Takes a task of the loop at hand: its index, or -1 when all are handed out. */
static int take_task(struct pool *p)
{
    uint64_t t = atomic_load(&p->ticket);

    do {
        if ((uint32_t) t == 0)
            return -1;
    } while (!atomic_compare_exchange_weak(&p->ticket, &t, t - 1));
    return p->n_tasks - (int) (uint32_t) t;
}

static void work(struct pool *p, int worker)
{
    int task;

    while ((task = take_task(p)) >= 0) {
        p->fn(p->arg, task, worker);
        if (atomic_fetch_sub(&p->unfinished, 1) == 1 && atomic_load(&p->caller_waits)) {
            pthread_mutex_lock(&p->lock);
            pthread_cond_signal(&p->done);
            pthread_mutex_unlock(&p->lock);
        }
    }
}

static bool has_work(const struct pool *p)
{
    return tasks_left(p) > 0 || atomic_load(&p->quit);
}

static bool is_finished(const struct pool *p)
{
    return atomic_load(&p->unfinished) == 0;
}

/* Watches for a short while; false when nothing happened. */
static bool spin_until(const struct pool *p, bool (*ready)(const struct pool *))
{
    double end;

    if (ready(p))
        return true;
    if (!p->spin)
        return false;
    end = clock_measure() + SPIN_SECONDS;
    do {
        for (int i = 0; i < 32; i++) {
            if (ready(p))
                return true;
            cpu_pause();
        }
    } while (clock_measure() < end);
    return false;
}

static void sleep_until_work(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->sleepers, 1);
    while (!has_work(p))
        pthread_cond_wait(&p->work, &p->lock);
    atomic_fetch_sub(&p->sleepers, 1);
    pthread_mutex_unlock(&p->lock);
}

static void sleep_until_finished(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->caller_waits, true);
    while (!is_finished(p))
        pthread_cond_wait(&p->done, &p->lock);
    atomic_store(&p->caller_waits, false);
    pthread_mutex_unlock(&p->lock);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct pool *p = w->pool;

    while (!atomic_load(&p->quit)) {
        work(p, w->index);
        if (!spin_until(p, has_work))
            sleep_until_work(p);
    }
    return NULL;
}

/* Workers block every signal: those for the program shall reach its main thread. */
static void start_workers(struct pool *p)
{
    sigset_t all, old;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    p->started = 1;
    while (p->started < p->threads) {
        struct worker *w = &p->workers[p->started];
        *w = (struct worker){.pool = p, .index = p->started};
        if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
            break;
        p->started++;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    p->threads = p->started;
}

struct pool *pool_new(int threads)
{
    struct pool *p = xcalloc(1, sizeof *p);
    int cores = cores_for_process();

    p->threads = threads > 0 ? threads : cores;
    if (p->threads > THREADS_MAX)
        p->threads = THREADS_MAX;
    p->spin = p->threads <= cores;
    p->workers = xcalloc((size_t) p->threads, sizeof *p->workers);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->done, NULL);
    start_workers(p);
    return p;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->quit, true);
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (int i = 1; i < p->started; i++)
        pthread_join(p->workers[i].thread, NULL);
    pthread_cond_destroy(&p->work);
    pthread_cond_destroy(&p->done);
    pthread_mutex_destroy(&p->lock);
    free(p->workers);
    free(p);
}

int pool_threads(const struct pool *p)
{
    return p->threads;
}

static void wake_workers(struct pool *p, int wanted)
{
    if (atomic_load(&p->sleepers) == 0)
        return;
    pthread_mutex_lock(&p->lock);
    if (wanted >= p->threads - 1) {
        pthread_cond_broadcast(&p->work);
    } else {
        while (wanted-- > 0)
            pthread_cond_signal(&p->work);
    }
    pthread_mutex_unlock(&p->lock);
}

void pool_each(struct pool *p, int n_tasks, pool_task *fn, void *arg)
{
    uint64_t loop;

    if (p->threads == 1 || n_tasks <= 1) {
        for (int i = 0; i < n_tasks; i++)
            fn(arg, i, 0);
        return;
    }
    loop = (atomic_load(&p->ticket) >> 32) + 1;
    p->n_tasks = n_tasks;
    p->fn = fn;
    p->arg = arg;
    atomic_store(&p->unfinished, n_tasks);
    atomic_store(&p->ticket, loop << 32 | (uint32_t) n_tasks);
    wake_workers(p, n_tasks - 1);
    work(p, 0);
    if (!spin_until(p, is_finished))
        sleep_until_finished(p);
}
