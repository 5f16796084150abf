/* How often a sweep and a dump execute each op, and that a dump stops when it is interrupted.
 */
#include "base/interrupt.h"
#include "base/mem.h"
#include "sweep_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct sweep *open_sweep(const struct run *r, size_t budget)
{
    struct err err = ERR_INIT;
    struct sweep *s = sweep_new(r, budget, &err);
    if (!s)
        fail_msg("%s", err.text);
    return s;
}

/* --- how often --- */

enum { COUNTED = 150 };

static bool of_stage(const struct program *p, const struct op *op)
{
    return program_is_stage(p, op->out[0]);
}

/* Each op whose output is not kept runs once for each position, no op more often. */
static void assert_once(const struct sweep *s, const struct program *p)
{
    for (int i = 0; i < p->n_ops; i++) {
        enum life life = p->value[p->op[i].out[0]].life;
        long n = sweep_executed(s, i);
        if (of_stage(p, &p->op[i]))
            continue;
        if (n > COUNTED || (life != LIFE_KEPT && life != LIFE_CACHE && n < COUNTED - 1))
            fail_msg("op %d (%s, layer %d) has run for %ld positions of %d", i, p->op[i].label,
                     p->op[i].layer, n, COUNTED);
    }
}

static bool drop(void *user, int array, const void *data, size_t bytes, struct err *err)
{
    (void) user;
    (void) array;
    (void) data;
    (void) err;
    return bytes > 0;
}

static void test_once(void **state)
{
    struct err err = ERR_INIT;
    (void) state;
    for (int f = 1; f < 3; f++) {
        struct rig g;
        long count = 0;
        form_make(&g, &forms[f], 40);
        run_replace(g.run, form_act_op(g.program, 1), form_halve, &count);
        form_feed(g.run, COUNTED);
        count = 0;

        struct sweep *s = open_sweep(g.run, SWEEP_BUDGET);
        for (int i = 1; i < g.program->n_values; i++)
            sweep_want(s, i);
        for (int i = 1; i < g.program->n_values; i++) {
            size_t n;
            struct region r = form_whole(g.run, i);
            n = form_floats(&r);
            float *out = xcalloc(n, sizeof *out);
            assert_true(sweep_read(s, i, NULL, out, &err));
            free(out);
        }
        assert_once(s, g.program);
        assert_int_equal(count, COUNTED);
        sweep_free(s);

        int n = g.program->n_values;
        struct dump_job job = {.array = xcalloc((size_t) n, sizeof *job.array)};
        for (int i = 1; i < n; i++)
            form_array(&job, g.run, i, -1);
        count = 0;
        assert_true(dump_job_begin(&job, &err) && dump_each(&job, drop, NULL, &err));
        assert_once(job.sweep, g.program);
        assert_int_equal(count, COUNTED);
        dump_job_end(&job);
        free(job.array);
        rig_close(&g);
    }
}

/* Ctrl-C: no further piece is read. */
static bool drop_and_interrupt(void *user, int array, const void *data, size_t bytes,
                               struct err *err)
{
    (void) array;
    (void) data;
    (void) err;
    if (++*(int *) user == 5)
        interrupt_set();
    return bytes > 0;
}

static void test_interrupt(void **state)
{
    struct err err = ERR_INIT;
    struct rig g;
    int pieces = 0;
    (void) state;
    form_make(&g, &forms[1], 512);
    form_feed(g.run, 20);
    struct dump_job job = {.array = xcalloc((size_t) g.program->n_values, sizeof *job.array)};
    for (int i = 1; i < g.program->n_values; i++)
        form_array(&job, g.run, i, -1);
    assert_true(dump_job_begin(&job, &err));
    assert_false(dump_each(&job, drop_and_interrupt, &pieces, &err));
    interrupt_clear();
    assert_string_equal(err.text, "interrupted");
    assert_int_equal(pieces, 5);
    dump_job_end(&job);
    free(job.array);
    rig_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_interrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
