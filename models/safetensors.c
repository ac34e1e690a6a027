#include "models/safetensors.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/file.h"
#include "base/folder.h"
#include "models/safetensors_format.h"

struct text_pair {
    char *key;
    char *value;
};

struct tensors {
    struct tensor *items; /* name and data are owned */
    size_t n, cap;
    struct text_pair *texts;
    size_t n_texts, texts_cap;
};

const struct tensor_type_info tensor_types[] = {
    [TENSOR_F32] = {"F32", 4}, [TENSOR_F64] = {"F64", 8}, [TENSOR_I64] = {"I64", 8},
    [TENSOR_U64] = {"U64", 8}, [TENSOR_U32] = {"U32", 4}, [TENSOR_U8] = {"U8", 1},
};
const size_t tensor_types_n = sizeof tensor_types / sizeof tensor_types[0];

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

struct tensors *tensors_create(void)
{
    return must(calloc(1, sizeof(struct tensors)));
}

void tensors_free(struct tensors *tensors)
{
    if (!tensors)
        return;
    for (size_t i = 0; i < tensors->n; i++) {
        free((void *)(uintptr_t)tensors->items[i].name);
        free((void *)(uintptr_t)tensors->items[i].data);
    }
    for (size_t i = 0; i < tensors->n_texts; i++) {
        free(tensors->texts[i].key);
        free(tensors->texts[i].value);
    }
    free(tensors->items);
    free(tensors->texts);
    free(tensors);
}

/* Room for one more item of `size` bytes in a list of n. */
static void *grown(void *items, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return items;
    *cap = *cap ? 2 * *cap : 16;
    return must(realloc(items, *cap * size));
}

void tensors_put(struct tensors *tensors, const char *name, enum tensor_type type,
                 const size_t *shape, size_t n_dims, const void *data)
{
    assert(n_dims <= TENSOR_DIMS_MAX && !tensors_get(tensors, name));
    struct tensor tensor = {.name = must(strdup(name)), .type = type, .n_dims = n_dims, .n = 1};
    for (size_t i = 0; i < n_dims; i++) {
        tensor.shape[i] = shape[i];
        tensor.n *= shape[i];
    }
    size_t bytes = tensor.n * tensor_types[type].size;
    void *copy = must(aligned_alloc(16, (bytes + 16) & ~(size_t)15));
    if (bytes > 0)
        memcpy(copy, data, bytes);
    tensor.data = copy;
    tensors->items = grown(tensors->items, tensors->n, &tensors->cap, sizeof tensor);
    tensors->items[tensors->n++] = tensor;
}

void tensors_put_text(struct tensors *tensors, const char *key, const char *value)
{
    assert(!tensors_text(tensors, key));
    tensors->texts =
        grown(tensors->texts, tensors->n_texts, &tensors->texts_cap, sizeof *tensors->texts);
    tensors->texts[tensors->n_texts++] = (struct text_pair){must(strdup(key)), must(strdup(value))};
}

void tensors_put_others(struct tensors *tensors, const struct tensors *from, const char *without)
{
    size_t len = strlen(without);
    for (size_t i = 0; i < from->n; i++) {
        const struct tensor *item = &from->items[i];
        if (strncmp(item->name, without, len) != 0)
            tensors_put(tensors, item->name, item->type, item->shape, item->n_dims, item->data);
    }
    for (size_t i = 0; i < from->n_texts; i++) {
        const struct text_pair *text = &from->texts[i];
        if (strncmp(text->key, without, len) != 0 && strcmp(text->key, SAFETENSORS_SUM) != 0)
            tensors_put_text(tensors, text->key, text->value);
    }
}

const struct tensor *tensors_get(const struct tensors *tensors, const char *name)
{
    for (size_t i = 0; i < tensors->n; i++)
        if (strcmp(tensors->items[i].name, name) == 0)
            return &tensors->items[i];
    return NULL;
}

const struct tensor *tensors_get_as(const struct tensors *tensors, const char *name,
                                    enum tensor_type type, size_t n)
{
    const struct tensor *tensor = tensors_get(tensors, name);
    return tensor && tensor->type == type && tensor->n == n ? tensor : NULL;
}

const char *tensors_text(const struct tensors *tensors, const char *key)
{
    for (size_t i = 0; i < tensors->n_texts; i++)
        if (strcmp(tensors->texts[i].key, key) == 0)
            return tensors->texts[i].value;
    return NULL;
}

size_t tensors_count(const struct tensors *tensors)
{
    return tensors->n;
}

const struct tensor *tensors_at(const struct tensors *tensors, size_t i)
{
    return &tensors->items[i];
}

static void add_words(XXH3_state_t *hash, const void *words, size_t bytes)
{
    XXH3_128bits_update(hash, words, bytes);
}

