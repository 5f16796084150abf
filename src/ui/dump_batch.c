/*
 * gptscope dump --prompts: a file for each prompt of a list. What is there and complete is
 * passed over, so that a batch can be stopped and started again, and split over processes.
 *
 * A prompt's numbers must not depend on which prompts came before it. So of the tokens that two
 * prompts have in common only whole passes are kept (--chunk tokens each): the passes of a
 * prompt are then the same as in a process of its own, and so is every bit of its file.
 */
#include "ui/tool_dump.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/strmap.h"
#include "model/fingerprint.h"
#include "ui/prompts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct batch {
    const struct tool_args *a;
    FILE *out;
    char *pattern; /* of the files' names */
    int shard, shards;
    struct prompts *prompts;
    struct compute *compute;
    struct session *s;
    struct selection sel;
    uint64_t model;
    struct strmap *ids; /* to the line they were first on; their texts: */
    char **id;
    int n_ids, cap_ids;
    struct progress progress;
    long total; /* prompts of this shard; 0: not known */
    const char *path;
    long written, skipped, failed;
    bool stopped; /* by what would stop every other prompt, too */
};

/* --- names of files --- */

/* "out/{n}.npz"; of a folder its name and the format make one. NULL with a usage error. */
static char *pattern_of(const struct tool_args *a, struct err *err)
{
    size_t n = strlen(a->output);
    bool folder = file_is_dir(a->output) || (n > 0 && a->output[n - 1] == '/');

    if (strcmp(a->output, "-") == 0) {
        err_set(err, "--prompts writes a file for each prompt; -o 'out/{n}.npz', for one");
        return NULL;
    }
    if (folder && !a->format) {
        err_set(err,
                "'%s' is a folder; say in which format its files are to be, --format npz, "
                "for one",
                a->output);
        return NULL;
    }
    if (folder)
        return xasprintf("%s%s{n}.%s", a->output, a->output[n - 1] == '/' ? "" : "/",
                         a->format);
    if (!strstr(a->output, "{n}") && !strstr(a->output, "{id}")) {
        const char *suffix = path_suffix(a->output);
        err_set(err,
                "every prompt would go to '%s'; put {n} for the prompt's number in its name: "
                "-o '%.*s-{n}%s%s'",
                a->output, (int) (n - strlen(suffix) - (*suffix != '\0')), a->output,
                *suffix ? "." : "", suffix);
        return NULL;
    }
    return xstrdup(a->output);
}

/* An id is somebody else's text: it names a file of the folder, never another folder. */
static bool id_fits(const struct prompt *q, struct err *err)
{
    static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "-_.";

    if (!q->id)
        return err_set(err, "there is no id for {id} in the file's name; {n} would do");
    if (*q->id && *q->id != '.' && q->id[strspn(q->id, fine)] == '\0' && strlen(q->id) <= 200)
        return true;
    return err_set(err,
                   "the id '%.60s' cannot be in a file's name: letters, digits, '-', '_' and "
                   "'.' can, up to 200, and no '.' at the beginning",
                   q->id);
}

/* Two prompts with one id would write one file. */
static bool id_is_new(struct batch *b, const struct prompt *q, struct err *err)
{
    int line = strmap_find(b->ids, q->id, strlen(q->id));

    if (line >= 0)
        return err_set(err, "the id '%s' was on line %d already", q->id, line);
    VEC_ROOM(b->id, b->n_ids, b->cap_ids);
    b->id[b->n_ids] = xstrdup(q->id);
    strmap_add(b->ids, b->id[b->n_ids], strlen(q->id), (int) q->line);
    b->n_ids++;
    return true;
}

static bool name_file(struct batch *b, const struct prompt *q, struct str *path,
                      struct err *err)
{
    if (strstr(b->pattern, "{id}") && (!id_fits(q, err) || !id_is_new(b, q, err)))
        return false;
    for (const char *p = b->pattern; *p;) {
        if (!strncmp(p, "{n}", 3)) {
            str_addf(path, "%06ld", q->line);
            p += 3;
        } else if (!strncmp(p, "{id}", 4)) {
            str_adds(path, q->id);
            p += 4;
        } else {
            str_addc(path, *p++);
        }
    }
    return true;
}

