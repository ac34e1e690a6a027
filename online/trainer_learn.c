/* Examples are gathered and learnt in batches, in between to what is no example. */
#include "online/trainer_internal.h"

/* Where others wait for its versions, that is what the gate says, and not how far others are. */
static const struct model *gates_choice(const struct trainer *trainer)
{
    struct gate *gate = trainer->options.gate;
    uint32_t version;
    if (!gate || trainer->options.beside)
        return NULL;
    const struct model *stable = gate_stable(gate, &version);
    return stable ? stable : gate_champion(gate, &version);
}

/* By the version that scores all now: what is learnt of these it does not know yet. */
static void judge_gathered(struct trainer *trainer)
{
    struct registry *registry = trainer->options.registry;
    const struct model *chosen = gates_choice(trainer);
    const struct model *model = chosen ? chosen : registry_acquire(registry, 0);
    if (!model)
        return;
    for (size_t i = 0; i < trainer->n; i++)
        trainer->vectors[i] = trainer->rows[i].vector;
    model->ops->score(model, trainer->vectors, trainer->n, trainer->scores);
    if (!chosen)
        registry_release(registry, model);
    pthread_mutex_lock(&trainer->lock);
    for (size_t i = 0; i < trainer->n; i++)
        if (!trainer->rows[i].correction)
            prequential_add(trainer->judged, trainer->scores[i], trainer->rows[i].label);
    pthread_mutex_unlock(&trainer->lock);
}

static void learn_rows(struct trainer *trainer, struct model *model, const struct example *rows,
                       size_t n)
{
    if (trainer->options.gate)
        gate_learn(trainer->options.gate, model, rows, n);
    else
        model_learn(model, rows, n);
}

/* Behind some rows one of old is learnt again, which judges nothing: it was known before. */
static void learn_with_old(struct trainer *trainer, struct model *model)
{
    struct reservoir *reservoir = trainer->options.reservoir;
    struct example old;
    size_t from = 0;
    for (size_t i = 0; i < trainer->n; i++) {
        if (reservoir_draw(reservoir, trainer->rows[i].item, &old)) {
            learn_rows(trainer, model, trainer->rows + from, i + 1 - from);
            model->ops->learn(model, &old, 1);
            from = i + 1;
        }
        if (!trainer->rows[i].aside)
            reservoir_add(reservoir, &trainer->rows[i]);
    }
    if (trainer->n > from)
        learn_rows(trainer, model, trainer->rows + from, trainer->n - from);
}

static void learn_batch(struct trainer *trainer, struct model *model)
{
    if (trainer->options.judge && trainer->version > 0)
        judge_gathered(trainer);
    if (trainer->options.reservoir)
        learn_with_old(trainer, model);
    else
        learn_rows(trainer, model, trainer->rows, trainer->n);
    trainer->examples += trainer->n;
}

/* What was set aside in another life is so in this one. */
static void set_noise_aside(struct trainer *trainer)
{
    struct noise *noise = trainer->options.noise;
    for (size_t i = 0; i < trainer->n; i++) {
        struct example *row = &trainer->rows[i];
        row->aside = trainer->recalling ? noise_recalls(noise, row->item) : noise_look(noise, row);
    }
    trainer->set_aside = noise_set_aside(noise);
}

static void learn_gathered(struct trainer *trainer)
{
    struct model *model = trainer->options.model;
    if (trainer->n == 0)
        return;
    if (trainer->options.noise)
        set_noise_aside(trainer);
    if (trainer->recalling)
        model_recall(model, trainer->rows, trainer->n);
    else
        learn_batch(trainer, model);
    trainer->n = 0;
}

static void gather(struct trainer *trainer, const struct example_item *item)
{
    size_t i = trainer->n++;
    trainer->rows[i] = (struct example){
        .vector = {trainer->dense + i * trainer->options.n_dense,
                   trainer->sparse + i * VECTOR_SPARSE_MAX, item->n_sparse},
        .label = item->label,
        .weight = item->weight,
        .time = item->time,
        .item = trainer->cursor - 1,
        .correction = item->correction,
    };
    trainer->newest = item->released_at;
    if (trainer->n == LEARN_BATCH)
        learn_gathered(trainer);
}

/* All before it is judged by, and nothing behind it. */
static enum status meet(struct trainer *trainer, const struct example_item *item)
{
    if (!trainer->options.gate || trainer->recalling)
        return ST_OK;
    learn_gathered(trainer);
    return gate_meet(trainer->options.gate, &item->act, item->boundary.time);
}

static bool ends_trial(const struct act *act)
{
    return act->kind == ACT_CONFIRM || act->kind == ACT_ROLL_BACK;
}

/* Of this model. */
static enum status take_act(struct trainer *trainer, const struct example_item *item)
{
    learn_gathered(trainer);
    return ends_trial(&item->act) ? trainer_end_trial(trainer, &item->act, item->verdict)
                                  : trainer_act(trainer, &item->act, item->boundary.time);
}

/* Of this model and not learnt before. */
static enum status take_moment(struct trainer *trainer, const struct example_item *item)
{
    uint32_t number = trainer->options.number;
    if (item->kind == ITEM_ACT && item->act.kind == ACT_CONTEST)
        return meet(trainer, item);
    if (item->kind == ITEM_ACT)
        return item->act.model == number ? take_act(trainer, item) : ST_OK;
    if (item->boundary.model != number || trainer->recalling)
        return ST_OK;
    learn_gathered(trainer);
    return trainer_publish(trainer, &item->boundary, 0);
}

/* Where the vectors of a block go as they are read: behind those gathered. */
static enum status next_item(struct trainer *trainer, struct reader *in, unsigned layout,
                             struct example_item *ret)
{
    const struct trainer_options *options = &trainer->options;
    float *dense = trainer->dense + trainer->n * options->n_dense;
    struct sparse *sparse = trainer->sparse + trainer->n * VECTOR_SPARSE_MAX;
    return options->layouts ? examples_next_of(options->layouts, layout, in, dense, sparse, ret)
                            : examples_next(in, options->n_dense, dense, sparse, ret);
}

/* Up to the checkpoint items were learnt before: the model is only shown them again. What is
 * gathered of them is not to be mixed with what comes next. */
static void begin_learning(struct trainer *trainer)
{
    if (!trainer->recalling || trainer->cursor < trainer->recalled)
        return;
    learn_gathered(trainer);
    trainer->recalling = false;
}

enum status trainer_learn(struct trainer *trainer, struct slice items, unsigned layout,
                          uint64_t skip)
{
    struct reader in = reader_of(items);
    struct example_item item;
    enum status st;
    while ((st = next_item(trainer, &in, layout, &item)) == ST_OK) {
        if (skip > 0) {
            skip--;
            continue;
        }
        trainer->cursor++;
        if (item.kind == ITEM_EXAMPLE)
            gather(trainer, &item);
        else
            TRY(take_moment(trainer, &item));
        begin_learning(trainer);
    }
    learn_gathered(trainer);
    trainer->learnt = trainer->cursor;
    return st == ST_EEND ? ST_OK : st;
}
