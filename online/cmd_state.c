/* freshet state: what a state directory holds. */
#include <inttypes.h>
#include <stdio.h>

#include "online/command.h"
#include "online/inspect.h"
#include "online/model_files.h"
#include "online/readable.h"
#include "online/rows.h"

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
        printf("%-48.*s %10zu %14zu\n", (int)len, name, tally.n, tally.bytes);
    }
}

static int list(struct inspect *inspect)
{
    const struct head *head = &inspect->head;
    struct join_figures join = join_figures(inspect->join);
    printf("epoch %" PRIu64 ", %" PRIu64 " records taken, stream time %s, model version %" PRIu32
           "\n",
           head->epoch, head->events, readable_time(head->clock).text, head->version);
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

static int verify(struct inspect *inspect, const char *dir)
{
    char models[4200];
    struct trainer_checkpoint point;
    struct model_manifest manifest;
    struct key128 digest = state_digest(inspect->state);
    enum status st = commit_read_trainer(inspect->store, &point);
    if (st == ST_OK) {
        snprintf(models, sizeof models, "%s/models/%s", dir, point.file);
        st = model_files_inspect(models, &manifest, NULL, 0);
        if (st < 0)
            fprintf(stderr, "%s: %s: put back a copy of the whole state directory\n", models,
                    status_text(st));
    }
    if (st < 0 && st != ST_ENOTFOUND)
        return 1;
    printf("%zu records whole, digest %016" PRIx64 "%016" PRIx64 "\n", state_count(inspect->state),
           digest.hi, digest.lo);
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

static int act(struct inspect *inspect, const char *dir, int n, char **words)
{
    if (strcmp(words[0], "list") == 0)
        return list(inspect);
    if (strcmp(words[0], "verify") == 0)
        return verify(inspect, dir);
    return get(inspect, n - 1, words + 1);
}

static bool known_action(const char *word)
{
    return strcmp(word, "list") == 0 || strcmp(word, "verify") == 0 || strcmp(word, "get") == 0;
}

static int run(int argc, char **argv)
{
    const char *config = NULL, *dir = NULL;
    if (!command_state_options(argc, argv, &config, &dir))
        return 2;
    if (!config)
        return command_misused(&cmd_state, "which config? give it with -c");
    if (optind >= argc || !known_action(argv[optind]))
        return command_misused(&cmd_state, "list, get or verify?");
    struct settings *settings = NULL;
    if (settings_load(config, stderr, &settings) < 0)
        return 1;
    struct inspect inspect;
    int status = 1;
    dir = dir ? dir : settings->state.dir;
    if (inspect_open(settings, dir, &inspect) == ST_OK) {
        status = act(&inspect, dir, argc - optind, argv + optind);
        inspect_close(&inspect);
    }
    settings_free(settings);
    return status;
}

const struct command cmd_state = {
    "state",
    "list | get KIND ID [KIND ID] | get event ID | verify   -c CONFIG [--state DIR]",
    "what a state directory holds (of a service that is not running)\n"
    "\n"
    "  list          positions of the inputs, families of records and their sizes\n"
    "  get KIND ID   what is known of an entity (or a pair), as JSON lines\n"
    "  get event ID  what an event was scored, while it waits for its label\n"
    "  verify        reads everything, checks the model file, prints a digest of the state\n",
    run,
};
