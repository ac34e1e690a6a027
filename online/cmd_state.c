/* freshet state: what a state directory holds. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "online/command.h"
#include "online/inspect.h"
#include "online/readable.h"
#include "online/rows.h"
#include "online/state_actions.h"

struct tally {
    size_t n, bytes;
};

static void add_record(void *arg, struct record *rec)
{
    struct tally *tally = arg;
    tally->n++;
    tally->bytes += rec->size;
}

static void print_families(struct inspect *inspect)
{
    printf("\n%-48s %10s %14s\n", "family", "records", "bytes");
    const char *name;
    size_t len;
    for (uint16_t family = 1; (name = state_family_name(inspect->state, family, &len)); family++) {
        struct tally tally = {0};
        state_each(inspect->state, family, add_record, &tally);
        if (tally.n == 0)
            continue; /* its features are gone, or its number is free */
        printf("%-48.*s %10zu %14zu\n", (int)len, name, tally.n, tally.bytes);
    }
}

static int list(struct inspect *inspect, int n, char **words)
{
    (void)words;
    if (n > 0)
        return command_misused(&cmd_state, "list takes no more words");
    const struct head *head = &inspect->head;
    struct join_figures join = join_figures(inspect->join);
    printf("epoch %" PRIu64 ", %" PRIu64 " records taken, stream time %s, model version %" PRIu32
           "\n",
           head->epoch, head->events, readable_time(head->clock).text, head_version(head));
    printf("%" PRIu64 " events wait for labels, %" PRIu64 " labels for events, %" PRIu64
           " rows to send\n\n",
           join.waiting, join.early, commit_outbox_depth(inspect->commit));
    printf("%-48s %10s %14s\n", "input", "partition", "next offset");
    for (size_t i = 0; i < head->n_lanes; i++)
        printf("%-48s %10" PRId32 " %14" PRId64 "\n", head->lanes[i].topic,
               head->lanes[i].partition, head->lanes[i].next);
    print_families(inspect);
    return 0;
}

static int get_event(struct inspect *inspect, const char *id)
{
    struct pending pending;
    struct pending_ref ref;
    if (!join_find(inspect->join, hash_event_id(slice_of(id)), inspect->head.clock, &pending,
                   &ref)) {
        fprintf(stderr, "no event \"%s\" waits: it never came, or is past its horizon\n", id);
        return 1;
    }
    struct buf quoted = {0};
    rows_json_text(&quoted, slice_of(id));
    printf("{\"event\":%.*s,\"time\":\"%s\",\"scored\":%s,\"score\":%.9g,\"version\":%" PRIu32
           "}\n",
           (int)quoted.len, (const char *)quoted.data, readable_time(pending.time).text,
           pending.scored ? "true" : "false", (double)pending.score, pending.version);
    buf_done(&quoted);
    return 0;
}

/* Entities by kind and id; a second one makes it a pair. */
static int get_entity(struct inspect *inspect, int n, char **words)
{
    struct key128 id = hash_entity(slice_of(words[0]), slice_of(words[1]));
    if (n == 4)
        id = hash_pair(id, hash_entity(slice_of(words[2]), slice_of(words[3])));
    int found = 0;
    size_t len;
    for (uint16_t family = 1; state_family_name(inspect->state, family, &len); family++) {
        struct record *rec = state_find(inspect->state, family, id);
        struct buf text = {0};
        if (rec && plan_describe(inspect->plan, rec, &text) == ST_OK) {
            printf("%.*s\n", (int)text.len, text.data);
            found++;
        }
        buf_done(&text);
    }
    if (found == 0)
        fprintf(stderr, "no state of %s %s\n", words[0], words[1]);
    return found ? 0 : 1;
}

static int get(struct inspect *inspect, int n, char **words)
{
    if (n == 2 && strcmp(words[0], "event") == 0)
        return get_event(inspect, words[1]);
    if (n == 2 || n == 4)
        return get_entity(inspect, n, words);
    return command_misused(&cmd_state, "get KIND ID, get KIND ID KIND ID, or get event ID?");
}

/* What opens the whole state with the config it is of. */
static int look(const struct state_request *request,
                int (*fn)(struct inspect *inspect, int n, char **words))
{
    struct inspect inspect;
    if (inspect_open(request->settings, request->dir, INSPECT_ALL, &inspect) < 0)
        return 1;
    int status = fn(&inspect, request->n, request->words);
    inspect_close(&inspect);
    return status;
}

static int state_list(const struct state_request *request)
{
    return request->parked ? state_list_parked(request) : look(request, list);
}

static int state_get(const struct state_request *request)
{
    return look(request, get);
}

static const struct action {
    const char *word;
    int (*run)(const struct state_request *request);
    bool needs_config;
} actions[] = {
    {"list", state_list, true},        {"get", state_get, true},
    {"verify", state_verify, true},    {"checkpoint", state_checkpoint, false},
    {"restore", state_restore, false},
};

static const struct action *find_action(const char *word)
{
    for (size_t i = 0; word && i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(word, actions[i].word) == 0)
            return &actions[i];
    return NULL;
}

/* --parked may stand anywhere; the rest is read as in other commands. */
static bool take_parked(int *argc, char **argv)
{
    int n = 0;
    for (int i = 0; i < *argc; i++)
        if (i == 0 || strcmp(argv[i], "--parked") != 0)
            argv[n++] = argv[i];
    bool found = n < *argc;
    *argc = n;
    argv[n] = NULL;
    return found;
}

static int run(int argc, char **argv)
{
    const char *config = NULL, *dir = NULL;
    bool parked = take_parked(&argc, argv);
    if (!command_state_options(argc, argv, &config, &dir))
        return 2;
    const struct action *action = find_action(optind < argc ? argv[optind] : NULL);
    if (!action)
        return command_misused(&cmd_state, "list, get, verify, checkpoint or restore?");
    if (parked && action->run != state_list)
        return command_misused(&cmd_state, "--parked goes with list");
    if (!config && (action->needs_config || !dir))
        return command_misused(
            &cmd_state, action->needs_config ? "which config? give it with -c"
                                             : "which state? give its config with -c, or --state");
    struct settings *settings = NULL;
    if (config && settings_load(config, stderr, &settings) < 0)
        return 1;
    struct state_request request = {settings, dir ? dir : settings->state.dir, argc - optind - 1,
                                    argv + optind + 1, parked};
    int status = action->run(&request);
    settings_free(settings);
    return status;
}

const struct command cmd_state = {
    "state",
    "list [--parked] | get KIND ID [KIND ID] | get event ID | verify [DIR] | checkpoint TO | "
    "restore FROM   "
    "-c CONFIG [--state DIR]",
    "what a state directory holds, and copies of it\n"
    "\n"
    "  list           positions of the inputs, families of records and their sizes\n"
    "  list --parked  rows that Kafka refused for good, as JSON lines with the reason\n"
    "  get KIND ID    what is known of an entity (or a pair), as JSON lines\n"
    "  get event ID   what an event was scored, while it waits for its label\n"
    "  verify [DIR]   reads everything, a checkpoint's files byte for byte, checks the model "
    "files\n"
    "                 and prints a digest of the state\n"
    "  checkpoint TO  copies the state to a new folder, while the service runs or not\n"
    "  restore FROM   makes a checkpoint the state directory, which must be empty or not there\n"
    "\n"
    "  -c, --config FILE  the pipeline, which also says where the state is\n"
    "      --state DIR    the state directory, over the config's\n"
    "\n"
    "list, get and verify want a state that no process has open: of a running service look at a\n"
    "checkpoint. checkpoint and restore do with --state alone.\n",
    run,
};
