/* Rules on events: one that is accepted holds as well in parentheses, and `not` turns it around. */
#include <math.h>

#include "features/where.h"
#include "tests/fuzz/fuzz.h"

/* NULL if it is refused, *ret_deep then says whether for being nested too deep. */
static struct where *make(const char *front, struct slice rule, const char *back, bool *ret_deep)
{
    static const struct conf_node *node;
    if (!node)
        node = fuzz_conf("{where: rule}");
    struct conf_errors errors = {0};
    struct making making = {.schema = fuzz_schema(), .errors = &errors};
    struct buf text = {0};
    struct where *where = NULL;
    buf_text(&text, front);
    buf_append(&text, rule.data, rule.len);
    buf_text(&text, back);
    buf_byte(&text, '\0');
    enum status st = where_create(&making, node, "where", text.data, NULL, &where);
    buf_byte(&errors.text, '\0');
    *ret_deep = strstr(errors.text.data, "nested deeper") != NULL;
    FUZZ_LAW((st == ST_OK) == (errors.n == 0), "a rule is refused with a reason");
    conf_errors_done(&errors);
    buf_done(&text);
    return where;
}

static void check_same(const struct where *where, struct slice rule, const char *front,
                       const char *back, bool negated)
{
    static union value full[] = {{.entity = {1, 2}}, {.entity = {3, 4}}, {.number = 12.5},
                                 {.category = 5},    {.text = {"a", 1}}, {.category = 6}};
    static union value none[] = {{.entity = {0}}, {.entity = {0}}, {.number = NAN},
                                 {.category = 0}, {.text = {0}},   {.category = 0}};
    bool deep;
    struct where *other = make(front, rule, back, &deep);
    FUZZ_LAW(other || deep, "what is right is right in parentheses, unless there are too many");
    struct event events[] = {{.time = 1522540831 * SECOND_US, .values = full},
                             {.time = 0, .values = none}};
    for (size_t i = 0; other && i < 2; i++)
        FUZZ_LAW(where_holds(where, &events[i]) == (where_holds(other, &events[i]) != negated),
                 "parentheses change nothing and `not` turns around");
    where_free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool deep;
    struct slice rule = {(const char *)data, size > 0 ? strnlen((const char *)data, size) : 0};
    struct where *where = make("", rule, "", &deep);
    if (where && where_usable(where, 0)) {
        check_same(where, rule, "(", ")", false);
        check_same(where, rule, "not (", ")", true);
    }
    where_free(where);
    return 0;
}
