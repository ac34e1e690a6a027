/*
 * tests/sim/disk_internal.h -- what disk.c (files, and what a crash leaves of them) and
 * disk_calls.c (the system calls) share.
 */
#ifndef TESTS_SIM_DISK_INTERNAL_H
#define TESTS_SIM_DISK_INTERNAL_H

#include "tests/sim/disk.h"

enum { FILES_MAX = 512, OPEN_MAX = 8, NAME_SIZE = 160, FD_FIRST = 1 << 20, FD_FOLDER = 1 << 21 };

struct node {
    struct buf seen, synced;
    unsigned names; /* that it has, in both lists */
};

struct name {
    char path[NAME_SIZE];
    struct node *node;
};

struct folder {
    size_t n;
    struct name names[FILES_MAX];
};

/* There is one folder: its names as they are, and as of its last fsync. */
struct disk {
    struct folder seen, synced;
    struct node *opened[OPEN_MAX];
    bool forgetful; /* fsync of a file does nothing */
};
extern struct disk the_disk;

struct name *folder_find(struct folder *folder, const char *path);
void folder_drop(struct folder *folder, struct name *name);
void folder_set(struct folder *folder, const char *path, struct node *node);
void folder_copy(struct folder *to, const struct folder *from);

#endif
