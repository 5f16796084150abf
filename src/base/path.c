#include "base/path.h"

#include "base/safe.h"
#include "base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 240 /* bytes; leaves room for the reason in a struct err */

static const struct reason {
    int errnum;
    const char *text;
} REASONS[] = {
    {ENOENT, "no such file or folder; check the path"},
    {ENOTDIR, "a part of the path is not a folder; check the path"},
    {EISDIR, "is a folder; name a file in it"},
    {ENODEV, "is not a regular file; copy its contents to a file first"},
    {ENXIO, "is not a regular file; copy its contents to a file first"},
    {EACCES, "permission denied; check who owns it and its mode (ls -l)"},
    {EPERM, "permission denied; check who owns it and its mode (ls -l)"},
    {EROFS, "the file system is read-only; choose another folder"},
    {ENOSPC, "no space left on the device; free some or choose another folder"},
    {EDQUOT, "your disk quota is used up; free some space or choose another folder"},
    {EFBIG, "the file would be larger than the system allows"},
    {ELOOP, "too many symbolic links; check the path"},
    {ENAMETOOLONG, "the name is too long; choose a shorter one"},
    {EMFILE, "too many files are open; raise the limit (ulimit -n)"},
    {ENOMEM, "not enough memory; close other programs or use a smaller file"},
    {EIO, "the device reports an error; check the disk"},
    {EPIPE, "nobody reads from the other end"},
};

static const char *reason_text(int errnum)
{
    for (size_t i = 0; i < sizeof REASONS / sizeof *REASONS; i++) {
        if (REASONS[i].errnum == errnum)
            return REASONS[i].text;
    }
    return strerror(errnum);
}

char *path_shown(const char *path)
{
    struct str s = STR_INIT;

    safe_add(&s, path, strlen(path), SAFE_SPACE_KEEP);
    if (s.len > SHOWN_MAX) {
        size_t cut = s.len - SHOWN_MAX + 3;
        while (cut < s.len && ((unsigned char) s.text[cut] & 0xc0) == 0x80)
            cut++;
        str_cut(&s, 0, cut);
        str_insert(&s, 0, "...", 3);
    }
    return str_steal(&s);
}

bool path_error(struct err *err, const char *doing, const char *path, int errnum)
{
    char *shown = path_shown(path);

    err_set(err, "%s '%s': %s", doing, shown, reason_text(errnum));
    free(shown);
    return false;
}

bool path_add(struct err *err, const char *path)
{
    char *shown = path_shown(path);

    err_add(err, "'%s'", shown);
    free(shown);
    return false;
}

const char *path_suffix(const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');

    return dot ? dot + 1 : "";
}
