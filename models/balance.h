/*
 * models/balance.h -- class weights: what a positive counts while a model learns, where positives
 * are rare.
 *
 * `class_weight: 20` makes each positive count for twenty, `balanced` for as many as there are
 * negatives to a positive, by weight, so that both classes weigh the same in all (scikit-learn's
 * "balanced", but for a common factor). A model of log-loss that is so taught gives odds that are
 * too high by that very factor (Elkan, "The foundations of cost-sensitive learning", IJCAI 2001),
 * so scores are put right: their log-odds less ln(weight).
 */
#ifndef MODELS_BALANCE_H
#define MODELS_BALANCE_H

#include "base/conf.h"

enum balance_how { BALANCE_NONE, BALANCE_NUMBER, BALANCE_BALANCED };

/* A stream that is to be balanced as it comes begins as if there had been so many of each class, so
 * that its first positives do not count for thousands. */
#define BALANCE_PRIOR 50.0

struct balance {
    enum balance_how how;
    double number;    /* BALANCE_NUMBER */
    double counts[2]; /* weight of the negatives and positives counted */
};

/* From the configuration's value; NULL: none. Mistakes go to errors. */
struct balance balance_read(const struct conf_node *node, struct conf_errors *errors);
/* For its table: what may stand there. */
void balance_write_schema(struct buf *ret);
#define BALANCE_HELP                                                                               \
    "What an example with label 1 counts for: a number, or `balanced`: as many as there are of "   \
    "label 0 to one of label 1. Scores are put right for it. See docs/rebalancing.md."

static inline void balance_count(struct balance *balance, float label, float weight)
{
    balance->counts[label >= 0.5f] += (double)weight;
}
/* What a positive counts for, given what was counted and so many of each class before that. */
static inline double balance_weight(const struct balance *balance, double prior)
{
    double negatives = balance->counts[0] + prior, positives = balance->counts[1] + prior;
    if (balance->how == BALANCE_NUMBER)
        return balance->number;
    return balance->how == BALANCE_NONE || positives <= 0 || negatives <= 0 ? 1
                                                                            : negatives / positives;
}

#endif
