#include "base/mem.h"
#include "base/str.h"
#include "engine/run_state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

long patch_data_at(const struct patch *p, const int cell[3], int pos_axis)
{
    long at = 0;
    for (int i = 0; i < 3; i++) {
        long count = p->region.count[i], k = cell[i] - p->region.first[i];
        if (i == pos_axis) {
            count = (long) p->data_pos;
            if (count == 1)
                k = 0;
        }
        if (k >= count)
            return -1;
        at = at * count + k;
    }
    return at;
}

static void patch_cell(const struct patch *p, const int cell[3], int pos_axis, float *x)
{
    float data = p->factor;

    if (p->data) {
        long at = patch_data_at(p, cell, pos_axis);
        if (at < 0)
            return;
        data = p->kind == PATCH_ADD ? p->factor * p->data[at] : p->data[at];
    }
    if (p->kind == PATCH_ZERO)
        *x = 0;
    else if (p->kind == PATCH_SCALE && *x != -INFINITY)
        *x *= data;
    else if (p->kind == PATCH_ADD && *x != -INFINITY)
        *x += data;
    else if (p->kind == PATCH_SET || p->kind == PATCH_MEAN)
        *x = data;
}

/* Where the patch and `count` cells from `begin` on overlap along an axis. */
static void overlap(const struct patch *p, int axis, int begin, int count, int *lo, int *hi)
{
    const struct region *g = &p->region;
    *lo = begin > g->first[axis] ? begin : g->first[axis];
    *hi = begin + count;
    if (g->count[axis] >= 0 && g->count[axis] < *hi - g->first[axis])
        *hi = g->first[axis] + g->count[axis];
}

/* [pos, a, b] or, for stages, [head, query, key]: data holds the positions from pos0 on. Of a
 * stage, keys after the query stay as they are: a patch cannot show what the mask hides. */
static void patch_value(const struct patch *p, int pos0, const int shape[3], int pos_axis,
                        float *data)
{
    int cell[3], base[3] = {0, 0, 0}, lo[3], hi[3];
    base[pos_axis] = pos0;
    for (int i = 0; i < 3; i++)
        overlap(p, i, base[i], shape[i], &lo[i], &hi[i]);
    if (lo[pos_axis] < p->from)
        lo[pos_axis] = p->from;
    for (cell[0] = lo[0]; cell[0] < hi[0]; cell[0]++)
        for (cell[1] = lo[1]; cell[1] < hi[1]; cell[1]++) {
            size_t row = (size_t) (cell[0] - base[0]) * (size_t) shape[1];
            float *x = data + (row + (size_t) (cell[1] - base[1])) * (size_t) shape[2];
            int end = pos_axis == 1 && hi[2] > cell[1] + 1 ? cell[1] + 1 : hi[2];
            for (cell[2] = lo[2]; cell[2] < end; cell[2]++)
                patch_cell(p, cell, pos_axis, x + cell[2]);
        }
}

void patch_apply(const struct run *r, int value, int pos0, int rows, int n_key, float *data)
{
    const struct program *p = r->program;
    const struct value *v = &p->value[value];
    bool stage = program_is_stage(p, value);
    int shape[3] = {1, 1, 1};
    for (int i = 0; i < v->n_axis; i++)
        shape[i] = v->axis[i] == AXIS_POS   ? rows
                   : v->axis[i] == AXIS_KEY ? n_key
                                            : program_axis(p, v->axis[i], 0);
    for (int i = 0; i < r->n_patches; i++)
        if (r->patch[i].value == value && r->patch[i].kind != PATCH_REPLACE)
            patch_value(&r->patch[i], pos0, shape, stage ? 1 : 0, data);
}

bool patch_hooks(const struct run *r, int layer)
{
    int after, first = program_attention(r->program, layer, &after);
    for (int i = first; i < after; i++)
        if (r->replaced[i])
            return true;
    for (int i = 0; i < r->n_patches; i++) {
        int value = r->patch[i].value;
        if (r->patch[i].kind != PATCH_REPLACE && r->program->value[value].layer == layer &&
            program_is_stage(r->program, value))
            return true;
    }
    return false;
}

/* --- adding and removing --- */

