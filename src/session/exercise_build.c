#include "session/exercise_build.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/safe.h"
#include "session/child.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOURCE_MOST = 1 << 20, COMPILE_SECONDS = 60, MOST_WORDS = 48 };

/* --- the compiler --- */

/* The file that a command's name means, as a shell finds it; NULL when there is none. Yours. */
static char *on_path(const char *name, size_t n)
{
    const char *path = getenv("PATH");

    if (memchr(name, '/', n))
        return xstrndup(name, n);
    for (; path && *path; path += strcspn(path, ":"), path += *path == ':') {
        char *full = xasprintf("%.*s/%.*s", (int) strcspn(path, ":"), path, (int) n, name);
        if (access(full, X_OK) == 0 && !file_is_dir(full))
            return full;
        free(full);
    }
    return NULL;
}

/* A compiler and its arguments. */
struct compiler {
    char *word[MOST_WORDS];
    int n;
};

/* $CC may have arguments. */
static bool find_compiler(struct compiler *c, struct err *err)
{
    static const char *const usual[] = {"cc", "gcc", "clang"};
    const char *cc = getenv("CC");

    for (; cc && c->n < 8; cc += strcspn(cc, " ")) {
        cc += strspn(cc, " ");
        if (!*cc)
            break;
        char *word = c->n == 0 ? on_path(cc, strcspn(cc, " ")) : xstrndup(cc, strcspn(cc, " "));
        if (!word)
            break;
        c->word[c->n++] = word;
    }
    for (size_t i = 0; c->n == 0 && i < sizeof usual / sizeof *usual; i++)
        if ((c->word[0] = on_path(usual[i], strlen(usual[i]))))
            c->n = 1;
    return c->n > 0 ||
           err_set(err, "exercises need a C compiler, and there is no cc, gcc or clang on the "
                        "PATH; install one, or name it in CC");
}

/* What is tried in turn: a compiler that does not know the one has the next. */
static const struct {
    bool sanitized;
    const char *learner, *harness, *link;
} levels[] = {
    {true,
     "-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-sanitize=object-size "
     "-ftrivial-auto-var-init=pattern",
     "-fsanitize=address", "-fsanitize=address,undefined"},
    {true,
     "-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-sanitize=object-size",
     "-fsanitize=address", "-fsanitize=address,undefined"},
    {false, "", "", ""},
};
enum { N_LEVELS = sizeof levels / sizeof *levels };

#define LEARNER                                                                                \
    "-c -std=gnu11 -O1 -g -Wall -Wextra -Wno-unused-parameter -Wno-unused-but-set-parameter "  \
    "-fno-omit-frame-pointer -fdiagnostics-color=never -ffp-contract=off -iquote. "            \
    "-o learner.o learner.c"
#define HARNESS "-c -std=gnu11 -Og -w -iquote. -o harness.o harness.c"
#define LINK    "learner.o harness.o -o exercise -lm"

static void add_words(char **word, int *n, const char *text)
{
    for (; *text; text += strcspn(text, " ")) {
        text += strspn(text, " ");
        if (*text && *n < MOST_WORDS - 1)
            word[(*n)++] = xstrndup(text, strcspn(text, " "));
    }
}

/* The compiler does not have what this level asks for. */
static bool unknown_flags(const char *log)
{
    static const char *const signs[] = {
        "unrecognized", "unknown argument", "unsupported option",
        "lasan",        "lubsan",           "libclang_rt"};

    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strstr(log, signs[i]))
            return true;
    return false;
}

/* --- the folder --- */

static bool put(const char *dir, const char *name, const char *text, size_t n, struct err *err)
{
    char *path = file_join(dir, name);
    struct outfile *f = outfile_open(path, err);
    bool ok = f != NULL;

    if (ok) {
        outfile_write(f, text, n);
        ok = outfile_commit(f, err);
    }
    free(path);
    return ok;
}

