#include "command/dump.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/utf8.h"
#include "command/dump_array.h"
#include "command/result.h"
#include "command/sidecar.h"
#include "model/fingerprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// clang-format off
const struct dump_format dump_formats[] = {
    {"npz", "a zip archive of arrays for numpy.load, not compressed", false, dump_npz},
    {"npy", "one array for numpy.load", true, dump_npy},
    {"safetensors", "tensors under their names; tokens' texts, model and prompt as metadata", false,
     dump_safetensors},
    {"json", "nested lists of numbers; null for what is not finite", false, dump_json},
    {"csv", "a line for each number: value, layer, head, pos, token, key, key_token, channel, "
     "channel_token, number", false, dump_csv},
    {"tsv", "the same with tabs; \\t \\n \\r \\\\ inside of texts", false, dump_tsv},
    {"png", "a picture of the numbers: maps of heads, heat maps of other values", false, dump_png},
    {"svg", "the same to be enlarged; its text can be searched", false, dump_svg},
    {"html", "a page of attention maps that needs nothing else: point at a cell for its number", false,
     dump_html},
    {0},
};
// clang-format on

/* "npz, npy, safetensors, json, csv, tsv, png, svg or html" */
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

/* A value of the run, or one head of it, as far as it is in the part. */
static bool add_value(struct dump_job *job, const struct run *run,
                      const struct selected *selected, const struct dump_part *part,
                      struct err *err)
{
    const struct value *v = &run_program(run)->value[selected->value];
    int shape[3] = {0, 0, 0};
    if (run_ready(run, selected->value) == 0)
        return err_set(err, "%s is not computed yet: run first", v->name);
    struct dump_array *a = add_array(job);
    dump_name(v, selected->head, a->name, sizeof a->name);
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
    return dump_part_narrow(part, a, v, err);
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

/* A dump while it is made. */
struct dump {
    const struct session *s;
    const struct dump_options *o;
    const struct dump_format *format;
    int n_pos;
    struct dump_part part;
    struct selection sel; /* what is left of it in the part */
    struct dump_job job;
    uint64_t done, total; /* bytes of the values */
    bool no_writing;      /* failed in opening or writing a file */
};

static void given(void *user, size_t bytes)
{
    struct dump *d = user;
    d->done += bytes;
    d->o->progress(d->o->user, d->done, d->total);
}

static void watch(struct dump *d)
{
    for (int i = 0; i < d->job.n; i++) {
        d->total += dump_array_bytes(&d->job.array[i]);
        d->job.array[i].given = d->o->progress ? given : NULL;
        d->job.array[i].user = d;
    }
}

/* The arrays in the order of the file: tokens, their texts, then the values. */
static bool fill_job(struct dump *d, struct err *err)
{
    const struct session *s = d->s;
    const struct program *p = run_program(s->run);
    const struct selection *sel = &d->sel;
    bool one_value = d->format->one_value;
    struct dump_job *job = &d->job;
    if (!one_value || is_tokens(p, sel->item[0].value))
        add_tokens(job, s->run, d->n_pos);
    if (!one_value) {
        struct dump_array *a = add_tokens(job, s->run, d->n_pos);
        snprintf(a->name, sizeof a->name, "token_str");
        a->type = DUMP_TEXT;
        job->text = token_texts(s, d->n_pos);
        a->data = wide_texts(job->text, d->n_pos, &a->width);
    }
    for (int i = 0; i < sel->n; i++)
        if (!is_tokens(p, sel->item[i].value) &&
            !add_value(job, s->run, &sel->item[i], &d->part, err))
            return false;
    job->tokens = job->array[0].type == DUMP_I32 ? &job->array[0] : NULL;
    job->token_str = one_value ? NULL : &job->array[1];
    watch(d);
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

/* The sidecar of the old data is out of the way while the new one takes its place. */
static bool write_file(struct dump *d, struct err *err)
{
    const char *path = d->o->path;
    struct sidecar_move old = {NULL, STR_INIT};
    struct outfile *f = outfile_open(path, err);
    d->no_writing = !f;
    if (!f)
        return false;
    if (!d->format->write(&d->job, f, err)) {
        bool disk = !outfile_check(f, err);
        outfile_abort(f);
        d->no_writing = disk;
        return disk ? false : err_add(err, "%s", path);
    }
    if (!d->job.stream)
        sidecar_begin(&old, path);
    bool ok = outfile_commit(f, err);
    sidecar_end(&old, !ok);
    d->no_writing = !ok;
    return ok;
}

static struct sidecar_request request_of(const struct dump *d, const int32_t *ids)
{
    uint64_t model = d->o->model ? d->o->model : model_fingerprint(d->s->model);
    return (struct sidecar_request){.format = d->format->suffix,
                                    .model = model,
                                    .ids = ids,
                                    .n_ids = d->n_pos,
                                    .program = d->s->program,
                                    .sel = &d->sel,
                                    .part = &d->part};
}

static bool write_sidecar(struct dump *d, struct err *err)
{
    if (!d->o->sidecar || d->job.stream)
        return true;
    struct sidecar_request q = request_of(d, run_tokens(d->s->run));
    bool ok = sidecar_write(d->o->path, &q, d->s, &d->job, d->o->command, err);
    d->no_writing = !ok;
    return ok;
}

static void fill_result(const struct dump *d, struct dump_result *r)
{
    const char *path = d->o->path;
    bool described = d->o->sidecar && !d->job.stream;
    char *side = sidecar_path(path);
    struct stat st;
    uint64_t bytes = d->job.stream || stat(path, &st) != 0 ? d->total : (uint64_t) st.st_size;
    r->values = d->sel.n;
    r->file = json_pack("{s:o, s:s, s:I, s:o, s:o}", "file", result_text(path, strlen(path)),
                        "format", d->format->suffix, "bytes", (json_int_t) bytes, "sidecar",
                        described ? result_text(side, strlen(side)) : json_null(), "values",
                        dump_values_json(&d->job));
    free(side);
}

static bool dump_begin(struct dump *d, const struct session *s, const struct selection *sel,
                       const struct dump_options *o, int n, struct err *err)
{
    *d = (struct dump){.s = s, .o = o, .n_pos = n};
    d->format = dump_format_find(o->path, o->suffix, err);
    d->job.stream = is_stream(o->path);
    d->job.session = s;
    if (!d->format || !dump_part_init(&d->part, &s->program->hp, &o->slice, n, err) ||
        !dump_part_select(&d->part, s->program, sel, &d->sel, err))
        return false;
    if (d->format->one_value && d->sel.n != 1)
        return err_set(err, "%s holds one value and %d are selected: use npz",
                       d->format->suffix, d->sel.n);
    return !o->sidecar || d->job.stream || sidecar_may(o->path, err);
}

static void dump_end(struct dump *d)
{
    dump_job_end(&d->job);
    job_release(&d->job, d->n_pos);
    selection_release(&d->sel);
    dump_part_release(&d->part);
}

bool dump_values(const struct session *s, const struct selection *sel,
                 const struct dump_options *o, struct dump_result *result, struct err *err)
{
    struct dump d;
    int n = run_n_past(s->run) + run_n_new(s->run);
    *result = (struct dump_result){NULL, 0, false};
    if (n == 0)
        return err_set(err, "nothing to dump: there are no computed tokens");
    bool ok = dump_begin(&d, s, sel, o, n, err) && fill_job(&d, err) &&
              dump_job_begin(&d.job, err) && write_file(&d, err) && write_sidecar(&d, err);
    result->no_writing = d.no_writing;
    if (ok)
        fill_result(&d, result);
    dump_end(&d);
    return ok;
}

bool dump_check(const struct session *s, const struct selection *sel,
                const struct dump_options *o, struct err *err)
{
    struct dump d;
    bool ok = dump_begin(&d, s, sel, o, s->ids.n, err);
    dump_end(&d);
    return ok;
}

bool dump_done(const struct session *s, const struct selection *sel,
               const struct dump_options *o)
{
    struct err unheard = ERR_INIT;
    struct dump d;
    bool done = dump_begin(&d, s, sel, o, s->ids.n, &unheard) && !d.job.stream;
    if (done) {
        struct sidecar_request q = request_of(&d, s->ids.id);
        done = sidecar_matches(o->path, &q);
    }
    dump_end(&d);
    return done;
}