static void describe(struct patch *p, const struct program *prog)
{
    static const char *const verb[] = {"zero", "scale", "set", "mean", "add to"};
    const struct value *v = &prog->value[p->value];
    char part[3][32];
    for (int i = 0; i < 3; i++) {
        int first = p->region.first[i], count = p->region.count[i];
        bool grows = v->axis[i] == AXIS_POS || v->axis[i] == AXIS_KEY;
        if (!grows && count == program_axis(prog, v->axis[i], 0))
            count = -1; /* all of it */
        const char *join = i == 0 ? "" : ", ";
        if (i >= v->n_axis)
            part[i][0] = 0;
        else if (count == 1)
            snprintf(part[i], sizeof part[i], "%s%d", join, first);
        else if (count < 0 && first == 0)
            snprintf(part[i], sizeof part[i], "%s:", join);
        else if (count < 0)
            snprintf(part[i], sizeof part[i], "%s%d:", join, first);
        else
            snprintf(part[i], sizeof part[i], "%s%d:%d", join, first, first + count);
    }
    int n = snprintf(p->text, sizeof p->text, "%s %.40s[%.12s%.13s%.13s]", verb[p->kind],
                     v->name, part[0], part[1], part[2]);
    if (p->kind == PATCH_SCALE)
        snprintf(p->text + n, sizeof p->text - (size_t) n, " by %g", (double) p->factor);
    if (p->kind == PATCH_SET && !p->data)
        snprintf(p->text + n, sizeof p->text - (size_t) n, " to %g", (double) p->factor);
    if (p->kind == PATCH_ADD)
        snprintf(p->text + n, sizeof p->text - (size_t) n,
                 !p->data           ? " %g"
                 : p->data_pos == 1 ? " %g times a row"
                                    : " %g times data",
                 (double) p->factor);
}

static bool patch_check(const struct run *r, struct patch *p, struct err *err)
{
    const struct program *prog = r->program;
    const struct value *v = &prog->value[p->value];
    if (p->kind == PATCH_REPLACE)
        return true; /* checked when it was made; it has no region */
    if (v->life == LIFE_TOKENS || v->life == LIFE_DEMAND)
        return err_set(err,
                       "%s cannot be changed: nothing later reads it; change its op's output",
                       v->name);
    for (int i = 0; i < 3; i++) {
        bool grows = i < v->n_axis && (v->axis[i] == AXIS_POS || v->axis[i] == AXIS_KEY);
        int length = i < v->n_axis ? program_axis(prog, v->axis[i], r->n_ctx) : 1;
        int *first = &p->region.first[i], *count = &p->region.count[i];
        if (i >= v->n_axis) {
            *first = 0;
            *count = 1;
        }
        if (*count < 0 && !grows && *first >= 0)
            *count = length - *first;
        if (*first < 0 || *first >= length || *count == 0 || *count > length - *first)
            return err_set(err, "%s has %d along axis %s; there is no %lld", v->name, length,
                           axis_name(v->axis[i]),
                           *first < 0 ? *first : (long long) *first + *count - 1);
    }
    return true;
}

static int patch_add(struct run *r, struct patch *p, struct err *err)
{
    if (!patch_leaves_keys(r, p, err)) {
        free(p->data);
        return -1;
    }
    run_truncate(r, r->n_past);
    p->id = r->next_patch++;
    p->from = r->n_past;
    describe(p, r->program);
    VEC_ROOM(r->patch, r->n_patches, r->cap_patches);
    r->patch[r->n_patches++] = *p;
    return p->id;
}

static size_t region_floats(const struct region *g)
{
    return (size_t) g->count[0] * (size_t) g->count[1] * (size_t) g->count[2];
}

/* What `other` holds in the region, up to the positions it has. */
static bool read_region(struct patch *p, const struct run *other, struct err *err)
{
    int shape[3], n = run_shape(other, p->value, shape);
    for (int i = 0; i < n; i++)
        if (p->region.count[i] < 0 || p->region.count[i] > shape[i] - p->region.first[i])
            p->region.count[i] = shape[i] - p->region.first[i];
    for (int i = 0; i < n; i++)
        if (p->region.count[i] <= 0)
            return err_set(err, "%s is not computed there yet; run first",
                           other->program->value[p->value].name);
    p->n_data = region_floats(&p->region);
    p->data = xcalloc(p->n_data, sizeof *p->data);
    if (!run_read(other, p->value, &p->region, p->data, err)) {
        free(p->data);
        return false;
    }
    p->data_pos = (size_t) p->region.count[program_is_stage(other->program, p->value) ? 1 : 0];
    return true;
}

/* Leaves one row, the mean over the positions, which then serves every position. */
static bool take_mean(struct patch *p, const struct run *r, struct err *err)
{
    int positions = p->region.count[0];
    if (program_is_stage(r->program, p->value))
        return err_set(err, "the mean of %s over positions means nothing; zero it instead",
                       r->program->value[p->value].name);
    if (!read_region(p, r, err))
        return false;
    size_t rows = (size_t) p->region.count[0], n = p->n_data / rows;
    for (size_t j = 0; j < n; j++) {
        double sum = 0;
        for (size_t i = 0; i < rows; i++)
            sum += p->data[i * n + j];
        p->data[j] = (float) (sum / (double) rows);
    }
    p->data_pos = 1;
    p->n_data = n;
    p->region.count[0] = positions;
    return true;
}

