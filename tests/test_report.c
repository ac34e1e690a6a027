/*
 * Tests of online/report.h: both forms as text, letter for letter, because people read the one and
 * scripts the keys of the other. What is not known is "-" in the table and null in the JSON.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "online/report.h"

static const struct report week = {
    .name = "fraud",
    .model = "card \"fraud\"",
    .wall_seconds = 8.4,
    .cpu_seconds = 11.25,
    .ingest_cpu_seconds = 3.5,
    .state_cpu_seconds = 5.25,
    .trainer_cpu_seconds = 2,
    .commit_cpu_seconds = 0.25,
    .pace = {{5.5, 6, 6.25, 6, 6, 6, 6, 6, 6, NAN}},
    .events = 1293144,
    .scored = 1293100,
    .repeated_events = 40,
    .late_events = 3,
    .dead_letters = 4,
    .labels_applied = 1283000,
    .labels_corrected = 5,
    .labels_repeated = 6,
    .labels_early = 7,
    .labels_late = 8,
    .labels_absent = 9,
    .versions = 4391,
    .examples_learnt = 1270000,
    .auc = 0.8671,
    .average_precision = 0.6083,
    .log_loss = 0.023417,
    .calibration_error = 0.00123,
    .positives = 10345,
    .negatives = 1260000,
    .memory_peak_bytes = UINT64_C(512) << 20,
    .state_records = 25000,
    .state_bytes = UINT64_C(298) << 20,
    .records_evicted = 12000,
    .records_fetched = 13000,
    .pending_events = 51000,
    .pending_bytes = 51000 * 96,
    .written_bytes = UINT64_C(1293144) * 987,
};

static const struct report nothing = {
    .name = "empty",
    .auc = NAN,
    .average_precision = NAN,
    .log_loss = NAN,
    .calibration_error = NAN,
};

static void expect_text(void (*render)(const struct report *, struct buf *),
                        const struct report *report, const char *text)
{
    struct buf buf = {0};
    render(report, &buf);
    buf_byte(&buf, 0);
    cr_expect(eq(str, buf.data, (char *)text));
    buf_done(&buf);
}

Test(report, table_of_a_week)
{
    expect_text(
        report_render, &week,
        "\n"
        "replay of fraud\n"
        "\n"
        "  events                 1,293,144   153,900 a second, in 8.4s\n"
        "  processor                  11.2s   ingest 3.5s, state 5.2s, trainer 2.0s, commit "
        "0.2s\n"
        "  scored                 1,293,100   repeated 40, late 3, dead letters 4\n"
        "  labels                 1,283,000   corrected 5, early 7, late 8, repeated 6, "
        "absent 9\n"
        "  versions                   4,391   learnt from 1,270,000 examples\n"
        "\n"
        "  scores, each judged by the label that came later\n"
        "  AUC                       0.8671   10,345 positives, 1,260,000 negatives\n"
        "  average precision         0.6083\n"
        "  log loss                 0.02342\n"
        "  calibration error        0.00123\n"
        "\n"
        "  memory                   512 MiB   resident at its peak\n"
        "  state                    298 MiB   25,000 records\n"
        "  awaiting labels           51,000   96 bytes an event\n"
        "  written                 1.19 GiB   987 bytes an event\n"
        "\n");
}

/* Of several models each has a line. */
Test(report, table_of_models)
{
    struct report report = week;
    struct buf buf = {0};
    report.n_models = 2;
    report.models[0] = (struct report_model){"fraud", "ftrl", "champion", 183, 1.5, 0.87,
                                             0.61,    0.0234, 0.001,      100, 1000};
    report.models[1] = (struct report_model){"trees", "gbdt", "shadow", 61,  200, NAN,
                                             0.69,    0.02,   0.001,    100, 1000};
    report_render(&report, &buf);
    buf_byte(&buf, 0);
    static const char table[] =
        "\n"
        "  models, each judged at what it had not learnt\n"
        "                     kind   role       versions      AUC  avg.pr.  log loss      cpu\n"
        "  fraud              ftrl   champion        183   0.8700   0.6100   0.02340     1.5s\n"
        "  trees              gbdt   shadow           61        -   0.6900   0.02000   3m 20s\n"
        "\n";
    cr_expect(strstr(buf.data, table) != NULL, "%s", buf.data);
    buf_reset(&buf);
    report_render_json(&report, &buf);
    buf_byte(&buf, 0);
    static const char json[] =
        "  \"models\": [{\"name\": \"fraud\", \"kind\": \"ftrl\", \"role\": \"champion\", "
        "\"auc\": 0.87, \"average_precision\": 0.61, \"log_loss\": 0.0234, "
        "\"calibration_error\": 0.001, \"cpu_seconds\": 1.5, \"versions\": 183, "
        "\"positives\": 100, \"negatives\": 1000}, {\"name\": \"trees\"";
    cr_expect(strstr(buf.data, json) != NULL, "%s", buf.data);
    buf_done(&buf);
}