/* Makes the folders that the path goes through. */
static bool make_folders(const char *path, struct err *err)
{
    char *copy = xstrdup(path);
    bool ok = true;

    for (char *slash = strchr(copy + 1, '/'); *copy && slash && ok;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST)
            ok = path_error(err, "cannot make the folder", copy, errno);
        *slash = '/';
    }
    free(copy);
    return ok;
}

/* --- progress --- */

static void show(struct batch *b)
{
    const char *slash = b->path ? strrchr(b->path, '/') : NULL;
    const char *name = slash ? slash + 1 : b->path ? b->path : b->pattern;

    progress_set(&b->progress, name, &progress_prompts,
                 (uint64_t) (b->written + b->skipped + b->failed), (uint64_t) b->total);
}

static void computing(void *user, int done, int total)
{
    (void) done;
    (void) total;
    show(user);
}

static void writing(void *user, uint64_t done, uint64_t total)
{
    (void) done;
    (void) total;
    show(user);
}

/* --- one prompt --- */

/* The prompt's tokens wait to be computed, but for whole passes that are there already. */
static bool take_prompt(struct batch *b, const struct prompt *q, struct err *err)
{
    struct session *s = b->s;
    int chunk = run_chunk(s->run);
    bool ok = q->has_ids ? session_prompt_ids(s, q->ids.id, q->ids.n, err)
                         : session_prompt(s, q->text.text, q->text.len, err);

    if (!ok)
        return false;
    int have = run_n_past(s->run);
    if (have == s->ids.n && have > 0)
        have--; /* the last pass is done in any case: what it holds is read as it is */
    session_forget(s, have / chunk * chunk);
    return s->ids.n > 0 || err_set(err, "the prompt has no tokens");
}

static void report(struct batch *b, const struct prompt *q, const char *status, json_t *file,
                   const struct err *err)
{
    json_t *o = file ? file : json_object();

    if (b->a->json) {
        if (b->path && !file)
            json_object_set_new(o, "file", json_string(b->path));
        json_object_set_new(o, "line", json_integer(q->line));
        if (q->id)
            json_object_set_new(o, "id", json_string(q->id));
        json_object_set_new(o, "status", json_string(status));
        if (err)
            json_object_set_new(o, "error", json_string(err->text));
        dump_put_json(b->out, json_incref(o));
        fflush(b->out);
    }
    json_decref(o);
    if (!err)
        return;
    char *shown = path_shown(b->a->prompts);
    progress_end(&b->progress);
    fprintf(stderr, "gptscope: %s:%ld: %s\n", strcmp(b->a->prompts, "-") == 0 ? "stdin" : shown,
            q->line, err->text);
    free(shown);
}

/* To the file at path; *skipped: it is there. */
static bool dump(struct batch *b, const struct prompt *q, const char *path,
                 struct dump_result *r, bool *skipped, struct err *err)
{
    struct dump_options o = dump_options_of(b->a, path);
    struct str command = STR_INIT;

    o.model = b->model;
    o.progress = writing;
    o.user = b;
    *skipped = o.sidecar && dump_done(b->s, &b->sel, &o);
    if (*skipped) {
        return true;
    }
    dump_command(b->a, b->s, q->has_ids, path, &command);
    o.command = command.text;
    bool ok = dump_check(b->s, &b->sel, &o, err) && dump_compute(b->s, computing, b, err);
    if (ok && !make_folders(path, err))
        ok = !(r->no_writing = true);
    ok = ok && dump_values(b->s, &b->sel, &o, r, err);
    str_release(&command);
    return ok;
}

static void one_prompt(struct batch *b, const struct prompt *q, bool good, struct err *err)
{
    struct dump_result r = {NULL, 0, false};
    struct str path = STR_INIT;
    bool skipped = false;
    bool ok = good && name_file(b, q, &path, err);

    if (b->shards > 1 && (q->number - 1) % b->shards != b->shard - 1) {
        str_release(&path); /* somebody else's, its flaws too */
        return;
    }
    b->path = path.len > 0 ? path.text : NULL;
    show(b);
    ok = ok && take_prompt(b, q, err) && dump(b, q, path.text, &r, &skipped, err);
    if (ok)
        report(b, q, skipped ? "skipped" : "written", r.file, NULL);
    else if (!interrupt_pending())
        report(b, q, "failed", NULL, err);
    b->written += ok && !skipped;
    b->skipped += skipped;
    b->failed += !ok && !interrupt_pending();
    if (skipped)
        progress_skip(&b->progress, 1);
    b->stopped = r.no_writing;
    b->path = NULL;
    str_release(&path);
}

