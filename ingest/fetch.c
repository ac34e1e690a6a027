#include "ingest/fetch.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/jobs.h"

enum { TABLE_FIRST = 2048, KEY = 1 + STATE_PAGE_KEY };

struct fetcher {
    struct store *store;
    struct bell *bell;
    struct bell wake;
    struct ring *asked;
    pthread_t thread;
    bool started;
    _Atomic bool stop;
};

/* What is wanted. */

void fetch_begin(struct fetch *fetch)
{
    fetch->n = fetch->asked = 0;
    fetch->status = ST_OK;
    buf_reset(&fetch->pages);
    if (fetch->n_table > 0)
        memset(fetch->table, 0, fetch->n_table * sizeof *fetch->table);
}

void fetch_done(struct fetch *fetch)
{
    free(fetch->wanted);
    free(fetch->table);
    buf_done(&fetch->pages);
    *fetch = (struct fetch){0};
}

static uint32_t *table_place(const struct fetch *fetch, uint16_t family, struct key128 id)
{
    size_t mask = fetch->n_table - 1, i = (id.lo ^ (id.hi >> 7) ^ family) & mask;
    for (;; i = (i + 1) & mask) {
        uint32_t at = fetch->table[i];
        if (at == 0 ||
            (fetch->wanted[at - 1].family == family && key_eq(fetch->wanted[at - 1].id, id)))
            return &fetch->table[i];
    }
}

static void grow(struct fetch *fetch)
{
    size_t n = fetch->n_table ? fetch->n_table * 2 : TABLE_FIRST;
    free(fetch->table);
    fetch->table = calloc(n, sizeof *fetch->table);
    fetch->wanted = realloc(fetch->wanted, n / 2 * sizeof *fetch->wanted);
    if (!fetch->table || !fetch->wanted)
        abort();
    fetch->n_table = n;
    fetch->cap = n / 2;
    for (size_t i = 0; i < fetch->n; i++)
        *table_place(fetch, fetch->wanted[i].family, fetch->wanted[i].id) = (uint32_t)i + 1;
}

bool fetch_want(struct fetch *fetch, uint16_t family, struct key128 id)
{
    if (fetch->n == fetch->cap)
        grow(fetch);
    uint32_t *place = table_place(fetch, family, id);
    if (*place > 0)
        return false;
    fetch->wanted[fetch->n++] = (struct state_missing){family, id};
    *place = (uint32_t)fetch->n;
    return true;
}

/* Reading. */

static void page_key(const struct state_missing *record, uint32_t page, char *ret)
{
    ret[0] = (char)STORE_PAGE;
    state_page_key(record->family, record->id, page, ret + 1);
}

static void put_page(struct buf *pages, const char *key, struct slice value)
{
    buf_append(pages, key + 1, STATE_PAGE_KEY);
    buf_u32(pages, (uint32_t)value.len);
    buf_append(pages, value.data, value.len);
}

struct reading {
    struct store *store;
    const struct state_missing *records; /* those that are read at once */
    struct buf *pages;
};

/* Pages behind the first, one by one: few records have any. install() knows whether one may lack.
 */
static enum status read_further(const struct reading *reading, const struct state_missing *record,
                                uint32_t n)
{
    struct buf value = {0};
    enum status st = ST_OK;
    for (uint32_t page = 1; page < n && st == ST_OK; page++) {
        char key[KEY];
        page_key(record, page, key);
        buf_reset(&value);
        st = reading->store->ops->get(reading->store, (struct slice){key, KEY}, &value);
        if (st == ST_OK)
            put_page(reading->pages, key, buf_slice(&value));
        if (st == ST_ENOTFOUND)
            st = ST_OK;
    }
    buf_done(&value);
    return st;
}

static enum status found(void *arg, size_t i, struct slice value)
{
    const struct reading *reading = arg;
    uint32_t n = state_pages(value);
    if (n == 0)
        return ST_ECORRUPT;
    char key[KEY];
    page_key(&reading->records[i], 0, key);
    put_page(reading->pages, key, value);
    return n > 1 ? read_further(reading, &reading->records[i], n) : ST_OK;
}

static enum status read_records(struct store *store, const struct state_missing *records, size_t n,
                                struct buf *ret_pages)
{
    enum { AT_ONCE = 256 };
    char keys[AT_ONCE][KEY];
    struct slice slices[AT_ONCE];
    for (size_t from = 0; from < n; from += AT_ONCE) {
        size_t some = n - from < AT_ONCE ? n - from : AT_ONCE;
        struct reading reading = {store, records + from, ret_pages};
        for (size_t i = 0; i < some; i++) {
            page_key(&records[from + i], 0, keys[i]);
            slices[i] = (struct slice){keys[i], KEY};
        }
        TRY(store->ops->get_many(store, slices, some, found, &reading));
    }
    return ST_OK;
}

/* What was read is installed record by record, as the pages of one follow each other. */
struct installing {
    struct state *state;
    bool held_only; /* see fetch.held */
    struct state_missing record;
    uint32_t left; /* of its pages those that have still to come */
    bool here;     /* it is in memory, or has been: what was read of it is older */
};

/* A record that was cut has lost its last pages; redo values that are held then tell them anew, and
 * its size. */
