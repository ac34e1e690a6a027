/*
 * ingest/schema_read.h -- the schema out of the config's `streams:` and `labels:`.
 *
 *     streams:
 *       - name: transactions
 *         id: TRANSACTION_ID
 *         time: {field: TX_DATETIME, format: "%Y-%m-%d %H:%M:%S"}
 *         fields: {CUSTOMER_ID: entity, SRC: {entity: account}, TX_AMOUNT: number}
 *     labels: {topic: frauds, id: TRANSACTION_ID, value: TX_FRAUD, delay: 7d}
 *
 *     struct schema schema;
 *     schema_read(conf_get(root, "streams"), conf_get(root, "labels"), &errors, &schema);
 *     schema_done(&schema);
 */
#ifndef INGEST_SCHEMA_READ_H
#define INGEST_SCHEMA_READ_H

#include "base/conf.h"
#include "ingest/schema.h"

/* One item of `streams:`, and `labels:`; for the manual. */
extern const struct conf_table schema_stream_table;
extern const struct conf_table schema_label_table;

/* labels may be NULL: the pipeline has none (its label schema then holds the defaults). Texts
 * belong to the nodes' conf. Returns ST_EINVAL if it added a mistake to errors; *ret may be given
 * to schema_done() in any case. */
enum status schema_read(const struct conf_node *streams, const struct conf_node *labels,
                        struct conf_errors *errors, struct schema *ret);
/* Frees what schema_read() allocated. {0} is fine. */
void schema_done(struct schema *schema);

/* The tables as a chapter of the manual, and as the JSON Schemas of the two keys. */
void schema_write_doc(struct buf *ret);
void schema_write_streams_schema(struct buf *ret);
void schema_write_labels_schema(struct buf *ret);

#endif