/* Without a model there is nothing to judge; without events nothing can be said of one. */
Test(report, table_of_nothing)
{
    expect_text(
        report_render, &nothing,
        "\n"
        "replay of empty\n"
        "\n"
        "  events                         0   - a second, in 0.0s\n"
        "  processor                   0.0s   ingest 0.0s, state 0.0s, trainer 0.0s, commit "
        "0.0s\n"
        "  scored                         0   repeated 0, late 0, dead letters 0\n"
        "  labels                         0   corrected 0, early 0, late 0, repeated 0, "
        "absent 0\n"
        "\n"
        "  memory                   0 bytes   resident at its peak\n"
        "  state                    0 bytes   0 records\n"
        "  awaiting labels                0   - an event\n"
        "  written                  0 bytes   - an event\n"
        "\n");
}

static const char json_of_week[] =
    "{\n"
    "  \"name\": \"fraud\",\n"
    "  \"model\": \"card \\\"fraud\\\"\",\n"
    "  \"wall_seconds\": 8.4,\n"
    "  \"cpu_seconds\": 11.25,\n"
    "  \"ingest_cpu_seconds\": 3.5,\n"
    "  \"state_cpu_seconds\": 5.25,\n"
    "  \"trainer_cpu_seconds\": 2,\n"
    "  \"commit_cpu_seconds\": 0.25,\n"
    "  \"events\": 1293144,\n"
    "  \"events_per_second\": 153945.7142857143,\n"
    "  \"cpu_us_per_event_by_tenth\": [5.5, 6, 6.25, 6, 6, 6, 6, 6, 6, "
    "null],\n"
    "  \"scored\": 1293100,\n"
    "  \"repeated_events\": 40,\n"
    "  \"late_events\": 3,\n"
    "  \"dead_letters\": 4,\n"
    "  \"labels_applied\": 1283000,\n"
    "  \"labels_corrected\": 5,\n"
    "  \"labels_repeated\": 6,\n"
    "  \"labels_early\": 7,\n"
    "  \"labels_late\": 8,\n"
    "  \"labels_absent\": 9,\n"
    "  \"versions\": 4391,\n"
    "  \"examples_learnt\": 1270000,\n"
    "  \"auc\": 0.8671,\n"
    "  \"average_precision\": 0.6083,\n"
    "  \"log_loss\": 0.023417,\n"
    "  \"calibration_error\": 0.00123,\n"
    "  \"positives\": 10345,\n"
    "  \"negatives\": 1260000,\n"
    "  \"models\": [],\n"
    "  \"takeovers\": [],\n"
    "  \"memory_peak_bytes\": 536870912,\n"
    "  \"state_records\": 25000,\n"
    "  \"state_bytes\": 312475648,\n"
    "  \"records_evicted\": 12000,\n"
    "  \"records_fetched\": 13000,\n"
    "  \"pending_events\": 51000,\n"
    "  \"pending_bytes_per_event\": 96,\n"
    "  \"written_bytes\": 1276333128,\n"
    "  \"written_bytes_per_event\": 987\n"
    "}\n";

Test(report, json_of_a_week)
{
    expect_text(report_render_json, &week, json_of_week);
}

Test(report, json_of_what_is_not_known_is_null)
{
    static const char *const unknown[] = {
        "\"model\": null",
        "\"events_per_second\": null",
        "\"auc\": null",
        "\"log_loss\": null",
        "\"pending_bytes_per_event\": null",
        "\"written_bytes_per_event\": null",
    };
    struct buf buf = {0};
    report_render_json(&nothing, &buf);
    buf_byte(&buf, 0);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        cr_expect(strstr(buf.data, unknown[i]) != NULL, "%s", unknown[i]);
    buf_done(&buf);
}

/* docs/backtest.md tells of each key. */
Test(report, json_keys_are_documented)
{
    static char docs[1 << 16];
    char path[4096], key[64], cell[80];
    snprintf(path, sizeof path, "%s", __FILE__);
    char *tests = strstr(path, "tests/test_");
    cr_assert(tests != NULL);
    strcpy(tests, "docs/backtest.md");
    FILE *file = fopen(path, "r");
    cr_assert(file != NULL, "%s", path);
    docs[fread(docs, 1, sizeof docs - 1, file)] = '\0';
    fclose(file);
    for (const char *at = json_of_week; (at = strstr(at, "  \"")); at++) {
        cr_assert(eq(int, sscanf(at, "  \"%63[a-z_]\":", key), 1));
        snprintf(cell, sizeof cell, "`%s`", key);
        cr_expect(strstr(docs, cell) != NULL, "%s", key);
    }
}

Test(report, is_written_to_a_file)
{
    char path[] = "/tmp/test_report-XXXXXX", text[2048] = "";
    int fd = mkstemp(path);
    cr_assert(ge(int, fd, 0));
    cr_expect(eq(int, report_write(&week, path), ST_OK));
    cr_expect(eq(int, (int)read(fd, text, sizeof text - 1), (int)strlen(json_of_week)));
    cr_expect(eq(str, text, (char *)json_of_week));
    close(fd);
    unlink(path);
}

/* /dev/full takes a file's opening and refuses its content. */
Test(report, refuses_what_cannot_be_written)
{
    cr_expect(eq(int, report_write(&week, "/no/such/folder/report.json"), ST_EIO));
    cr_expect(eq(int, report_write(&week, "/dev/full"), ST_EIO));
}
