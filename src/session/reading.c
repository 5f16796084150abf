#include "session/reading.h"

#include "base/interrupt.h"
#include "base/mem.h"

#include <stdlib.h>

/* Weights read at a time: little enough to look at interrupts often. */
#define BLOCK_FLOATS ((size_t) 1 << 20)

bool reading_ready(const struct session *s, int value, int pos, struct err *err)
{
    int ready = run_ready(s->run, value);

    if (s->ids.n == 0)
        return err_set(err, "there are no tokens yet; give a prompt first");
    if (run_n_past(s->run) == 0 && !run_in_pass(s->run))
        return err_set(err, "nothing is computed yet; run first");
    if (pos >= ready)
        return err_set(err, "%s is not computed at position %d yet; run first",
                       s->program->value[value].name, pos);
    return true;
}

bool reading_row(const struct run *r, int value, int pos, float *out, struct err *err)
{
    const struct program *p = run_program(r);
    const struct value *v = &p->value[value];
    struct region g = {{pos, 0, 0}, {1, 1, 1}};

    for (int i = 1; i < v->n_axis; i++)
        g.count[i] = program_axis(p, v->axis[i], 1);
    return run_read(r, value, &g, out, err);
}

const float *pattern_row(const struct pattern_block *b, int head, int query)
{
    size_t row = (size_t) head * (size_t) b->count + (size_t) (query - b->first);

    return b->p + row * (size_t) b->n_key;
}

int pattern_keys(const struct pattern_block *b, int query)
{
    return run_seen(b->run, b->layer, query);
}

/* Queries from `first` on that make a block. */
static int block_rows(const struct run *r, int layer, int first, int end)
{
    size_t n_head = (size_t) run_program(r)->hp.n_head;
    int rows = 1;

    while (first + rows < end &&
           n_head * (size_t) (rows + 1) * (size_t) run_seen(r, layer, first + rows) <=
               BLOCK_FLOATS)
        rows++;
    return rows;
}

bool pattern_walk(const struct run *r, int layer, int first, int count, pattern_function *fn,
                  void *arg, struct err *err)
{
    const struct program *p = run_program(r);
    int n_head = p->hp.n_head, value = program_value(p, layer, "attn.pattern");
    float *room = NULL;
    bool ok = true;

    for (int at = first, end = first + count; ok && at < end;) {
        int rows = block_rows(r, layer, at, end), n_key = run_seen(r, layer, at + rows - 1);
        struct region part = {{0, at, 0}, {n_head, rows, n_key}};
        struct pattern_block b = {r, layer, at, rows, n_head, n_key, NULL};
        if (interrupt_pending()) {
            ok = err_set(err, "interrupted at layer %d, query %d", layer, at);
            break;
        }
        room = xrealloc(room, (size_t) n_head * (size_t) rows * (size_t) n_key, sizeof *room);
        b.p = room;
        ok = run_read(r, value, &part, room, err) && fn(&b, arg, err);
        at += rows;
    }
    free(room);
    return ok;
}
