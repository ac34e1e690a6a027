/*
 * base/log.h -- the service's log: one line an entry, with level and fields.
 *
 *     log_info("commit.done", "epoch=%" PRIu64 " rows=%zu", epoch, rows);
 *     2026-11-22T08:00:00.123Z INFO  commit.done epoch=12 rows=40
 *
 * Goes to stderr. Only online/ logs: lower layers return a status. A value with blanks is written
 * in quotes by the caller (`"%s"`). Thread-safe; one write() a line.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };

/* The least level that is written; LOG_INFO at the start. */
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);

/* Sends whole lines, newline included, to fn instead of stderr; NULL: to stderr again. For a view
 * that owns the terminal. One call at a time, from any thread; once this returns the former fn is
 * not running and will not be called again. */
void log_set_output(void (*fn)(void *arg, const char *line, size_t len), void *arg);

__attribute__((format(printf, 3, 4))) void log_write(enum log_level level, const char *what,
                                                     const char *format, ...);

#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)

#endif
