#include "tests/fuzz/fuzz.h"

#include "ingest/schema_read.h"

struct slice fuzz_line(struct slice *text)
{
    const char *end = text->len > 0 ? memchr(text->data, '\n', text->len) : NULL;
    struct slice line = {text->data, end ? (size_t)(end - text->data) : text->len};
    size_t taken = line.len + (end != NULL);
    text->data = taken > 0 ? text->data + taken : text->data;
    text->len -= taken;
    return line;
}

const struct conf_node *fuzz_conf(const char *yaml)
{
    static struct conf *kept[8]; /* for the leak checker to see */
    static size_t n;
    struct conf_errors errors = {0};
    struct conf **conf = &kept[n++];
    FUZZ_LAW(conf_parse("fuzz", slice_of(yaml), &errors, conf) == ST_OK, "the config is YAML");
    return conf_root(*conf);
}

static const char config[] =
    "streams:\n"
    "  - {name: payments, id: ID, time: {field: TIME}, score: true, fields: {CARD: entity,\n"
    "     SHOP: entity, AMOUNT: number, COUNTRY: category, NOTE: text, meta.channel: category}}\n"
    "labels: {topic: labels, id: ID, value: LABEL, time: {field: TIME}, delay: 7d, horizon: 60d}\n";

const struct schema *fuzz_schema(void)
{
    static struct schema schema;
    if (schema.n_streams > 0)
        return &schema;
    struct conf_errors errors = {0};
    const struct conf_node *root = fuzz_conf(config);
    if (schema_read(conf_get(root, "streams"), conf_get(root, "labels"), &errors, &schema) < 0) {
        conf_errors_print(&errors, stderr);
        abort();
    }
    return &schema;
}
