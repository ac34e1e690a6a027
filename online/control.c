#include "online/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { REQUEST_MAX = 8192, PATIENCE_MS = 10 * 1000 };

static const char name[] = "control";

struct control {
    int folder; /* the state directory */
    int listener;
    int stop; /* an eventfd */
    control_fn fn;
    void *arg;
    pthread_t thread;
};

/* A socket's name has room for 107 bytes, a state directory's path may be longer: it is named by
 * the folder's descriptor. */
static struct sockaddr_un address_in(int folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder, name);
    return address;
}

/* Sends a line. A peer that is gone misses it. */
static void send_line(int fd, const char *word, const struct buf *text)
{
    struct buf line = {0};
    buf_printf(&line, "%s %.*s\n", word, (int)text->len, text->len ? text->data : "");
    for (size_t at = 0; at < line.len;) {
        ssize_t n = send(fd, line.data + at, line.len - at, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    buf_done(&line);
}

/* Reads up to a line's end, which becomes a NUL; false if none comes. patience_ms -1: for ever. */
static bool read_line(int fd, int patience_ms, struct buf *ret)
{
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        int due = poll(&ready, 1, patience_ms);
        if (due < 0 && errno == EINTR)
            continue;
        if (due <= 0)
            return false;
        ssize_t n = recv(fd, buf_reserve(ret, 1024), 1024, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || ret->len + (size_t)n > REQUEST_MAX)
            return false;
        ret->len += (size_t)n;
        if (ret->data[ret->len - 1] == '\n') {
            ret->data[ret->len - 1] = '\0';
            return true;
        }
    }
}

/* The service does as it is told only by its own user and by root. */
static bool is_trusted(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static void answer(struct control *control, int fd)
{
    struct buf request = {0}, reply = {0};
    if (!is_trusted(fd)) {
        buf_text(&reply, "only the service's own user may ask");
        send_line(fd, "error", &reply);
    } else if (read_line(fd, PATIENCE_MS, &request)) {
        enum status st = control->fn(control->arg, request.data, &reply);
        send_line(fd, st < 0 ? "error" : "ok", &reply);
    }
    buf_done(&request);
    buf_done(&reply);
}

static void *serve(void *arg)
{
    struct control *control = arg;
    pthread_setname_np(pthread_self(), "control");
    for (;;) {
        struct pollfd ready[] = {{.fd = control->stop, .events = POLLIN},
                                 {.fd = control->listener, .events = POLLIN}};
        if (poll(ready, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (ready[0].revents)
            return NULL;
        int fd = ready[1].revents ? accept4(control->listener, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd < 0)
            continue;
        answer(control, fd);
        close(fd);
    }
}

static enum status listen_in(int folder, int *ret)
{
    struct sockaddr_un address = address_in(folder);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return ST_EIO;
    unlinkat(folder, name, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 4) < 0) {
        int cause = errno;
        close(fd);
        errno = cause;
        return ST_EIO;
    }
    *ret = fd;
    return ST_OK;
}

enum status control_start(const char *dir, control_fn fn, void *arg, struct control **ret)
{
    struct control *control = calloc(1, sizeof *control);
    if (!control)
        return ST_ENOMEM;
    *control = (struct control){.listener = -1, .stop = -1, .fn = fn, .arg = arg};
    control->folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum status st = control->folder < 0 ? ST_EIO : listen_in(control->folder, &control->listener);
    if (st == ST_OK && (control->stop = eventfd(0, EFD_CLOEXEC)) < 0)
        st = ST_EIO;
    if (st == ST_OK && pthread_create(&control->thread, NULL, serve, control) != 0)
        st = ST_ENOMEM;
    if (st == ST_OK) {
        *ret = control;
        return ST_OK;
    }
    int cause = errno;
    const int fds[] = {control->folder, control->listener, control->stop};
    for (size_t i = 0; i < 3; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(control);
    errno = cause;
    return st;
}

void control_stop(struct control *control)
{
    if (!control)
        return;
    ssize_t told = write(control->stop, &(uint64_t){1}, sizeof(uint64_t));
    (void)told;
    pthread_join(control->thread, NULL);
    unlinkat(control->folder, name, 0);
    close(control->folder);
    close(control->listener);
    close(control->stop);
    free(control);
}

static enum status ask(int fd, const char *request, struct buf *reply)
{
    struct buf line = {0};
    buf_printf(&line, "%s\n", request);
    bool sent = send(fd, line.data, line.len, MSG_NOSIGNAL) == (ssize_t)line.len;
    buf_reset(&line);
    enum status st = sent && read_line(fd, -1, &line) ? ST_OK : ST_EIO;
    if (st == ST_OK) {
        bool ok = strncmp(line.data, "ok ", 3) == 0;
        const char *space = strchr(line.data, ' ');
        buf_text(reply, space ? space + 1 : line.data);
        st = ok ? ST_OK : ST_EINVAL;
    }
    buf_done(&line);
    return st;
}

enum status control_ask(const char *dir, const char *request, struct buf *reply)
{
    int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = folder < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = address_in(folder);
    enum status st = ST_ENOTFOUND;
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        st = ask(fd, request, reply);
    if (fd >= 0)
        close(fd);
    if (folder >= 0)
        close(folder);
    return st;
}
