/*
 * `gptscope check` over hostile model files: data/malformed/manifest.tsv says of each whether
 * it is to be refused, accepted, or either. A refusal is status 1 and one line on stderr.
 * Whatever the file holds: no signal, no raw control byte in any output, within two seconds
 * and one GB of address space.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED
#endif

#ifdef SANITIZED
#define SECONDS 20
#define MEMORY  RLIM_INFINITY /* the sanitizer's shadow takes terabytes of address space */
#else
#define SECONDS 2
#define MEMORY  ((rlim_t) 1 << 30)
#endif

struct outcome {
    int status; /* as waitpid has it */
    struct str out, err;
};

static void read_back(FILE *f, struct str *s)
{
    char block[4096];
    size_t n;

    rewind(f);
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        str_add(s, block, n);
    fclose(f);
}

static void run_child(const char *program, const char *path, int out, int err)
{
    struct rlimit memory = {MEMORY, MEMORY}, core = {0, 0};

    setrlimit(RLIMIT_AS, &memory);
    setrlimit(RLIMIT_CORE, &core);
    alarm(SECONDS);
    dup2(open("/dev/null", O_RDONLY), 0);
    dup2(out, 1);
    dup2(err, 2);
    execl(program, program, "check", "-m", path, (char *) NULL);
    _exit(127);
}

static void run_check(const char *path, struct outcome *o)
{
    const char *program = getenv("GPTSCOPE");
    FILE *out = tmpfile(), *err = tmpfile();
    pid_t pid;

    *o = (struct outcome){0, STR_INIT, STR_INIT};
    assert_true(out && err);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        run_child(program, path, fileno(out), fileno(err));
    assert_int_equal(waitpid(pid, &o->status, 0), pid);
    read_back(out, &o->out);
    read_back(err, &o->err);
}

/* C0 but tab and newline, DEL, and C1 in UTF-8. */
static bool has_control(const struct str *s)
{
    size_t i;

    for (i = 0; i < s->len; i++) {
        unsigned char c = (unsigned char) s->text[i];
        unsigned char next = i + 1 < s->len ? (unsigned char) s->text[i + 1] : 0;
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            return true;
        if (c == 0xc2 && next >= 0x80 && next < 0xa0)
            return true;
    }
    return false;
}

static bool one_line(const struct str *s)
{
    const char *end = strchr(s->text, '\n');

    return s->len > 1 && end && end == s->text + s->len - 1;
}

/* NULL when the outcome is as it shall be. */
static const char *flaw(const struct outcome *o, const char *expect)
{
    int code = WIFEXITED(o->status) ? WEXITSTATUS(o->status) : -1;

    if (WIFSIGNALED(o->status))
        return WTERMSIG(o->status) == SIGALRM ? "too slow" : "ended by a signal";
    if (code > 1)
        return "a status other than 0 and 1";
    if (has_control(&o->out) || has_control(&o->err))
        return "a raw control byte in the output";
    if (strstr(o->err.text, "runtime error:") || strstr(o->err.text, "Sanitizer"))
        return "a report of the sanitizer";
    if (code == 0)
        return strcmp(expect, "reject") == 0 ? "accepted" : NULL;
    if (strcmp(expect, "accept") == 0)
        return "refused";
    return one_line(&o->err) ? NULL : "not one line on stderr";
}

static int judge(const char *id, const char *path, const char *expect)
{
    struct outcome o;
    const char *what;

    run_check(path, &o);
    what = flaw(&o, expect);
    if (what)
        print_message("%s [%s]: %s (status %d): %s\n", id, expect, what, o.status, o.err.text);
    str_release(&o.out);
    str_release(&o.err);
    return what != NULL;
}

/* The program is there and accepts a sound model. One that only says its name, as it does
 * until its front ends are linked in, has nothing to test. */
static void need_program(void)
{
    const char *program = getenv("GPTSCOPE");
    struct outcome o;
    bool bare;

    if (!program || access(program, X_OK) != 0) {
        print_message("skipped: GPTSCOPE does not name the program\n");
        skip();
    }
    run_check("tiny-gpt2", &o);
    bare = strcmp(o.out.text, "gptscope\n") == 0;
    if (!bare && o.status != 0)
        fail_msg("check -m tiny-gpt2: %s", o.err.text);
    str_release(&o.out);
    str_release(&o.err);
    if (bare) {
        print_message("skipped: the program has no verbs yet\n");
        skip();
    }
}

