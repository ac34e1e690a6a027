/* CSV of any bytes: its first line as a header, and all of it as rows of a file. */
#include "ingest/decode_csv.h"
#include "tests/fuzz/decode_laws.h"

static void read_with_header(struct slice header, struct slice row)
{
    static const char *const names[] = {"ID", "TIME", "AMOUNT"};
    struct conf_errors errors = {0};
    struct csv_reader *reader = NULL;
    struct scalar scalars[3];
    enum status st = csv_reader_create(header, names, 3, "fuzz.csv", &errors, &reader);
    FUZZ_LAW((st == ST_OK) == (errors.n == 0), "a header is refused with a reason");
    if (st == ST_OK) {
        const char *why = csv_reader_read(reader, row, scalars);
        FUZZ_LAW(!why || why[0], "a row is refused with a reason");
    }
    csv_reader_free(reader);
    conf_errors_done(&errors);
}

/* A reader that has less of the file at hand waits, or comes to the same end of the row. */
static void check_prefix(struct slice text, size_t length, size_t cut)
{
    size_t early_cut = 0, early = csv_row_length(text.data, text.len / 2, false, &early_cut);
    FUZZ_LAW(early == 0 || (early == length && early_cut == cut),
             "where a row ends does not depend on how much is at hand");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct decoder *decoder;
    if (!decoder)
        decoder = make_decoder("csv", "ID,TIME,CARD,SHOP,AMOUNT,COUNTRY,NOTE,meta.channel", false);
    struct slice text = fuzz_slice(data, size), rows = text;
    read_with_header(fuzz_line(&rows), rows);
    while (text.len > 0) {
        size_t cut = 0, length = csv_row_length(text.data, text.len, true, &cut);
        FUZZ_LAW(length > 0 && length <= text.len && cut <= length && cut <= 2,
                 "a row takes something of the file, and no more than there is");
        check_prefix(text, length, cut);
        check_decoder(decoder, (struct slice){text.data, length - cut},
                      "7,2018-04-01T00:00:31Z,a,b,1.5,DE,,web");
        text = (struct slice){text.data + length, text.len - length};
    }
    return 0;
}
