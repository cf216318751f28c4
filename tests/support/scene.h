/*
 * A small book in which every command can succeed once, and the list of commands: what has to hold for all of them
 * (a request key, a conflict, a unit given up, no memory, a failing storage) is tested by walking the list.
 */
#ifndef TEST_SCENE_H
#define TEST_SCENE_H

#include "support/world.h"

/* The handles of one ledger on the book that scene_fill() made. */
typedef struct scene {
    crd_ledger *ledger;
    crd_customer *c;     /* "c1" */
    crd_credit *k;       /* memo of 1000, 100 of it applied to J, 40 held */
    crd_credit *p;       /* promise of 400 */
    crd_invoice *i, *j;  /* 500 and 300 */
    crd_invoice *draft;  /* 200 */
    crd_hold *held;      /* 40 of K */
    crd_invoice *l;      /* 1000 in three lines, written off */
    int64_t written_off_seq;
    crd_receipt *paid;   /* 90: 60 on O, 30 kept as credit Q */
    int64_t applied_seq; /* the application of K to J */
    int64_t receipt_seq; /* a reconcile's receipt: M 50 on N 50 */
    /* What follows moves no available credit and nothing open but X and Y, which are of day 2. */
    int64_t refund_seq;   /* 15, all of F */
    int64_t transfer_seq; /* 15, all of T, to c2 */
    int64_t up_seq, down_seq; /* adjustments: of USD from 0 to 15, of GBP from 20 to 5 */
    crd_receipt *spent;   /* 40, all of it refunded */
    int64_t payment_seq;  /* a receipt of 35 on an invoice of 35 */
    crd_invoice *order;   /* a draft of 20, all of it allocated */
    crd_credit *x, *y;    /* 25, money received; 25 of 25 on the invoice Y */
} scene;

/* Customers "c1" and "c2" and the documents; to be done once per world. */
void scene_fill(world *w);
/* Without what follows receipt_seq in the scene, which can then not be opened. */
void scene_fill_base(world *w);
scene scene_open(crd_ledger *ledger);
crd_status scene_refresh(scene *s);
void scene_close(scene *s);

typedef struct scene_command {
    const char *name;
    uint32_t code;      /* CRD_COMMAND_… */
    const char *field;  /* the argument that variant 1 changes */
    int64_t amount;     /* of a result, variant 0; 0 where a command gives none */
    int creates;        /* gives a handle instead of a result */
    /* Runs the command; `variant` 1 has other content. */
    crd_status (*run)(scene *s, const crd_request *request, int variant, crd_result *out);
} scene_command;

extern const scene_command scene_commands[];
extern const size_t scene_command_count;

/* Those that are no unit's part and take no key, or one per account. */
extern const scene_command scene_alone[];
extern const size_t scene_alone_count;

/* Every public function that changes something, and the code of its rows; tests/build/scene.sh compares it with the
 * headers, R61_every_function_that_changes_something_is_in_the_scene with the rows. */
typedef struct scene_function {
    const char *name;
    uint32_t code;
} scene_function;
extern const scene_function scene_functions[];
extern const size_t scene_function_count;

#endif
