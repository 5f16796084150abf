#include "ui/streams.h"

#include "base/interrupt.h"
#include "command/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int failed; /* errno of the first write that failed */

void streams_begin(void)
{
    /* Opened the wrong way round, so that reading or writing it fails with EBADF, too. */
    static const int mode[] = {O_WRONLY, O_RDONLY, O_RDONLY};

    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", mode[fd]) != fd)
            continue; /* no /dev/null: nothing better can be done */
    signal(SIGPIPE, SIG_DFL);
}

bool streams_put(const void *bytes, size_t n)
{
    errno = 0;
    if (n > 0 && fwrite(bytes, 1, n, stdout) != n && !failed)
        failed = errno ? errno : EIO;
    return !failed;
}

static bool flush(void)
{
    errno = 0;
    if (fflush(stdout) != 0 && !failed)
        failed = errno ? errno : EIO;
    if (ferror(stdout) && !failed)
        failed = EIO;
    return !failed;
}

bool streams_end(struct err *err)
{
    return flush() || err_set(err, "cannot write to standard output: %s", strerror(failed));
}

void streams_flush(struct command_env *env)
{
    bool ok = streams_put(env->out->text, env->out->len);

    str_clear(env->out);
    if (!flush() || !ok)
        interrupt_set();
}
