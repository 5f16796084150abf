/*
 *     {"tokens": [51, 370], "token_str": ["Tom", " gave"],
 *      "values": {"blocks.0.attn.pattern": {"shape": [6, 2, 2], "axes": ["head", "pos", "key"],
 *                                           "data": [[[1, 0], [0.25, 0.75]], ...]}}}
 *
 * JSON has no infinities and no NaN: null stands for them (a masked score is null).
 */
#include "command/dump_array.h"

#include "base/json.h"

#include <math.h>
#include <string.h>

static void add_number(struct str *out, float x)
{
    if (isfinite(x))
        str_addf(out, "%.9g", (double) x);
    else
        str_adds(out, "null");
}

/* Writes element i of the array with the brackets that open before and close after it. */
static void add_element(const struct dump_array *a, size_t i, const void *data, size_t k,
                        struct str *out)
{
    size_t inner = 1;
    str_adds(out, i ? "," : "");
    for (int x = a->n_axis - 1; x >= 0; x--) {
        inner *= (size_t) a->shape[x];
        str_adds(out, i % inner == 0 ? "[" : "");
    }
    if (a->type == DUMP_F32)
        add_number(out, ((const float *) data)[k]);
    else
        str_addf(out, "%d", ((const int32_t *) data)[k]);
    inner = 1;
    for (int x = a->n_axis - 1; x >= 0; x--) {
        inner *= (size_t) a->shape[x];
        str_adds(out, (i + 1) % inner == 0 ? "]" : "");
    }
}

static bool write_data(struct dump_array *a, struct outfile *f, struct err *err)
{
    struct str text = STR_INIT;
    const void *data;
    size_t bytes = 0, at = 0;
    bool ok;
    if (!dump_array_open(a, err))
        return false;
    while ((ok = dump_array_next(a, &data, &bytes, err)) && bytes) {
        for (size_t k = 0; k < bytes / 4; k++) {
            add_element(a, at++, data, k, &text);
            if (text.len > 1 << 16 || k + 1 == bytes / 4) {
                outfile_write(f, text.text, text.len);
                str_clear(&text);
            }
        }
    }
    str_release(&text);
    dump_array_close(a);
    return ok;
}

static bool write_value(struct dump_array *a, bool first, struct outfile *f, struct err *err)
{
    struct str head = STR_INIT;
    str_adds(&head, first ? "\n" : ",\n");
    json_add_string(&head, a->name, strlen(a->name));
    str_adds(&head, ": {\"shape\": [");
    for (int i = 0; i < a->n_axis; i++)
        str_addf(&head, "%s%d", i ? ", " : "", a->shape[i]);
    str_adds(&head, "], \"axes\": [");
    for (int i = 0; i < a->n_axis; i++)
        str_addf(&head, "%s\"%s\"", i ? ", " : "", axis_name(a->axis[i]));
    str_adds(&head, "], \"data\": ");
    outfile_write(f, head.text, head.len);
    str_release(&head);
    bool ok = write_data(a, f, err);
    outfile_printf(f, "}");
    return ok;
}

static void write_texts(const struct dump_job *job, struct outfile *f)
{
    struct str text = STR_INIT;
    for (int i = 0; i < job->token_str->shape[0]; i++) {
        str_adds(&text, i ? ", " : "");
        json_add_string(&text, job->text[i], strlen(job->text[i]));
    }
    outfile_write(f, text.text, text.len);
    str_release(&text);
}

bool dump_json(const struct dump_job *job, struct outfile *f, struct err *err)
{
    outfile_printf(f, "{\"tokens\": ");
    bool ok = true, first = true;
    for (int i = 0; ok && i < job->n; i++)
        if (&job->array[i] == job->tokens)
            ok = write_data(&job->array[i], f, err);
    outfile_printf(f, ", \"token_str\": [");
    write_texts(job, f);
    outfile_printf(f, "],\n\"values\": {");
    for (int i = 0; ok && i < job->n; i++) {
        struct dump_array *a = &job->array[i];
        if (a == job->tokens || a == job->token_str)
            continue;
        ok = write_value(a, first, f, err);
        first = false;
    }
    outfile_printf(f, "\n}}\n");
    return ok;
}
