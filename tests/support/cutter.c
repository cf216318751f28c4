/*
 * See cutter.h.
 */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE

#include "support/cutter.h"

#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* One direction of a connection: bytes that are not yet a whole message. */
typedef struct stream {
    unsigned char *bytes;
    size_t used, room;
    int begun; /* what has no type in front is behind */
} stream;

typedef struct pair {
    int fd[2]; /* client, server */
    stream from[2];
} pair;

static int socket_at(const char *directory, int listens) {
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof address.sun_path, "%.80s/.s.PGSQL.5432", directory);
    if (fd < 0) return -1;
    if (listens ? bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 16) != 0
                : connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Bytes of the first message, 0 when it is not whole. */
static size_t message_size(const stream *s) {
    size_t head = s->begun ? 1 : 0, size;
    if (s->used < head + 4) return 0;
    size = head + ((size_t)s->bytes[head] << 24 | (size_t)s->bytes[head + 1] << 16 | (size_t)s->bytes[head + 2] << 8 |
                   s->bytes[head + 3]);
    return s->used >= size ? size : 0;
}

static int send_all(int fd, const unsigned char *bytes, size_t size) {
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) return 0;
        bytes += sent;
        size -= (size_t)sent;
    }
    return 1;
}

/* Passes on what came; 0 when the connection is over. */
static int pass(cutter *c, pair *p, int side) {
    stream *s = &p->from[side];
    size_t size;
    ssize_t got;
    if (s->room - s->used < 65536) {
        s->room = 2 * s->room + 65536;
        s->bytes = realloc(s->bytes, s->room);
        if (s->bytes == NULL) return 0;
    }
    got = read(p->fd[side], s->bytes + s->used, s->room - s->used);
    if (got <= 0) return 0;
    s->used += (size_t)got;
    while ((size = message_size(s)) > 0) {
        if (*c->left[side] == 0) {
            *c->left[side] = -2; /* has cut */
            return 0;
        }
        if (*c->left[side] > 0) --*c->left[side];
        if (!send_all(p->fd[!side], s->bytes, size)) return 0;
        ++*c->passed[side];
        memmove(s->bytes, s->bytes + size, s->used - size);
        s->used -= size;
        s->begun = 1;
    }
    return 1;
}

static void serve(cutter *c, const char *server, int listener) {
    pair pairs[8];
    struct pollfd polled[17];
    memset(pairs, 0, sizeof pairs);
    for (int i = 0; i < 8; i++) pairs[i].fd[0] = pairs[i].fd[1] = -1;
    for (;;) {
        polled[16].fd = listener;
        polled[16].events = POLLIN;
        for (int i = 0; i < 16; i++) {
            polled[i].fd = pairs[i / 2].fd[i % 2];
            polled[i].events = POLLIN;
            polled[i].revents = 0;
        }
        if (poll(polled, 17, 1000) < 0 || getppid() == 1) _exit(0);
        for (int i = 0; i < 16; i++) {
            pair *p = &pairs[i / 2];
            if (p->fd[0] < 0 || polled[i].fd < 0 || (polled[i].revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
            if (pass(c, p, i % 2)) continue;
            close(p->fd[0]);
            close(p->fd[1]);
            p->fd[0] = p->fd[1] = -1;
        }
        if (polled[16].revents & POLLIN) {
            int client = accept(listener, NULL, NULL), i = 0;
            while (i < 7 && pairs[i].fd[0] >= 0) i++;
            pairs[i].fd[0] = client;
            pairs[i].fd[1] = socket_at(server, 0);
            for (int side = 0; side < 2; side++) {
                pairs[i].from[side].used = 0;
                pairs[i].from[side].begun = side; /* the server's first message has a type */
            }
        }
    }
}

void cutter_start(cutter *c, const char *server) {
    volatile long *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int listener;
    memset(c, 0, sizeof *c);
    snprintf(c->directory, sizeof c->directory, "/tmp/credit-cut-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(c->directory));
    for (int side = 0; side < 2; side++) {
        c->left[side] = shared + side;
        c->passed[side] = shared + 2 + side;
        *c->left[side] = -1;
    }
    listener = socket_at(c->directory, 1);
    ck_assert_int_ge(listener, 0);
    c->pid = fork();
    if (c->pid == 0) serve(c, server, listener);
    close(listener);
}

void cutter_stop(cutter *c) {
    char name[128];
    kill(c->pid, SIGKILL);
    waitpid(c->pid, NULL, 0);
    snprintf(name, sizeof name, "%s/.s.PGSQL.5432", c->directory);
    unlink(name);
    rmdir(c->directory);
}

void cutter_arm(cutter *c, int side, long count) {
    *c->left[side] = count;
}

int cutter_disarm(cutter *c, int side) {
    int cut = *c->left[side] == -2;
    *c->left[side] = -1;
    return cut;
}
