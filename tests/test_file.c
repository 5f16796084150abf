/* Reading and writing files: every refusal in words, nothing lost when writing fails. */
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "folder.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char *write_file(const char *name, const char *bytes, size_t n)
{
    char *path = file_join(folder, name);
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
    return path;
}

static void assert_holds(const char *path, const char *bytes, size_t n)
{
    struct str s = STR_INIT;
    struct err err = ERR_INIT;

    if (!file_read(&s, path, 1 << 26, &err))
        fail_msg("%s", err.text);
    assert_int_equal(s.len, n);
    assert_memory_equal(s.text, bytes, n);
    str_release(&s);
}

static void assert_refused(const char *path, const char *reason)
{
    struct err err = ERR_INIT;
    struct str s = STR_INIT;
    struct filemap m;

    assert_false(filemap_open(&m, path, &err));
    if (!strstr(err.text, reason))
        fail_msg("'%s' does not say '%s'", err.text, reason);
    assert_int_equal(m.size, 0);
    assert_false(file_read(&s, path, 100, &err));
    assert_non_null(strstr(err.text, reason));
    assert_int_equal(s.len, 0);
    str_release(&s);
}

static void test_map(void **state)
{
    char *path = write_file("a", "hello", 5);
    struct err err = ERR_INIT;
    struct filemap m;

    (void) state;
    assert_true(filemap_open(&m, path, &err));
    assert_int_equal(m.size, 5);
    assert_memory_equal(m.data, "hello", 5);
    filemap_release(&m);
    assert_int_equal(m.size, 0);
    free(path);

    path = write_file("empty", "", 0);
    assert_true(filemap_open(&m, path, &err));
    assert_int_equal(m.size, 0);
    assert_string_equal((const char *) m.data, "");
    filemap_release(&m);
    free(path);
}

static void test_refusals(void **state)
{
    char *fifo = file_join(folder, "fifo"), *loop = file_join(folder, "loop");
    char *gone = file_join(folder, "gone"), *file = write_file("f", "x", 1);
    char *below = file_join(file, "x"), name[400];

    (void) state;
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(symlink(loop, loop), 0);
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_refused(folder, "is a folder");
    assert_refused(fifo, "is not a regular file");
    assert_refused("/dev/null", "is not a regular file");
    assert_refused(gone, "no such file");
    assert_refused("", "no such file");
    assert_refused(below, "is not a folder");
    assert_refused(loop, "too many symbolic links");
    assert_refused(name, "the name is too long");
    if (geteuid() != 0) { /* root may read everything */
        chmod(file, 0);
        assert_refused(file, "permission denied");
    }
    free(fifo);
    free(loop);
    free(gone);
    free(file);
    free(below);
}

static void test_paths_are_shown_safely(void **state)
{
    struct err err = ERR_INIT;
    char path[2000];

    (void) state;
    assert_refused("/tmp/\x1b[2J\xe2\x80\xae", "'/tmp/\\x1b[2J\\u202e': no such file");
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_false(path_error(&err, "cannot read", path, 2));
    assert_non_null(strstr(err.text, "'...ppp"));
    assert_non_null(strstr(err.text, "no such file or folder; check the path"));
}

static void test_read_limit(void **state)
{
    char *path = write_file("limit", "0123456789", 10);
    struct err err = ERR_INIT;
    struct str s = STR_INIT;

    (void) state;
    str_adds(&s, "kept ");
    assert_false(file_read(&s, path, 9, &err));
    assert_non_null(strstr(err.text, "larger than 9 bytes"));
    assert_string_equal(s.text, "kept ");
    assert_true(file_read(&s, path, 10, &err));
    assert_string_equal(s.text, "kept 0123456789");
    str_release(&s);
    free(path);
}

static void test_names(void **state)
{
    char *a = file_join("dir", "x"), *b = file_join("dir/", "x"), *c = file_join("", "x");

    (void) state;
    assert_string_equal(a, "dir/x");
    assert_string_equal(b, "dir/x");
    assert_string_equal(c, "x");
    assert_true(file_is_dir(folder) && file_exists(folder));
    assert_false(file_is_dir("/dev/null"));
    assert_false(file_exists(a));
    free(a);
    free(b);
    free(c);
}

static void test_write_and_patch(void **state)
{
    char *path = file_join(folder, "out");
    struct err err = ERR_INIT;
    int before = names_in_folder();
    struct outfile *f = outfile_open(path, &err);

    (void) state;
    assert_non_null(f);
    outfile_printf(f, "%s %d\n", "line", 1);
    assert_int_equal(outfile_at(f), 7);
    outfile_patch(f, 0, "L", 1);
    outfile_write(f, "end", 3);
    assert_int_equal(outfile_at(f), 10);
    assert_false(file_exists(path)); /* nothing under its name before commit */
    assert_true(outfile_commit(f, &err));
    assert_holds(path, "Line 1\nend", 10);
    assert_int_equal(names_in_folder(), before + 1); /* no other */
    free(path);
}

