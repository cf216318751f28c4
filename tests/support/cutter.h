/*
 * A cutter: a process between a client and its PostgreSQL server that passes their messages on and cuts the connection
 * after a given number of them, so that a connection is lost at a chosen point.
 */
#ifndef TEST_CUTTER_H
#define TEST_CUTTER_H

typedef struct cutter {
    char directory[64]; /* of the socket it listens on: the client's host */
    int pid;
    volatile long *left[2]; /* messages still passed on, from the client and from the server; below 0: all */
    volatile long *passed[2];
} cutter;

/* Starts one in front of the server whose socket lies in a directory. */
void cutter_start(cutter *c, const char *server);
void cutter_stop(cutter *c);
/* Passes `count` more messages of one side (0 the client's, 1 the server's), then cuts; later connections are whole. */
void cutter_arm(cutter *c, int side, long count);
/* Takes back what was armed; whether it had cut. */
int cutter_disarm(cutter *c, int side);

#endif
