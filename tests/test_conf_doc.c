/*
 * Tests of base/conf.h: the manual and the schema.
 *
 * Known without running it: both follow from the table, so those of a small table are compared as
 * a whole.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "base/conf.h"
#include "tests/conf_fixture.h"

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
