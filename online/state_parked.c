/* freshet state list --parked: rows that Kafka refused for good. */
#include <inttypes.h>
#include <stdio.h>

#include "online/rows.h"
#include "online/state_actions.h"

static const char *const channels[CHANNEL_COUNT] = {
    [CHANNEL_SCORES] = "scores", [CHANNEL_DEAD] = "dead_letters", [CHANNEL_FEATURES] = "features"};

static void put_text(struct buf *line, const char *name, struct slice text)
{
    buf_printf(line, ",\"%s\":", name);
    rows_json_text(line, text);
}

/* One JSON object a row; `source` is as in the header that the row would have had. */
static enum status print_row(void *arg, const struct parked_row *parked)
{
    const struct head *head = arg;
    const struct row *row = &parked->row;
    struct buf line = {0};
    if (parked->lane >= head->n_lanes)
        return ST_ECORRUPT;
    const struct head_lane *lane = &head->lanes[parked->lane];
    buf_printf(&line, "{\"source\":\"%s:%" PRId32 ":%" PRId64 ":%" PRIu32 "\",\"to\":\"%s\"",
               lane->topic, lane->partition, row->offset, row->ordinal, channels[row->channel]);
    put_text(&line, "why", parked->why);
    put_text(&line, "key", row->key);
    if (row->channel == CHANNEL_DEAD)
        put_text(&line, "reason", row->reason);
    put_text(&line, "payload", row->payload);
    printf("%.*s}\n", (int)line.len, line.data);
    buf_done(&line);
    return ST_OK;
}

int state_list_parked(const struct state_request *request)
{
    struct inspect inspect;
    if (request->n > 0)
        return command_misused(&cmd_state, "list --parked takes no more words");
    if (inspect_open(request->settings, request->dir, &inspect) < 0)
        return 1;
    enum status st = commit_read_parked(inspect.store, print_row, &inspect.head);
    if (st < 0)
        fprintf(stderr, "%s: a parked row is unreadable: %s\n", request->dir, status_text(st));
    inspect_close(&inspect);
    return st < 0 ? 1 : 0;
}
