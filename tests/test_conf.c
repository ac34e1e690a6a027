/*
 * Tests of base/conf.h.
 *
 * Known without running it: what each spelling of a value means, what an absent key leaves behind,
 * and, for each kind of mistake, the exact line that a person should read. The messages are part of
 * the contract, so they are compared as a whole.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <stdlib.h>

#include "base/conf.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* One table with every type in it. */

static const char *const kinds[] = {"ftrl", "forest", "lstm", NULL};

struct nested {
    const char *host;
    int64_t port;
};
static const struct conf_option nested_options[] = {{.name = "host",
                                                     .type = CONF_TEXT,
                                                     .at = offsetof(struct nested, host),
                                                     .fallback = "localhost",
                                                     .help = "Where it is."},
                                                    {.name = "port",
                                                     .type = CONF_INT,
                                                     .at = offsetof(struct nested, port),
                                                     .fallback = "9092",
                                                     .min = 1,
                                                     .max = 65535,
                                                     .help = "Its port."},
                                                    CONF_END};
static const struct conf_table nested_table = {"listen", "An address.", nested_options,
                                               sizeof(struct nested)};

struct model {
    const char *name;
    int kind;
    int64_t publish;
    struct nested endpoint;
};
static const struct conf_option model_options[] = {{.name = "name",
                                                    .type = CONF_TEXT,
                                                    .at = offsetof(struct model, name),
                                                    .required = true,
                                                    .help = "Name of the model."},
                                                   {.name = "kind",
                                                    .type = CONF_CHOICE,
                                                    .at = offsetof(struct model, kind),
                                                    .choices = kinds,
                                                    .fallback = "forest",
                                                    .help = "What learns."},
                                                   {.name = "publish",
                                                    .type = CONF_DURATION,
                                                    .at = offsetof(struct model, publish),
                                                    .fallback = "1h",
                                                    .min = 1e6,
                                                    .max = 2.592e12,
                                                    .help = "Time between versions."},
                                                   {.name = "endpoint",
                                                    .type = CONF_TABLE,
                                                    .at = offsetof(struct model, endpoint),
                                                    .table = &nested_table,
                                                    .help = "Where it answers."},
                                                   CONF_END};
static const struct conf_table model_table = {"models", "A model.", model_options,
                                              sizeof(struct model)};

struct all {
    bool on;
    int64_t count;
    double rate;
    const char *topic;
    int64_t delay;
    int64_t cache;
    struct conf_texts names;
    struct conf_reals edges;
    struct conf_durations over;
    struct nested listen;
    struct conf_list models;
    struct conf_map properties;
    const struct conf_node *free;
};
#define AT(field) .at = offsetof(struct all, field)
static const struct conf_option all_options[] = {
    {.name = "on", .type = CONF_BOOL, AT(on), .help = "Whether."},
    {.name = "count", .type = CONF_INT, AT(count), .fallback = "3", .min = 1, .help = "How many."},
    {.name = "rate", .type = CONF_REAL, AT(rate), .min = 0, .max = 1, .help = "A share, 0|1."},
    {.name = "topic", .type = CONF_TEXT, AT(topic), .help = "A topic."},
    {.name = "delay",
     .type = CONF_DURATION,
     AT(delay),
     .fallback = "7d",
     .min = 1e6,
     .max = 2.592e12,
     .help = "How late."},
    {.name = "cache",
     .type = CONF_BYTES,
     AT(cache),
     .fallback = "1GiB",
     .min = 1 << 20,
     .max = INFINITY,
     .help = "Memory."},
    {.name = "names", .type = CONF_TEXTS, AT(names), .fallback = "a, b", .help = "Names."},
    {.name = "edges", .type = CONF_REALS, AT(edges), .min = -5, .max = 5, .help = "Edges."},
    {.name = "over",
     .type = CONF_DURATIONS,
     AT(over),
     .fallback = "[1d, 7d,30d]",
     .min = 1,
     .help = "Spans."},
    {.name = "listen", .type = CONF_TABLE, AT(listen), .table = &nested_table, .help = "Address."},
    {.name = "models", .type = CONF_LIST, AT(models), .table = &model_table, .help = "Models."},
    {.name = "properties", .type = CONF_MAP, AT(properties), .help = "Any."},
    {.name = "free", .type = CONF_NODE, AT(free), .help = "Anything."},
    CONF_END};
