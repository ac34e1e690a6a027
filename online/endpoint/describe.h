/* online/endpoint/describe.h -- the server and its models, told as JSON. Each appends to ret. */
#ifndef ONLINE_ENDPOINT_DESCRIBE_H
#define ONLINE_ENDPOINT_DESCRIBE_H

#include "online/endpoint/catalog.h"

struct worker;

/* Extensions of the protocol that are spoken, NULL-terminated. */
extern const char *const describe_extensions[];

void describe_server(const char *name, struct buf *ret);
void describe_model(const struct served *served, struct buf *ret);
void describe_index(const struct worker *worker, struct buf *ret);

#endif
