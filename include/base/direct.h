/*
 * Writing past the page cache: large pieces are copied to buffers of our own and go to the disk
 * from there while the caller computes on, without a thread and without the system copying them
 * once more. Linux's asynchronous I/O on a file opened with O_DIRECT; where there is no such
 * thing, direct_open returns NULL and the caller writes as usual.
 *
 *     struct direct *d = direct_open(fd);            // of a file that has its size already
 *     direct_write(d, at, bytes, n, &crc);           // at, n: multiples of DIRECT_ALIGN
 *     errnum = direct_close(d);                      // waits for all of it
 */
#ifndef GPTSCOPE_BASE_DIRECT_H
#define GPTSCOPE_BASE_DIRECT_H

#include <stddef.h>
#include <stdint.h>

struct direct;

#define DIRECT_ALIGN 4096

struct direct *direct_open(int fd);
/* Returns when the bytes are copied, and *crc is that of what it was of and them (crc_add). An
 * errno, also of an earlier write; 0: fine so far. Several threads may write at once, to places
 * apart. */
int direct_write(struct direct *d, uint64_t at, const void *bytes, size_t n, uint32_t *crc);
/* Waits until nothing of [at, at + n) is on its way. */
int direct_settle(struct direct *d, uint64_t at, size_t n);
int direct_wait(struct direct *d);  /* for all of it */
int direct_close(struct direct *d); /* NULL is fine */

#endif