static const struct conf_table all_table = {"all", "Every type.", all_options, sizeof(struct all)};

/* A file, what was read from it and what was wrong. */
struct run {
    struct conf *conf;
    struct conf_errors errors;
    struct all all;
    enum status st;
};

static void run_text(struct run *run, const char *text)
{
    *run = (struct run){0};
    run->st = conf_parse("fraud.yaml", slice_of(text), &run->errors, &run->conf);
    if (run->st == ST_OK)
        run->st = conf_read(conf_root(run->conf), &all_table, &run->errors, &run->all);
    buf_byte(&run->errors.text, '\0');
}

static void run_done(struct run *run)
{
    conf_free(run->conf);
    conf_errors_done(&run->errors);
}

static void run_good(struct run *run, const char *text)
{
    run_text(run, text);
    cr_assert(eq(int, run->st, ST_OK), "%s", run->errors.text.data);
    cr_assert(eq(sz, run->errors.n, 0));
}

/* Values. */

static void expect_defaults(const struct all *all)
{
    cr_expect(not(all->on));
    cr_expect(eq(i64, all->count, 3));
    cr_expect(isnan(all->rate));
    cr_expect(all->topic == NULL);
    cr_expect(eq(i64, all->delay, INT64_C(604800000000)));
    cr_expect(eq(i64, all->cache, INT64_C(1073741824)));
    cr_assert(eq(sz, all->names.n, 2));
    cr_expect(eq(str, (char *)(uintptr_t)all->names.items[0], "a"));
    cr_expect(eq(str, (char *)(uintptr_t)all->names.items[1], "b"));
    cr_expect(eq(sz, all->edges.n, 0));
    cr_assert(eq(sz, all->over.n, 3));
    cr_expect(eq(i64, all->over.items[0], INT64_C(86400000000)));
    cr_expect(eq(i64, all->over.items[2], INT64_C(2592000000000)));
    cr_expect(eq(str, (char *)(uintptr_t)all->listen.host, "localhost"));
    cr_expect(eq(i64, all->listen.port, 9092));
    cr_expect(eq(sz, all->models.n, 0));
    cr_expect(eq(sz, all->properties.n, 0));
    cr_expect(all->free == NULL);
}

Test(conf, absent_keys_have_their_defaults)
{
    struct run run;
    run_good(&run, "");
    expect_defaults(&run.all);
    run_done(&run);
    run_good(&run, "# nothing but this\n");
    expect_defaults(&run.all);
    run_done(&run);
    run_good(&run, "on:\ncount: ~\nrate: null\nnames:\nlisten:\nmodels:\nproperties: ~\nfree:\n");
    expect_defaults(&run.all);
    run_done(&run);
}

Test(conf, a_table_without_a_node_has_its_defaults)
{
    struct conf_errors errors = {0};
    struct all all;
    memset(&all, 0xff, sizeof all);
    cr_assert(eq(int, conf_read(NULL, &all_table, &errors, &all), ST_OK));
    expect_defaults(&all);
    conf_errors_done(&errors);
}

