/*
 * The simulation: the whole line in one thread, with crashes. docs/simulation.md says how to use
 * it.
 *
 *     sim --seeds 1..2000            all of these; exit status 1 if one is wrong
 *     sim --seed 17                  one, with a trace of what happened
 *     sim --write DIR --seed 17      its input and what comes of it without a crash, as files
 *     sim --fault NAME --seeds 1..200   with a planted fault: exit status 0 once one is wrong
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "tests/sim/trial.h"
#include "tests/sim/write.h"

/* Lives come and go by the thousand in one process: whatever they leave behind adds up. (Under a
 * sanitizer, memory that was given back waits a while.) */
enum { SEEDS_AN_INPUT = 4, MEMORY_MAX_MIB = 512 };

const char *const fault_names[FAULT_COUNT] = {
    [FAULT_NONE] = "none",
    [FAULT_OFFSETS_APART] = "offsets-apart",
    [FAULT_RECORD_CHANGES] = "record-changes",
    [FAULT_STORE_UNSYNCED] = "store-unsynced",
    [FAULT_FILE_UNSYNCED] = "file-unsynced",
    [FAULT_CURSOR_AHEAD] = "cursor-ahead",
    [FAULT_ROWS_ACKED_EARLY] = "rows-acked-early",
    [FAULT_ROWS_SENT_EARLY] = "rows-sent-early",
    [FAULT_GROUP_APART] = "group-apart",
};

/* An input and its run without a crash, for the seeds that share it. */
struct standard {
    struct input *input;
    struct trial calm;
};

struct sim {
    uint64_t first, last;
    bool trace;
    const char *write; /* folder; NULL: none */
    enum fault fault;
    struct standard *standard;
    uint64_t wrong, crashes, failures, stops, records, ticks, evicted, acts, takeovers, confirmed,
        rolled_back;
};

static void standard_free(struct standard *standard)
{
    if (!standard)
        return;
    trial_done(&standard->calm);
    input_free(standard->input);
    free(standard);
}

static bool standard_make(struct sim *sim, uint64_t number)
{
    standard_free(sim->standard);
    struct standard *standard = sim->standard = calloc(1, sizeof *standard);
    if (!standard)
        abort();
    standard->input = input_create(number, sim->write != NULL);
    struct trial_options options = {.input = standard->input, .seed = number, .calm = true};
    if (trial_run(&options, &standard->calm) && trial_compare(&standard->calm, NULL))
        return true;
    printf("input %" PRIu64 ", without a crash: %s\n", number, standard->calm.wrong);
    standard_free(standard);
    sim->standard = NULL;
    return false;
}

/* The order in which a timed trial took its input depends on the moment, so that only the same
 * order without a crash can be compared with it. */
static bool compare_with_replay(struct trial *trial)
{
    struct trial_options options = {.input = trial->options.input,
                                    .seed = trial->options.seed,
                                    .calm = true,
                                    .runs = &trial->outcome.runs,
                                    .trace = trial->options.trace};
    struct trial replay;
    if (options.trace)
        fputs("\nThe same order without a crash:\n", options.trace);
    bool good = trial_run(&options, &replay) || trial_wrong(trial, "replay: %s", replay.wrong);
    good = good && trial_compare(trial, &replay);
    trial_done(&replay);
    return good;
}

static uint64_t count_ticks(const struct trial *trial)
{
    struct reader in = reader_of(buf_slice(&trial->outcome.runs));
    struct run run;
    uint64_t n = 0;
    while (runs_next(&in, &run) == ST_OK)
        n += run.tick;
    return n;
}

/* Versions of trees serve when they are ready, which depends on the moment, too: in the run without
 * a crash one may have, and none in the other. */
static bool has_acts(const struct trial *trial)
{
    struct reader in = reader_of(buf_slice(&trial->outcome.runs));
    struct run run;
    while (runs_next(&in, &run) == ST_OK)
        if (run.is_act)
            return true;
    return false;
}

static bool run_trial(struct sim *sim, const struct trial_options *options)
{
    struct trial trial;
    bool good = trial_run(options, &trial);
    bool calm_has = !options->timed && has_acts(&sim->standard->calm);
    if (good && (options->timed || options->acts || calm_has || has_acts(&trial)))
        good = compare_with_replay(&trial);
    else if (good)
        good = trial_compare(&trial, &sim->standard->calm);
    if (!good)
        printf("seed %" PRIu64 ": %s\n", options->seed, trial.wrong);
    sim->crashes += trial.crashes;
    sim->failures += trial.failures;
    sim->stops += trial.stops;
    sim->records += options->input->n_records;
    sim->evicted += trial.evicted;
    sim->acts += trial.acts;
    sim->takeovers += trial.takeovers;
    sim->confirmed += trial.confirmed;
    sim->rolled_back += trial.rolled_back;
    sim->ticks += count_ticks(&trial);
    trial_done(&trial);
    return good;
}

