/*
 * Tests of ingest/store_wal.h, on logs that RocksDB itself has written.
 *
 * What is known without running it: CRC-32C of "123456789" is e3069283. A log is whole, and so is
 * one whose last write is torn: cut off anywhere, followed by zeros or garbage, or without some of
 * its sectors. With a bit flipped, or some bytes overwritten, anywhere at all: either it is
 * refused, or RocksDB then finds every write but perhaps the last one, and never fewer. Flipped in
 * what an earlier write holds, it is refused. A file that a start has cut off may stay before the
 * next one, if that goes on at the same place; if it does not, it is refused.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "ingest/store.h"
#include "ingest/store_wal.h"

enum { WRITES = 40, BLOCK = 32768 };

struct rig {
    char dir[64], log[128];
    int64_t begins[WRITES + 1]; /* of each write in the log; its end */
    struct buf content;         /* of the log */
    uint64_t rng;
};

static unsigned draw(struct rig *rig, uint64_t below)
{
    rig->rng = rig->rng * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((rig->rng >> 33) % below);
}

static int64_t size_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (int64_t)info.st_size : -1;
}

/* The newest log of the folder. */
static void find_log(struct rig *rig)
{
    char command[200];
    snprintf(command, sizeof command, "ls %s/*.log | sort | tail -1", rig->dir);
    FILE *out = popen(command, "r");
    cr_assert(ne(ptr, fgets(rig->log, sizeof rig->log, out), NULL));
    rig->log[strcspn(rig->log, "\n")] = '\0';
    pclose(out);
}

static struct store *open_store(struct rig *rig)
{
    char *error = NULL;
    struct store *store = NULL;
    cr_assert(eq(int, store_open_rocks(rig->dir, &store, &error), ST_OK), "%s", error);
    find_log(rig);
    return store;
}

/* Some of a few bytes, some of several blocks. Bytes of the value are of the write's number and of
 * chance: none of them are zero at an end. */
static void write_one(struct rig *rig, struct store *store, struct store_batch *batch, int number)
{
    size_t len = 1 + draw(rig, draw(rig, 4) ? 2000 : 3 * BLOCK);
    char *value = malloc(len), key[16];
    for (size_t i = 0; i < len; i++)
        value[i] = (char)draw(rig, 256);
    snprintf(key, sizeof key, "r%08d", number);
    store->ops->put(batch, slice_of(key), (struct slice){value, len});
    cr_assert(eq(int, store->ops->write(store, batch), ST_OK));
    free(value);
}

static void read_log(struct rig *rig)
{
    FILE *file = fopen(rig->log, "rb");
    size_t n;
    buf_reset(&rig->content);
    while ((n = fread(buf_reserve(&rig->content, BLOCK), 1, BLOCK, file)) > 0)
        rig->content.len += n;
    fclose(file);
}

static void write_log(const struct rig *rig, const char *data, size_t len)
{
    FILE *file = fopen(rig->log, "wb");
    cr_assert(eq(sz, fwrite(data, 1, len, file), len));
    fclose(file);
}

static void rig_init(struct rig *rig, uint64_t seed)
{
    *rig = (struct rig){.dir = "/tmp/freshet-wal-XXXXXX", .rng = seed};
    cr_assert(ne(ptr, mkdtemp(rig->dir), NULL));
    struct store *store = open_store(rig);
    struct store_batch *batch = store->ops->batch_create(store);
    for (int i = 0; i < WRITES; i++) {
        rig->begins[i] = size_of(rig->log);
        write_one(rig, store, batch, i);
    }
    rig->begins[WRITES] = size_of(rig->log);
    store->ops->batch_free(batch);
    store_free(store);
    read_log(rig);
    cr_assert(eq(i64, rig->begins[WRITES], (int64_t)rig->content.len));
}

static void rig_done(struct rig *rig)
{
    folder_remove(rig->dir);
    buf_done(&rig->content);
}

static enum status check(const struct rig *rig)
{
    struct buf error = {0};
    enum status st = store_wal_check(rig->dir, &error);
    cr_expect(eq(int, st<0, error.len> 0));
    buf_done(&error);
    return st;
}

Test(store_wal, checksum)
{
    cr_expect(eq(u32, store_wal_crc(0, "123456789", 9), 0xe3069283));
    cr_expect(eq(u32, store_wal_crc(store_wal_crc(0, "123", 3), "456789", 6), 0xe3069283));
}

Test(store_wal, a_torn_last_write_is_no_damage)
{
    struct rig rig;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        rig_init(&rig, seed);
        int64_t from = rig.begins[WRITES - 1], n = rig.begins[WRITES] - from;
        struct buf torn = {0};
        cr_expect(eq(int, check(&rig), ST_OK), "whole");
        for (int i = 0; i < 200; i++) {
            int64_t cut = draw(&rig, (uint64_t)n + 1);
            buf_reset(&torn);
            buf_append(&torn, rig.content.data, (size_t)(from + cut));
            for (int64_t at = cut; i % 3 == 1 && at < n + 500; at++)
                buf_byte(&torn, 0);
            for (int64_t at = 0; i % 3 == 2 && at < 5000; at++)
                buf_byte(&torn, (uint8_t)draw(&rig, 256));
            write_log(&rig, torn.data, torn.len);
            cr_expect(eq(int, check(&rig), ST_OK), "cut at %d of %d, way %d", (int)cut, (int)n,
                      i % 3);
        }
        buf_done(&torn);
        rig_done(&rig);
    }
}

