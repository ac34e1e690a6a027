/*
 * tests/sim/disk.h -- files, clocks and chance of a simulated service.
 *
 * The product opens, writes, fsyncs and renames model files with plain system calls. The linker
 * puts these in their place (tests/sim/CMakeLists.txt): files under /sim/ live in memory, with what
 * of them would be on disk kept apart, and clocks show the world's time.
 *
 * A crash leaves of each file what was fsynced and, as chance will have it, some of what was
 * written after; and the names of the last fsync of the folder, or the latest.
 */
#ifndef TESTS_SIM_DISK_H
#define TESTS_SIM_DISK_H

#include "base/bytes.h"
#include "tests/sim/world.h"

#define DISK_DIR "/sim"

/* Everything is gone. */
void disk_clear(void);
/* Everything but files that have this in their names. */
void disk_clear_but(const char *part);
/* The path of a file that has this in its name, from the i-th file on; NULL: there is none. */
const char *disk_find(const char *part, size_t i);
/* As if the power went. */
void disk_crash(struct world *world);
/* A planted fault: fsync of a file does nothing. */
void disk_forget_fsync(bool forget);
/* The content of a file; {NULL, 0} if there is none. */
struct slice disk_file(const char *path);
/* Seconds of the machine's own clock. */
double disk_real_seconds(void);

#endif
