#include "base/file.h"

#include "base/mem.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A device or a FIFO is refused before it is opened (opening can have effects), and again
 * after, because the name may have changed hands in between; O_NONBLOCK for the same case.
 */
static int open_regular(const char *path, struct stat *st, struct err *err)
{
    int fd;

    if (stat(path, st) != 0) {
        path_error(err, "cannot read", path, errno);
        return -1;
    }
    if (!S_ISREG(st->st_mode)) {
        path_error(err, "cannot read", path, S_ISDIR(st->st_mode) ? EISDIR : ENODEV);
        return -1;
    }
    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        path_error(err, "cannot read", path, errno);
        return -1;
    }
    if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode)) {
        path_error(err, "cannot read", path, ENODEV);
        close(fd);
        return -1;
    }
    return fd;
}

bool filemap_open(struct filemap *m, const char *path, struct err *err)
{
    struct stat st;
    int fd = open_regular(path, &st, err), error;
    void *data;

    *m = (struct filemap){(const uint8_t *) "", 0};
    if (fd < 0)
        return false;
    if (st.st_size <= 0) {
        close(fd);
        return true;
    }
    if ((uint64_t) st.st_size > SIZE_MAX) {
        close(fd);
        return path_error(err, "cannot read", path, EFBIG);
    }
    data = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    error = errno;
    close(fd);
    if (data == MAP_FAILED)
        return path_error(err, "cannot read", path, error);
    *m = (struct filemap){data, (size_t) st.st_size};
    return true;
}

void filemap_release(struct filemap *m)
{
    if (m->size)
        munmap((void *) m->data, m->size);
    *m = (struct filemap){(const uint8_t *) "", 0};
}

/* Reads to the end of the file or one byte beyond the limit. */
static int read_all(struct str *out, int fd, size_t limit)
{
    char block[65536];
    size_t start = out->len;

    for (;;) {
        ssize_t n = read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0)
            return 0;
        str_add(out, block, (size_t) n);
        if (out->len - start > limit)
            return EFBIG;
    }
}

bool file_read(struct str *out, const char *path, size_t limit, struct err *err)
{
    size_t start = out->len;
    struct stat st;
    int fd = open_regular(path, &st, err), error;
    char *shown;

    if (fd < 0)
        return false;
    str_add(out, "", 0);
    error = (uint64_t) st.st_size > limit ? EFBIG : read_all(out, fd, limit);
    close(fd);
    if (error == 0)
        return true;
    str_cut(out, start, out->len - start);
    if (error != EFBIG)
        return path_error(err, "cannot read", path, error);
    shown = path_shown(path);
    err_set(err, "cannot read '%s': it is larger than %zu bytes, the most such a file may be",
            shown, limit);
    free(shown);
    return false;
}

bool file_is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool file_exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

char *file_join(const char *dir, const char *name)
{
    size_t n = strlen(dir);
    const char *slash = n == 0 || dir[n - 1] == '/' ? "" : "/";

    return xasprintf("%s%s%s", dir, slash, name);
}
