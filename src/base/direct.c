#include "base/direct.h"

#include "base/crc.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__) && defined(O_DIRECT) && defined(__has_include)
#if __has_include(<linux/aio_abi.h>)
#define HAS_DIRECT 1
#endif
#endif

#ifdef HAS_DIRECT
#include <linux/aio_abi.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

enum { BUFFERS = 16 };
#define BUFFER_BYTES ((size_t) 512 << 10)

struct direct {
    int fd;
    aio_context_t context;
    char *memory;         /* BUFFERS of BUFFER_BYTES */
    pthread_mutex_t lock; /* of all that follows */
    struct iocb write[BUFFERS];
    enum { FREE, FILLING, ON_ITS_WAY } state[BUFFERS];
    int in_flight;
    int error; /* the first errno */
};

/* The wrappers of libaio are system calls and no more. */
static long aio_setup(unsigned n, aio_context_t *context)
{
    return syscall(SYS_io_setup, n, context);
}

static long aio_submit(aio_context_t context, struct iocb *write)
{
    return syscall(SYS_io_submit, context, 1L, &write);
}

static long aio_events(aio_context_t context, long least, struct io_event *event)
{
    return syscall(SYS_io_getevents, context, least, (long) BUFFERS, event, NULL);
}

/* Giving a context back makes the caller wait for all processors (40 ms): one that nobody uses
 * is kept for the next file. */
static atomic_ulong spare;

static bool take_context(aio_context_t *context)
{
    *context = atomic_exchange(&spare, 0);
    return *context || aio_setup(BUFFERS, context) == 0;
}

static void give_context(aio_context_t context)
{
    unsigned long none = 0;
    if (!atomic_compare_exchange_strong(&spare, &none, context))
        syscall(SYS_io_destroy, context);
}

/* Another description of the same open file, with its own flags. */
static int open_direct(int fd)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return open(link, O_WRONLY | O_DIRECT | O_CLOEXEC);
}

struct direct *direct_open(int fd)
{
    struct err err = ERR_INIT;
    struct direct *d = xcalloc(1, sizeof *d);
    d->fd = open_direct(fd);
    pthread_mutex_init(&d->lock, NULL);
    if (d->fd >= 0 && take_context(&d->context)) {
        d->memory = big_alloc(BUFFERS * BUFFER_BYTES, "writing", &err);
        if (d->memory && (uintptr_t) d->memory % DIRECT_ALIGN == 0)
            return d;
        direct_close(d);
        return NULL;
    }
    if (d->fd >= 0)
        close(d->fd);
    pthread_mutex_destroy(&d->lock);
    free(d);
    return NULL;
}

static void keep_error(struct direct *d, int error)
{
    d->error = d->error ? d->error : error;
}

/* Takes what has ended, at least one write. */
static void take_events(struct direct *d)
{
    struct io_event event[BUFFERS];
    long n = aio_events(d->context, 1, event);
    if (n < 0 && errno != EINTR) {
        keep_error(d, errno);
        d->in_flight = 0; /* nothing more will be heard of them */
    }
    for (long i = 0; i < n; i++) {
        const struct iocb *write = (const struct iocb *) (uintptr_t) event[i].obj;
        if (event[i].res != (long long) write->aio_nbytes)
            keep_error(d, event[i].res < 0 ? (int) -event[i].res : ENOSPC);
        d->state[write - d->write] = FREE;
        d->in_flight--;
    }
}

/* A free buffer, waited for if need be; -1: after an error. */
static int take_buffer(struct direct *d)
{
    for (;;) {
        for (int i = 0; i < BUFFERS && !d->error; i++)
            if (d->state[i] == FREE) {
                d->state[i] = FILLING;
                return i;
            }
        if (d->error)
            return -1;
        if (d->in_flight > 0) {
            take_events(d);
        } else { /* other threads fill them all */
            pthread_mutex_unlock(&d->lock);
            sched_yield();
            pthread_mutex_lock(&d->lock);
        }
    }
}

static void submit(struct direct *d, int i)
{
    while (aio_submit(d->context, &d->write[i]) != 1) {
        if (errno != EAGAIN || d->in_flight == 0) {
            keep_error(d, errno);
            d->state[i] = FREE;
            return;
        }
        take_events(d); /* the system has too much on its way: as soon as some has ended */
    }
    d->state[i] = ON_ITS_WAY;
    d->in_flight++;
}

static size_t write_part(struct direct *d, uint64_t at, const char *from, size_t n,
                         uint32_t *crc)
{
    size_t part = n < BUFFER_BYTES ? n : BUFFER_BYTES;
    int i = take_buffer(d);
    if (i < 0)
        return n; /* the error is kept */
    char *buffer = d->memory + (size_t) i * BUFFER_BYTES;
    d->write[i] = (struct iocb){.aio_lio_opcode = IOCB_CMD_PWRITE,
                                .aio_fildes = (uint32_t) d->fd,
                                .aio_buf = (uintptr_t) buffer,
                                .aio_nbytes = part,
                                .aio_offset = (int64_t) at};
    pthread_mutex_unlock(&d->lock);
    *crc = crc_copy(*crc, buffer, from, part);
    pthread_mutex_lock(&d->lock);
    submit(d, i);
    return part;
}

int direct_write(struct direct *d, uint64_t at, const void *bytes, size_t n, uint32_t *crc)
{
    const char *from = bytes;
    pthread_mutex_lock(&d->lock);
    for (size_t part; n > 0; from += part, at += part, n -= part)
        part = write_part(d, at, from, n, crc);
    int error = d->error;
    pthread_mutex_unlock(&d->lock);
    return error;
}

static bool is_pending(const struct direct *d, uint64_t at, size_t n)
{
    for (int i = 0; i < BUFFERS; i++) {
        const struct iocb *w = &d->write[i];
        uint64_t begin = (uint64_t) w->aio_offset;
        if (d->state[i] != FREE && begin < at + n && at < begin + w->aio_nbytes)
            return true;
    }
    return false;
}

int direct_settle(struct direct *d, uint64_t at, size_t n)
{
    pthread_mutex_lock(&d->lock);
    while (d->in_flight > 0 && is_pending(d, at, n))
        take_events(d);
    int error = d->error;
    pthread_mutex_unlock(&d->lock);
    return error;
}

int direct_wait(struct direct *d)
{
    pthread_mutex_lock(&d->lock);
    while (d->in_flight > 0)
        take_events(d);
    int error = d->error;
    pthread_mutex_unlock(&d->lock);
    return error;
}

int direct_close(struct direct *d)
{
    if (!d)
        return 0;
    int error = direct_wait(d);
    give_context(d->context);
    close(d->fd);
    big_free(d->memory, BUFFERS * BUFFER_BYTES);
    pthread_mutex_destroy(&d->lock);
    free(d);
    return error;
}

#else

struct direct *direct_open(int fd)
{
    (void) fd;
    return NULL;
}

int direct_write(struct direct *d, uint64_t at, const void *bytes, size_t n, uint32_t *crc)
{
    (void) crc;
    (void) d;
    (void) at;
    (void) bytes;
    (void) n;
    return ENOSYS;
}

int direct_settle(struct direct *d, uint64_t at, size_t n)
{
    (void) d;
    (void) at;
    (void) n;
    return 0;
}

int direct_wait(struct direct *d)
{
    (void) d;
    return 0;
}

int direct_close(struct direct *d)
{
    (void) d;
    return 0;
}

#endif