static enum status installed(const struct installing *installing)
{
    const struct state_missing *record = &installing->record;
    bool good = installing->here || installing->left == 0 ||
                state_holds(installing->state, record->family, record->id);
    return good ? ST_OK : ST_ECORRUPT;
}

static enum status install_page(struct installing *installing, struct slice key, struct slice value)
{
    struct state_missing *record = &installing->record;
    if (state_read_page_key(key, &record->family, &record->id) == 0) {
        installing->left = state_pages(value);
        installing->here =
            state_find(installing->state, record->family, record->id) != NULL ||
            (installing->held_only && !state_holds(installing->state, record->family, record->id));
    }
    installing->left--;
    return installing->here ? ST_OK : state_load_page(installing->state, key, value);
}

static bool is_first_page(struct slice key)
{
    struct state_missing record;
    return state_read_page_key(key, &record.family, &record.id) == 0;
}

static enum status install(struct installing *installing, struct slice pages,
                           const struct state_missing *records, size_t n)
{
    struct reader in = reader_of(pages);
    struct slice key, value;
    while (state_next_page(&in, &key, &value)) {
        if (is_first_page(key))
            TRY(installed(installing));
        TRY(install_page(installing, key, value));
    }
    TRY(installed(installing));
    for (size_t i = 0; i < n && state_held(installing->state) > 0; i++)
        state_release(installing->state, records[i].family, records[i].id);
    return ST_OK;
}

enum status fetch_install(struct fetch *fetch, struct state *state)
{
    TRY(fetch->status);
    struct installing installing = {.state = state, .held_only = fetch->held_only};
    enum status st = install(&installing, buf_slice(&fetch->pages), fetch->wanted, fetch->n);
    buf_reset(&fetch->pages);
    return st;
}

/* Shares of what is read side by side. */
struct shares {
    struct store *store;
    const struct state_missing *records;
    size_t n, n_shares;
    struct buf pages[JOBS_MAX];
    enum status status[JOBS_MAX];
};

static size_t share_begin(const struct shares *shares, size_t i)
{
    return shares->n * i / shares->n_shares;
}

static void read_share(void *arg, size_t i)
{
    struct shares *shares = arg;
    size_t from = share_begin(shares, i), to = share_begin(shares, i + 1);
    shares->status[i] =
        read_records(shares->store, shares->records + from, to - from, &shares->pages[i]);
}

enum status fetch_records(struct store *store, struct state *state,
                          const struct state_missing *records, size_t n)
{
    enum { SHARE_MIN = 32 };
    size_t n_shares = n / SHARE_MIN < JOBS_MAX ? n / SHARE_MIN + 1 : JOBS_MAX;
    struct shares shares = {.store = store, .records = records, .n = n, .n_shares = n_shares};
    jobs_run(n_shares, read_share, &shares);
    enum status st = ST_OK;
    for (size_t i = 0; i < n_shares; i++) {
        struct installing installing = {.state = state};
        size_t from = share_begin(&shares, i), to = share_begin(&shares, i + 1);
        if (st == ST_OK)
            st = shares.status[i];
        if (st == ST_OK)
            st = install(&installing, buf_slice(&shares.pages[i]), records + from, to - from);
        buf_done(&shares.pages[i]);
    }
    return st;
}

/* The thread. */

enum status fetcher_step(struct fetcher *fetcher)
{
    struct fetch *fetch = ring_pop(fetcher->asked);
    if (!fetch)
        return ST_EAGAIN;
    fetch->status = read_records(fetcher->store, fetch->wanted + fetch->asked,
                                 fetch->n - fetch->asked, &fetch->pages);
    fetch->asked = fetch->n;
    fetch->waiting = false;
    bell_ring(fetcher->bell);
    return ST_OK;
}

static void *fetcher_main(void *arg)
{
    struct fetcher *fetcher = arg;
    pthread_setname_np(pthread_self(), "fetch");
    while (!fetcher->stop) {
        uint32_t seen = bell_seen(&fetcher->wake);
        if (fetcher_step(fetcher) == ST_EAGAIN && !fetcher->stop)
            bell_wait(&fetcher->wake, seen, -1);
    }
    return NULL;
}

enum status fetcher_create(struct store *store, struct bell *bell, size_t depth,
                           struct fetcher **ret)
{
    struct fetcher *fetcher = calloc(1, sizeof *fetcher);
    if (!fetcher)
        return ST_ENOMEM;
    fetcher->store = store;
    fetcher->bell = bell;
    if (ring_create(depth, &fetcher->wake, NULL, &fetcher->asked) < 0) {
        free(fetcher);
        return ST_ENOMEM;
    }
    *ret = fetcher;
    return ST_OK;
}

enum status fetcher_start(struct fetcher *fetcher)
{
    fetcher->started = pthread_create(&fetcher->thread, NULL, fetcher_main, fetcher) == 0;
    return fetcher->started ? ST_OK : ST_ENOMEM;
}

void fetcher_free(struct fetcher *fetcher)
{
    if (!fetcher)
        return;
    fetcher->stop = true;
    bell_ring(&fetcher->wake);
    if (fetcher->started)
        pthread_join(fetcher->thread, NULL);
    ring_free(fetcher->asked);
    free(fetcher);
}

void fetcher_ask(struct fetcher *fetcher, struct fetch *fetch)
{
    fetch->waiting = true;
    ring_push(fetcher->asked, fetch);
}
