#include "base/file.h"

#include "base/crc.h"
#include "base/direct.h"
#include "base/mem.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BUFFER_SIZE ((size_t) 1 << 18)
#define WRITEBACK   ((size_t) 8 << 20) /* bytes that the disk is given at a time */
/* Files from here on go past the page cache; smaller ones are likely to be read at once. */
#define DIRECT_MIN  ((uint64_t) 32 << 20)
#define DIRECT_PART ((size_t) 64 << 10) /* the least that is worth it */

struct outfile {
    int fd;
    char *path;            /* as the user named it, for messages */
    char *target;          /* what it really is, symbolic links followed */
    char *temp;            /* its name until commit; NULL when it has none */
    bool atomic;           /* false when bytes go straight to a device, a FIFO or stdout */
    struct str buf;        /* bytes not written yet */
    uint64_t at;           /* bytes accepted so far */
    uint64_t end;          /* of those, written */
    uint64_t size;         /* announced; 0: unknown */
    struct direct *direct; /* the way past the page cache, or NULL */
    atomic_size_t dirty;   /* bytes written since the disk was last told to begin */
    int error;             /* the first errno */
};

/* "dir/.gptscope-PID-N", in the folder of the target; yours. */
static char *temp_name(const char *target)
{
    static atomic_int next;
    const char *slash = strrchr(target, '/');
    int dir = slash ? (int) (slash - target) + 1 : 0;

    return xasprintf("%.*s.gptscope-%ld-%d", dir, target, (long) getpid(),
                     atomic_fetch_add(&next, 1));
}

static char *folder_of(const char *target)
{
    const char *slash = strrchr(target, '/');

    return slash ? xstrndup(target, (size_t) (slash - target) + 1) : xstrdup(".");
}

/* A file without a name, where the file system has such and can name it later: a program that
 * is killed leaves nothing behind. -1: not here. */
static int open_nameless(const char *folder)
{
#ifdef O_TMPFILE
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    struct stat st;
    char link[64];

    if (fd < 0)
        return -1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (stat(link, &st) == 0)
        return fd;
    close(fd);
#endif
    (void) folder;
    return -1;
}

/* An errno. open() with 0666 lets the umask and the folder's default ACL decide the mode of a
 * new file. */
