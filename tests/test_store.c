/*
 * Tests of ingest/store.h: the same ones against RocksDB in a folder of its own and its memory
 * twin.
 *
 * What is known without running it: a store is a map from bytes to bytes in memcmp order. So both
 * are held to small written-out answers, and to each other over a long random run. Then what only
 * one of them can do: RocksDB is refused twice and keeps its content over a reopening; the memory
 * twin loses what was not synced and fails when it is told to.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ingest/store_memory.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

enum kind { ROCKS, MEMORY };

#define FOR_BOTH(name)                                                                             \
    ParameterizedTestParameters(store, name)                                                       \
    {                                                                                              \
        static enum kind kinds[] = {ROCKS, MEMORY};                                                \
        return cr_make_param_array(enum kind, kinds, LEN(kinds));                                  \
    }                                                                                              \
    ParameterizedTest(enum kind *kind, store, name)

struct fixture {
    struct store *store;
    struct store_batch *batch;
    char dir[64];
};

static enum status open_rocks(const char *dir, struct store **ret)
{
    char *error = NULL;
    enum status st = store_open_rocks(dir, ret, &error);
    cr_expect(eq(int, st < 0, error != NULL), "a failure comes with a text, success without");
    free(error);
    return st;
}

static struct fixture open_kind(enum kind kind)
{
    struct fixture f = {.dir = "/tmp/freshet-store-XXXXXX"};
    cr_assert(ne(ptr, mkdtemp(f.dir), NULL));
    enum status st = kind == ROCKS ? open_rocks(f.dir, &f.store) : store_open_memory(&f.store);
    cr_assert(eq(int, st, ST_OK));
    f.batch = f.store->ops->batch_create(f.store);
    return f;
}

/* In the commands $dir is the folder. */
static void shell(const char *dir, const char *commands)
{
    char command[512];
    snprintf(command, sizeof command, "dir='%s'; set -e; %s", dir, commands);
    cr_assert(eq(int, system(command), 0));
}

static void remove_folder(const char *dir)
{
    shell(dir, "rm -rf $dir");
}

static void close_all(struct fixture *f)
{
    f->store->ops->batch_free(f->batch);
    store_free(f->store);
    remove_folder(f->dir);
}

static void put(struct fixture *f, const char *key, const char *value)
{
    f->store->ops->put(f->batch, slice_of(key), slice_of(value));
}

static void drop(struct fixture *f, const char *key)
{
    f->store->ops->drop(f->batch, slice_of(key));
}

static void write_batch(struct fixture *f)
{
    cr_assert(eq(int, f->store->ops->write(f->store, f->batch), ST_OK));
}

static enum status append_entry(void *arg, struct slice key, struct slice value)
{
    struct buf *out = arg;
    buf_append(out, key.data, key.len);
    buf_byte(out, '=');
    buf_append(out, value.data, value.len);
    buf_byte(out, ' ');
    return ST_OK;
}

/* "key=value key=value " of all keys in [from, to). */
static const char *content(struct store *store, const char *from, const char *to)
{
    static struct buf out;
    buf_reset(&out);
    cr_assert(
        eq(int, store->ops->scan(store, slice_of(from), slice_of(to), append_entry, &out), ST_OK));
    buf_byte(&out, '\0');
    return out.data;
}

static const char *get(struct fixture *f, const char *key)
{
    static struct buf out;
    buf_reset(&out);
    buf_text(&out, "<");
    enum status st = f->store->ops->get(f->store, slice_of(key), &out);
    if (st < 0)
        return status_text(st);
    buf_byte(&out, '>');
    buf_byte(&out, '\0');
    return out.data;
}

