/*
 * Tests of base/file.h.
 *
 * What is known without running it: a copy has the bytes of its original, and the sum of both is
 * that of the bytes; XXH3's 128 bits of nothing are published. What cannot be read or written is
 * refused, nothing is left behind, and a copy never replaces a file.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/folder.h"

static char dir[] = "/tmp/freshet-file-XXXXXX";

static const char *in_dir(const char *name)
{
    static char paths[4][96];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static void set_up(void)
{
    cr_assert(mkdtemp(dir) != NULL);
}

static void tear_down(void)
{
    folder_remove(dir);
    cr_expect(access(dir, F_OK) < 0);
}

TestSuite(file, .init = set_up, .fini = tear_down);

static bool same(struct file_sum a, struct file_sum b)
{
    return a.size == b.size && key_eq(a.hash, b.hash);
}

Test(file, the_sum_of_nothing_is_published)
{
    struct file_sum sum = file_sum_of((struct slice){0});
    cr_expect(eq(u64, sum.hash.hi, UINT64_C(0x99aa06d3014798d8)));
    cr_expect(eq(u64, sum.hash.lo, UINT64_C(0x6001c324468d497f)));
    cr_expect(eq(u64, sum.size, 0));
}

/* Longer than a piece, and not a multiple of it. */
Test(file, a_copy_is_as_its_original)
{
    struct buf bytes = {0}, got = {0};
    for (uint32_t i = 0; i < 700001; i++)
        buf_u32(&bytes, i * 2654435761u);
    cr_assert(eq(int, file_write(in_dir("a"), buf_slice(&bytes)), ST_OK));
    struct file_sum copied, read, want = file_sum_of(buf_slice(&bytes));
    cr_assert(eq(int, file_copy(in_dir("a"), in_dir("b"), &copied), ST_OK));
    cr_assert(eq(int, file_sum(in_dir("b"), &read), ST_OK));
    cr_assert(eq(int, file_read(in_dir("b"), &got), ST_OK));
    cr_expect(same(copied, want) && same(read, want));
    cr_expect(slice_eq(buf_slice(&got), buf_slice(&bytes)));
    cr_expect(access(in_dir("a.tmp"), F_OK) < 0);
    buf_done(&bytes);
    buf_done(&got);
}

Test(file, what_cannot_be_done_is_refused)
{
    struct file_sum sum;
    struct buf got = {0};
    cr_expect(eq(int, file_sum(in_dir("none"), &sum), ST_ENOTFOUND));
    cr_expect(eq(int, file_read(in_dir("none"), &got), ST_ENOTFOUND));
    cr_expect(eq(int, file_copy(in_dir("none"), in_dir("b"), &sum), ST_ENOTFOUND));
    cr_expect(access(in_dir("b"), F_OK) < 0);
    cr_expect(eq(int, file_sum(dir, &sum), ST_EIO));
    cr_expect(eq(int, file_write(in_dir("no/such"), slice_of("x")), ST_EIO));
    cr_assert(eq(int, file_write(in_dir("a"), slice_of("old")), ST_OK));
    cr_assert(eq(int, file_write(in_dir("b"), slice_of("new")), ST_OK));
    cr_expect(eq(int, file_copy(in_dir("a"), in_dir("b"), &sum), ST_EIO));
    cr_expect(eq(int, errno, EEXIST));
    cr_assert(eq(int, file_read(in_dir("b"), &got), ST_OK));
    cr_expect(slice_eq(buf_slice(&got), slice_of("new")));
    buf_done(&got);
}

/* Not even a link that leads elsewhere is written through. */
Test(file, a_copy_replaces_no_link)
{
    struct file_sum sum;
    cr_assert(eq(int, file_write(in_dir("a"), slice_of("some bytes")), ST_OK));
    cr_assert(symlink("/dev/null", in_dir("link")) == 0);
    cr_expect(eq(int, file_copy(in_dir("a"), in_dir("link"), &sum), ST_EIO));
    cr_expect(eq(int, errno, EEXIST));
}