static bool make_folder(struct exercise_build *b, struct err *err)
{
    const char *tmp = getenv("TMPDIR");

    b->dir = xasprintf("%s/gptscope-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (mkdtemp(b->dir))
        return true;
    path_error(err, "cannot make a folder in", tmp && *tmp ? tmp : "/tmp", errno);
    free(b->dir);
    b->dir = NULL;
    return false;
}

/* The learner's text with its own name for messages. */
static bool put_source(struct exercise_build *b, const char *path, struct err *err)
{
    struct str text = STR_INIT, all = STR_INIT;
    bool ok = file_read(&text, path, SOURCE_MOST, err);

    str_adds(&all, "#define main main_of_the_learner\n#line 1 \"");
    for (const char *p = b->whole; *p; p++)
        str_addf(&all, "%s%c", *p == '"' || *p == '\\' ? "\\" : "", *p);
    str_adds(&all, "\"\n");
    str_add(&all, text.text, text.len);
    ok = ok && put(b->dir, "learner.c", all.text, all.len, err);
    str_release(&text);
    str_release(&all);
    return ok;
}

static bool put_files(struct exercise_build *b, const struct exercise *e, const char *path,
                      struct err *err)
{
    size_t n_header, n_harness;
    const char *header = exercise_header(&n_header), *harness = exercise_harness(&n_harness);

    return put_source(b, path, err) && put(b->dir, "exercise.h", header, n_header, err) &&
           put(b->dir, "harness.c", harness, n_harness, err) &&
           put(b->dir, "calls.h", e->harness, strlen(e->harness), err);
}

/* --- compiling --- */

/* The first line with `sign` in it that begins with `file`. */
static bool first_line(const char *log, const char *file, const char *sign, struct str *out)
{
    for (const char *at = log; (at = strstr(at, sign)); at++) {
        const char *begin = at;
        while (begin > log && begin[-1] != '\n')
            begin--;
        if (strncmp(begin, file, strlen(file)))
            continue;
        str_add(out, begin, strcspn(begin, "\n"));
        return true;
    }
    return false;
}

static void take_log(struct exercise_build *b, const struct str *log)
{
    size_t n_whole = strlen(b->whole);

    str_clear(&b->log);
    str_clear(&b->error);
    for (const char *p = log->text; *p;) {
        size_t n = strcspn(p, "\n");
        if (!strncmp(p, b->whole, n_whole)) {
            str_adds(&b->log, b->source);
            p += n_whole;
            n -= n_whole;
        }
        safe_add(&b->log, p, n, SAFE_SPACE_KEEP);
        str_addc(&b->log, '\n');
        p += n + (p[n] == '\n');
    }
    if (!first_line(b->log.text, "", "undefined reference", &b->error) &&
        !first_line(b->log.text, "", "multiple definition", &b->error) &&
        !first_line(b->log.text, "", "error:", &b->error))
        first_line(b->log.text, b->source, "warning:", &b->error);
}

/* This program's environment, but the compiler speaks English: its words are looked at. Yours:
 * the list, not the words. */
static char **plain_environment(void)
{
    extern char **environ;
    static char plain[] = "LC_ALL=C";
    int n = 0, kept = 0;

    while (environ[n])
        n++;
    char **env = xcalloc((size_t) n + 2, sizeof *env);
    for (int i = 0; i < n; i++)
        if (strncmp(environ[i], "LC_ALL=", 7) && strncmp(environ[i], "LANGUAGE=", 9))
            env[kept++] = environ[i];
    env[kept] = plain;
    return env;
}

/* Starts the compiler with flags of two lists, and one more word or NULL. */
static bool start_compiler(struct child *c, const struct exercise_build *b,
                           const struct compiler *cc, const char *flags, const char *level,
                           const char *more, struct err *err)
{
    char *word[MOST_WORDS + 1] = {NULL};
    char **env = plain_environment();
    struct child_how how = {.dir = b->dir, .env = env, .seconds = COMPILE_SECONDS};
    int n = 0;

    for (; n < cc->n; n++)
        word[n] = cc->word[n];
    add_words(word, &n, flags);
    add_words(word, &n, level);
    if (more)
        word[n++] = xstrdup(more);
    bool ok = child_start(c, word, &how, err);
    free(env);
    for (int i = cc->n; i < n; i++)
        free(word[i]);
    return ok;
}

/* Its end. What it said becomes the log when it is the first that did not work, or has warnings
 * for the learner. */
static bool end_compiler(struct child *c, struct exercise_build *b, const struct compiler *cc,
                         bool warns, bool *worked, struct err *err)
{
    bool ok = child_wait(c, COMPILE_SECONDS, err) || err_add(err, "the compiler");
    bool done = ok && WIFEXITED(c->status) && WEXITSTATUS(c->status) == 0;

    if (ok && WIFEXITED(c->status) && WEXITSTATUS(c->status) == 127)
        ok = err_set(err, "the compiler '%s' cannot be run; name another one in CC",
                     cc->word[0]);
    if (ok && *worked && (warns || !done))
        take_log(b, &c->log);
    *worked = *worked && done;
    child_release(c);
    return ok;
}

/* One level; *worked says whether there is a program. Both files are compiled at once. */
static bool compile(struct exercise_build *b, const struct compiler *cc, const char *folder,
                    int level, bool *worked, struct err *err)
{
    char *include = xasprintf("-I%s", folder);
    struct child learner, harness, link;
    bool ok = start_compiler(&harness, b, cc, HARNESS, levels[level].harness, NULL, err);

    *worked = true;
    if (ok) {
        ok = start_compiler(&learner, b, cc, LEARNER, levels[level].learner, include, err) &&
             end_compiler(&learner, b, cc, true, worked, err);
        if (ok)
            ok = end_compiler(&harness, b, cc, false, worked, err);
        else
            child_release(&harness);
    }
    if (ok && *worked)
        ok = start_compiler(&link, b, cc, LINK, levels[level].link, NULL, err) &&
             end_compiler(&link, b, cc, false, worked, err);
    free(include);
    return ok;
}

static bool compile_any(struct exercise_build *b, const char *folder, struct err *err)
{
    struct compiler cc = {.n = 0};
    bool ok = find_compiler(&cc, err), worked = false;

    for (int level = 0; ok && level < N_LEVELS && !worked; level++) {
        if (level > 0 && !unknown_flags(b->log.text))
            break;
        ok = compile(b, &cc, folder, level, &worked, err);
        b->sanitized = levels[level].sanitized;
    }
    if (ok && worked)
        b->program = file_join(b->dir, "exercise");
    for (int i = 0; i < cc.n; i++)
        free(cc.word[i]);
    return ok;
}

/* Of an absolute path: for files of their own that the learner's file includes. */
static char *folder_of(const char *whole)
{
    const char *slash = strrchr(whole, '/');

    return slash ? xstrndup(whole, (size_t) (slash - whole) + 1) : xstrdup(".");
}

bool exercise_build(struct exercise_build *b, const struct exercise *e, const char *path,
                    struct err *err)
{
    *b = (struct exercise_build){.log = STR_INIT, .error = STR_INIT};
    b->source = path_shown(path);
    b->whole = realpath(path, NULL);
    if (!b->whole)
        b->whole = xstrdup(path);
    char *folder = folder_of(b->whole);
    bool ok = make_folder(b, err) && put_files(b, e, path, err) && compile_any(b, folder, err);
    free(folder);
    if (!ok)
        exercise_build_release(b);
    return ok;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void) st;
    (void) type;
    (void) at;
    remove(path);
    return 0;
}

void exercise_build_release(struct exercise_build *b)
{
    if (b->dir)
        nftw(b->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(b->dir);
    free(b->program);
    free(b->source);
    free(b->whole);
    str_release(&b->log);
    str_release(&b->error);
    *b = (struct exercise_build){.log = STR_INIT, .error = STR_INIT};
}
