/* The CSV of a series, as `freshet stl` reads it: a header, then rows. What is accepted is a number
 * or a gap, and a time that lies in its row; what is refused is complained of. */
#include <math.h>

#include "online/stl_table.h"
#include "tests/fuzz/fuzz.h"

static void check_row(const struct stl_table_columns *columns, struct slice line, bool gaps,
                      FILE *complaints)
{
    double y = 0;
    struct slice time = {0};
    long before = ftell(complaints);
    enum status st = stl_table_read_row(columns, line, gaps, "fuzz", 2, complaints, &y, &time);
    FUZZ_LAW((st == ST_OK) == (ftell(complaints) == before), "what is refused is complained of");
    if (st < 0)
        return;
    FUZZ_LAW(isnan(y) ? gaps : fabs(y) <= STL_Y_MAX, "a number, or a gap where they are allowed");
    FUZZ_LAW(time.len == 0 ||
                 (time.data >= line.data && time.data + time.len <= line.data + line.len),
             "the time lies in its row");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char complaints_text[1 << 16];
    static struct stl_table table;
    struct slice text = fuzz_slice(data, size), line = fuzz_line(&text);
    FILE *complaints = fmemopen(complaints_text, sizeof complaints_text, "w");
    if (!complaints)
        abort();
    bool gaps = line.len % 2 == 1, named = line.len > 0 && line.data[0] == '#';
    if (stl_table_read_header(line, named ? "v" : NULL, "fuzz", complaints, &table) == ST_OK) {
        for (size_t rows = 0; rows < 64 && text.len > 0; rows++)
            check_row(&table.columns, fuzz_line(&text), gaps, complaints);
    }
    fclose(complaints);
    return 0;
}
