/*
 * safetensors: a header that says where each tensor lies, then the tensors, one after another.
 *
 *     u64 length of the header, little-endian | JSON, padded with blanks to 8 bytes | tensors
 *     {"__metadata__": {"format": "gptscope", ...},
 *      "tokens": {"dtype": "I32", "shape": [10], "data_offsets": [0, 40]}, ...}
 *
 * All sizes are known beforehand, so it can be written into a pipe. Metadata are strings only:
 * the tokens' texts and the axes' names are JSON in a string.
 */
#include "command/dump_array.h"

#include "base/json.h"

#include <string.h>

enum { LENGTH_BYTES = 8 };

static void add_pair(struct str *out, const char *key, const char *text, size_t n)
{
    json_add_string(out, key, strlen(key));
    str_adds(out, ": ");
    json_add_string(out, text, n);
}

static void add_texts(const struct dump_job *job, struct str *out)
{
    struct str list = STR_INIT;

    str_addc(&list, '[');
    for (int i = 0; i < job->token_str->shape[0]; i++) {
        str_adds(&list, i ? ", " : "");
        json_add_string(&list, job->text[i], strlen(job->text[i]));
    }
    str_addc(&list, ']');
    str_adds(out, ", ");
    add_pair(out, "token_str", list.text, list.len);
    str_release(&list);
}

static void add_axes(const struct dump_job *job, struct str *out)
{
    struct str map = STR_INIT;

    for (int i = 0; i < job->n; i++) {
        const struct dump_array *a = &job->array[i];
        if (a->type == DUMP_TEXT)
            continue;
        str_adds(&map, map.len ? ", " : "{");
        json_add_string(&map, a->name, strlen(a->name));
        for (int x = 0; x < a->n_axis; x++)
            str_addf(&map, "%s\"%s\"", x ? ", " : ": [", axis_name(a->axis[x]));
        str_addc(&map, ']');
    }
    str_addc(&map, '}');
    str_adds(out, ", ");
    add_pair(out, "axes", map.text, map.len);
    str_release(&map);
}

static void add_metadata(const struct dump_job *job, struct str *out)
{
    const struct session *s = job->session;

    str_adds(out, "{\"__metadata__\": {");
    add_pair(out, "format", "gptscope", strlen("gptscope"));
    str_adds(out, ", ");
    add_pair(out, "version", PACKAGE_VERSION, strlen(PACKAGE_VERSION));
    if (s) {
        const char *model = model_path(s->model);
        str_adds(out, ", ");
        add_pair(out, "model", model, strlen(model));
        str_adds(out, ", ");
        add_pair(out, "prompt", s->prompt.text, s->prompt.len);
    }
    if (job->token_str)
        add_texts(job, out);
    add_axes(job, out);
    str_addc(out, '}');
}

static void add_tensors(const struct dump_job *job, struct str *out)
{
    unsigned long long at = 0;

    for (int i = 0; i < job->n; i++) {
        const struct dump_array *a = &job->array[i];
        if (a->type == DUMP_TEXT)
            continue;
        str_adds(out, ", ");
        json_add_string(out, a->name, strlen(a->name));
        str_addf(out, ": {\"dtype\": \"%s\", \"shape\": [",
                 a->type == DUMP_I32 ? "I32" : "F32");
        for (int x = 0; x < a->n_axis; x++)
            str_addf(out, "%s%d", x ? ", " : "", a->shape[x]);
        str_addf(out, "], \"data_offsets\": [%llu, ", at);
        at += dump_array_bytes(a);
        str_addf(out, "%llu]}", at);
    }
    str_addc(out, '}');
}

static void write_header(const struct dump_job *job, struct outfile *f)
{
    struct str header = STR_INIT;
    uint8_t length[LENGTH_BYTES];

    add_metadata(job, &header);
    add_tensors(job, &header);
    while (header.len % LENGTH_BYTES)
        str_addc(&header, ' ');
    for (int i = 0; i < LENGTH_BYTES; i++)
        length[i] = (uint8_t) ((uint64_t) header.len >> (8 * i));
    outfile_write(f, length, sizeof length);
    outfile_write(f, header.text, header.len);
    str_release(&header);
}

/* Elements of four bytes as the format has them, the least significant byte first. */
static void write_elements(const void *data, size_t bytes, struct outfile *f)
{
    const uint16_t one = 1;
    const uint8_t *p = data;

    if (*(const uint8_t *) &one) {
        outfile_write(f, data, bytes);
        return;
    }
    for (size_t i = 0; i + 4 <= bytes; i += 4) {
        const uint8_t turned[4] = {p[i + 3], p[i + 2], p[i + 1], p[i]};
        outfile_write(f, turned, 4);
    }
}

static bool write_tensor(struct dump_array *a, struct outfile *f, struct err *err)
{
    const void *data;
    size_t bytes = 0;
    bool ok;

    if (!dump_array_open(a, err))
        return false;
    while ((ok = dump_array_next(a, &data, &bytes, err)) && bytes)
        write_elements(data, bytes, f);
    dump_array_close(a);
    return ok;
}

bool dump_safetensors(const struct dump_job *job, struct outfile *f, struct err *err)
{
    bool ok = true;

    write_header(job, f);
    for (int i = 0; ok && i < job->n; i++)
        if (job->array[i].type != DUMP_TEXT)
            ok = write_tensor(&job->array[i], f, err);
    return ok;
}