/* --- the corpus --- */

static const char *tests_dir(void)
{
    return getenv("TESTS_DIR") ? getenv("TESTS_DIR") : "tests";
}

static void check_corpus(const char *kind)
{
    char *dir, *manifest, *line = NULL, *rest;
    size_t cap = 0;
    int n = 0, bad = 0;
    FILE *f;

    need_program();
    dir = xasprintf("%s/data/malformed", tests_dir());
    manifest = file_join(dir, "manifest.tsv");
    f = fopen(manifest, "r");
    assert_non_null(f);
    while (getline(&line, &cap, f) > 0) {
        char *field[5], *path;
        int i;
        for (rest = line, i = 0; i < 5; i++)
            field[i] = strsep(&rest, "\t");
        if (!field[4] || strcmp(field[1], kind) != 0)
            continue;
        path = file_join(dir, field[4]);
        bad += judge(field[0], path, field[3]);
        n++;
        free(path);
    }
    print_message("%d files, %d of them judged wrongly\n", n, bad);
    assert_true(n > 50);
    assert_int_equal(bad, 0);
    fclose(f);
    free(line);
    free(manifest);
    free(dir);
}

static void test_gguf(void **state)
{
    (void) state;
    check_corpus("gguf");
}

static void test_hf(void **state)
{
    (void) state;
    check_corpus("hf");
}

/* --- paths that are no plain files --- */

static void make_socket(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *) &a, sizeof a), 0);
    close(fd);
}

/* A good folder in which `name` is a FIFO that nobody writes to. */
static void make_folder_with_fifo(const char *folder, const char *name)
{
    static const char *const files[] = {"config.json", "model.safetensors", "tokenizer.json"};
    char *good = xasprintf("%s/data/malformed/hf/ok-hf-gpt2", tests_dir()), *from, *to;
    char *whole = realpath(good, NULL);
    size_t i;

    assert_non_null(whole);
    assert_int_equal(mkdir(folder, 0700), 0);
    for (i = 0; i < 3; i++) {
        from = file_join(whole, files[i]);
        to = file_join(folder, files[i]);
        if (strcmp(files[i], name) == 0)
            assert_int_equal(mkfifo(to, 0600), 0);
        else
            assert_int_equal(symlink(from, to), 0);
        free(from);
        free(to);
    }
    free(good);
    free(whole);
}

static void make_unreadable(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0);

    assert_true(fd >= 0);
    close(fd);
}

static void test_paths(void **state)
{
    char dir[] = "/tmp/gptscope-test-XXXXXX", *path[11];
    char *long_name, *command;
    int bad = 0, i;

    (void) state;
    need_program();
    long_name = xmalloc(4001);
    assert_non_null(mkdtemp(dir));
    memset(long_name, 'n', 4000);
    long_name[4000] = 0;
    path[0] = file_join(dir, "nothing");
    path[1] = file_join(dir, "empty");
    path[2] = file_join(dir, "fifo.gguf");
    path[3] = file_join(dir, "loop.gguf");
    path[4] = file_join(dir, "x\033[2J\n.gguf");
    path[5] = file_join(dir, "socket.gguf");
    path[6] = file_join(dir, "config-fifo");
    path[7] = file_join(dir, "weights-fifo");
    path[8] = file_join(dir, "tokenizer-fifo");
    path[9] = file_join(dir, "closed.gguf");
    path[10] = file_join(dir, long_name);
    assert_int_equal(mkdir(path[1], 0700), 0);
    assert_int_equal(mkfifo(path[2], 0600), 0);
    assert_int_equal(symlink("loop.gguf", path[3]), 0);
    make_socket(path[5]);
    make_folder_with_fifo(path[6], "config.json");
    make_folder_with_fifo(path[7], "model.safetensors");
    make_folder_with_fifo(path[8], "tokenizer.json");
    make_unreadable(path[9]);
    for (i = 0; i < 11; i++)
        bad += judge(path[i], path[i], "reject");
    bad += judge("/dev/null", "/dev/null", "reject");
    bad += judge("nothing at all", "", "reject");
    assert_int_equal(bad, 0);
    command = xasprintf("rm -rf %s", dir);
    assert_int_equal(system(command), 0);
    for (i = 0; i < 11; i++)
        free(path[i]);
    free(long_name);
    free(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gguf),
        cmocka_unit_test(test_hf),
        cmocka_unit_test(test_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
