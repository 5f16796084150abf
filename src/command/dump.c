#include "command/dump.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/utf8.h"
#include "command/dump_array.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// clang-format off
const struct dump_format dump_formats[] = {
    {"npz", "a zip archive of arrays for numpy.load, not compressed", false, dump_npz},
    {"npy", "one array for numpy.load", true, dump_npy},
    {"json", "nested lists of numbers; null for what is not finite", false, dump_json},
    {0},
};
// clang-format on

/* "npz, npy or json" */
static void list_formats(struct str *out)
{
    for (const struct dump_format *f = dump_formats; f->suffix; f++) {
        const char *before = f == dump_formats ? "" : f[1].suffix ? ", " : " or ";
        str_addf(out, "%s%s", before, f->suffix);
    }
}

static const struct dump_format *find_suffix(const char *suffix)
{
    for (const struct dump_format *f = dump_formats; f->suffix; f++)
        if (strcmp(f->suffix, suffix) == 0)
            return f;
    return NULL;
}

const struct dump_format *dump_format_find(const char *path, const char *suffix,
                                           struct err *err)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *name = suffix ? suffix : path_suffix(path);
    const struct dump_format *f = find_suffix(name);
    if (f)
        return f;
    struct str names = STR_INIT;
    list_formats(&names);
    if (*name)
        err_set(err, "'%s' cannot be written, only %s", name, names.text);
    else if (strcmp(path, "-") == 0)
        err_set(err, "standard output needs a format, %s", names.text);
    else
        err_set(err, "'%s' has no suffix to say the format, %s", base, names.text);
    str_release(&names);
    return NULL;
}

void dump_token_text(const struct tokenizer *t, int id, struct str *out)
{
    const char *bytes = "";
    size_t n = 0;
    tokenizer_bytes(t, id, &bytes, &n);
    utf8_print(bytes, n, out);
}

static struct dump_array *add_array(struct dump_job *job)
{
    VEC_ROOM(job->array, job->n, job->cap);
    struct dump_array *a = &job->array[job->n++];
    memset(a, 0, sizeof *a);
    return a;
}

static void name_array(struct dump_array *a, const struct value *v, int head)
{
    if (head < 0)
        snprintf(a->name, sizeof a->name, "%s", v->name);
    else
        snprintf(a->name, sizeof a->name, "L%d.H%d.%s", v->layer, head, v->name + v->suffix);
}

/* A value of the run, or one head of it. */
static bool add_value(struct dump_job *job, const struct run *run,
                      const struct selected *selected, struct err *err)
{
    const struct value *v = &run_program(run)->value[selected->value];
    int shape[3] = {0, 0, 0};
    if (run_ready(run, selected->value) == 0)
        return err_set(err, "%s is not computed yet: run first", v->name);
    struct dump_array *a = add_array(job);
    name_array(a, v, selected->head);
    a->type = DUMP_F32;
    a->run = run;
    a->value = selected->value;
    a->n_value_axis = run_shape(run, selected->value, shape);
    for (int i = 0; i < a->n_value_axis; i++) {
        bool head = v->axis[i] == AXIS_HEAD || v->axis[i] == AXIS_KV_HEAD;
        a->region.count[i] = shape[i];
        if (head && selected->head >= 0) {
            a->region.first[i] = selected->head;
            a->region.count[i] = 1;
            continue;
        }
        a->axis[a->n_axis] = v->axis[i];
        a->shape[a->n_axis++] = shape[i];
    }
    return true;
}

/* Tokens come as integers. */
static struct dump_array *add_tokens(struct dump_job *job, const struct run *run, int n)
{
    struct dump_array *a = add_array(job);
    snprintf(a->name, sizeof a->name, "tokens");
    a->type = DUMP_I32;
    a->n_axis = 1;
    a->shape[0] = n;
    a->axis[0] = AXIS_POS;
    a->data = run_tokens(run);
    return a;
}

static int code_points(const char *s)
{
    int n = 0;
    for (; *s; s++)
        n += ((unsigned char) *s & 0xc0) != 0x80;
    return n;
}