/* --- all of them --- */

static bool all_prompts(struct batch *b, struct err *err)
{
    const struct prompt *q;
    enum prompts_got got = PROMPTS_ONE;
    bool any = false;

    for (; !b->stopped && !interrupt_pending(); any = true) {
        struct err flaw = ERR_INIT;
        got = prompts_next(b->prompts, &q, &flaw);
        if (got == PROMPTS_FAILED && !interrupt_pending()) {
            *err = flaw;
            return false;
        }
        if (got == PROMPTS_END || got == PROMPTS_FAILED)
            break;
        one_prompt(b, q, got == PROMPTS_ONE, &flaw);
    }
    if (interrupt_pending())
        return err_set(err, "interrupted; the same command goes on where it was");
    if (b->stopped)
        return err_set(err,
                       "stopped, as the files to come would fail, too; the same command goes "
                       "on where it was");
    return any || path_add((err_set(err, "there are no prompts in it"), err), b->a->prompts);
}

static void sum_up(const struct batch *b)
{
    if (b->a->json)
        fprintf(b->out, "{\"written\": %ld, \"skipped\": %ld, \"failed\": %ld}\n", b->written,
                b->skipped, b->failed);
    else
        fprintf(b->out, "%ld written, %ld skipped, %ld failed\n", b->written, b->skipped,
                b->failed);
}

/* "2/8" */
static bool take_shard(struct batch *b, const char *text, struct err *err)
{
    char rest;

    b->shard = b->shards = 1;
    if (!text)
        return true;
    if (sscanf(text, "%9d/%9d%c", &b->shard, &b->shards, &rest) == 2 && b->shard >= 1 &&
        b->shard <= b->shards)
        return true;
    return err_set(err, "option '--shard' takes I/N with I from 1 to N, such as 2/8, not '%s'",
                   text);
}

static bool options_fit(struct batch *b, struct err *err)
{
    const struct tool_args *a = b->a;

    if (a->ids || tool_has_text(a))
        return err_set(err, "--prompts gives the prompts; a prompt of its own cannot be given");
    if (!take_shard(b, a->shard, err))
        return false;
    b->pattern = pattern_of(a, err);
    return b->pattern && dump_format_find(b->pattern, a->format, err);
}

static bool open_all(struct batch *b, struct err *err)
{
    const struct tool_args *a = b->a;

    b->prompts = prompts_open(a->prompts, err);
    if (!b->prompts)
        return false;
    long total = prompts_count(b->prompts);
    b->total = total / b->shards + (total % b->shards >= b->shard);
    b->compute = compute_new((int) a->set.threads);
    b->s = session_new(tool_model(a, false), b->compute, &a->set, err);
    if (!b->s || !selection_parse(&b->sel, b->s->program, a->select, err))
        return false;
    b->model = model_fingerprint(b->s->model);
    return true;
}

static void close_all(struct batch *b)
{
    for (int i = 0; i < b->n_ids; i++)
        free(b->id[i]);
    free(b->id);
    strmap_free(b->ids);
    free(b->pattern);
    prompts_close(b->prompts);
    selection_release(&b->sel);
    session_free(b->s);
    compute_free(b->compute);
}

int dump_batch(const struct tool_args *a, FILE *out, struct err *err)
{
    struct batch b = {.a = a, .out = out, .ids = strmap_new(0)};
    int status = 2;

    if (options_fit(&b, err)) {
        status = 1;
        progress_begin(&b.progress, !a->json);
        if (open_all(&b, err)) {
            bool ok = all_prompts(&b, err);
            progress_end(&b.progress);
            sum_up(&b);
            status = ok && b.failed == 0 ? 0 : 1;
        }
    }
    close_all(&b);
    return status;
}