FOR_BOTH(behaves_as_a_sorted_map)
{
    struct fixture f = open_kind(*kind);
    cr_expect(eq(str, (char *)get(&f, "ma"), "not found"));

    put(&f, "mb", "2");
    put(&f, "ma", "1");
    cr_expect(eq(str, (char *)get(&f, "ma"), "not found"),
              "a batch is nothing until it is written");
    write_batch(&f);
    cr_expect(eq(str, (char *)get(&f, "ma"), "<1>"), "appended to what the buffer held");
    cr_expect(eq(str, (char *)content(f.store, "m", "n"), "ma=1 mb=2 "));

    write_batch(&f);
    put(&f, "ma", "one");
    drop(&f, "mb");
    drop(&f, "mnever");
    put(&f, "m", "");
    put(&f, "ma\xff", "last");
    write_batch(&f);
    cr_expect(eq(str, (char *)get(&f, "m"), "<>"), "an empty value is a value");
    cr_expect(eq(str, (char *)content(f.store, "m", "n"), "m= ma=one ma\xff=last "));
    cr_expect(eq(str, (char *)content(f.store, "ma", "ma\xff"), "ma=one "), "the end is not in it");
    cr_expect(eq(str, (char *)content(f.store, "mb", "n"), ""));
    close_all(&f);
}

FOR_BOTH(applies_a_batch_in_order)
{
    struct fixture f = open_kind(*kind);
    put(&f, "sa", "first");
    drop(&f, "sa");
    put(&f, "sb", "first");
    drop(&f, "sb");
    put(&f, "sb", "second");
    for (const char *key = "cdefgh"; *key; key++)
        put(&f, (char[]){'s', *key, '\0'}, "x");
    f.store->ops->drop_range(f.batch, slice_of("sd"), slice_of("sg"));
    f.store->ops->drop_range(f.batch, slice_of("sh"), slice_of("sh"));
    put(&f, "se", "again");
    write_batch(&f);
    cr_expect(eq(str, (char *)content(f.store, "s", "t"), "sb=second sc=x se=again sg=x sh=x "));
    close_all(&f);
}

static enum status stop_at_second(void *arg, struct slice key, struct slice value)
{
    (void)key;
    (void)value;
    return ++*(int *)arg == 2 ? ST_EAGAIN : ST_OK;
}

FOR_BOTH(scans_one_space_and_stops_when_told)
{
    struct fixture f = open_kind(*kind);
    uint64_t numbers[] = {256, 3, UINT64_MAX, 255, 1};
    for (size_t i = 0; i < LEN(numbers); i++) {
        struct store_key key = store_number_key(STORE_REDO, numbers[i]);
        f.store->ops->put(f.batch, store_key_slice(&key), slice_of("v"));
        cr_expect(eq(u64, store_key_number(store_key_slice(&key)), numbers[i]));
    }
    put(&f, "q", "below");
    put(&f, "s", "above, in the other column family");
    write_batch(&f);

    struct buf found = {0}, expected = {0};
    cr_assert(eq(int, store_scan_space(f.store, STORE_REDO, append_entry, &found), ST_OK));
    uint64_t sorted[] = {1, 3, 255, 256, UINT64_MAX};
    for (size_t i = 0; i < LEN(sorted); i++) {
        struct store_key key = store_number_key(STORE_REDO, sorted[i]);
        append_entry(&expected, store_key_slice(&key), slice_of("v"));
    }
    cr_expect(slice_eq(buf_slice(&found), buf_slice(&expected)), "in the order of the numbers");

    int calls = 0;
    cr_expect(eq(int, store_scan_space(f.store, STORE_REDO, stop_at_second, &calls), ST_EAGAIN));
    cr_expect(eq(int, calls, 2));
    buf_done(&found);
    buf_done(&expected);
    close_all(&f);
}

/* The same random batches go to both, which must then hold the same. */

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % below;
}

static void fill(struct fixture *f, uint64_t seed)
{
    for (uint32_t n = draw(&seed, 30); n > 0; n--) {
        char key[8], other[8], value[64];
        snprintf(key, sizeof key, "s%02u", draw(&seed, 60));
        snprintf(other, sizeof other, "s%02u", draw(&seed, 60));
        snprintf(value, sizeof value, "%0*u", (int)draw(&seed, 40), draw(&seed, 1000000));
        uint32_t what = draw(&seed, 10);
        if (what < 6)
            put(f, key, value);
        else if (what < 9)
            drop(f, key);
        else if (strcmp(key, other) < 0)
            f->store->ops->drop_range(f->batch, slice_of(key), slice_of(other));
    }
    write_batch(f);
}