Test(conf, reads_every_type)
{
    struct run run;
    run_good(&run, "on: yes\n"
                   "count: 16\n"
                   "rate: 0.25\n"
                   "topic: 007\n"
                   "delay: 1h30m\n"
                   "cache: 64MiB\n"
                   "names: [x, 'y z', \"\"]\n"
                   "edges: [-1.5, 0, 2e0]\n"
                   "over:\n"
                   "  - 90s\n"
                   "  - 1w\n"
                   "listen: {port: 80}\n"
                   "models:\n"
                   "  - {name: one, kind: ftrl, publish: 10s}\n"
                   "  - name: two\n"
                   "    endpoint: {host: here}\n"
                   "properties:\n"
                   "  sasl.password: p w\n"
                   "  linger.ms: 5\n"
                   "  empty:\n"
                   "free: [1, {a: b}]\n");
    const struct all *all = &run.all;
    cr_expect(all->on);
    cr_expect(eq(i64, all->count, 16));
    cr_expect(eq(dbl, all->rate, 0.25));
    cr_expect(eq(str, (char *)(uintptr_t)all->topic, "007"), "a text keeps its text");
    cr_expect(eq(i64, all->delay, INT64_C(5400000000)));
    cr_expect(eq(i64, all->cache, 64 << 20));
    cr_assert(eq(sz, all->names.n, 3));
    cr_expect(eq(str, (char *)(uintptr_t)all->names.items[1], "y z"));
    cr_expect(eq(str, (char *)(uintptr_t)all->names.items[2], ""));
    cr_assert(eq(sz, all->edges.n, 3));
    cr_expect(eq(dbl, all->edges.items[0], -1.5));
    cr_expect(eq(dbl, all->edges.items[2], 2.0));
    cr_assert(eq(sz, all->over.n, 2));
    cr_expect(eq(i64, all->over.items[0], 90000000));
    cr_expect(eq(i64, all->listen.port, 80));
    cr_expect(eq(str, (char *)(uintptr_t)all->listen.host, "localhost"));
    cr_assert(eq(sz, all->models.n, 2));
    const struct model *models = all->models.items;
    cr_expect(eq(str, (char *)(uintptr_t)models[0].name, "one"));
    cr_expect(eq(int, models[0].kind, 0));
    cr_expect(eq(i64, models[0].publish, 10000000));
    cr_expect(eq(int, models[1].kind, 1));
    cr_expect(eq(str, (char *)(uintptr_t)models[1].endpoint.host, "here"));
    cr_expect(eq(i64, models[1].endpoint.port, 9092));
    cr_expect(conf_get(all->models.nodes[1], "name") != NULL);
    cr_assert(eq(sz, all->properties.n, 3));
    cr_expect(eq(str, (char *)(uintptr_t)all->properties.keys[0], "sasl.password"));
    cr_expect(eq(str, (char *)(uintptr_t)all->properties.values[0], "p w"));
    cr_expect(eq(str, (char *)(uintptr_t)all->properties.values[1], "5"));
    cr_expect(eq(str, (char *)(uintptr_t)all->properties.values[2], ""));
    cr_assert(eq(sz, conf_count(all->free), 2));
    cr_expect(eq(str, (char *)(uintptr_t)conf_text(conf_get(conf_item(all->free, 1), "a")), "b"));
    run_done(&run);
}

Test(conf, one_value_is_a_list_of_one)
{
    struct run run;
    run_good(&run, "names: x\nedges: 1\nover: 2h\n");
    cr_assert(eq(sz, run.all.names.n, 1));
    cr_expect(eq(str, (char *)(uintptr_t)run.all.names.items[0], "x"));
    cr_assert(eq(sz, run.all.edges.n, 1));
    cr_assert(eq(sz, run.all.over.n, 1));
    run_done(&run);
    run_good(&run, "names: []\n");
    cr_expect(eq(sz, run.all.names.n, 0));
    run_done(&run);
}

struct value_case {
    char text[32];
    double v;
};

ParameterizedTestParameters(conf, reads_sizes_and_booleans)
{
    static struct value_case cases[] = {
        {"on: true", 1},
        {"on: false", 0},
        {"on: yes", 1},
        {"on: no", 0},
        {"on: on", 1},
        {"on: off", 0},
        {"on: \"true\"", 1},
        {"cache: 1048576", 1048576},
        {"cache: 2MB", 2e6},
        {"cache: 1GB", 1e9},
        {"cache: 1TiB", 1099511627776},
        {"cache: 2048KiB", 2097152},
        {"cache: 5000kB", 5e6},
        {"cache: 1048577B", 1048577},
    };
    return cr_make_param_array(struct value_case, cases, LEN(cases));
}

ParameterizedTest(struct value_case *c, conf, reads_sizes_and_booleans)
{
    struct run run;
    run_good(&run, c->text);
    double v = c->text[0] == 'o' ? run.all.on : (double)run.all.cache;
    cr_expect(eq(dbl, v, c->v), "%s", c->text);
    run_done(&run);
}

/* YAML. */

