#include "online/model_decisions.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "online/contest.h"
#include "online/gate.h"
#include "online/model_files.h"
#include "online/readable.h"
#include "online/rows.h"

enum { SUFFIX = sizeof "-0123456789.safetensors" - 1 };

struct printing {
    const char *dir;
    bool json;
    char file[256]; /* the newest so far of one model */
    int bad, n;
};

/* champion: another model, that this one was compared with; NULL: none. */
static void print_json(const char *model, const char *champion, const struct decision *decision)
{
    struct buf line = {0};
    buf_text(&line, "{\"model\":");
    rows_json_text(&line, slice_of(model));
    if (champion) {
        buf_text(&line, ",\"champion\":");
        rows_json_text(&line, slice_of(champion));
    }
    buf_text(&line, ",\"decision\":");
    decision_render_json(decision, &line);
    printf("%.*s}\n", (int)line.len, line.data);
    buf_done(&line);
}

static void print_row(const struct decision *d)
{
    double lower = d->verdict == VERDICT_ROLLED_BACK ? d->lower : d->all_lower;
    printf("  %8.0f  %-20s  %-11s  %9s  %9s  %7s  %s\n", d->version,
           readable_time((int64_t)d->time).text, verdict_text((enum verdict)d->verdict),
           readable_real(d->difference, 4).text, readable_real(lower, 4).text,
           readable_real(d->psi, 3).text, decision_reason_text((enum decision_reason)d->reason));
}

static void print_table(const char *model, const struct decision *decisions, size_t n)
{
    size_t counts[VERDICTS] = {0};
    for (size_t i = 0; i < n; i++)
        counts[(size_t)decisions[i].verdict]++;
    size_t confirmed = counts[VERDICT_CONFIRMED], back = counts[VERDICT_ROLLED_BACK];
    printf("%s: of the newest %zu versions %zu promoted, %zu held, %zu refused\n", model,
           n - confirmed - back, counts[VERDICT_PROMOTED], counts[VERDICT_HELD],
           counts[VERDICT_REFUSED]);
    if (confirmed + back > 0)
        printf("%s: of the newest %zu trials %zu confirmed, %zu rolled back\n", model,
               confirmed + back, confirmed, back);
    if (counts[VERDICT_PROMOTED] + confirmed < n)
        printf("  %8s  %-20s  %-11s  %9s  %9s  %7s  %s\n", "version", "time", "verdict", "AUC by",
               "at least", "PSI", "why");
    for (size_t i = 0; i < n; i++)
        if (decisions[i].verdict != VERDICT_PROMOTED && decisions[i].verdict != VERDICT_CONFIRMED)
            print_row(&decisions[i]);
}

static struct contest_decision contest_at(const struct buf *all, size_t i)
{
    struct contest_decision made;
    memcpy(&made, all->data + i * sizeof made, sizeof made);
    return made;
}

/* Those by which it took over, or would have but for what was amiss. */
static void print_contests(const char *model, const struct buf *all, size_t n)
{
    size_t over = 0;
    for (size_t i = 0; i < n; i++)
        over += contest_at(all, i).decision.verdict == VERDICT_PROMOTED;
    printf("%s: of the newest %zu comparisons with a champion it was better in %zu\n", model, n,
           over);
    for (size_t i = 0; i < n; i++) {
        struct contest_decision made = contest_at(all, i);
        const struct decision *d = &made.decision;
        if (d->verdict == VERDICT_HELD)
            continue;
        printf("  %8.0f  %-20s  %-8s  %9s  %9s  %7s  %s, than version %.0f of %s\n", d->version,
               readable_time((int64_t)d->time).text,
               d->verdict == VERDICT_PROMOTED ? "better" : verdict_text((enum verdict)d->verdict),
               readable_real(d->difference, 4).text, readable_real(d->lower, 4).text,
               readable_real(d->psi, 3).text, decision_reason_text((enum decision_reason)d->reason),
               d->champion, made.champion);
    }
}

static enum status print_file_contests(const struct printing *printing,
                                       const struct tensors *tensors, const char *model)
{
    struct buf all = {0};
    enum status st = contest_read_decisions(tensors, &all);
    size_t n = st == ST_OK ? all.len / sizeof(struct contest_decision) : 0;
    for (size_t i = 0; printing->json && i < n; i++) {
        struct contest_decision made = contest_at(&all, i);
        print_json(model, made.champion, &made.decision);
    }
    if (!printing->json && n > 0)
        print_contests(model, &all, n);
    buf_done(&all);
    return st;
}

static enum status print_file(struct printing *printing, const char *path, const char *model)
{
    struct tensors *tensors = NULL;
    const struct decision *decisions;
    size_t n;
    TRY(tensors_read(path, &tensors));
    enum status st = gate_read_decisions(tensors, &decisions, &n);
    for (size_t i = 0; st == ST_OK && printing->json && i < n; i++)
        print_json(model, NULL, &decisions[i]);
    if (st == ST_OK && !printing->json)
        print_table(model, decisions, n);
    if (st == ST_OK)
        st = print_file_contests(printing, tensors, model);
    tensors_free(tensors);
    return st;
}

/* The file kept is its model's newest. */
static void print_kept(struct printing *printing)
{
    char path[8192], model[256];
    size_t len = strlen(printing->file);
    if (len <= SUFFIX)
        return;
    snprintf(path, sizeof path, "%s/%s", printing->dir, printing->file);
    snprintf(model, sizeof model, "%.*s", (int)(len - SUFFIX), printing->file);
    enum status st = print_file(printing, path, model);
    printing->n++;
    if (st < 0) {
        printing->bad++;
        fprintf(stderr, "freshet model: %s: %s\n", path, status_text(st));
    }
}

static void see_file(void *arg, const char *file)
{
    struct printing *printing = arg;
    size_t len = strlen(file), kept = strlen(printing->file);
    if (strstr(file, MODEL_FILE_KEPT))
        return; /* its decisions are in the others, too */
    bool same = kept == len && strncmp(file, printing->file, len - SUFFIX) == 0;
    if (!same)
        print_kept(printing);
    snprintf(printing->file, sizeof printing->file, "%s", file);
}

int model_decisions_print(const char *dir, bool json)
{
    struct printing printing = {.dir = dir, .json = json};
    enum status st = model_files_each(dir, NULL, see_file, &printing);
    if (st < 0 && st != ST_ENOTFOUND) {
        fprintf(stderr, "freshet model: %s: %s\n", dir, status_text(st));
        return 1;
    }
    print_kept(&printing);
    if (printing.n == 0 && !json)
        printf("%s holds no models yet\n", dir);
    return printing.bad ? 1 : 0;
}