static void test_large_blocks(void **state)
{
    const size_t n = (size_t) 3 << 20;
    char *path = file_join(folder, "large"), *bytes = xmalloc(n + 10);
    struct err err = ERR_INIT;
    struct outfile *f = outfile_open(path, &err);

    (void) state;
    for (size_t i = 0; i < n + 10; i++)
        bytes[i] = (char) (i * 7);
    outfile_write(f, bytes, 10);
    outfile_write(f, bytes + 10, n);
    assert_int_equal(outfile_at(f), n + 10);
    assert_true(outfile_commit(f, &err));
    assert_holds(path, bytes, n + 10);
    free(bytes);
    free(path);
}

static mode_t mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void write_text(const char *path, const char *text)
{
    struct err err = ERR_INIT;
    struct outfile *f = outfile_open(path, &err);

    if (!f)
        fail_msg("%s", err.text);
    outfile_write(f, text, strlen(text));
    assert_true(outfile_commit(f, &err));
}

static void test_modes(void **state)
{
    char *path = file_join(folder, "mode");
    mode_t old = umask(027);

    (void) state;
    write_text(path, "one");
    assert_int_equal(mode_of(path), 0640);
    chmod(path, 0604);
    write_text(path, "two");
    assert_int_equal(mode_of(path), 0604);
    assert_holds(path, "two", 3);
    umask(old);
    free(path);
}

static void test_links_are_followed(void **state)
{
    char *path = write_file("real", "old", 3), *link = file_join(folder, "link");
    struct stat st;

    (void) state;
    assert_int_equal(symlink("real", link), 0);
    write_text(link, "new");
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_holds(path, "new", 3);
    free(path);
    free(link);
}

static void test_abort_keeps_the_old_file(void **state)
{
    char *path = write_file("kept", "old", 3);
    int names = names_in_folder();
    struct err err = ERR_INIT;
    struct outfile *f = outfile_open(path, &err);

    (void) state;
    outfile_write(f, "new and longer", 14);
    outfile_abort(f);
    assert_holds(path, "old", 3);
    assert_int_equal(names_in_folder(), names);
    free(path);
}

/* A limit on file sizes fails a write just as a full disk does. */
static void test_failed_write_keeps_the_old_file(void **state)
{
    char *path = write_file("full", "old", 3), *bytes = xcalloc(1, 1 << 20);
    struct rlimit old, small;
    int names = names_in_folder();
    struct err err = ERR_INIT;
    struct outfile *f;
    bool ok;

    (void) state;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 1 << 16;
    setrlimit(RLIMIT_FSIZE, &small);
    f = outfile_open(path, &err);
    outfile_write(f, bytes, 1 << 20);
    outfile_write(f, "more", 4);
    outfile_patch(f, 0, "x", 1);
    ok = outfile_commit(f, &err);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_false(ok);
    assert_non_null(strstr(err.text, "cannot write"));
    assert_non_null(strstr(err.text, "larger than the system allows"));
    assert_holds(path, "old", 3);
    assert_int_equal(names_in_folder(), names);

    setrlimit(RLIMIT_FSIZE, &small); /* room for all is asked for first */
    f = outfile_open(path, &err);
    ok = outfile_reserve(f, 1 << 20, &err);
    outfile_abort(f);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_false(ok);
    assert_non_null(strstr(err.text, "than the system allows (1.0 MB are needed)"));
    assert_holds(path, "old", 3);
    assert_int_equal(names_in_folder(), names);
    free(path);
    free(bytes);
}

static void test_write_refusals(void **state)
{
    char *gone = file_join(folder, "no/such"), *dir = folder;
    struct err err = ERR_INIT;
    struct outfile *f;

    (void) state;
    assert_null(outfile_open(dir, &err));
    assert_non_null(strstr(err.text, "cannot write '/tmp/"));
    assert_non_null(strstr(err.text, "is a folder"));
    assert_null(outfile_open(gone, &err));
    assert_non_null(strstr(err.text, "no such"));
    assert_null(outfile_open("", &err));

    f = outfile_open("/dev/full", &err); /* a device is written to directly */
    assert_non_null(f);
    outfile_write(f, "x", 1);
    assert_false(outfile_commit(f, &err));
    assert_non_null(strstr(err.text, "cannot write '/dev/full': no space left"));
    f = outfile_open("/dev/null", &err);
    assert_non_null(f);
    outfile_write(f, "x", 1);
    assert_true(outfile_commit(f, &err));
    free(gone);
}

static void test_standard_output(void **state)
{
    char *path = file_join(folder, "stdout");
    struct err err = ERR_INIT;
    struct outfile *f;
    int saved;

    (void) state;
    fflush(stdout);
    saved = dup(STDOUT_FILENO);
    assert_non_null(freopen(path, "w", stdout));
    printf("before ");
    f = outfile_open("-", &err);
    outfile_write(f, "between", 7);
    assert_true(outfile_commit(f, &err));
    printf(" after");
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_holds(path, "before between after", 20);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_paths_are_shown_safely),
        cmocka_unit_test(test_read_limit),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_write_and_patch),
        cmocka_unit_test(test_large_blocks),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_links_are_followed),
        cmocka_unit_test(test_abort_keeps_the_old_file),
        cmocka_unit_test(test_failed_write_keeps_the_old_file),
        cmocka_unit_test(test_write_refusals),
        cmocka_unit_test(test_standard_output),
    };
    return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
