#include "ingest/store_wal.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __SSE4_2__
#include <nmmintrin.h>
#endif

enum { BLOCK = 32768, HEADER = 7, NAME_MAX_LEN = 4200 };

enum fragment_type { ZEROS, FULL, FIRST, MIDDLE, LAST };

/* CRC-32C (Castagnoli). */
uint32_t store_wal_crc(uint32_t crc, const void *data, size_t len)
{
    const unsigned char *at = data;
    crc = ~crc;
#ifdef __SSE4_2__
    uint64_t wide = crc, word;
    for (; len >= 8; at += 8, len -= 8) {
        memcpy(&word, at, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    for (crc = (uint32_t)wide; len > 0; at++, len--)
        crc = _mm_crc32_u8(crc, *at);
#else
    for (; len > 0; at++, len--) {
        crc ^= *at;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
#endif
    return ~crc;
}

/* RocksDB stores checksums so, since a checksum of data with checksums in it means little. */
static uint32_t masked(uint32_t crc)
{
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

struct fragment {
    enum fragment_type type;
    struct slice data;
};

/* The fragment at a place of a block, if there is a whole one. */
static bool read_fragment(struct slice block, size_t at, struct fragment *ret)
{
    uint32_t crc;
    uint16_t len;
    if (block.len < at + HEADER)
        return false;
    memcpy(&crc, block.data + at, 4);
    memcpy(&len, block.data + at + 4, 2);
    unsigned char type = (unsigned char)block.data[at + 6];
    if (type < FULL || type > LAST || block.len - at - HEADER < len)
        return false;
    if (masked(store_wal_crc(0, block.data + at + 6, 1u + len)) != crc)
        return false;
    *ret = (struct fragment){(enum fragment_type)type, {block.data + at + HEADER, len}};
    return true;
}

/* A write begins with its sequence number and how many it takes up. */
enum { BEGINNING = 12 };

/* What the walk through one log file, and from one to the next, has come to know. */
struct walk {
    bool inside; /* a write has begun and not ended */
    char beginning[BEGINNING];
    size_t n_beginning; /* of the write that is read, or was read last */
    int64_t bad;        /* first place in this file that is not whole; -1: none */
    bool first;         /* the write is the first of its file */
    bool after_bad;     /* the file before this one did not end with a whole write */
    bool any;           /* whole write so far, in any file */
    uint64_t next;      /* sequence number behind the last of them */
    int64_t damage;     /* place that later writes prove to be damaged */
};

static uint64_t sequence_of(const struct walk *walk, uint32_t *ret_count)
{
    uint64_t sequence;
    memcpy(&sequence, walk->beginning, 8);
    memcpy(ret_count, walk->beginning + 8, 4);
    return sequence;
}

/* A fragment may be of any length, even none. */
static void keep_beginning(struct walk *walk, struct slice data)
{
    size_t left = BEGINNING - walk->n_beginning, n = data.len < left ? data.len : left;
    memcpy(walk->beginning + walk->n_beginning, data.data, n);
    walk->n_beginning += n;
}

/* False: it shows that the end of the file before is damaged. */
static bool end_write(struct walk *walk)
{
    uint32_t count;
    if (walk->n_beginning < BEGINNING)
        return true; /* nobody writes such */
    uint64_t sequence = sequence_of(walk, &count);
    bool fits = !walk->first || !walk->after_bad || !walk->any || sequence == walk->next;
    walk->next = sequence + count;
    walk->any = true;
    walk->first = false;
    return fits;
}

/* False: damage, because all before a write was on disk when it began. Behind a bad place the
 * middle or the end of the torn write may be found. */
static bool take(struct walk *walk, const struct fragment *fragment)
{
    bool begins = fragment->type == FULL || fragment->type == FIRST;
    bool ends = fragment->type == FULL || fragment->type == LAST;
    if (walk->bad >= 0)
        return !begins;
    if (begins == walk->inside)
        return false;
    if (begins)
        walk->n_beginning = 0;
    keep_beginning(walk, fragment->data);
    walk->inside = !ends;
    return !ends || end_write(walk);
}

static size_t without_zeros(struct slice block)
{
    while (block.len > 0 && block.data[block.len - 1] == 0)
        block.len--;
    return block.len;
}

/* Places that are not whole are passed byte by byte. False: damage. */
static bool walk_block(struct walk *walk, struct slice block, int64_t offset)
{
    struct fragment fragment;
    size_t at = 0, end = without_zeros(block);
    while (at < end && block.len - at >= HEADER) {
        bool whole = read_fragment(block, at, &fragment);
        if (whole && !take(walk, &fragment)) {
            walk->damage = walk->bad >= 0 ? walk->bad : offset + (int64_t)at;
            return false;
        }
        if (!whole && walk->bad < 0)
            walk->bad = offset + (int64_t)at;
        at += whole ? HEADER + fragment.data.len : 1;
    }
    bool padding = block.len == BLOCK && block.len - at < HEADER;
    if (at < block.len && !padding && walk->bad < 0)
        walk->bad = offset + (int64_t)at; /* zeros: what was there is gone, or never was */
    return true;
}

static enum status walk_file(struct walk *walk, FILE *file, char *block)
{
    walk->after_bad = walk->bad >= 0 || walk->inside;
    walk->bad = -1;
    walk->inside = false;
    walk->first = true;
    size_t n;
    for (int64_t offset = 0; (n = fread(block, 1, BLOCK, file)) > 0; offset += (int64_t)n)
        if (!walk_block(walk, (struct slice){block, n}, offset))
            return ST_ECORRUPT;
    return ferror(file) ? ST_EIO : ST_OK;
}

/* The files, by number. */

static int by_number(const struct dirent **a, const struct dirent **b)
{
    uint64_t left = strtoull((*a)->d_name, NULL, 10), right = strtoull((*b)->d_name, NULL, 10);
    return left < right ? -1 : left > right;
}

static int is_log(const struct dirent *entry)
{
    size_t digits = strspn(entry->d_name, "0123456789");
    return digits > 0 && strcmp(entry->d_name + digits, ".log") == 0;
}

static enum status check_file(struct walk *walk, const char *path, char *block, struct buf *error)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return errno == ENOENT ? ST_OK : ST_EIO;
    enum status st = walk_file(walk, file, block);
    fclose(file);
    if (st == ST_ECORRUPT)
        buf_printf(error,
                   "Corruption: %s: not whole at byte %" PRId64 ", and more was written behind it",
                   path, walk->damage);
    else if (st < 0)
        buf_printf(error, "%s: %s", path, strerror(errno));
    return st;
}

enum status store_wal_check(const char *dir, struct buf *error)
{
    struct dirent **entries = NULL;
    struct walk walk = {.bad = -1};
    char *block = malloc(BLOCK), path[NAME_MAX_LEN];
    enum status st = block ? ST_OK : ST_ENOMEM;
    int n = scandir(dir, &entries, is_log, by_number);
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name);
        if (st == ST_OK)
            st = check_file(&walk, path, block, error);
        free(entries[i]);
    }
    free(entries);
    free(block);
    return st;
}
