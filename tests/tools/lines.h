/*
 * tests/tools/lines.h -- a file of messages, read whole, and sent. A line is TIMESTAMP_MS, a blank,
 * and the payload.
 */
#ifndef TESTS_TOOLS_LINES_H
#define TESTS_TOOLS_LINES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tools/client.h"

enum { LINES_MAX = 8 << 20 };

struct lines {
    char *text; /* the whole file */
    const char **payloads;
    size_t *lens;
    int64_t *times;
    size_t n;
};

static inline void add_line(struct lines *lines, char *line)
{
    char *payload = NULL;
    if (lines->n == LINES_MAX)
        die(line, "too many lines");
    lines->times[lines->n] = strtoll(line, &payload, 10);
    if (payload == line)
        die(line, "begins with no timestamp");
    payload += *payload == ' ';
    lines->payloads[lines->n] = payload;
    lines->lens[lines->n++] = strlen(payload);
}

static inline char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        die(path, "cannot be read");
    size_t len = (size_t)ftell(file);
    char *text = calloc(1, len + 1);
    rewind(file);
    if (!text || fread(text, 1, len, file) != len)
        die(path, "cannot be read");
    fclose(file);
    return text;
}

static inline struct lines read_lines(const char *path)
{
    struct lines lines = {.text = read_file(path)};
    lines.payloads = calloc(LINES_MAX, sizeof *lines.payloads);
    lines.lens = calloc(LINES_MAX, sizeof *lines.lens);
    lines.times = calloc(LINES_MAX, sizeof *lines.times);
    if (!lines.payloads || !lines.lens || !lines.times)
        die(path, "no memory");
    char *rest = lines.text;
    for (char *line; (line = strsep(&rest, "\n"));)
        if (*line)
            add_line(&lines, line);
    if (lines.n == 0)
        die(path, "is empty");
    return lines;
}

static inline void lines_done(struct lines *lines)
{
    free(lines->text);
    free(lines->payloads);
    free(lines->lens);
    free(lines->times);
}

/* Waits where the queue is full. */
static inline void send_line(rd_kafka_t *client, rd_kafka_topic_t *topic, int partition,
                             const struct lines *lines, size_t i, bool dated)
{
    rd_kafka_resp_err_t err;
    while ((err = rd_kafka_producev(
                client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                RD_KAFKA_V_TIMESTAMP(dated ? lines->times[i] : 0),
                RD_KAFKA_V_VALUE((void *)(uintptr_t)lines->payloads[i], lines->lens[i]),
                RD_KAFKA_V_END)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        rd_kafka_poll(client, 100);
    if (err)
        die("produce", rd_kafka_err2str(err));
    if (i % 256 == 0)
        rd_kafka_poll(client, 0);
}

#endif
