#include "online/inspect.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "features/ledger.h"

static enum status say(const char *dir, const char *what, enum status st, const char *why)
{
    fprintf(stderr, "%s: %s: %s%s%s\n", dir, what, status_text(st), why && why[0] ? ": " : "",
            why ? why : "");
    return st;
}

enum status inspect_open_store(const char *dir, struct store **ret)
{
    char path[4200], *error = NULL;
    struct stat info;
    snprintf(path, sizeof path, "%s/db", dir);
    if (stat(path, &info) < 0)
        return say(dir, "no state here", ST_ENOTFOUND, NULL);
    int holder = store_holder(path);
    if (holder > 0) {
        fprintf(stderr,
                "%s: process %d is at work on it: take a checkpoint (`freshet state checkpoint`) "
                "and look at that\n",
                dir, holder);
        return ST_EBUSY;
    }
    enum status st = store_open_rocks_to_read(path, ret, &error);
    if (st < 0)
        say(dir, "cannot open", st, error);
    free(error);
    return st;
}

static enum status recover(const char *dir, enum inspect_depth depth, struct inspect *inspect)
{
    static const char *const loaded[] = {JOIN_FAMILY, LEDGER_FAMILY, LAYOUTS_FAMILY, NULL};
    struct commit_options options = {
        .store = inspect->store, .load_max = depth == INSPECT_NEEDED, .loaded_families = loaded};
    TRY(state_create(&inspect->state));
    TRY(commit_create(&options, &inspect->commit));
    struct buf head = {0};
    uint64_t epoch = 0;
    enum status st = commit_recover(inspect->commit, inspect->state, &head, &epoch);
    if (st == ST_OK && epoch == 0)
        st = ST_ENOTFOUND;
    if (st == ST_OK)
        st = head_decode(buf_slice(&head), &inspect->head);
    buf_done(&head);
    return st < 0 ? say(dir, "cannot recover", st, commit_error(inspect->commit)) : ST_OK;
}

static enum status lay_out(const struct settings *settings, struct inspect *inspect)
{
    struct conf_errors errors = {0};
    enum status st =
        plan_create_at(&settings->schema, settings->features_node, settings->time.lateness,
                       inspect->state, inspect->head.clock, NULL, &errors, &inspect->plan);
    conf_errors_print(&errors, stderr);
    conf_errors_done(&errors);
    TRY(st);
    TRY(layouts_open(inspect->state, plan_vector_schema(inspect->plan),
                     plan_label_key_names(inspect->plan), plan_n_label_keys(inspect->plan),
                     &inspect->layouts));
    struct join_options options = {.labels = settings->schema.labels,
                                   .n_dense = plan_vector_schema(inspect->plan)->n_dense,
                                   .n_keys = plan_n_label_keys(inspect->plan),
                                   .layouts = inspect->layouts};
    TRY(join_create(&options, inspect->state, &inspect->join));
    return join_recover(inspect->join);
}

enum status inspect_open(const struct settings *settings, const char *dir, enum inspect_depth depth,
                         struct inspect *ret)
{
    struct inspect inspect = {0};
    head_init(&inspect.head);
    enum status st = inspect_open_store(dir, &inspect.store);
    if (st == ST_OK)
        st = recover(dir, depth, &inspect);
    if (st == ST_OK) {
        st = lay_out(settings, &inspect);
        if (st < 0)
            say(dir, "does not fit the config", st, NULL);
    }
    if (st < 0)
        inspect_close(&inspect);
    else
        *ret = inspect;
    return st;
}

void inspect_close(struct inspect *inspect)
{
    join_free(inspect->join);
    layouts_free(inspect->layouts);
    plan_free(inspect->plan);
    commit_free(inspect->commit);
    state_free(inspect->state);
    store_free(inspect->store);
    head_done(&inspect->head);
    *inspect = (struct inspect){0};
}
