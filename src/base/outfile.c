#include "base/file.h"
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
#include <unistd.h>

#define BUFFER_SIZE ((size_t) 1 << 18)

struct outfile {
    int fd;
    char *path;     /* as the user named it, for messages */
    char *target;   /* what it really is, symbolic links followed */
    char *temp;     /* NULL when bytes go straight to a device, a FIFO or stdout */
    struct str buf; /* bytes not written yet */
    uint64_t at;    /* bytes accepted so far */
    int error;      /* the first errno */
};

/* "dir/.gptscope-PID-N", in the folder of the target; yours. */
static char *temp_name(const char *target, int attempt)
{
    const char *slash = strrchr(target, '/');
    int dir = slash ? (int) (slash - target) + 1 : 0;

    return xasprintf("%.*s.gptscope-%ld-%d", dir, target, (long) getpid(), attempt);
}

/* open() with 0666 lets the umask and the folder's default ACL decide the mode of a new file.
 */
static int open_temp(struct outfile *f, const struct stat *old)
{
    static atomic_int next;

    for (int tries = 0; tries < 100; tries++) {
        f->temp = temp_name(f->target, atomic_fetch_add(&next, 1));
        f->fd = open(f->temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (f->fd >= 0)
            break;
        free(f->temp);
        f->temp = NULL;
        if (errno != EEXIST)
            return errno;
    }
    if (f->fd < 0)
        return EEXIST;
    if (old && fchmod(f->fd, old->st_mode & 07777) != 0)
        return errno;
    return 0;
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

static void write_all(struct outfile *f, const char *p, size_t n)
{
    while (n > 0 && f->error == 0) {
        ssize_t done = write(f->fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            f->error = done < 0 ? errno : EIO;
            return;
        }
        p += done;
        n -= (size_t) done;
    }
}

static void outfile_flush(struct outfile *f)
{
    write_all(f, f->buf.text, f->buf.len);
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
    write_all(f, bytes, n);
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
    const char *p = bytes;

    outfile_flush(f);
    while (n > 0 && f->error == 0) {
        ssize_t done = pwrite(f->fd, p, n, (off_t) at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            f->error = done < 0 ? errno : EIO;
            return;
        }
        p += done;
        at += (uint64_t) done;
        n -= (size_t) done;
    }
}

/* Makes the new name itself survive a crash; a folder that cannot be synced is not an error. */
static void sync_folder(const char *target)
{
    const char *slash = strrchr(target, '/');
    char *dir = slash ? xstrndup(target, (size_t) (slash - target) + 1) : xstrdup(".");
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(dir);
}

static int put_in_place(struct outfile *f)
{
    int fd = f->fd;

    if (fsync(fd) != 0)
        return errno;
    f->fd = -1;
    if (close(fd) != 0)
        return errno;
    if (rename(f->temp, f->target) != 0)
        return errno;
    free(f->temp);
    f->temp = NULL;
    sync_folder(f->target);
    return 0;
}

bool outfile_commit(struct outfile *f, struct err *err)
{
    bool ok;

    outfile_flush(f);
    if (f->error == 0 && f->temp)
        f->error = put_in_place(f);
    ok = f->error == 0;
    if (!ok)
        path_error(err, "cannot write", strcmp(f->path, "-") ? f->path : "standard output",
                   f->error);
    outfile_free(f);
    return ok;
}

void outfile_abort(struct outfile *f)
{
    outfile_free(f);
}
