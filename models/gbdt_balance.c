/* Rare positives: made up between those there are (SMOTE), counted for more, and scores put right.
 */
#include <math.h>
#include <stdlib.h>

#include "models/gbdt.h"
#include "models/smote.h"

enum { BASES_MAX = 5000 }; /* newest positives that others are made from: neighbours cost n^2 */

/* Of the window, by label; rows that were corrected weigh nothing. */
struct classes {
    double weight[2];
    size_t positives;
};

static bool counts(const struct gbdt_window *window, size_t at)
{
    return window->weights[at] > 0;
}

static struct classes classes_of(const struct gbdt_window *window)
{
    struct classes classes = {{0, 0}, 0};
    for (size_t i = window->first; i < window->first + window->n; i++) {
        bool positive = window->labels[i] >= 0.5f;
        classes.weight[positive] += (double)window->weights[i];
        classes.positives += positive && counts(window, i);
    }
    return classes;
}

/* How many positives are lacking, by weight, until there are `ratio` of them to a negative. */
static size_t lacking(const struct gbdt *gbdt, const struct classes *classes)
{
    double each = classes->weight[1] / (double)classes->positives;
    double more = gbdt->options.smote * classes->weight[0] - classes->weight[1];
    if (gbdt->options.smote <= 0 || classes->positives < 2 || more <= 0)
        return 0;
    more = floor(more / each);
    double most = (double)gbdt->options.rows;
    return (size_t)(more < most ? more : most);
}

/* The newest positives as rows side by side. Returns how many. */
static size_t gather(const struct gbdt_window *window, float *rows, float *weights)
{
    size_t n = 0, columns = window->n_columns;
    for (size_t i = window->first + window->n; i-- > window->first && n < BASES_MAX;) {
        if (window->labels[i] < 0.5f || !counts(window, i))
            continue;
        memcpy(rows + n * columns, window->values + i * columns, columns * sizeof *rows);
        weights[n++] = window->weights[i];
    }
    return n;
}

/* Behind the window's rows, where they stay until the next row comes. */
static enum status make_up(struct gbdt *gbdt, size_t positives, size_t n_new)
{
    struct gbdt_window *window = &gbdt->window;
    size_t columns = window->n_columns, most = positives < BASES_MAX ? positives : BASES_MAX;
    struct smote_options options = {(size_t)gbdt->options.smote_neighbours,
                                    (uint64_t)gbdt->options.seed + gbdt->learnt};
    float *bases = calloc(most * columns, sizeof *bases), *weights = calloc(most, sizeof *weights);
    uint32_t *from = calloc(n_new, sizeof *from);
    enum status st = bases && weights && from ? ST_OK : ST_ENOMEM;
    gbdt_window_reserve(window, n_new);
    size_t at = window->first + window->n, n = st == ST_OK ? gather(window, bases, weights) : 0;
    if (st == ST_OK)
        st = smote_make(&options, bases, n, columns, n_new, window->values + at * columns, from);
    for (size_t i = 0; st == ST_OK && i < n_new; i++) {
        window->labels[at + i] = 1;
        window->weights[at + i] = weights[from[i]];
    }
    free(bases);
    free(weights);
    free(from);
    return st;
}

enum status gbdt_rebalance(struct gbdt *gbdt, struct gbdt_balance *ret)
{
    struct classes classes = classes_of(&gbdt->window);
    struct balance balance = gbdt->balance;
    size_t n_new = lacking(gbdt, &classes);
    double before = classes.weight[1], more = 0;
    if (n_new > 0)
        TRY(make_up(gbdt, classes.positives, n_new));
    for (size_t i = 0; i < n_new; i++)
        more += (double)gbdt->window.weights[gbdt->window.first + gbdt->window.n + i];
    balance.counts[0] = classes.weight[0];
    balance.counts[1] = before + more;
    ret->made = n_new;
    ret->weight = balance_weight(&balance, 0);
    ret->offset = log(ret->weight * (before + more) / before);
    return ST_OK;
}
