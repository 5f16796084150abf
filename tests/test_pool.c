/* The thread pool: every task exactly once, results visible, no loop mixed up with another. */
#include "base/clock.h"
#include "base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define TASKS_MAX 1000

struct job {
    int seed, threads;
    int result[TASKS_MAX]; /* plain ints: the pool must make them visible to the caller */
    atomic_int calls, bad_workers;
};

static void task(void *arg, int i, int worker)
{
    struct job *job = arg;

    if (worker < 0 || worker >= job->threads)
        atomic_fetch_add(&job->bad_workers, 1);
    job->result[i] += job->seed + i;
    atomic_fetch_add(&job->calls, 1);
}

static void check_loop(struct pool *p, int n, int seed)
{
    struct job job = {.seed = seed, .threads = pool_threads(p)};

    pool_each(p, n, task, &job);
    assert_int_equal(atomic_load(&job.calls), n > 0 ? n : 0);
    assert_int_equal(atomic_load(&job.bad_workers), 0);
    for (int i = 0; i < n; i++)
        assert_int_equal(job.result[i], seed + i);
}

static void test_every_task_once(void **state)
{
    const int threads[] = {1, 2, 3, 8};
    const int counts[] = {0, 1, 2, 3, 7, 100, TASKS_MAX};

    (void) state;
    for (int t = 0; t < 4; t++) {
        struct pool *p = pool_new(threads[t]);
        assert_int_equal(pool_threads(p), threads[t]);
        for (int round = 0; round < 20; round++) {
            for (int c = 0; c < 7; c++)
                check_loop(p, counts[c], round);
        }
        pool_free(p);
    }
    pool_free(NULL);
}

static void pause_seconds(double seconds)
{
    struct timespec t = {0, (long) (seconds * 1e9)};

    nanosleep(&t, NULL);
}

/* Loops one after another at once, and after pauses in which the workers spin or sleep. */
static void test_many_short_loops(void **state)
{
    struct pool *p = pool_new(2);

    (void) state;
    for (int i = 0; i < 3000; i++) {
        check_loop(p, 2 + i % 5, i);
        if (i % 100 == 0)
            pause_seconds(i % 200 ? 60e-6 : 1e-3);
    }
    pool_free(p);
}

static void slow_task(void *arg, int i, int worker)
{
    (void) arg;
    (void) worker;
    if (i == 0)
        pause_seconds(3e-3); /* the caller, or a worker, has to wait for this one asleep */
}

static void test_waiting_for_a_slow_task(void **state)
{
    struct pool *p = pool_new(3);

    (void) state;
    for (int i = 0; i < 20; i++) {
        slow_task(NULL, 1, 0);
        pool_each(p, 3, slow_task, NULL);
    }
    pool_free(p);
}

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

static void test_idle_uses_no_cpu(void **state)
{
    struct pool *p = pool_new(0);
    double before;

    (void) state;
    assert_true(pool_threads(p) >= 1);
    check_loop(p, 100, 1);
    pause_seconds(20e-3); /* let the workers fall asleep */
    before = cpu_seconds();
    pause_seconds(200e-3);
    assert_true(cpu_seconds() - before < 20e-3);
    pool_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_task_once),
        cmocka_unit_test(test_many_short_loops),
        cmocka_unit_test(test_waiting_for_a_slow_task),
        cmocka_unit_test(test_idle_uses_no_cpu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
