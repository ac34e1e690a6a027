#include "ingest/layouts.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "ingest/pack.h"

enum { FORMAT = 1, FINGERPRINT = 1, GONE = -1 };

/* Names in order, and where each of them is today. */
struct names {
    size_t n;
    int32_t *now; /* GONE: nowhere */
};

struct layout {
    bool known;
    struct names dense, sparse, keys;
};

struct layouts {
    uint16_t family;
    unsigned current;
    size_t n_dense, n_keys; /* today's */
    struct layout items[LAYOUTS_MAX];
};

void layouts_free(struct layouts *layouts)
{
    if (!layouts)
        return;
    for (size_t i = 0; i < LAYOUTS_MAX; i++) {
        free(layouts->items[i].dense.now);
        free(layouts->items[i].sparse.now);
        free(layouts->items[i].keys.now);
    }
    free(layouts);
}

unsigned layouts_current(const struct layouts *layouts)
{
    return layouts->current;
}

/* Reading and writing them. */

static struct key128 id_of(unsigned number)
{
    return (struct key128){number + 1, 0};
}

static void put_names(struct buf *buf, const char *const *names, size_t n)
{
    buf_varint(buf, n);
    for (size_t i = 0; i < n; i++)
        buf_slice_put(buf, slice_of(names[i]));
}

static void encode(const struct vector_schema *schema, const char *const *keys, size_t n_keys,
                   struct buf *ret)
{
    buf_byte(ret, FORMAT);
    put_names(ret, schema->dense, schema->n_dense);
    put_names(ret, schema->sparse, schema->n_sparse);
    put_names(ret, keys, n_keys);
}

static int32_t index_of(struct slice name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(name, slice_of(names[i])))
            return (int32_t)i;
    return GONE;
}

static void read_names(struct reader *in, const char *const *today, size_t n_today,
                       struct names *ret)
{
    uint64_t n = read_varint(in);
    if (in->bad || n > VECTOR_DENSE_MAX) {
        in->bad = true;
        return;
    }
    ret->n = n;
    ret->now = calloc(n + 1, sizeof *ret->now);
    if (!ret->now)
        abort();
    for (size_t i = 0; i < n; i++)
        ret->now[i] = index_of(read_slice(in), today, n_today);
}

static enum status decode(struct slice bytes, const struct vector_schema *schema,
                          const char *const *keys, size_t n_keys, struct layout *ret)
{
    struct reader in = reader_of(bytes);
    uint8_t format = read_byte(&in);
    if (format > FORMAT)
        return ST_EVERSION;
    read_names(&in, schema->dense, schema->n_dense, &ret->dense);
    read_names(&in, schema->sparse, schema->n_sparse, &ret->sparse);
    read_names(&in, keys, n_keys, &ret->keys);
    ret->known = true;
    return format == FORMAT && reader_done(&in) ? ST_OK : ST_ECORRUPT;
}

static struct slice stored(struct state *state, uint16_t family, unsigned number)
{
    const struct record *rec = state_find(state, family, id_of(number));
    return rec ? (struct slice){rec->data, rec->size} : (struct slice){0};
}

static void store(struct state *state, uint16_t family, unsigned number, const struct buf *bytes)
{
    struct record *rec = state_obtain(state, family, id_of(number), bytes->len);
    if (rec->size != bytes->len) /* an empty one */
        rec = state_resize(state, rec, bytes->len);
    memcpy(rec->data, bytes->data, bytes->len);
    state_touch(state, rec, 0, bytes->len);
}

/* Today's number: that of the same layout, or the next. */
static enum status number_today(struct layouts *layouts, struct state *state,
                                const struct buf *today)
{
    for (unsigned i = 0; i < LAYOUTS_MAX; i++) {
        struct slice bytes = stored(state, layouts->family, i);
        if (bytes.len == 0)
            store(state, layouts->family, i, today);
        else if (!slice_eq(bytes, buf_slice(today)))
            continue;
        layouts->current = i;
        return ST_OK;
    }
    return ST_EINVAL;
}