/* An assertion of the product does not say which seed it was. */
static volatile uint64_t seed_now;

static void tell_seed(int signal)
{
    fprintf(stderr, "seed %" PRIu64 ": signal %d\n", seed_now, signal);
    fflush(stdout);
}

/* False if it is wrong. */
static bool run_seed(struct sim *sim, uint64_t seed)
{
    seed_now = seed;
    uint64_t number = seed / SEEDS_AN_INPUT;
    if ((!sim->standard || sim->standard->input->number != number) && !standard_make(sim, number))
        return false;
    struct trial_options options = {.input = sim->standard->input,
                                    .seed = seed,
                                    .timed = seed % SEEDS_AN_INPUT == SEEDS_AN_INPUT - 1 ||
                                             sim->fault == FAULT_ROWS_SENT_EARLY,
                                    .acts = number % 4 == 0 && sim->fault == FAULT_NONE,
                                    .fault = sim->fault,
                                    .trace = sim->trace ? stdout : NULL};
    if (sim->trace)
        printf("%.*s\n", (int)options.input->config.len, options.input->config.data);
    return run_trial(sim, &options);
}

static int write_seed(struct sim *sim)
{
    bool good = standard_make(sim, sim->first / SEEDS_AN_INPUT) &&
                write_trial(&sim->standard->calm, sim->write);
    standard_free(sim->standard);
    return !good;
}

static long memory_peak_mib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

static bool memory_is_bounded(void)
{
#ifdef __SANITIZE_ADDRESS__
    return true;
#else
    return memory_peak_mib() <= MEMORY_MAX_MIB;
#endif
}

static int run_seeds(struct sim *sim)
{
    double begin = disk_real_seconds();
    uint64_t seed = sim->first;
    for (; seed <= sim->last; seed++) {
        sim->wrong += !run_seed(sim, seed);
        if (sim->wrong >= 10 || (sim->wrong > 0 && sim->fault != FAULT_NONE))
            break;
    }
    double seconds = disk_real_seconds() - begin;
    uint64_t n = (seed > sim->last ? sim->last : seed) - sim->first + 1;
    printf("%" PRIu64 " seeds, %" PRIu64 " wrong; %" PRIu64 " crashes, %" PRIu64
           " failures, %" PRIu64 " orderly stops; %" PRIu64 " records, %" PRIu64 " ticks, %" PRIu64
           " evictions, %" PRIu64 " acts, %" PRIu64 " takeovers, %" PRIu64
           " trials confirmed, %" PRIu64
           " rolled back; %.1f s, %.0f crashes a second; %ld MiB at most\n",
           n, sim->wrong, sim->crashes, sim->failures, sim->stops, sim->records, sim->ticks,
           sim->evicted, sim->acts, sim->takeovers, sim->confirmed, sim->rolled_back, seconds,
           (double)sim->crashes / seconds, memory_peak_mib());
    standard_free(sim->standard);
    return !memory_is_bounded() || (sim->wrong > 0) == (sim->fault == FAULT_NONE);
}

static bool parse_seeds(const char *text, struct sim *sim)
{
    int end = 0;
    if (sscanf(text, "%" SCNu64 "..%" SCNu64 "%n", &sim->first, &sim->last, &end) == 2)
        return text[end] == '\0' && sim->first <= sim->last;
    return false;
}

static bool parse_fault(const char *text, struct sim *sim)
{
    for (unsigned i = 0; i < FAULT_COUNT; i++)
        if (strcmp(text, fault_names[i]) == 0) {
            sim->fault = (enum fault)i;
            return true;
        }
    return false;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"seed", required_argument, NULL, 'n'},
                                            {"seeds", required_argument, NULL, 's'},
                                            {"fault", required_argument, NULL, 'f'},
                                            {"write", required_argument, NULL, 'w'},
                                            {NULL, 0, NULL, 0}};
    struct sim sim = {.first = 1, .last = 100};
    bool good = true;
    int option;
    signal(SIGABRT, tell_seed);
    setvbuf(stdout, NULL, _IOLBF, 0);
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'n') {
            sim.first = sim.last = strtoull(optarg, NULL, 10);
            sim.trace = true;
        } else if (option == 'w') {
            sim.write = optarg;
        } else if (option == 's') {
            good = good && parse_seeds(optarg, &sim);
        } else {
            good = good && option == 'f' && parse_fault(optarg, &sim);
        }
    }
    if (good && optind == argc)
        return sim.write ? write_seed(&sim) : run_seeds(&sim);
    fprintf(stderr, "usage: sim [--seed N | --seeds A..B] [--fault NAME] [--write DIR]; faults:");
    for (unsigned i = 1; i < FAULT_COUNT; i++)
        fprintf(stderr, " %s", fault_names[i]);
    fputs("\n", stderr);
    return 2;
}
