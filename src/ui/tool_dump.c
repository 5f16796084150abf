/* gptscope dump: values of one prompt to a file. */
#include "ui/tool_dump.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLICE 0.1 /* seconds of computing between two looks at the progress */

struct dump_options dump_options_of(const struct tool_args *a, const char *path)
{
    return (struct dump_options){
        .path = path,
        .suffix = a->format,
        .slice = {a->layers, a->heads, a->positions},
        .sidecar = !a->no_sidecar,
    };
}

/* --- the command that makes a file --- */

/* A word as the shell reads it back. */
static void add_word(struct str *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+.,/:=@%";

    if (*word && word[strspn(word, plain)] == '\0') {
        str_adds(out, word);
        return;
    }
    str_addc(out, '\'');
    for (; *word; word++) {
        if (*word == '\'')
            str_adds(out, "'\\''");
        else
            str_addc(out, *word);
    }
    str_addc(out, '\'');
}

static void add_option(struct str *out, const char *name, const char *value)
{
    if (!value)
        return;
    str_addf(out, " %s ", name);
    add_word(out, value);
}

static void add_settings(struct str *out, const struct tool_args *a)
{
    for (const struct setting *row = setting_table; row->name; row++) {
        if (!(a->given >> (row - setting_table) & 1))
            continue;
        str_addf(out, " --%s=", row->name);
        settings_print(&a->set, row, out);
    }
}

/* As text where a shell can give it back byte for byte, else as ids. */
static void add_prompt(struct str *out, const struct session *s, bool as_ids)
{
    const struct str *text = &s->prompt;
    bool sayable = text->len > 0 && !memchr(text->text, '\0', text->len) &&
                   utf8_valid(text->text, text->len) && strcmp(text->text, "-") != 0;
    struct str ids = STR_INIT;

    if (sayable && !as_ids) {
        add_option(out, "-p", text->text);
        return;
    }
    for (int i = 0; i < s->ids.n; i++)
        str_addf(&ids, i ? ",%d" : "%d", s->ids.id[i]);
    add_option(out, "--ids", ids.text);
    str_release(&ids);
}

void dump_command(const struct tool_args *a, const struct session *s, bool as_ids,
                  const char *path, struct str *out)
{
    str_adds(out, "gptscope dump");
    add_option(out, "-m", tool_model(a, false));
    add_settings(out, a);
    add_prompt(out, s, as_ids);
    add_option(out, "--select", a->select);
    add_option(out, "--layers", a->layers);
    add_option(out, "--heads", a->heads);
    add_option(out, "--positions", a->positions);
    add_option(out, "-o", path);
    add_option(out, "--format", a->format);
}

/* --- computing and writing --- */

bool dump_compute(struct session *s, dump_watch *watch, void *user, struct err *err)
{
    bool more = true;

    while (more) {
        if (!session_run(s, SLICE, &more, err))
            return false;
        int part =
            run_in_pass(s->run)
                ? (int) ((long long) run_n_new(s->run) * run_pc(s->run) / s->program->n_steps)
                : 0;
        watch(user, run_n_past(s->run) + part, s->ids.n);
    }
    return true;
}

void dump_put_json(FILE *out, json_t *o)
{
    char *text = json_dumps(o, JSON_REAL_PRECISION(9));

    fprintf(out, "%s\n", text);
    free(text);
    json_decref(o);
}

struct watched {
    struct progress progress;
    const char *path;
};

static void computing(void *user, int done, int total)
{
    struct watched *w = user;

    progress_set(&w->progress, "computing", &progress_tokens, (uint64_t) done,
                 (uint64_t) total);
}

static void writing(void *user, uint64_t done, uint64_t total)
{
    struct watched *w = user;
    const char *slash = strrchr(w->path, '/');

    progress_set(&w->progress, slash ? slash + 1 : w->path, &progress_bytes, done, total);
}

static bool dump(struct session *s, const struct tool_args *a, const struct selection *sel,
                 FILE *out, struct err *err)
{
    struct dump_options o = dump_options_of(a, a->output);
    struct watched w = {.path = a->output};
    struct str command = STR_INIT;
    struct dump_result r;

    progress_begin(&w.progress, !a->json);
    dump_command(a, s, a->ids != NULL, a->output, &command);
    o.command = command.text;
    o.progress = writing;
    o.user = &w;
    bool ok = dump_check(s, sel, &o, err) && dump_compute(s, computing, &w, err) &&
              dump_values(s, sel, &o, &r, err);
    progress_end(&w.progress);
    if (ok && a->json)
        dump_put_json(out, r.file);
    else if (ok)
        json_decref(r.file);
    str_release(&command);
    return ok;
}

static int dump_one(struct session *s, const struct tool_args *a, FILE *out, struct err *err)
{
    struct selection sel = {0};
    bool ok = selection_parse(&sel, s->program, a->select, err) && dump(s, a, &sel, out, err);

    selection_release(&sel);
    return ok ? 0 : 1;
}

/* What is wrong whatever the model. */
static bool options_fit(const struct tool_args *a, struct err *err)
{
    struct dump_options o = dump_options_of(a, a->output);

    if (!a->select)
        return err_set(err, "which values? --select 'blocks.*.attn.pattern', for one");
    if (!a->output)
        return err_set(err, a->prompts ? "to which files? -o 'out/{n}.npz', for one"
                                       : "to which file? -o out.npz, for one");
    if (a->shard && !a->prompts)
        return err_set(err, "--shard splits what --prompts gives, and there is none");
    if (strcmp(a->output, "-") == 0 && a->json)
        return err_set(err, "--json would come between the values on standard output; give a "
                            "file with -o");
    return dump_slice_check(&o.slice, err);
}

static bool single_fits(const struct tool_args *a, struct err *err)
{
    if (!dump_format_find(a->output, a->format, err))
        return false;
    return strcmp(a->output, "-") != 0 || !isatty(STDOUT_FILENO) ||
           err_set(err, "standard output is a terminal; send it to a file or a program");
}

int tool_dump(const struct tool_args *a, FILE *out, struct err *err)
{
    struct tool_session t;

    if (!options_fit(a, err))
        return 2;
    tool_catch_interrupt();
    if (a->prompts)
        return dump_batch(a, out, err);
    if (!single_fits(a, err))
        return 2;
    int status = tool_open(&t, a, err);
    if (status == 0)
        status = dump_one(t.session, a, out, err);
    tool_close(&t);
    return status;
}