Test(store, memory_twin_holds_what_rocksdb_holds)
{
    struct fixture rocks = open_kind(ROCKS), memory = open_kind(MEMORY);
    for (uint64_t seed = 1; seed <= 200; seed++) {
        fill(&rocks, seed);
        fill(&memory, seed);
        char *expected = strdup(content(rocks.store, "s", "t"));
        cr_assert(eq(str, (char *)content(memory.store, "s", "t"), expected), "batch %d",
                  (int)seed);
        free(expected);
    }
    close_all(&rocks);
    close_all(&memory);
}

Test(store, rocksdb_keeps_its_content_over_a_reopening)
{
    struct fixture f = open_kind(ROCKS);
    put(&f, "mhead", "7");
    put(&f, "spage", "p");
    write_batch(&f);
    put(&f, "mhead", "8 was never written");
    f.store->ops->batch_free(f.batch);
    store_free(f.store);
    cr_assert(eq(int, open_rocks(f.dir, &f.store), ST_OK));
    f.batch = f.store->ops->batch_create(f.store);
    cr_expect(eq(str, (char *)get(&f, "mhead"), "<7>"));
    cr_expect(eq(str, (char *)get(&f, "spage"), "<p>"));
    close_all(&f);
}

Test(store, rocksdb_makes_parents_and_says_where_it_cannot)
{
    struct fixture f = open_kind(MEMORY);
    char path[96];
    struct store *store = NULL;
    snprintf(path, sizeof path, "%s/a/b/c", f.dir);
    cr_assert(eq(int, open_rocks(path, &store), ST_OK));
    store_free(store);
    store = NULL;
    snprintf(path, sizeof path, "%s/file", f.dir);
    fclose(fopen(path, "w"));
    snprintf(path, sizeof path, "%s/file/db", f.dir);
    cr_expect(eq(int, open_rocks(path, &store), ST_EIO));
    cr_expect(eq(int, open_rocks("", &store), ST_EINVAL));
    cr_expect(eq(ptr, store, NULL));
    close_all(&f);
}

/* Once it is told that the store is open, another process tries. It is made before there are any
 * threads, since of those it would have nothing but the locks that they held. */
static pid_t fork_second(const char *dir, int *ret_tell)
{
    int pipes[2];
    char told, *error = NULL;
    struct store *store = NULL;
    cr_assert(eq(int, pipe(pipes), 0));
    pid_t child = fork();
    if (child == 0) {
        bool refused =
            read(pipes[0], &told, 1) == 1 && store_open_rocks(dir, &store, &error) == ST_EBUSY;
        _exit(refused && store_holder(dir) == getppid() ? 0 : 1);
    }
    close(pipes[0]);
    *ret_tell = pipes[1];
    return child;
}

Test(store, rocksdb_is_refused_to_a_second)
{
    struct fixture f = open_kind(MEMORY);
    struct store *first = NULL, *second = NULL;
    int tell, status = -1;
    char path[96];
    snprintf(path, sizeof path, "%s/db", f.dir);
    pid_t child = fork_second(path, &tell);
    cr_assert(eq(int, open_rocks(path, &first), ST_OK));
    cr_expect(eq(int, open_rocks(path, &second), ST_EBUSY), "in the same process");
    cr_expect(eq(ptr, second, NULL));
    cr_assert(eq(int, (int)write(tell, "x", 1), 1));
    cr_assert(eq(int, waitpid(child, &status, 0), child));
    cr_expect(eq(int, status, 0), "in another process");
    close(tell);
    store_free(first);
    close_all(&f);
}

Test(store, rocksdb_is_copied_while_it_is_written)
{
    struct fixture f = open_kind(ROCKS);
    put(&f, "mhead", "7");
    put(&f, "spage", "p");
    write_batch(&f);
    char dir[80], *why = NULL;
    struct store *copy = NULL;
    struct buf error = {0};
    snprintf(dir, sizeof dir, "%s.copy", f.dir);
    cr_assert(eq(int, f.store->ops->checkpoint(f.store, dir, &error), ST_OK));
    cr_expect(eq(int, f.store->ops->checkpoint(f.store, dir, &error), ST_EIO), "it is there");
    cr_expect(gt(sz, error.len, 0));
    put(&f, "mhead", "8");
    write_batch(&f);
    cr_assert(eq(int, store_open_rocks_to_read(dir, &copy, &why), ST_OK));
    cr_expect(eq(str, (char *)content(copy, "m", "t"), "mhead=7 "));
    cr_expect(eq(str, (char *)content(copy, "s", "t"), "spage=p "));
    cr_expect(eq(str, (char *)content(f.store, "m", "n"), "mhead=8 "));
    cr_expect(eq(int, store_holder(dir), 0), "one that reads holds nothing");
    store_free(copy);
    remove_folder(dir);
    buf_done(&error);
    close_all(&f);
}

