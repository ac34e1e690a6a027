/*
 * Tests of base/conf.h: what a file says.
 *
 * Known without running it: what each spelling of a value means, and what an absent key leaves
 * behind.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>

#include "base/conf.h"
#include "tests/conf_fixture.h"

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