/* The texts as UTF-32, each padded to the longest: numpy's unicode arrays. */
static uint32_t *wide_texts(char **text, int n, int *width)
{
    *width = 1;
    for (int i = 0; i < n; i++) {
        int w = code_points(text[i]);
        *width = w > *width ? w : *width;
    }
    uint32_t *wide = xcalloc((size_t) n * (size_t) *width, sizeof *wide);
    for (int i = 0; i < n; i++) {
        uint32_t *at = wide + (size_t) i * (size_t) *width;
        size_t left = strlen(text[i]);
        for (const char *s = text[i]; left;) {
            int len = utf8_decode(s, left, at++);
            s += len;
            left -= (size_t) len;
        }
    }
    return wide;
}

static char **token_texts(const struct session *s, int n)
{
    char **text = xcalloc((size_t) n, sizeof *text);
    for (int i = 0; i < n; i++) {
        struct str t = STR_INIT;
        dump_token_text(s->tokenizer, run_tokens(s->run)[i], &t);
        str_adds(&t, "");
        text[i] = str_steal(&t);
    }
    return text;
}

static bool is_tokens(const struct program *p, int value)
{
    return p->value[value].life == LIFE_TOKENS;
}

/* The arrays in the order of the file: tokens, their texts, then the values. */
static bool fill_job(struct dump_job *job, const struct session *s, const struct selection *sel,
                     bool one_value, int n, struct err *err)
{
    const struct program *p = run_program(s->run);
    if (one_value && sel->n != 1)
        return err_set(err, "npy holds one value and %d are selected: use npz", sel->n);
    if (!one_value || is_tokens(p, sel->item[0].value))
        add_tokens(job, s->run, n);
    if (!one_value) {
        struct dump_array *a = add_tokens(job, s->run, n);
        snprintf(a->name, sizeof a->name, "token_str");
        a->type = DUMP_TEXT;
        job->text = token_texts(s, n);
        a->data = wide_texts(job->text, n, &a->width);
    }
    for (int i = 0; i < sel->n; i++)
        if (!is_tokens(p, sel->item[i].value) && !add_value(job, s->run, &sel->item[i], err))
            return false;
    job->tokens = job->array[0].type == DUMP_I32 ? &job->array[0] : NULL;
    job->token_str = one_value ? NULL : &job->array[1];
    return true;
}

static void job_release(struct dump_job *job, int n)
{
    for (int i = 0; i < job->n; i++)
        if (job->array[i].type == DUMP_TEXT)
            free((void *) job->array[i].data);
    for (int i = 0; job->text && i < n; i++)
        free(job->text[i]);
    free(job->text);
    free(job->array);
}

/* A pipe or a device: what is written stays written. */
static bool is_stream(const char *path)
{
    struct stat st;
    return strcmp(path, "-") == 0 || (stat(path, &st) == 0 && !S_ISREG(st.st_mode));
}

static bool write_file(const struct dump_format *format, const struct dump_job *job,
                       const char *path, struct err *err)
{
    struct outfile *f = outfile_open(path, err);
    if (!f)
        return false;
    if (!format->write(job, f, err)) {
        bool disk = !outfile_check(f, err);
        outfile_abort(f);
        return disk ? false : err_add(err, "%s", path);
    }
    return outfile_commit(f, err);
}

bool dump_values(const struct session *s, const struct selection *sel, const char *path,
                 const char *suffix, struct err *err)
{
    const struct dump_format *format = dump_format_find(path, suffix, err);
    if (!format)
        return false;
    int n = run_n_past(s->run) + run_n_new(s->run);
    if (n == 0)
        return err_set(err, "nothing to dump: there are no computed tokens");
    struct dump_job job = {.stream = is_stream(path)};
    bool ok = fill_job(&job, s, sel, format->one_value, n, err) && dump_job_begin(&job, err) &&
              write_file(format, &job, path, err);
    dump_job_end(&job);
    job_release(&job, n);
    return ok;
}
