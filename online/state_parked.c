/* freshet state list --parked: rows that Kafka refused for good. */
#include <stdio.h>

#include "online/row_line.h"
#include "online/state_actions.h"

static enum status print_row(void *arg, const struct parked_row *parked)
{
    const struct head *head = arg;
    struct row row = parked->row;
    struct buf line = {0};
    if (parked->lane >= head->n_lanes)
        return ST_ECORRUPT;
    row.topic = head->lanes[parked->lane].topic;
    row.partition = head->lanes[parked->lane].partition;
    row_line_put(&line, &row, parked->why);
    printf("%.*s", (int)line.len, line.data);
    buf_done(&line);
    return ST_OK;
}

int state_list_parked(const struct state_request *request)
{
    struct inspect inspect;
    if (request->n > 0)
        return command_misused(&cmd_state, "list --parked takes no more words");
    if (inspect_open(request->settings, request->dir, INSPECT_NEEDED, &inspect) < 0)
        return 1;
    enum status st = commit_read_parked(inspect.store, print_row, &inspect.head);
    if (st < 0)
        fprintf(stderr, "%s: a parked row is unreadable: %s\n", request->dir, status_text(st));
    inspect_close(&inspect);
    return st < 0 ? 1 : 0;
}
