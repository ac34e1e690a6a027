/*
 * online/head.h -- where everything stands after an epoch: the value that each commit replaces.
 */
#ifndef ONLINE_HEAD_H
#define ONLINE_HEAD_H

#include "base/bytes.h"
#include "base/status.h"
#include "ingest/source.h"
#include "online/canary.h"

/* A lane keeps its number for the life of a state directory, whatever partitions are added. */
struct head_lane {
    char *topic;
    int32_t partition;
    int64_t next; /* offset to read next; -1: from the beginning */
};

/* So does a model, whatever others come and go beside it. */
struct head_model {
    char *name;                  /* empty: of a state from when models had no names here */
    bool active;                 /* is in the configuration; if not, its version stands still */
    uint32_t version;            /* published last */
    int64_t boundary_next;       /* event time of the next publication; INT64_MIN: not yet known */
    uint64_t examples_from;      /* learns the items of the example log from this one on */
    uint64_t examples_published; /* the version has learnt the items before this one */
    /* Of the versions made beside the scoring (ACT_SERVE) the one that took over last. */
    uint32_t accepted;
    /* Compared with the model `rival` when that version was about to be published; the last
     * comparison that something came of, or nothing. Less: one is not yet known. */
    uint32_t contested, settled, rival;
    struct canary canary; /* the trial of its newest version */
};
enum { HEAD_MODELS_MAX = 64 };

struct head {
    uint64_t epoch;
    int64_t clock;          /* the stream's time: the latest merged */
    uint64_t examples_next; /* number of the next item of the example log */
    uint64_t examples_end;  /* its items from this one on are boundaries, not examples */
    uint64_t events;        /* taken since the state began */
    /* The state was built by a replay of files up to here (event time): topics go on from there,
     * and ids known from before it are not scored again. INT64_MIN: it was not. */
    int64_t replayed;
    size_t n_lanes;
    struct head_lane *lanes;
    uint32_t champion; /* number of the model whose scores leave */
    uint32_t intended; /* the champion of the configuration: another may have taken over since */
    size_t n_models;
    struct head_model *models;
};

void head_init(struct head *head);
void head_done(struct head *head);
void head_encode(const struct head *head, struct buf *ret);
/* ret must be initialised; what it held goes. ST_ECORRUPT; ST_EVERSION where a newer freshet wrote
 * it. */
STATUS_CHECKED enum status head_decode(struct slice bytes, struct head *ret);
/* The number of a lane by name; added behind the others if it is new. */
uint32_t head_lane(struct head *head, const char *topic, int32_t partition);
/* Only these models are active from now on, the first being the champion, unless it was meant to be
 * before and one of the others took over since; ret: their numbers. One that is new, or was away,
 * learns from the next item of the log on. ST_EINVAL: there have been HEAD_MODELS_MAX. */
STATUS_CHECKED enum status head_set_models(struct head *head, const char *const *names, size_t n,
                                           uint32_t *ret);
/* The version that scores; 0: none does. */
uint32_t head_version(const struct head *head);

#endif