Test(conf, anchors_and_merge_keys)
{
    struct run run;
    run_good(&run, "free:\n"
                   "  base: &base {name: base, kind: lstm}\n"
                   "  more: &more {kind: ftrl, publish: 2h}\n"
                   "models:\n"
                   "  - *base\n"
                   "  - <<: *base\n"
                   "    name: own\n"
                   "  - {name: both, <<: [*more, *base]}\n");
    cr_assert(eq(sz, run.all.models.n, 3));
    const struct model *models = run.all.models.items;
    cr_expect(eq(str, (char *)(uintptr_t)models[0].name, "base"));
    cr_expect(eq(int, models[0].kind, 2));
    cr_expect(eq(str, (char *)(uintptr_t)models[1].name, "own"), "a mapping's own key wins");
    cr_expect(eq(int, models[1].kind, 2));
    cr_expect(eq(str, (char *)(uintptr_t)models[2].name, "both"));
    cr_expect(eq(int, models[2].kind, 0), "the first merged wins");
    cr_expect(eq(i64, models[2].publish, INT64_C(7200000000)));
    run_done(&run);
}

Test(conf, environment_is_put_in)
{
    struct run run;
    setenv("FRESHET_TEST_TOPIC", "from: here # all", 1);
    setenv("FRESHET_TEST_EMPTY", "", 1);
    unsetenv("FRESHET_TEST_NONE");
    run_good(&run, "topic: ${FRESHET_TEST_TOPIC}\n"
                   "count: ${FRESHET_TEST_NONE:-12}\n"
                   "names: ['<${FRESHET_TEST_TOPIC}>', '$${HOME} $x', '${FRESHET_TEST_EMPTY}',"
                   " '${FRESHET_TEST_EMPTY:-d:-e}']\n"
                   "delay: ${FRESHET_TEST_NONE:-}\n");
    cr_expect(eq(str, (char *)(uintptr_t)run.all.topic, "from: here # all"));
    cr_expect(eq(i64, run.all.count, 12));
    cr_expect(eq(str, (char *)(uintptr_t)run.all.names.items[0], "<from: here # all>"));
    cr_expect(eq(str, (char *)(uintptr_t)run.all.names.items[1], "${HOME} $x"));
    cr_expect(eq(str, (char *)(uintptr_t)run.all.names.items[2], ""));
    cr_expect(eq(str, (char *)(uintptr_t)run.all.names.items[3], "d:-e"));
    cr_expect(eq(i64, run.all.delay, INT64_C(604800000000)), "nothing: the default");
    run_done(&run);
}

Test(conf, nodes_can_be_walked)
{
    struct run run;
    run_good(&run, "free: {a: 1, b: [x, y], c: ~}\ntopic: t\n");
    const struct conf_node *free_node = conf_get(conf_root(run.conf), "free");
    cr_expect(eq(int, conf_node_type(free_node), CONF_NODE_MAPPING));
    cr_assert(eq(sz, conf_count(free_node), 3));
    cr_expect(eq(str, (char *)(uintptr_t)conf_key(free_node, 1), "b"));
    cr_expect(eq(int, conf_node_type(conf_item(free_node, 1)), CONF_NODE_SEQUENCE));
    cr_expect(conf_text(free_node) == NULL);
    cr_expect(conf_get(free_node, "c") == NULL);
    cr_expect(conf_get(free_node, "d") == NULL);
    cr_expect(conf_get(conf_get(free_node, "a"), "d") == NULL);
    cr_expect(conf_get(NULL, "d") == NULL);
    cr_expect(eq(sz, conf_count(NULL), 0));
    cr_expect(conf_text(NULL) == NULL);
    struct conf_errors errors = {0};
    conf_complain(&errors, conf_item(conf_item(free_node, 1), 1), "is %d too many", 1);
    conf_complain(&errors, NULL, "without a place");
    cr_expect(slice_eq(buf_slice(&errors.text),
                       slice_of("fraud.yaml:1: free.b[1]: is 1 too many\nwithout a place\n")));
    cr_expect(eq(sz, errors.n, 2));
    conf_errors_done(&errors);
    run_done(&run);
}

/* Mistakes: the file, and all that is said about it. */

struct mistake_case {
    char text[160];
    char said[400];
};