static enum status read_all(struct layouts *layouts, struct state *state,
                            const struct vector_schema *schema, const char *const *keys,
                            size_t n_keys)
{
    struct slice bytes;
    for (unsigned i = 0; i < LAYOUTS_MAX; i++)
        if ((bytes = stored(state, layouts->family, i)).len > 0)
            TRY(decode(bytes, schema, keys, n_keys, &layouts->items[i]));
    return ST_OK;
}

enum status layouts_open(struct state *state, const struct vector_schema *schema,
                         const char *const *keys, size_t n_keys, struct layouts **ret)
{
    struct layouts *layouts = calloc(1, sizeof *layouts);
    if (!layouts)
        return ST_ENOMEM;
    layouts->n_dense = schema->n_dense;
    layouts->n_keys = n_keys;
    struct buf today = {0};
    encode(schema, keys, n_keys, &today);
    enum status st = state_family(state, LAYOUTS_FAMILY, FINGERPRINT, &layouts->family);
    if (st == ST_OK)
        st = number_today(layouts, state, &today);
    if (st == ST_OK)
        st = read_all(layouts, state, schema, keys, n_keys);
    buf_done(&today);
    if (st < 0) {
        layouts_free(layouts);
        return st;
    }
    *ret = layouts;
    return ST_OK;
}

/* Using them. */

static const struct layout *layout_of(const struct layouts *layouts, unsigned number)
{
    return number < LAYOUTS_MAX && layouts->items[number].known ? &layouts->items[number] : NULL;
}

static void map_dense(const struct layouts *layouts, const struct layout *from, const float *old,
                      float *ret)
{
    for (size_t i = 0; i < layouts->n_dense; i++)
        ret[i] = NAN;
    for (size_t i = 0; i < from->dense.n; i++)
        if (from->dense.now[i] != GONE)
            ret[from->dense.now[i]] = old[i];
}

static enum status map_sparse(const struct layout *from, struct sparse *entries, size_t *n)
{
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++) {
        struct sparse entry = entries[i];
        if (entry.field >= from->sparse.n)
            return ST_ECORRUPT;
        if (from->sparse.now[entry.field] == GONE)
            continue;
        entry.field = (uint32_t)from->sparse.now[entry.field];
        entries[kept++] = entry;
    }
    *n = kept;
    return ST_OK;
}

enum status layouts_unpack(const struct layouts *layouts, unsigned number, struct reader *in,
                           float *dense, struct sparse *sparse, size_t *ret_n_sparse)
{
    if (number == layouts->current)
        return unpack_vector(in, dense, layouts->n_dense, sparse, ret_n_sparse);
    const struct layout *from = layout_of(layouts, number);
    float old[VECTOR_DENSE_MAX];
    if (!from)
        return ST_ECORRUPT;
    TRY(unpack_vector(in, old, from->dense.n, sparse, ret_n_sparse));
    map_dense(layouts, from, old, dense);
    return map_sparse(from, sparse, ret_n_sparse);
}

enum status layouts_repack(const struct layouts *layouts, unsigned number, struct slice packed,
                           struct buf *ret)
{
    struct reader in = reader_of(packed);
    float dense[VECTOR_DENSE_MAX];
    struct sparse sparse[VECTOR_SPARSE_MAX];
    size_t n_sparse;
    TRY(layouts_unpack(layouts, number, &in, dense, sparse, &n_sparse));
    pack_vector(ret, dense, layouts->n_dense, sparse, n_sparse);
    return ST_OK;
}

void layouts_pack_unknown(const struct layouts *layouts, struct buf *ret)
{
    const struct layout nothing = {0};
    float dense[VECTOR_DENSE_MAX];
    map_dense(layouts, &nothing, NULL, dense);
    pack_vector(ret, dense, layouts->n_dense, NULL, 0);
}

void layouts_map_keys(const struct layouts *layouts, unsigned number, const struct key128 *keys,
                      size_t n, struct key128 *ret)
{
    const struct layout *from = layout_of(layouts, number);
    memset(ret, 0, layouts->n_keys * sizeof *ret);
    for (size_t i = 0; from && i < n && i < from->keys.n; i++)
        if (from->keys.now[i] != GONE)
            ret[from->keys.now[i]] = keys[i];
}