static bool take_data(struct patch *p, const struct run *r, const float *data, struct err *err)
{
    for (int i = 0; i < 3; i++)
        if (p->region.count[i] < 0 && data)
            return err_set(err, "numbers for %s need a region with an end",
                           r->program->value[p->value].name);
    if (data) {
        p->n_data = region_floats(&p->region);
        p->data = xcalloc(p->n_data, sizeof *p->data);
        memcpy(p->data, data, p->n_data * sizeof *p->data);
        p->data_pos = (size_t) p->region.count[program_is_stage(r->program, p->value) ? 1 : 0];
    }
    return true;
}

static const struct region everything = {{0, 0, 0}, {-1, -1, -1}};

int run_patch(struct run *r, enum patch_kind kind, int value, const struct region *region,
              float factor, const float *data, struct err *err)
{
    struct patch p = {.value = program_resolve(r->program, value)};
    p.region = region ? *region : everything;
    p.factor = factor;
    p.kind = kind;
    if (!patch_check(r, &p, err))
        return -1;
    if ((kind == PATCH_SET || kind == PATCH_ADD) && !take_data(&p, r, data, err))
        return -1;
    if (kind == PATCH_MEAN && !take_mean(&p, r, err))
        return -1;
    return patch_add(r, &p, err);
}

int run_patch_row(struct run *r, int value, const struct region *region, float factor,
                  const float *row, struct err *err)
{
    struct patch p = {.value = program_resolve(r->program, value), .kind = PATCH_ADD};
    p.region = region ? *region : everything;
    p.factor = factor;
    if (!patch_check(r, &p, err))
        return -1;
    if (program_is_stage(r->program, p.value)) {
        err_set(err, "%s has a row a head and query, not a position",
                r->program->value[p.value].name);
        return -1;
    }
    p.n_data = (size_t) p.region.count[1] * (size_t) p.region.count[2];
    p.data = xcalloc(p.n_data, sizeof *p.data);
    memcpy(p.data, row, p.n_data * sizeof *p.data);
    p.data_pos = 1;
    return patch_add(r, &p, err);
}

int run_patch_from(struct run *r, const struct run *other, int value,
                   const struct region *region, struct err *err)
{
    struct patch p = {.value = program_resolve(r->program, value), .kind = PATCH_SET};
    p.region = region ? *region : everything;
    if (!patch_check(r, &p, err) || !read_region(&p, other, err))
        return -1;
    return patch_add(r, &p, err);
}

bool run_patches_of(struct run *r, const struct run *other, struct err *err)
{
    for (int i = 0; i < other->n_patches; i++) {
        struct patch p = other->patch[i];
        if (!patch_check(r, &p, err))
            return false;
    }
    run_unpatch(r, -1);
    run_truncate(r, 0);
    for (int i = 0; i < other->n_patches; i++) {
        const struct patch *from = &other->patch[i];
        VEC_ROOM(r->patch, r->n_patches, r->cap_patches);
        struct patch *p = &r->patch[r->n_patches++];
        *p = *from;
        if (!p->data)
            continue;
        p->data = xcalloc(p->n_data, sizeof *p->data);
        memcpy(p->data, from->data, p->n_data * sizeof *p->data);
    }
    r->next_patch = other->next_patch;
    replace_refresh(r);
    return true;
}

void run_unpatch(struct run *r, int id)
{
    int kept = 0, from = r->n_past;
    for (int i = 0; i < r->n_patches; i++) {
        if (id >= 0 && r->patch[i].id != id) {
            r->patch[kept++] = r->patch[i];
            continue;
        }
        if (r->patch[i].from < from)
            from = r->patch[i].from;
        free(r->patch[i].data);
    }
    r->n_patches = kept;
    run_truncate(r, from);
    replace_refresh(r);
}

int run_n_patches(const struct run *r)
{
    return r->n_patches;
}

const char *run_patch_text(const struct run *r, int i, int *id)
{
    if (id)
        *id = r->patch[i].id;
    return r->patch[i].text;
}

bool run_patch_cell(const struct run *r, int i, int value, const int cell[3], float *x)
{
    const struct patch *p = &r->patch[i];
    bool stage = program_is_stage(r->program, value);
    int pos_axis = stage ? 1 : 0;
    if (p->kind == PATCH_REPLACE || p->value != program_resolve(r->program, value) ||
        cell[pos_axis] < p->from || (stage && cell[2] > cell[1]))
        return false;
    for (int axis = 0; axis < 3; axis++) {
        int lo, hi;
        overlap(p, axis, cell[axis], 1, &lo, &hi);
        if (lo >= hi)
            return false;
    }
    patch_cell(p, cell, pos_axis, x);
    return true;
}
