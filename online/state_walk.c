#include "online/state_walk.h"

struct walk {
    struct state *known; /* these are counted already */
    struct state *some;  /* those read now */
    size_t bytes_max;
    struct state_sum sum;
    unsigned shard;
};

static void add(struct state_sum *sum, const struct state *state)
{
    struct key128 digest = state_digest(state);
    sum->records += state_count(state);
    sum->digest.lo += digest.lo;
    sum->digest.hi += digest.hi;
}

static enum status begin_anew(struct walk *walk)
{
    add(&walk->sum, walk->some);
    state_free(walk->some);
    walk->some = NULL;
    return state_create(&walk->some);
}

/* The pages of a record stand one behind another, its first in front. */
static enum status take_page(void *arg, struct slice key, struct slice value)
{
    struct walk *walk = arg;
    struct slice page = {key.data + 1, key.len - 1};
    uint16_t family;
    struct key128 id;
    if (page.len != STATE_PAGE_KEY)
        return ST_ECORRUPT;
    walk->shard = (unsigned char)page.data[0];
    bool first = state_read_page_key(page, &family, &id) == 0;
    if (state_find(walk->known, family, id))
        return ST_OK;
    if (first && state_bytes(walk->some) > walk->bytes_max)
        TRY(begin_anew(walk));
    return state_load_page(walk->some, page, value);
}

enum status state_walk(struct store *store, struct state *state, size_t bytes_max,
                       struct state_sum *ret, unsigned *ret_shard)
{
    struct walk walk = {.known = state, .bytes_max = bytes_max};
    add(&walk.sum, state);
    enum status st = state_create(&walk.some);
    if (st == ST_OK)
        st = store_scan_space(store, STORE_PAGE, take_page, &walk);
    if (st == ST_OK)
        add(&walk.sum, walk.some);
    state_free(walk.some);
    *ret_shard = walk.shard;
    if (st == ST_OK)
        *ret = walk.sum;
    return st;
}
