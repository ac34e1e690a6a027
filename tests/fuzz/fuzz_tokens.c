/* Files of tokens: one that is accepted knows the first word of each line; a refusal has a reason.
 */
#include "online/endpoint/tokens.h"
#include "tests/fuzz/fuzz.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void check_line(struct tokens *tokens, struct slice line)
{
    static struct buf text;
    while (line.len > 0 && is_blank(line.data[0])) {
        line.data++;
        line.len--;
    }
    if (line.len == 0 || line.data[0] == '#')
        return;
    buf_reset(&text);
    buf_text(&text, "Bearer ");
    for (size_t i = 0; i < line.len && !is_blank(line.data[i]); i++)
        buf_byte(&text, (uint8_t)line.data[i]);
    FUZZ_LAW(tokens_scopes(tokens, buf_slice(&text), INT64_MIN) > 0, "a token has scopes at first");
    FUZZ_LAW(tokens_scopes(tokens, buf_slice(&text), 0) != TOKEN_UNKNOWN, "and is known for ever");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct buf error;
    struct slice text = fuzz_slice(data, size);
    struct tokens *tokens = NULL;
    buf_reset(&error);
    if (tokens_parse(text, &error, &tokens) == ST_OK)
        while (text.len > 0)
            check_line(tokens, fuzz_line(&text));
    else
        FUZZ_LAW(error.len > 0 && !tokens, "a refusal has a reason");
    tokens_free(tokens);
    return 0;
}