struct tensors_sum tensors_sum(const struct tensors *tensors)
{
    XXH3_state_t *hash = must(XXH3_createState());
    XXH3_128bits_reset(hash);
    for (size_t i = 0; i < tensors->n_texts; i++) {
        const struct text_pair *pair = &tensors->texts[i];
        if (strcmp(pair->key, SAFETENSORS_SUM) == 0)
            continue;
        add_words(hash, pair->key, strlen(pair->key) + 1);
        add_words(hash, pair->value, strlen(pair->value) + 1);
    }
    for (size_t i = 0; i < tensors->n; i++) {
        const struct tensor *tensor = &tensors->items[i];
        const uint64_t shape[] = {tensor->type, tensor->n_dims, tensor->n};
        add_words(hash, tensor->name, strlen(tensor->name) + 1);
        add_words(hash, shape, sizeof shape);
        add_words(hash, tensor->shape, tensor->n_dims * sizeof tensor->shape[0]);
        add_words(hash, tensor->data, tensor->n * tensor_types[tensor->type].size);
    }
    XXH128_hash_t digest = XXH3_128bits_digest(hash);
    XXH3_freeState(hash);
    struct tensors_sum ret;
    snprintf(ret.text, sizeof ret.text, "%016llx%016llx", (unsigned long long)digest.high64,
             (unsigned long long)digest.low64);
    return ret;
}

void tensors_put_sum(struct tensors *tensors)
{
    tensors_put_text(tensors, SAFETENSORS_SUM, tensors_sum(tensors).text);
}

/* Writing. */

static void write_json_text(struct buf *json, const char *text)
{
    buf_byte(json, '"');
    for (const char *at = text; *at; at++) {
        if (*at == '"' || *at == '\\')
            buf_printf(json, "\\%c", *at);
        else if ((unsigned char)*at < 0x20)
            buf_printf(json, "\\u%04x", (unsigned)*at);
        else
            buf_byte(json, (uint8_t)*at);
    }
    buf_byte(json, '"');
}

static void write_texts(const struct tensors *tensors, struct buf *json)
{
    if (tensors->n_texts == 0)
        return;
    buf_text(json, "\"" SAFETENSORS_TEXTS "\":{");
    for (size_t i = 0; i < tensors->n_texts; i++) {
        buf_text(json, i > 0 ? "," : "");
        write_json_text(json, tensors->texts[i].key);
        buf_byte(json, ':');
        write_json_text(json, tensors->texts[i].value);
    }
    buf_text(json, tensors->n > 0 ? "}," : "}");
}

static void write_tensor(const struct tensor *tensor, size_t at, struct buf *json)
{
    write_json_text(json, tensor->name);
    buf_printf(json, ":{\"dtype\":\"%s\",\"shape\":[", tensor_types[tensor->type].name);
    for (size_t i = 0; i < tensor->n_dims; i++)
        buf_printf(json, "%s%zu", i > 0 ? "," : "", tensor->shape[i]);
    buf_printf(json, "],\"data_offsets\":[%zu,%zu]}", at,
               at + tensor->n * tensor_types[tensor->type].size);
}

/* The header's length, then the header; spaces behind it keep the data aligned for readers that map
 * the file. */
static void write_header(const struct tensors *tensors, struct buf *ret)
{
    struct buf json = {0};
    size_t at = 0;
    buf_byte(&json, '{');
    write_texts(tensors, &json);
    for (size_t i = 0; i < tensors->n; i++) {
        buf_text(&json, i > 0 ? "," : "");
        write_tensor(&tensors->items[i], at, &json);
        at += tensors->items[i].n * tensor_types[tensors->items[i].type].size;
    }
    buf_byte(&json, '}');
    while (json.len % SAFETENSORS_ALIGN != 0)
        buf_byte(&json, ' ');
    buf_u64(ret, json.len);
    buf_append(ret, json.data, json.len);
    buf_done(&json);
}

static bool write_file(const struct tensors *tensors, int fd)
{
    struct buf header = {0};
    write_header(tensors, &header);
    enum status st = file_write_all(fd, header.data, header.len);
    buf_done(&header);
    for (size_t i = 0; st == ST_OK && i < tensors->n; i++) {
        const struct tensor *tensor = &tensors->items[i];
        st = file_write_all(fd, tensor->data, tensor->n * tensor_types[tensor->type].size);
    }
    return st == ST_OK && fsync(fd) == 0;
}

void tensors_render(const struct tensors *tensors, struct buf *ret)
{
    write_header(tensors, ret);
    for (size_t i = 0; i < tensors->n; i++) {
        const struct tensor *tensor = &tensors->items[i];
        buf_append(ret, tensor->data, tensor->n * tensor_types[tensor->type].size);
    }
}

enum status tensors_write(const struct tensors *tensors, const char *path)
{
    struct buf temporary = {0};
    buf_printf(&temporary, "%s.tmp", path);
    buf_byte(&temporary, 0);
    int fd = open(temporary.data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool ok = fd >= 0 && write_file(tensors, fd);
    if (fd >= 0)
        ok = close(fd) == 0 && ok;
    ok = ok && rename(temporary.data, path) == 0 && folder_sync_parent(path) == ST_OK;
    if (!ok && fd >= 0) {
        int cause = errno;
        unlink(temporary.data);
        errno = cause;
    }
    buf_done(&temporary);
    return ok ? ST_OK : ST_EIO;
}
