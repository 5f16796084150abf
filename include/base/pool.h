/*
 * A pool of threads for data-parallel loops inside kernels. No other threads exist.
 *
 *     pool_each(pool, n_tasks, task, &job);   // calls task(&job, i, worker) for i in [0,
 * n_tasks)
 *
 * Tasks are handed out one at a time; the caller works, too, as worker 0. Workers spin for some
 * microseconds after a loop, then sleep: an idle program uses no CPU. Not reentrant.
 */
#ifndef GPTSCOPE_BASE_POOL_H
#define GPTSCOPE_BASE_POOL_H

struct pool;
typedef void pool_task(void *arg, int task, int worker);

struct pool *pool_new(int threads); /* 0: as many as there are cores for this process */
void pool_free(struct pool *p);
int pool_threads(const struct pool *p);
void pool_each(struct pool *p, int n_tasks, pool_task *fn, void *arg);

#endif
