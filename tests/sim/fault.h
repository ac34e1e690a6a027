/*
 * tests/sim/fault.h -- faults that are planted to see that the simulation finds them.
 *
 * Each is what the service would do if a part of it were wrong; none is in the product. They are
 * made where the product touches the world: in the store, the files and the broker of the
 * simulation.
 */
#ifndef TESTS_SIM_FAULT_H
#define TESTS_SIM_FAULT_H

enum fault {
    FAULT_NONE,
    FAULT_OFFSETS_APART,    /* input offsets are written outside the epoch's batch */
    FAULT_RECORD_CHANGES,   /* a record changes while its epoch is being written */
    FAULT_STORE_UNSYNCED,   /* a commit is told to be durable and is not fsynced */
    FAULT_FILE_UNSYNCED,    /* a model file is named by a commit and was not fsynced */
    FAULT_CURSOR_AHEAD,     /* examples are acknowledged before they are durable */
    FAULT_ROWS_ACKED_EARLY, /* rows leave the outbox before the broker has them */
    FAULT_ROWS_SENT_EARLY,  /* rows are sent before the epoch that they are of is durable */
    FAULT_GROUP_APART,      /* the group's offsets are committed behind the rows' transaction */
    FAULT_COUNT
};

/* As on the command line. */
extern const char *const fault_names[FAULT_COUNT];

#endif
