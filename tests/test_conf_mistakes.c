/*
 * Tests of base/conf.h: what a file does wrong.
 *
 * Known without running it: for each kind of mistake, the exact lines that a person should read.
 * The messages are part of the contract, so they are compared as a whole.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "base/conf.h"
#include "tests/conf_fixture.h"

/* Mistakes: the file, and all that is said about it. */

struct mistake_case {
    char text[160];
    char said[400];
};

static struct mistake_case mistakes[] = {

    /* unknown keys */
    {"topic: t\nmodels:\n  - name: a\n    publsh: 1h\n",
     "fraud.yaml:4: models[0].publsh: unknown key; did you mean \"publish\"?\n"},
    {"modles: []\n", "fraud.yaml:1: modles: unknown key; did you mean \"models\"?\n"},
    {"TOPIC: t\n", "fraud.yaml:1: TOPIC: unknown key; did you mean \"topic\"?\n"},
    {"listen:\n  colour: red\n",
     "fraud.yaml:2: listen.colour: unknown key; expected host or port\n"},
    {"listen:\n  prot:\n", "fraud.yaml:2: listen.prot: unknown key; did you mean \"port\"?\n"},
    {"\n\nmodles:\n  - name: a\n", "fraud.yaml:3: modles: unknown key; did you mean \"models\"?\n"},
    /* wrong types */
    {"on: maybe\n", "fraud.yaml:1: on: \"maybe\" is not true or false; write true or false\n"},
    {"on: 1\n", "fraud.yaml:1: on: \"1\" is not true or false; write true or false\n"},
    {"on: True\n", "fraud.yaml:1: on: \"True\" is not true or false; write true or false\n"},
    {"count: 1.5\n",
     "fraud.yaml:1: count: \"1.5\" is no whole number; write one without a point or "
     "a unit, such as 16\n"},
    {"count: 0x10\n", "fraud.yaml:1: count: \"0x10\" is no whole number; write one without a point "
                      "or a unit, such as 16\n"},
    {"count: 1_000\n", "fraud.yaml:1: count: \"1_000\" is no whole number; write one without a "
                       "point or a unit, such as 16\n"},
    {"rate: half\n", "fraud.yaml:1: rate: \"half\" is no number; write one such as 0.5\n"},
    {"rate: .nan\n", "fraud.yaml:1: rate: \".nan\" is no number; write one such as 0.5\n"},
    {"delay: 7\n", "fraud.yaml:1: delay: \"7\" is no duration; write a number with a unit, such as "
                   "7d or 1h30m\n"},
    {"cache: 1XB\n",
     "fraud.yaml:1: cache: \"1XB\" is no size; write a number of bytes, or one with "
     "a unit, such as 64MiB or 1GB\n"},
    {"cache: -1\n",
     "fraud.yaml:1: cache: \"-1\" is no size; write a number of bytes, or one with a "
     "unit, such as 64MiB or 1GB\n"},
    {"cache: 9999999999TiB\n", "fraud.yaml:1: cache: \"9999999999TiB\" is no size; write a number "
                               "of bytes, or one with a unit, such as 64MiB or 1GB\n"},
    {"topic: [a]\n", "fraud.yaml:1: topic: is a list; expected a text\n"},
    {"topic: {a: b}\n", "fraud.yaml:1: topic: is a mapping; expected a text\n"},
    {"names: {a: b}\n", "fraud.yaml:1: names: is a mapping; expected a text or a list of texts\n"},
    {"names: [a, [b]]\n", "fraud.yaml:1: names[1]: is a list; expected a text\n"},
    {"names:\n  - a\n  -\n", "fraud.yaml:3: names[1]: is empty; expected a text\n"},
    {"over: [1d, 7]\n", "fraud.yaml:1: over[1]: \"7\" is no duration; write a number with a unit, "
                        "such as 7d or 1h30m\n"},
    {"listen: here\n", "fraud.yaml:1: listen: is a single value; expected a mapping\n"},
    {"models: {name: a}\n", "fraud.yaml:1: models: is a mapping; expected a list of mappings\n"},
    {"models: [a]\n", "fraud.yaml:1: models[0]: is a single value; expected a mapping\n"},
    {"properties: [a]\n", "fraud.yaml:1: properties: is a list; expected a mapping of texts\n"},
    {"properties:\n  a: [b]\n", "fraud.yaml:2: properties.a: is a list; expected a text\n"},
    {"- a\n", "fraud.yaml:1: is a list; expected a mapping\n"},
    {"just text\n", "fraud.yaml:1: is a single value; expected a mapping\n"},
    {"on: \"a\\nb\"\n", "fraud.yaml:1: on: \"a b\" is not true or false; write true or false\n"},
    /* bounds */
    {"delay: 90d\n", "fraud.yaml:1: delay: must be at least 1s and at most 30d, got 90d\n"},
    {"delay: 1ms\n", "fraud.yaml:1: delay: must be at least 1s and at most 30d, got 1ms\n"},
    {"count: 0\n", "fraud.yaml:1: count: must be at least 1, got 0\n"},
    {"rate: 1.5\n", "fraud.yaml:1: rate: must be at least 0 and at most 1, got 1.5\n"},
    {"cache: 5kB\n", "fraud.yaml:1: cache: must be at least 1MiB, got 5000\n"},
    {"edges: [0, -5.5]\n", "fraud.yaml:1: edges[1]: must be at least -5 and at most 5, got -5.5\n"},
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
    {"topic: a\non: yes\ntopic: b\n", "fraud.yaml:3: topic: given twice; the first is in line 1\n"},
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
    {"topic: a\n---\ntopic: b\n", "fraud.yaml:2: a second document starts; expected only one\n"},
    {"[a]: b\n", "fraud.yaml:1: a key must be a text\n"},
    {"topic: *none\n", "fraud.yaml:1: *none is not known; expected a &name above\n"},
    {"free: &a [*a]\n", "fraud.yaml:1: *a stands inside of &itself; that would never end\n"},
    {"models:\n  - <<: 5\n    name: a\n",
     "fraud.yaml:2: models[0].<<: cannot be merged; expected a mapping or a list of them\n"},
    {"topic: \"a\\0b\"\n", "fraud.yaml:1: topic: holds a NUL character; no text may\n"},
};

ParameterizedTestParameters(conf, refuses)
{
    return cr_make_param_array(struct mistake_case, mistakes, LEN(mistakes));
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
