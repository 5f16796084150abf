/* Dumps that do not come to their end: killed at any moment, interrupted, on a full disk. What
 * is under the name is the whole old file or the whole new one, and nothing lies beside it. */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "shell.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zip.h>

#include <cmocka.h>

enum { KILLS = 200, LEN = 60, LONG = 250 };

/* --- a dump as a child --- */

/* "7,1,14,..." of n tokens of the built-in model. */
static char *id_list(int n, int step)
{
    struct str s = STR_INIT;
    for (int i = 0; i < n; i++)
        str_addf(&s, i ? ",%d" : "%d", 1 + i * step % 2000);
    str_adds(&s, "");
    return str_steal(&s);
}

static pid_t start_dump(const char *ids, const char *select, const char *path)
{
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open("said", O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(fd, STDERR_FILENO);
        execlp("gptscope", "gptscope", "dump", "-m", "tiny-gpt2", "--ids", ids, "--select",
               select, "-o", path, (char *) NULL);
        _exit(127);
    }
    assert_true(pid > 0);
    return pid;
}

static int wait_for(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static struct str contents(const char *path)
{
    struct str s = STR_INIT;
    struct err err = ERR_INIT;
    if (!file_read(&s, path, (size_t) 1 << 28, &err))
        fail_msg("%s", err.text);
    return s;
}

static bool same(const struct str *a, const struct str *b)
{
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* Every entry against its checksum. */
static void assert_sound(const char *path)
{
    static char buf[1 << 16];
    int error;
    zip_t *zip = zip_open(path, ZIP_RDONLY | ZIP_CHECKCONS, &error);
    assert_non_null(zip);
    assert_true(zip_get_num_entries(zip, 0) > 90);
    for (zip_int64_t i = 0; i < zip_get_num_entries(zip, 0); i++) {
        zip_file_t *f = zip_fopen_index(zip, (zip_uint64_t) i, 0);
        zip_int64_t n;
        while ((n = zip_fread(f, buf, sizeof buf)) > 0)
            ;
        assert_int_equal(n, 0);
        assert_int_equal(zip_fclose(f), 0);
    }
    zip_close(zip);
}

/* --- killed --- */

struct kind {
    const char *path, *select;
    int kills;
};

/* Names that dumps have left beside the file; removed. Each is a whole dump: the program was
 * killed between giving it a name and putting it in place. */
static int take_leftovers(const struct str *a, const struct str *b)
{
    int n = 0;
    DIR *d = opendir(".");
    for (struct dirent *e; (e = readdir(d));) {
        if (strncmp(e->d_name, ".gptscope-", 10) != 0)
            continue;
        struct str left = contents(e->d_name);
        assert_true(same(&left, a) || same(&left, b));
        str_release(&left);
        unlink(e->d_name);
        n++;
    }
    closedir(d);
    return n;
}

static bool has_nameless(void)
{
#ifdef O_TMPFILE
    int fd = open(".", O_TMPFILE | O_RDWR, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0 && access("/proc/self/fd", F_OK) == 0;
#else
    return false;
#endif
}

static void pause_for(double seconds)
{
    struct timespec t = {(time_t) seconds, (long) ((seconds - (double) (long) seconds) * 1e9)};
    nanosleep(&t, NULL);
}

/* The whole dumps of two prompts, and how long one takes. */
static double whole_dump(const struct kind *k, const char *ids, struct str *bytes)
{
    double began = clock_measure();
    assert_int_equal(wait_for(start_dump(ids, k->select, k->path)), 0);
    double seconds = clock_measure() - began;
    *bytes = contents(k->path);
    if (strstr(k->path, ".npz"))
        assert_sound(k->path);
    return seconds;
}

static void kill_dumps(const struct kind *k, struct rng *rng)
{
    char *ids[2] = {id_list(LEN, 7), id_list(LEN, 11)};
    struct str whole[2];
    whole_dump(k, ids[0], &whole[0]); /* the first one also loads the program */
    str_release(&whole[0]);
    whole_dump(k, ids[1], &whole[1]);
    double seconds = whole_dump(k, ids[0], &whole[0]);
    assert_false(same(&whole[0], &whole[1]));
    int now = 0, ended = 0, replaced = 0, left = 0;
    for (int i = 0; i < k->kills; i++) {
        pid_t pid = start_dump(ids[!now], k->select, k->path);
        pause_for(rng_uniform(rng) * seconds * 1.2);
        kill(pid, SIGKILL);
        int status = wait_for(pid);
        struct str is = contents(k->path);
        if (!same(&is, &whole[0]) && !same(&is, &whole[1]))
            fail_msg("%s is damaged after kill %d", k->path, i);
        bool is_new = same(&is, &whole[!now]);
        str_release(&is);
        assert_true(status == 0 || status == 128 + SIGKILL);
        assert_true(is_new || status != 0); /* done means in place */
        ended += status == 0;
        replaced += is_new;
        now = is_new ? !now : now;
        if (!has_nameless())
            take_leftovers(&whole[0], &whole[1]);
        else
            left += take_leftovers(&whole[0], &whole[1]);
    }
    print_message("%s, %.1f MB in %.0f ms: %d killed, %d of them with the new file in place, "
                  "%d came to their end; %d names left over\n",
                  k->path, (double) whole[0].len / 1e6, seconds * 1e3, k->kills - ended,
                  replaced - ended, ended, left);
    assert_true(k->kills - ended >= k->kills / 10);
    assert_true(left <= 2);
    for (int i = 0; i < 2; i++) {
        str_release(&whole[i]);
        free(ids[i]);
    }
}

static void test_kill(void **state)
{
    static const struct kind kinds[] = {
        {"x.npz", "*", KILLS - 60}, {"x.npy", "logits", 30}, {"x.json", "L1.*,logits", 30}};
    struct rng rng;
    (void) state;
    rng_seed(&rng, 42);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        kill_dumps(&kinds[i], &rng);
}

/* --- interrupted --- */

/* Bytes that a process has written so far, by way of the page cache or past it; -1: unknown. */
static long written(pid_t pid)
{
    char path[64], line[128];
    long cached = -1, stored = 0;
    snprintf(path, sizeof path, "/proc/%ld/io", (long) pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "wchar:", 6) == 0)
            cached = strtol(line + 6, NULL, 10);
        else if (strncmp(line, "write_bytes:", 12) == 0)
            stored = strtol(line + 12, NULL, 10);
    if (f)
        fclose(f);
    return cached > stored ? cached : stored;
}

/* Whether a dump that has begun to write stops for Ctrl-C; it may come to its end before. */
static bool interrupt_dump(const char *ids, const char *path)
{
    pid_t pid = start_dump(ids, "*", path);
    int status = 0;
    while (written(pid) < 1 << 20) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return false;
        poll(NULL, 0, 1);
    }
    kill(pid, SIGINT);
    return wait_for(pid) == 1;
}

static void test_interrupt(void **state)
{
    (void) state;
    char *ids = id_list(LONG, 7);
    bool seen = false;
    if (written(getpid()) < 0) {
        print_message("/proc does not tell what is written: skipped\n");
        free(ids);
        skip();
    }
    for (int i = 0; i < 10 && !seen; i++) {
        struct ran r = shell("echo old >i.npz");
        ran_release(&r);
        seen = interrupt_dump(ids, "i.npz");
    }
    free(ids);
    assert_true(seen);
    struct ran r = shell("cat said i.npz; ls -A | grep gptscope-");
    assert_string_equal(r.out.text, "gptscope: i.npz: interrupted\nold\n");
    ran_release(&r);
}

/* --- no room --- */

/* One line of error, with `err` in it. */
static void assert_said(struct ran *r, const char *out, const char *err)
{
    const char *end = strchr(r->err.text, '\n');
    if (strcmp(r->out.text, out) != 0 || !strstr(r->err.text, err) || !end || end[1])
        fail_msg("'%s' and not '%s';\n'%s' is not a line with '%s'", r->out.text, out,
                 r->err.text, err);
    ran_release(r);
}

#define TRY "gptscope dump --ids 5,6,7,8,9,10,11 --select \\* -o x.%s; echo $?; cat x.%s; ls -A"

static void test_limit(void **state)
{
    static const char *const suffix[] = {"npz", "json", "npy"};
    (void) state;
    for (int i = 0; i < 2; i++) {
        struct ran r = shell("mkdir limit%d; cd limit%d; echo old >x.%s; ulimit -f 100;" TRY, i,
                             i, suffix[i], suffix[i], suffix[i]);
        char *out = xasprintf("1\nold\nx.%s\n", suffix[i]);
        char *err =
            xasprintf("gptscope: cannot write 'x.%s': the file would be larger than the "
                      "system allows",
                      suffix[i]);
        assert_said(&r, out, err);
        free(out);
        free(err);
    }
    struct ran r = shell("ulimit -f 8; gptscope dump -p 'Tom gave' --select logits -o y.npy; "
                         "echo $?; ls | grep y.npy");
    assert_said(&r, "1\n", "allows (0.0 MB are needed)\n");
}

/* A file system of a few megabytes that only this test sees. */
static void test_full_disk(void **state)
{
    static const char *const suffix[] = {"npz", "json"};
    (void) state;
    struct ran r = shell("mkdir disk && unshare -rm mount -t tmpfs -o size=1m none disk");
    bool may = r.status == 0;
    ran_release(&r);
    if (!may) {
        print_message("a file system cannot be mounted here (unshare -rm): skipped\n");
        skip();
    }
    for (int i = 0; i < 2; i++) {
        r = shell("unshare -rm sh -c 'mount -t tmpfs -o size=500k none disk; cd disk;"
                  "echo old >x.%s;" TRY "'",
                  suffix[i], suffix[i], suffix[i]);
        char *out = xasprintf("1\nold\nx.%s\n", suffix[i]);
        char *err =
            xasprintf("gptscope: cannot write 'x.%s': no space left on the device; free "
                      "some or choose another folder%s",
                      suffix[i], i == 0 ? " (" : "");
        assert_said(&r, out, err);
        free(out);
        free(err);
    }
}

static void test_full_stream(void **state)
{
    static const char *const format[] = {"npz", "npy", "json"};
    (void) state;
    for (int i = 0; i < 3; i++) {
        struct ran r = shell("gptscope dump -p 'Tom gave' --select logits -o - --format %s "
                             ">/dev/full; echo $?",
                             format[i]);
        assert_said(&r, "1\n", "gptscope: cannot write to standard output: No space left");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kill),        cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_limit),       cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_full_stream),
    };
    return cmocka_run_group_tests(tests, shell_enter, shell_leave);
}