ParameterizedTestParameters(conf, refuses)
{
    static struct mistake_case cases[] = {
        /* unknown keys */
        {"topic: t\nmodels:\n  - name: a\n    publsh: 1h\n",
         "fraud.yaml:4: models[0].publsh: unknown key; did you mean \"publish\"?\n"},
        {"modles: []\n", "fraud.yaml:1: modles: unknown key; did you mean \"models\"?\n"},
        {"TOPIC: t\n", "fraud.yaml:1: TOPIC: unknown key; did you mean \"topic\"?\n"},
        {"listen:\n  colour: red\n",
         "fraud.yaml:2: listen.colour: unknown key; expected host or port\n"},
        {"listen:\n  prot:\n", "fraud.yaml:2: listen.prot: unknown key; did you mean \"port\"?\n"},
        {"\n\nmodles:\n  - name: a\n",
         "fraud.yaml:3: modles: unknown key; did you mean \"models\"?\n"},
        /* wrong types */
        {"on: maybe\n", "fraud.yaml:1: on: \"maybe\" is not true or false; write true or false\n"},
        {"on: 1\n", "fraud.yaml:1: on: \"1\" is not true or false; write true or false\n"},
        {"on: True\n", "fraud.yaml:1: on: \"True\" is not true or false; write true or false\n"},
        {"count: 1.5\n",
         "fraud.yaml:1: count: \"1.5\" is no whole number; write one without a point or "
         "a unit, such as 16\n"},
        {"count: 0x10\n",
         "fraud.yaml:1: count: \"0x10\" is no whole number; write one without a point "
         "or a unit, such as 16\n"},
        {"count: 1_000\n", "fraud.yaml:1: count: \"1_000\" is no whole number; write one without a "
                           "point or a unit, such as 16\n"},
        {"rate: half\n", "fraud.yaml:1: rate: \"half\" is no number; write one such as 0.5\n"},
        {"rate: .nan\n", "fraud.yaml:1: rate: \".nan\" is no number; write one such as 0.5\n"},
        {"delay: 7\n",
         "fraud.yaml:1: delay: \"7\" is no duration; write a number with a unit, such as "
         "7d or 1h30m\n"},
        {"cache: 1XB\n",
         "fraud.yaml:1: cache: \"1XB\" is no size; write a number of bytes, or one with "
         "a unit, such as 64MiB or 1GB\n"},
        {"cache: -1\n",
         "fraud.yaml:1: cache: \"-1\" is no size; write a number of bytes, or one with a "
         "unit, such as 64MiB or 1GB\n"},
        {"cache: 9999999999TiB\n",
         "fraud.yaml:1: cache: \"9999999999TiB\" is no size; write a number "
         "of bytes, or one with a unit, such as 64MiB or 1GB\n"},
        {"topic: [a]\n", "fraud.yaml:1: topic: is a list; expected a text\n"},
        {"topic: {a: b}\n", "fraud.yaml:1: topic: is a mapping; expected a text\n"},
        {"names: {a: b}\n",
         "fraud.yaml:1: names: is a mapping; expected a text or a list of texts\n"},
        {"names: [a, [b]]\n", "fraud.yaml:1: names[1]: is a list; expected a text\n"},
        {"names:\n  - a\n  -\n", "fraud.yaml:3: names[1]: is empty; expected a text\n"},
        {"over: [1d, 7]\n",
         "fraud.yaml:1: over[1]: \"7\" is no duration; write a number with a unit, "
         "such as 7d or 1h30m\n"},
        {"listen: here\n", "fraud.yaml:1: listen: is a single value; expected a mapping\n"},
        {"models: {name: a}\n",
         "fraud.yaml:1: models: is a mapping; expected a list of mappings\n"},
        {"models: [a]\n", "fraud.yaml:1: models[0]: is a single value; expected a mapping\n"},
        {"properties: [a]\n", "fraud.yaml:1: properties: is a list; expected a mapping of texts\n"},
        {"properties:\n  a: [b]\n", "fraud.yaml:2: properties.a: is a list; expected a text\n"},
        {"- a\n", "fraud.yaml:1: is a list; expected a mapping\n"},
        {"just text\n", "fraud.yaml:1: is a single value; expected a mapping\n"},
        {"on: \"a\\nb\"\n",
         "fraud.yaml:1: on: \"a b\" is not true or false; write true or false\n"},
        /* bounds */
        {"delay: 90d\n", "fraud.yaml:1: delay: must be at least 1s and at most 30d, got 90d\n"},
        {"delay: 1ms\n", "fraud.yaml:1: delay: must be at least 1s and at most 30d, got 1ms\n"},
        {"count: 0\n", "fraud.yaml:1: count: must be at least 1, got 0\n"},
        {"rate: 1.5\n", "fraud.yaml:1: rate: must be at least 0 and at most 1, got 1.5\n"},
        {"cache: 5kB\n", "fraud.yaml:1: cache: must be at least 1MiB, got 5000\n"},
        {"edges: [0, -5.5]\n",
         "fraud.yaml:1: edges[1]: must be at least -5 and at most 5, got -5.5\n"},
        {"over: [0s]\n", "fraud.yaml:1: over[0]: must be at least 1us, got 0s\n"},
        {"listen: {port: 70000}\n",
         "fraud.yaml:1: listen.port: must be at least 1 and at most 65535, got 70000\n"},
        /* required */
        {"on: yes\nmodels:\n  - kind: ftrl\n",
         "fraud.yaml:3: models[0].name: missing; expected a text: Name of the model.\n"},
        {"models:\n  - name:\n",
         "fraud.yaml:2: models[0].name: missing; expected a text: Name of the model.\n"},
        /* choices */
        {"models: [{name: a, kind: ftlr}]\n",
         "fraud.yaml:1: models[0].kind: unknown choice \"ftlr\"; did you mean \"ftrl\"?\n"},
        {"models: [{name: a, kind: x}]\n",
         "fraud.yaml:1: models[0].kind: unknown choice \"x\"; expected ftrl, forest or lstm\n"},
        {"models: [{name: a, kind: [ftrl]}]\n",
         "fraud.yaml:1: models[0].kind: is a list; expected a single word\n"},
        /* given twice */
        {"topic: a\non: yes\ntopic: b\n",
         "fraud.yaml:3: topic: given twice; the first is in line 1\n"},
        {"models:\n  - name: a\n    name: b\n",
         "fraud.yaml:3: models[0].name: given twice; the first is in line 2\n"},
        /* all of them, in order */
        {"tpoic: t\ncount: x\nmodels: [{}]\n",
         "fraud.yaml:1: tpoic: unknown key; did you mean \"topic\"?\n"
         "fraud.yaml:2: count: \"x\" is no whole number; write one without a point or a unit, such "
         "as "
         "16\n"
         "fraud.yaml:3: models[0].name: missing; expected a text: Name of the model.\n"},
        /* through an alias: the line of the mistake, the path of its use */
        {"free:\n  - &m\n    name: a\n    kidn: ftrl\nmodels:\n  - *m\n",
         "fraud.yaml:4: models[0].kidn: unknown key; did you mean \"kind\"?\n"},
        /* the environment */
        {"topic: ${FRESHET_TEST_NONE}\n",
         "fraud.yaml:1: topic: the environment has no FRESHET_TEST_NONE; set it or write "
         "${FRESHET_TEST_NONE:-default} instead\n"},
        {"topic: ${1X}\n", "fraud.yaml:1: topic: \"${1X\" names no variable; expected ${NAME} or "
                           "${NAME:-default}, or $${ for the characters themselves\n"},
        {"topic: a ${OPEN\n", "fraud.yaml:1: topic: \"${\" names no variable; expected ${NAME} or "
                              "${NAME:-default}, or $${ for the characters themselves\n"},
        /* YAML */
        {"topic: a\n on: yes\n", "fraud.yaml:2: not YAML: mapping values are not allowed in this "
                                 "context; check indentation, quotes and colons\n"},
        {"topic: \"a\n",
         "fraud.yaml:2: not YAML: found unexpected end of stream while scanning a quoted "
         "scalar; check indentation, quotes and colons\n"},
        {"on: yes\n\ttopic: t\n",
         "fraud.yaml:2: not YAML: found a tab character that violates indentation while scanning a "
         "plain scalar; check indentation, quotes and colons\n"},
        {"topic: a\n---\ntopic: b\n",
         "fraud.yaml:2: a second document starts; expected only one\n"},
        {"[a]: b\n", "fraud.yaml:1: a key must be a text\n"},
        {"topic: *none\n", "fraud.yaml:1: *none is not known; expected a &name above\n"},
        {"free: &a [*a]\n", "fraud.yaml:1: *a stands inside of &itself; that would never end\n"},
        {"models:\n  - <<: 5\n    name: a\n",
         "fraud.yaml:2: models[0].<<: cannot be merged; expected a mapping or a list of them\n"},
        {"topic: \"a\\0b\"\n", "fraud.yaml:1: topic: holds a NUL character; no text may\n"},
    };
    return cr_make_param_array(struct mistake_case, cases, LEN(cases));
}

