/*
 * online/gate_internal.h -- what gate.c (learning, and what comes of a verdict), gate_judge.c
 * (figures and verdict) and gate_file.c (save and load) share, and contest_judge.c, which judges by
 * the same figures. Nobody else includes it.
 */
#ifndef ONLINE_GATE_INTERNAL_H
#define ONLINE_GATE_INTERNAL_H

#include "online/contender.h"
#include "online/evidence.h"
#include "online/gate.h"

enum { GATE_DECISIONS_KEPT = 500 };

/* How often each feature was missing, of so many examples. */
struct gate_missing {
    double rows;
    double *counts; /* n_dense */
};

/* How far a version usually is from the one before it: mean squares over promoted ones, the past
 * fading. */
struct gate_usual {
    double difference, psi, alerts; /* alerts: logarithm of the ratio */
};

/* Pairs of scores of the same examples, as arrays. */
struct gate_pairs {
    size_t n, positives, not_numbers;
    float *champion, *candidate, *label, *weight;
};

struct gate {
    struct gate_options options;
    const struct vector_schema *schema;
    struct model *champion;
    uint32_t champion_version;
    uint64_t cursor;          /* of the boundary that is judged */
    uint64_t champion_cursor; /* the items before it are what the champion has learnt */
    bool tried;               /* so is the version of that boundary, if it is promoted */
    gate_make_fn make;        /* NULL: nothing is */
    void *make_arg;
    struct model *stable; /* NULL: nothing was yet */
    bool on_trial;        /* the champion is, and this one serves: */
    uint32_t stable_version;
    uint64_t stable_cursor;
    struct canary_limits limits; /* of the champion */
    struct contender *contender; /* NULL: it meets no other model */
    bool apart;                  /* the learner is not the champion, at the last boundary */
    unsigned known; /* what the champion says is known of one in so many settled rows */
    unsigned part;  /* that was looked at last: one in so many */
    struct evidence evidence;
    uint64_t seen;      /* examples ever given */
    uint64_t labels[2]; /* of them, lately */
    uint64_t stride;    /* one of so many negatives is kept */
    uint64_t learnt;    /* since the last boundary */
    uint32_t refused;   /* one after the other */
    struct gate_usual usual;
    struct gate_missing before, now; /* examples settled, with the past fading; and since */
    struct decision decisions[GATE_DECISIONS_KEPT];
    size_t n_decisions, first_decision;

    /* scratch of judging */
    size_t n_max;
    struct vector *vectors;
    struct evidence_row **rows;
    float *scores;
    struct gate_pairs pairs;
};

/* A look at one in `part` rows is enough for a candidate that passes it with room to spare; where
 * it does not, one in half as many is looked at, in the end all. Parts are fixed, and each holds
 * those of twice the number. */
enum { GATE_PARTS_MAX = 16, GATE_PART_POSITIVES = 30 };
unsigned gate_part(const struct gate *gate);
bool gate_samples(const struct evidence_row *row, unsigned part);
/* Whether the negative of that number is one of those kept. */
bool gate_picks(uint64_t order, uint64_t stride);
/* What the candidate, as it is now, says of the part's settled rows; and the champion, where that
 * is not known. */
void gate_score_settled(struct gate *gate, const struct model *candidate, unsigned part);
/* The newest positives and the negatives among them, in scratch. */
struct gate_pairs gate_gather(struct gate *gate, bool with_fresh, unsigned part);

/* Works out all figures and the verdict; changes nothing but scratch and the candidate's scores of
 * settled rows. */
STATUS_CHECKED enum status gate_work_out(struct gate *gate, const struct model *candidate,
                                         struct decision *ret);
/* One model's scores against another's on the same rows: all figures of "earlier" and those without
 * labels. alerts: the share of the champion's scores that are some. */
STATUS_CHECKED enum status gate_compare(const struct gate_pairs *pairs, double alerts,
                                        struct decision *ret);
/* Is the share of alerts further from the champion's than is allowed? */
bool gate_alerts_moved(const struct decision *decision);
/* gate.c: once it is needed. */
STATUS_CHECKED enum status gate_make_stable(struct gate *gate);
void gate_remember(struct gate *gate, const struct decision *decision);

#endif