/* A write cut off by a power failure was acknowledged to nobody: the ones before it stay. */
Test(store, rocksdb_opens_behind_a_torn_write)
{
    struct fixture f = open_kind(ROCKS);
    put(&f, "ma", "1");
    write_batch(&f);
    put(&f, "mb", "2");
    write_batch(&f);
    shell(f.dir, "cp -r $dir $dir.torn; cd $dir.torn; rm LOCK; truncate -s -3 *.log");
    char dir[80];
    struct store *torn = NULL;
    snprintf(dir, sizeof dir, "%s.torn", f.dir);
    cr_assert(eq(int, open_rocks(dir, &torn), ST_OK));
    cr_expect(eq(str, (char *)content(torn, "m", "n"), "ma=1 "));
    store_free(torn);
    remove_folder(dir);
    close_all(&f);
}

/* A folder whose content is not a store's: the text tells it apart from one in use. */
Test(store, rocksdb_refuses_what_is_corrupt)
{
    struct fixture f = open_kind(ROCKS);
    put(&f, "mhead", "7");
    write_batch(&f);
    f.store->ops->batch_free(f.batch);
    store_free(f.store);
    shell(f.dir, "cd $dir; for f in MANIFEST-*; do echo rubbish > $f; done");
    struct store *store = NULL;
    cr_expect(eq(int, open_rocks(f.dir, &store), ST_ECORRUPT));
    remove_folder(f.dir);
}

/* What only the memory twin can do. */

Test(store, memory_twin_loses_what_was_not_synced)
{
    struct fixture f = open_kind(MEMORY);
    put(&f, "ma", "1");
    write_batch(&f);
    store_memory_set_sync(f.store, false);
    put(&f, "ma", "2");
    put(&f, "mb", "2");
    write_batch(&f);
    cr_expect(eq(str, (char *)content(f.store, "m", "n"), "ma=2 mb=2 "));
    store_memory_crash(f.store);
    cr_expect(eq(str, (char *)content(f.store, "m", "n"), "ma=1 "));

    put(&f, "mc", "3");
    write_batch(&f);
    store_memory_set_sync(f.store, true);
    put(&f, "md", "4");
    write_batch(&f);
    store_memory_crash(f.store);
    cr_expect(eq(str, (char *)content(f.store, "m", "n"), "ma=1 mc=3 md=4 "),
              "a synced write brings those before it to disk");
    close_all(&f);
}

Test(store, memory_twin_fails_the_write_it_is_told_to)
{
    struct fixture f = open_kind(MEMORY);
    store_memory_fail_write(f.store, 2, STORE_MEMORY_LOST);
    put(&f, "ma", "1");
    write_batch(&f);
    put(&f, "mb", "2");
    cr_expect(eq(int, f.store->ops->write(f.store, f.batch), ST_EIO));
    cr_expect(ne(int, f.store->ops->error(f.store)[0], '\0'));
    put(&f, "mc", "3");
    write_batch(&f);
    cr_expect(eq(str, (char *)content(f.store, "m", "n"), "ma=1 mc=3 "), "lost, and only that one");
    cr_expect(eq(u64, store_memory_writes(f.store), 2));

    store_memory_fail_write(f.store, 1, STORE_MEMORY_KEPT);
    put(&f, "md", "4");
    cr_expect(eq(int, f.store->ops->write(f.store, f.batch), ST_EIO));
    store_memory_crash(f.store);
    cr_expect(eq(str, (char *)content(f.store, "m", "n"), "ma=1 mc=3 md=4 "), "kept");
    close_all(&f);
}