/* Of a write of many sectors each may be on disk or not, whatever their order. */
Test(store_wal, a_last_write_without_some_sectors_is_no_damage)
{
    struct rig rig;
    rig_init(&rig, 5);
    struct store *store = open_store(&rig); /* a new log */
    struct store_batch *batch = store->ops->batch_create(store);
    static char value[5 * BLOCK];
    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (char)draw(&rig, 256);
    write_one(&rig, store, batch, 0);
    int64_t from = size_of(rig.log);
    store->ops->put(batch, slice_of("r1"), (struct slice){value, sizeof value});
    cr_assert(eq(int, store->ops->write(store, batch), ST_OK));
    store->ops->batch_free(batch);
    store_free(store);
    read_log(&rig);
    for (int i = 0; i < 200; i++) {
        struct buf torn = {0};
        buf_append(&torn, rig.content.data, rig.content.len);
        for (size_t at = 0; at < torn.len; at += 512)
            for (size_t j = at; draw(&rig, 3) == 0 && j < at + 512 && j < torn.len; j++)
                if ((int64_t)j >= from)
                    torn.data[j] = 0;
        write_log(&rig, torn.data, torn.len);
        cr_expect(eq(int, check(&rig), ST_OK));
        buf_done(&torn);
    }
    rig_done(&rig);
}

static int count_writes(struct rig *rig)
{
    struct store *store = open_store(rig);
    struct buf value = {0};
    int n = 0;
    for (char key[16]; n < WRITES; n++) {
        snprintf(key, sizeof key, "r%08d", n);
        if (store->ops->get(store, slice_of(key), &value) < 0)
            break;
    }
    buf_done(&value);
    store_free(store);
    return n;
}

static void spoil(struct rig *rig, int way, size_t at)
{
    for (size_t i = 0; i < (way == 0 ? 1u : 700u) && at + i < rig->content.len; i++)
        rig->content.data[at + i] ^= (char)(way == 0   ? 1 << draw(rig, 8)
                                            : way == 1 ? rig->content.data[at + i]
                                                       : (char)draw(rig, 256));
}

/* RocksDB, if asked, never loses but the last write in silence. Each on a fresh folder: it changes
 * what it opens. */
Test(store_wal, nothing_but_the_last_write_is_lost_in_silence, .timeout = 100)
{
    int refused = 0, whole = 0;
    for (uint64_t seed = 10; seed < 70; seed++) {
        struct rig rig;
        rig_init(&rig, seed);
        size_t at = draw(&rig, rig.content.len);
        spoil(&rig, (int)(seed % 3), at);
        write_log(&rig, rig.content.data, rig.content.len);
        bool earlier = (int64_t)at < rig.begins[WRITES - 1];
        if (check(&rig) == ST_OK) {
            whole++;
            cr_expect(ge(int, count_writes(&rig), WRITES - 1), "seed %d", (int)seed);
            cr_expect(not(earlier), "seed %d, at %d", (int)seed, (int)at);
        } else {
            refused++;
            cr_expect(earlier, "seed %d, at %d", (int)seed, (int)at);
        }
        rig_done(&rig);
    }
    cr_expect(gt(int, refused, 30));
}

/* Every bit of a short log but those of its last write. */
Test(store_wal, each_bit_counts)
{
    struct rig rig;
    rig_init(&rig, 3);
    size_t writes = 0;
    while (rig.begins[writes + 2] < 6000)
        writes++;
    size_t len = (size_t)rig.begins[writes + 2];
    for (size_t bit = 0; bit < 8 * (size_t)rig.begins[writes + 1]; bit += 1 + draw(&rig, 7)) {
        rig.content.data[bit / 8] ^= (char)(1 << bit % 8);
        write_log(&rig, rig.content.data, len);
        rig.content.data[bit / 8] ^= (char)(1 << bit % 8);
        cr_assert(eq(int, check(&rig), ST_ECORRUPT), "bit %d", (int)bit);
    }
    rig_done(&rig);
}

/* As a crash within a start leaves it: the log that it has read is still there. */
Test(store_wal, a_torn_file_stays_before_the_next)
{
    struct rig rig;
    for (int lost = 0; lost <= 2; lost++) {
        rig_init(&rig, 7);
        char old[128];
        size_t len = (size_t)rig.begins[WRITES] - 3;
        memcpy(old, rig.log, sizeof old);
        write_log(&rig, rig.content.data, len);
        cr_expect(eq(int, count_writes(&rig), WRITES - 1));
        struct store *store = open_store(&rig);
        struct store_batch *batch = store->ops->batch_create(store);
        write_one(&rig, store, batch, WRITES);
        write_one(&rig, store, batch, WRITES + 1);
        store->ops->batch_free(batch);
        store_free(store);
        memcpy(rig.log, old, sizeof old);
        write_log(&rig, rig.content.data, (size_t)rig.begins[WRITES - lost] - 3);
        cr_expect(eq(int, check(&rig), lost == 0 ? ST_OK : ST_ECORRUPT), "%d writes lost", lost);
        rig_done(&rig);
    }
}

Test(store_wal, a_folder_without_logs_is_whole)
{
    struct buf error = {0};
    cr_expect(eq(int, store_wal_check("/nowhere/at/all", &error), ST_OK));
    cr_expect(zero(sz, error.len));
}