static int open_named(struct outfile *f)
{
    for (int tries = 0; tries < 100; tries++) {
        f->temp = temp_name(f->target);
        f->fd = open(f->temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (f->fd >= 0)
            return 0;
        free(f->temp);
        f->temp = NULL;
        if (errno != EEXIST)
            return errno;
    }
    return EEXIST;
}

static int open_temp(struct outfile *f, const struct stat *old)
{
    char *folder = folder_of(f->target);

    f->atomic = true;
    f->fd = open_nameless(folder);
    free(folder);
    int error = f->fd < 0 ? open_named(f) : 0;
    if (error == 0 && old && fchmod(f->fd, old->st_mode & 07777) != 0)
        error = errno;
    return error;
}

static int open_target(struct outfile *f)
{
    struct stat st;

    if (f->path[0] == '\0')
        return ENOENT;
    f->target = realpath(f->path, NULL);
    if (!f->target)
        f->target = xstrdup(f->path);
    if (stat(f->target, &st) != 0)
        return errno == ENOENT ? open_temp(f, NULL) : errno;
    if (S_ISDIR(st.st_mode))
        return EISDIR;
    if (S_ISREG(st.st_mode))
        return access(f->target, W_OK) == 0 ? open_temp(f, &st) : errno;
    f->fd = open(f->target, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return f->fd < 0 ? errno : 0;
}

static void outfile_free(struct outfile *f)
{
    direct_close(f->direct);
    if (f->fd >= 0 && f->fd != STDOUT_FILENO)
        close(f->fd);
    if (f->temp)
        unlink(f->temp);
    str_release(&f->buf);
    free(f->path);
    free(f->target);
    free(f->temp);
    free(f);
}

struct outfile *outfile_open(const char *path, struct err *err)
{
    struct outfile *f = xcalloc(1, sizeof *f);
    int error;

    f->fd = -1;
    f->path = xstrdup(path);
    f->buf = (struct str) STR_INIT;
    if (strcmp(path, "-") == 0) {
        fflush(stdout);
        f->fd = STDOUT_FILENO;
        return f;
    }
    error = open_target(f);
    if (error == 0)
        return f;
    path_error(err, "cannot write", path, error);
    outfile_free(f);
    return NULL;
}

/* "(1477 MB are needed, 12 MB are free)" after what the system says. */
static void say_room(const struct outfile *f, struct err *err)
{
    struct statvfs st;
    char free_text[64] = "";

    if (f->size == 0 || (f->error != ENOSPC && f->error != EDQUOT && f->error != EFBIG))
        return;
    if (f->error == ENOSPC && fstatvfs(f->fd, &st) == 0)
        snprintf(free_text, sizeof free_text, ", %.1f MB are free",
                 (double) st.f_bavail * (double) st.f_frsize / 1e6);
    err_set(err, "%s (%.1f MB are needed%s)", err->text, (double) f->size / 1e6, free_text);
}

static bool fail(const struct outfile *f, struct err *err)
{
    const char *path = strcmp(f->path, "-") ? f->path : "standard output";

    path_error(err, "cannot write", path, f->error);
    say_room(f, err);
    return false;
}

/* Lets the disk begin with what was written, so that little is left to wait for at the end. */
static void begin_writeback(struct outfile *f, size_t n)
{
    if (!f->atomic || atomic_fetch_add(&f->dirty, n) + n < WRITEBACK)
        return;
    f->dirty = 0;
#ifdef SYNC_FILE_RANGE_WRITE
    sync_file_range(f->fd, 0, 0, SYNC_FILE_RANGE_WRITE); /* only hastens: may fail */
#endif
}

/* To a place in a file, or to the end of a stream. */
static void put_plain(struct outfile *f, uint64_t at, const char *p, size_t n)
{
    while (n > 0 && f->error == 0) {
        ssize_t done = f->atomic ? pwrite(f->fd, p, n, (off_t) at) : write(f->fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            f->error = done < 0 ? errno : EIO;
            return;
        }
        p += done;
        at += (uint64_t) done;
        n -= (size_t) done;
        begin_writeback(f, (size_t) done);
    }
}

/* Bytes at the ends of what goes past the page cache: whole blocks there must not be on their
 * way while the cache reads them. */
static void put_end(struct outfile *f, uint64_t at, const char *p, size_t n)
{
    uint64_t block = at / DIRECT_ALIGN * DIRECT_ALIGN;

    if (n > 0)
        direct_settle(f->direct, block, (size_t) (at - block) + n + DIRECT_ALIGN);
    put_plain(f, at, p, n);
}

/*
 *     at                                           at + n
 *      [head|      whole blocks: direct      |tail]
 */
static uint32_t put_direct(struct outfile *f, uint64_t at, const char *p, size_t n)
{
    size_t head = (size_t) (-at % DIRECT_ALIGN), tail = (size_t) ((at + n) % DIRECT_ALIGN);
    uint32_t crc = crc_add(0, p, head);
    int error;

    put_end(f, at, p, head);
    error = direct_write(f->direct, at + head, p + head, n - head - tail, &crc);
    if (error && f->error == 0)
        f->error = error;
    put_end(f, at + n - tail, p + n - tail, tail);
    return crc_add(crc, p + n - tail, tail);
}

/* Returns the checksum, where it is wanted or costs nothing. */
static uint32_t put(struct outfile *f, uint64_t at, const char *p, size_t n, bool sum)
{
    if (f->direct && n >= DIRECT_PART && f->error == 0)
        return put_direct(f, at, p, n);
    if (f->direct)
        put_end(f, at, p, n);
    else
        put_plain(f, at, p, n);
    return sum ? crc_add(0, p, n) : 0;
}

static void outfile_flush(struct outfile *f)
{
    put(f, f->end, f->buf.text, f->buf.len, false);
    f->end += f->buf.len;
    str_clear(&f->buf);
}

void outfile_write(struct outfile *f, const void *bytes, size_t n)
{
    f->at += n;
    if (n < BUFFER_SIZE) {
        str_add(&f->buf, bytes, n);
        if (f->buf.len >= BUFFER_SIZE)
            outfile_flush(f);
        return;
    }
    outfile_flush(f);
    put(f, f->end, bytes, n, false);
    f->end += n;
}

void outfile_printf(struct outfile *f, const char *fmt, ...)
{
    struct str s = STR_INIT;
    va_list ap;

    va_start(ap, fmt);
    str_vaddf(&s, fmt, ap);
    va_end(ap);
    outfile_write(f, s.text, s.len);
    str_release(&s);
}

uint64_t outfile_at(const struct outfile *f)
{
    return f->at;
}

void outfile_patch(struct outfile *f, uint64_t at, const void *bytes, size_t n)
{
    if (f->buf.len > 0)
        outfile_flush(f);
    put(f, at, bytes, n, false);
}

uint32_t outfile_patch_sum(struct outfile *f, uint64_t at, const void *bytes, size_t n)
{
    return put(f, at, bytes, n, true);
}

bool outfile_reserve(struct outfile *f, uint64_t size, struct err *err)
{
    int done = 0;

    f->size = size;
    if (!f->atomic || size == 0)
        return true;
#ifdef __linux__
    do
        done = fallocate(f->fd, 0, 0, (off_t) size);
    while (done != 0 && errno == EINTR);
#endif
    if (done == 0) {
        f->direct = size >= DIRECT_MIN ? direct_open(f->fd) : NULL;
        return true;
    }
    if (errno == EOPNOTSUPP || errno == ENOSYS)
        return true;
    f->error = errno;
    return fail(f, err);
}

bool outfile_check(const struct outfile *f, struct err *err)
{
    return f->error == 0 || fail(f, err);
}

struct outfile *outfile_scratch(struct err *err)
{
    const char *folder = getenv("TMPDIR");
    char *target = file_join(folder && *folder ? folder : "/tmp", "scratch");
    struct outfile *f = xcalloc(1, sizeof *f);
    int error;

    f->path = xstrdup(target);
    f->target = target;
    f->buf = (struct str) STR_INIT;
    error = open_temp(f, NULL);
    if (error == 0)
        return f;
    path_error(err, "cannot make a temporary file for", target, error);
    outfile_free(f);
    return NULL;
}

bool outfile_copy(struct outfile *to, struct outfile *from, struct err *err)
{
    char *bytes = xmalloc(BUFFER_SIZE);
    off_t at = 0;

    outfile_flush(from);
    if (from->direct)
        from->error = direct_wait(from->direct);
    while (from->error == 0 && to->error == 0) {
        ssize_t n = pread(from->fd, bytes, BUFFER_SIZE, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            from->error = n < 0 ? errno : 0;
            break;
        }
        outfile_write(to, bytes, (size_t) n);
        at += n;
    }
    free(bytes);
    return from->error == 0 || fail(from, err);
}

/* Makes the new name itself survive a crash; a folder that cannot be synced is not an error. */
static void sync_folder(const char *target)
{
    char *dir = folder_of(target);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(dir);
}

/* Gives a nameless file a name: the final one if that is free, else a temporary one, which then
 * takes the final one's place. An errno. */
static int give_name(struct outfile *f)
{
    char link[64];

    snprintf(link, sizeof link, "/proc/self/fd/%d", f->fd);
    if (linkat(AT_FDCWD, link, AT_FDCWD, f->target, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    for (int tries = 0; errno == EEXIST && tries < 100; tries++) {
        char *name = temp_name(f->target);
        if (linkat(AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0) {
            f->temp = name;
            return 0;
        }
        free(name);
    }
    return errno;
}

static int put_in_place(struct outfile *f)
{
    int fd = f->fd, error = 0;

    if (fsync(fd) != 0)
        return errno;
    if (!f->temp)
        error = give_name(f);
    f->fd = -1;
    if (close(fd) != 0 && error == 0)
        error = errno;
    if (error == 0 && f->temp && rename(f->temp, f->target) != 0)
        error = errno;
    if (error)
        return error;
    free(f->temp);
    f->temp = NULL;
    sync_folder(f->target);
    return 0;
}

bool outfile_commit(struct outfile *f, struct err *err)
{
    bool ok;

    outfile_flush(f);
    if (f->direct && f->error == 0)
        f->error = direct_wait(f->direct);
    if (f->error == 0 && f->atomic)
        f->error = put_in_place(f);
    ok = f->error == 0;
    if (!ok)
        fail(f, err);
    outfile_free(f);
    return ok;
}

void outfile_abort(struct outfile *f)
{
    outfile_free(f);
}