ParameterizedTest(struct mistake_case *c, conf, refuses)
{
    unsetenv("FRESHET_TEST_NONE");
    struct run run;
    run_text(&run, c->text);
    cr_expect(eq(int, run.st, ST_EINVAL), "%s", c->text);
    cr_expect(eq(str, run.errors.text.data, c->said));
    run_done(&run);
}

Test(conf, a_required_key_is_missed_where_its_table_is)
{
    struct conf_errors errors = {0};
    struct model model;
    cr_expect(eq(int, conf_read(NULL, &model_table, &errors, &model), ST_EINVAL));
    cr_expect(slice_eq(buf_slice(&errors.text),
                       slice_of("models.name: missing; expected a text: Name of the model.\n")));
    conf_errors_done(&errors);
}

/* A few hundred bytes that mean a billion values. */
Test(conf, refuses_a_file_that_multiplies)
{
    struct buf text = {0};
    struct run run;
    buf_text(&text, "free:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 9; i++) {
        buf_printf(&text, "  a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            buf_printf(&text, "%s*a%d", k ? ", " : "", i - 1);
        buf_text(&text, "]\n");
    }
    buf_byte(&text, '\0');
    run_text(&run, text.data);
    cr_expect(eq(int, run.st, ST_EINVAL));
    cr_expect(eq(str, run.errors.text.data,
                 "fraud.yaml:7: too much; at most 200000 values, 64 deep, are read\n"));
    run_done(&run);
    buf_reset(&text);
    for (int i = 0; i < 100; i++)
        buf_byte(&text, '[');
    buf_byte(&text, '\0');
    run_text(&run, text.data);
    cr_expect(eq(str, run.errors.text.data,
                 "fraud.yaml:1: too much; at most 200000 values, 64 deep, are read\n"));
    run_done(&run);
    buf_done(&text);
}

/* Any bytes: some answer, no crash, no leak. */
Test(conf, takes_any_text)
{
    static const char letters[] = "ab: -[]{}#&*!|>'\"%@`\n\n  ,?<<~${}x1d";
    uint64_t seed = 3;
    for (int i = 0; i < 5000; i++) {
        char text[60];
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t len = (seed >> 33) % sizeof text;
        for (size_t k = 0; k < len; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            text[k] = letters[(seed >> 33) % (sizeof letters - 1)];
        }
        struct conf *conf = NULL;
        struct conf_errors errors = {0};
        struct all all;
        enum status st = conf_parse("x", (struct slice){text, len}, &errors, &conf);
        if (st == ST_OK)
            st = conf_read(conf_root(conf), &all_table, &errors, &all);
        bool failed = st < 0;
        cr_assert(failed == (errors.n > 0), "%.*s", (int)len, text);
        conf_free(conf);
        conf_errors_done(&errors);
    }
}

Test(conf, a_file_that_is_not_there_is_said)
{
    struct conf *conf = NULL;
    struct conf_errors errors = {0};
    cr_expect(eq(int, conf_load("/nonexistent/x.yaml", &errors, &conf), ST_EIO));
    cr_expect(
        slice_eq(buf_slice(&errors.text),
                 slice_of("/nonexistent/x.yaml: cannot be read: No such file or directory\n")));
    conf_errors_done(&errors);
    cr_expect(eq(int, conf_load("/", &errors, &conf), ST_EIO));
    cr_expect(slice_eq(buf_slice(&errors.text), slice_of("/: cannot be read: Is a directory\n")));
    conf_errors_done(&errors);
    conf_free(NULL);
}

/* The nearest name. */

struct nearest_case {
    char text[40], nearest[16];
};

ParameterizedTestParameters(conf, finds_the_nearest_name)
{
    static struct nearest_case cases[] = {
        {"publsh", "publish"},
        {"publihs", "publish"},
        {"Publish", "publish"},
        {"publishes", "publish"},
        {"naem", "name"},
        {"nam", "name"},
        {"kind", "kind"},
        {"x", ""},
        {"", ""},
        {"zzzzzzz", ""},
        {"pub", ""},
        {"kidn", "kind"},
        {"z", ""},
        {"K", "k"},
        {"abcdefghijklmnopqrstuvwxyzabcdefghijk", ""},
    };
    return cr_make_param_array(struct nearest_case, cases, LEN(cases));
}

ParameterizedTest(struct nearest_case *c, conf, finds_the_nearest_name)
{
    static const char *const names[] = {"name", "kind", "publish", "k", NULL};
    const char *nearest = conf_nearest(c->text, names);
    cr_expect(eq(str, (char *)(uintptr_t)(nearest ? nearest : ""), c->nearest), "%s", c->text);
}

/* The manual and the schema. */

Test(conf, writes_the_manual)
{
    struct buf text = {0};
    conf_write_doc(&model_table, &text);
    cr_expect(
        slice_eq(
            buf_slice(&text),
            slice_of("## models\n"
                     "\n"
                     "A model.\n"
                     "\n"
                     "| key | type and bounds | default | meaning |\n"
                     "|---|---|---|---|\n"
                     "| `name` | text | required | Name of the model. |\n"
                     "| `kind` | `ftrl`, `forest` or `lstm` | `forest` | What learns. |\n"
                     "| `publish` | duration, at least 1s and at most 30d | `1h` | Time between "
                     "versions. |\n"
                     "| `endpoint` | mapping, see below | its defaults | Where it answers. |\n"
                     "\n"
                     "### endpoint\n"
                     "\n"
                     "An address.\n"
                     "\n"
                     "| key | type and bounds | default | meaning |\n"
                     "|---|---|---|---|\n"
                     "| `host` | text | `localhost` | Where it is. |\n"
                     "| `port` | whole number, at least 1 and at most 65535 | `9092` | Its port. "
                     "|\n")),
        "%.*s", (int)text.len, text.data);
    buf_done(&text);
}

Test(conf, manual_names_nested_tables_by_path)
{
    struct buf text = {0};
    conf_write_doc(&all_table, &text);
    buf_byte(&text, '\0');
    cr_expect(strstr(text.data, "\n### listen\n") != NULL);
    cr_expect(strstr(text.data, "\n### models[]\n") != NULL);
    cr_expect(strstr(text.data, "\n### models[].endpoint\n") != NULL);
    cr_expect(strstr(text.data,
                     "| `rate` | number, at least 0 and at most 1 | none | A share, 0\\|1. |") !=
              NULL);
    cr_expect(strstr(text.data, "| `on` | true or false | `false` | Whether. |") != NULL);
    cr_expect(strstr(text.data, "| `cache` | size, at least 1MiB | `1GiB` | Memory. |") != NULL);
    buf_done(&text);
}

Test(conf, writes_the_schema)
{
    struct buf text = {0};
    conf_write_schema(&nested_table, &text);
    cr_expect(
        slice_eq(
            buf_slice(&text),
            slice_of("{\"title\": \"listen\", \"type\": \"object\", \"description\": \"An "
                     "address.\", \"properties\": {\"host\": {\"type\": [\"string\", \"number\", "
                     "\"boolean\", \"null\"], \"default\": \"localhost\", \"description\": "
                     "\"Where it is.\"}, \"port\": {\"type\": [\"integer\", \"string\", "
                     "\"null\"], \"pattern\": \"^[+-]?[0-9]+$|\\\\$\\\\{\", \"minimum\": 1, "
                     "\"maximum\": 65535, \"default\": 9092, \"description\": \"Its port.\"}}, "
                     "\"additionalProperties\": false}")),
        "%.*s", (int)text.len, text.data);
    buf_done(&text);
}
