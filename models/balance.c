#include "models/balance.h"

#include <string.h>

#include "base/number.h"

struct balance balance_read(const struct conf_node *node, struct conf_errors *errors)
{
    struct balance balance = {.how = BALANCE_NONE, .number = 1};
    const char *text = conf_text(node);
    if (!node)
        return balance;
    if (text && strcmp(text, "balanced") == 0) {
        balance.how = BALANCE_BALANCED;
    } else if (text && number_to_double(slice_of(text), &balance.number) == ST_OK &&
               balance.number >= 1e-6 && balance.number <= 1e6) {
        balance.how = BALANCE_NUMBER;
    } else {
        conf_complain(errors, node, "expected a number from 1e-06 to 1e+06, or `balanced`");
    }
    return balance;
}

void balance_write_schema(struct buf *ret)
{
    buf_text(ret, "{\"anyOf\": [{\"type\": \"number\", \"minimum\": 1e-06, \"maximum\": 1e+06}, "
                  "{\"const\": \"balanced\"}]}");
}
