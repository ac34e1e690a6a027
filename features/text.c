/* {text: FIELD}: the words of a text, each as one hashed entry of the sparse list. */
#include <math.h>
#include <stdlib.h>

#include "features/kind.h"

enum { WORD_MAX = 64 }; /* bytes; longer ones are told apart by these */

struct text_options {
    const char *field;
    const char *as;
    int64_t words;
};

static const struct conf_option text_table_options[] = {
    {.name = "text",
     .type = CONF_TEXT,
     .at = offsetof(struct text_options, field),
     .required = true,
     .help = "a field of type text; its words are runs of letters and digits, in lower case"},
    {.name = "as",
     .type = CONF_TEXT,
     .at = offsetof(struct text_options, as),
     .help = "the hashed field's name; by default the field's"},
    {.name = "words",
     .type = CONF_INT,
     .at = offsetof(struct text_options, words),
     .fallback = "64",
     .min = 1,
     .max = VECTOR_SPARSE_MAX,
     .help = "how many words are taken, from the first on"},
    CONF_END};

static const struct conf_table text_table = {
    "text", "The words of a text, hashed; each of n words weighs 1/sqrt(n).", text_table_options,
    sizeof(struct text_options)};

struct text_item {
    int *field; /* a stream's index of it, or -1 */
    size_t words;
    uint32_t column;
};

static void text_drop(void *item)
{
    free(((struct text_item *)item)->field);
}

static void text_add(struct part *part, const struct making *making, const void *read,
                     const struct conf_node *node)
{
    const struct text_options *options = read;
    enum field_type type;
    int *field = kind_find_field(making, node, "text", options->field, &type);
    if (field && type != FIELD_TEXT)
        conf_complain(making->errors, conf_get(node, "text"), "\"%s\" is of type %s, not text",
                      options->field, kind_type_name(type));
    if (!field)
        return;
    const char *name = options->as ? options->as : options->field;
    struct text_item *item = part_add_item(part);
    item->field = field;
    item->words = (size_t)options->words;
    item->column = columns_add_sparse(making->columns, making->errors, node, name);
}

/* Letters and digits of ASCII, and whatever is not ASCII. */
static bool in_word(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c >= 0x80;
}

/* Takes the next word off the front of text, in lower case; empty at the end. */
static struct slice next_word(struct slice *text, char *ret)
{
    const char *at = text->data, *end = text->data + text->len;
    while (at < end && !in_word((unsigned char)*at))
        at++;
    size_t len = 0;
    for (; at < end && in_word((unsigned char)*at); at++)
        if (len < WORD_MAX)
            ret[len++] = (char)(*at >= 'A' && *at <= 'Z' ? *at | 0x20 : *at);
    *text = (struct slice){at, (size_t)(end - at)};
    return (struct slice){ret, len};
}

static void put_words(const struct text_item *item, struct slice text, struct sparse_row *sparse)
{
    char word[WORD_MAX];
    size_t first = sparse->n;
    for (size_t n = 0; n < item->words; n++) {
        struct slice next = next_word(&text, word);
        if (next.len == 0)
            break;
        sparse_put(sparse, item->column, hash_category(next), 1);
    }
    for (size_t i = first; i < sparse->n; i++)
        sparse->items[i].weight = (float)(1 / sqrt((double)(sparse->n - first)));
}

static void text_extract(struct part *part, struct state *state, const struct event *event,
                         double *dense, struct sparse_row *sparse)
{
    const struct text_item *items = part->items;
    (void)state, (void)dense;
    for (size_t i = 0; i < part->n; i++) {
        int field = items[i].field[event->stream];
        if (field >= 0 && event->values[field].text.len > 0)
            put_words(&items[i], event->values[field].text, sparse);
    }
}

const struct feature_kind kind_text = {
    .key = "text",
    .scope = SCOPE_EVENT,
    .options = &text_table,
    .item_bytes = sizeof(struct text_item),
    .add = text_add,
    .drop = text_drop,
    .extract = text_extract,
};
