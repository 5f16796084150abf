/* Archives of stored entries, read by libzip: sizes and places beyond 4 GB, more entries than
 * 16 bits count, entries that begin at a block of the disk. */
#include "base/crc.h"
#include "base/mem.h"
#include "command/zip_store.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>

#include <cmocka.h>

static char path[] = "test_zip.tmp.XXXXXX";

static int make_file(void)
{
    strcpy(path, "test_zip.tmp.XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    return fd;
}

static void put_at(int fd, uint64_t at, const void *bytes, size_t n)
{
    assert_int_equal(pwrite(fd, bytes, n, (off_t) at), n);
}

/* Headers, the directory, and the data of those entries that are not NULL. */
static void write_archive(int fd, struct zip_entry *e, size_t n, const char *const *data)
{
    struct str text = STR_INIT;
    uint64_t end = zip_layout(e, n);
    for (size_t i = 0; i < n; i++) {
        if (data[i])
            e[i].crc = crc_add(0, data[i], e[i].size);
        zip_header(&e[i], &text);
        assert_int_equal(text.len, e[i].data - e[i].header);
        put_at(fd, e[i].header, text.text, text.len);
        str_clear(&text);
        if (data[i])
            put_at(fd, e[i].data, data[i], e[i].size);
    }
    zip_directory(e, n, end, &text);
    put_at(fd, end, text.text, text.len);
    str_release(&text);
}

static zip_t *open_archive(void)
{
    int error = 0;
    zip_t *zip = zip_open(path, ZIP_RDONLY | ZIP_CHECKCONS, &error);
    if (!zip)
        fail_msg("libzip cannot open it: error %d", error);
    return zip;
}

static void assert_entry(zip_t *zip, size_t at, const char *name, const char *data)
{
    char buf[64];
    zip_file_t *f = zip_fopen_index(zip, at, 0);
    assert_string_equal(zip_get_name(zip, at, 0), name);
    assert_non_null(f);
    assert_int_equal(zip_fread(f, buf, sizeof buf), strlen(data));
    assert_int_equal(zip_fclose(f), 0); /* the checksum holds */
    assert_memory_equal(buf, data, strlen(data));
}

/* The checksum of so many zeros, without going through them. */
static uint32_t zeros_crc(uint64_t n)
{
    uint32_t one = crc_add(0, "", 1), crc = 0;
    for (int bit = 63; bit >= 0; bit--) {
        uint64_t done = bit < 63 ? n >> (bit + 1) : 0;
        crc = (uint32_t) crc32_combine(crc, crc, (z_off_t) done); /* twice as many */
        if (n >> bit & 1)
            crc = (uint32_t) crc32_combine(crc, one, 1);
    }
    return crc;
}

static void test_zeros(void **state)
{
    static const char zeros[1000];
    (void) state;
    for (size_t n = 0; n < sizeof zeros; n += 37)
        assert_int_equal(zeros_crc(n), crc_add(0, zeros, n));
}

/* The large one is a hole in the file: no disk is needed for it. */
static void test_beyond_4_gb(void **state)
{
    const uint64_t large = (UINT64_C(5) << 30) + 7, edge = UINT64_C(0xffffffff);
    struct zip_entry e[] = {{.name = "before", .size = 5},
                            {.name = "large", .size = large},
                            {.name = "between", .size = 7},
                            {.name = "edge", .size = edge, .align = 128},
                            {.name = "after", .size = 5}};
    const char *const data[] = {"first", NULL, "between", NULL, "last."};
    int fd = make_file();
    (void) state;
    e[1].crc = zeros_crc(large);
    e[3].crc = zeros_crc(edge);
    if (ftruncate(fd, (off_t) (large + edge)) != 0) {
        unlink(path);
        close(fd);
        assert_true(errno == EFBIG || errno == ENOSPC || errno == EINVAL);
        print_message("files of 9 GB are not possible here: skipped\n");
        skip();
    }
    write_archive(fd, e, 5, data);
    assert_true(e[2].header > large && e[4].header > large + edge);
    assert_int_equal((e[3].data + 128) % 4096, 0);
    zip_t *zip = open_archive();
    assert_int_equal(zip_get_num_entries(zip, 0), 5);
    for (size_t i = 0; i < 5; i++) {
        zip_stat_t st;
        assert_int_equal(zip_stat_index(zip, i, 0, &st), 0);
        assert_int_equal(st.size, e[i].size);
        assert_int_equal(st.comp_size, e[i].size);
        assert_int_equal(st.crc, e[i].crc);
        assert_int_equal(st.comp_method, ZIP_CM_STORE);
        if (data[i])
            assert_entry(zip, i, e[i].name, data[i]);
    }
    zip_close(zip);
    unlink(path);
    close(fd);
}

static void test_many_entries(void **state)
{
    enum { MANY = 70000 };
    struct zip_entry *e = xcalloc(MANY, sizeof *e);
    const char **data = xcalloc(MANY, sizeof *data);
    char(*name)[16] = xcalloc(MANY, sizeof *name);
    int fd = make_file();
    (void) state;
    for (int i = 0; i < MANY; i++) {
        snprintf(name[i], sizeof name[i], "n%d", i);
        data[i] = i % 2 ? "odd" : "even";
        e[i] = (struct zip_entry){.name = name[i], .size = strlen(data[i])};
    }
    write_archive(fd, e, MANY, data);
    zip_t *zip = open_archive();
    assert_int_equal(zip_get_num_entries(zip, 0), MANY);
    assert_entry(zip, 0, "n0", "even");
    assert_entry(zip, MANY - 1, "n69999", "odd");
    zip_close(zip);
    unlink(path);
    close(fd);
    free(e);
    free(data);
    free(name);
}

/* Whatever lies before, the data begins where it should, in a header that readers skip. */
static void test_aligned(void **state)
{
    (void) state;
    for (int before = 0; before < 4200; before += before < 40 ? 1 : 97) {
        char *bytes = xcalloc((size_t) before + 1, 1);
        memset(bytes, 'x', (size_t) before);
        struct zip_entry e[] = {{.name = "a", .size = (uint64_t) before},
                                {.name = "b", .size = 5, .align = (size_t) before % 200 + 1}};
        const char *const data[] = {bytes, "data."};
        int fd = make_file();
        write_archive(fd, e, 2, data);
        assert_int_equal((e[1].data + e[1].align) % 4096, 0);
        zip_t *zip = open_archive();
        assert_entry(zip, 1, "b", "data.");
        zip_close(zip);
        unlink(path);
        close(fd);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeros),
        cmocka_unit_test(test_beyond_4_gb),
        cmocka_unit_test(test_many_entries),
        cmocka_unit_test(test_aligned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
