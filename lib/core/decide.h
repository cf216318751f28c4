/*
 * The shape of every decision.
 *
 * A decision function takes a const view of the records and a const command, and gives either a list of moves or a
 * refusal with figures. It does no I/O, allocates nothing and changes nothing. A *move* is a journal entry without
 * its administration (sequence, instant, actor, hash); what a move does to the records is fold.c, and nowhere else.
 *
 * Refusals are found in the order of rule M16: state, closed period, date, window, amount. What comes before
 * (argument, permission, feature, request key, existence, customer, currency) is the ledger's to check, because it
 * knows the caller.
 */
#ifndef CREDIT_CORE_DECIDE_H
#define CREDIT_CORE_DECIDE_H

#include <credit/record.h>

#define CRD__MIN(a, b) ((a) < (b) ? (a) : (b))
#define CRD__MAX(a, b) ((a) > (b) ? (a) : (b))

/* Why not. `limit` and `given` mean what <credit/status.h> says at the code. */
typedef struct crd__refusal {
    crd_status code;
    uint32_t subject_kind;
    const char *subject;
    const char *field;
    const char *hint; /* what to do instead, behind the figures; or "" */
    int64_t limit;
    int64_t given;
} crd__refusal;

/* One entry to write. */
typedef struct crd__move {
    uint32_t type; /* CRD_ENTRY_... */
    uint32_t flags;
    uint32_t cause;
    int32_t date;
    int64_t amount;
    int64_t undoes;
} crd__move;

/* At most: what expired before, the move itself, what follows from it. */
#define CRD__MOVES 3
typedef struct crd__decision {
    uint32_t count;
    crd__move moves[CRD__MOVES];
} crd__decision;

/* When a command takes place. A *direct* command is refused when its date lies before the last entry of a document it
 * touches; one inside a receipt, reconcile or cascade is raised to that date instead (rule M6). */
typedef struct crd__when {
    int32_t date;
    int32_t closed_through;
    int direct;
    int32_t asked; /* the date before it was raised, 0 when it was not: a closed period refuses that one */
} crd__when;

crd_status crd__refuse(crd__refusal *why, crd_status code, uint32_t kind, const char *subject, int64_t limit,
                       int64_t given);
void crd__decide_move(crd__decision *out, uint32_t type, int32_t date, int64_t amount);

/* The date a command gets that touches a document last touched on `last`; refuses a closed period, then a date too
 * early for a direct command. `date` holds the date so far and may be raised. */
crd_status crd__decide_date(const crd__when *when, uint32_t kind, const char *id, int32_t last, int32_t *date,
                            crd__refusal *why);

/* credit.c */

/* The class of a kind of credit, 0 for an unknown kind; the label its source has unless the caller names one. */
uint32_t crd__credit_class(uint32_t kind);
const char *crd__credit_source(uint32_t kind);
/* The class that decides: an opening credit counts as what it stands for (rules M4, M15). */
uint32_t crd__credit_counts_as(const crd_credit_record *credit);
/* What may be used: remaining - held - allocated. */
int64_t crd__credit_available(const crd_credit_record *credit);
/* What of a credit was ever credit: the original, less what its own receipt applied at once (rule M3). */
int64_t crd__credit_credited(const crd_credit_record *credit);
/* Usable on a business date: effective <= date < expires (rule M7). */
int crd__credit_usable(const crd_credit_record *credit, int32_t date);
/* 1 when the identity of rule M1 holds and the state agrees with the amounts. */
int crd__credit_check(const crd_credit_record *credit);

typedef struct crd__apply_command {
    crd__when when;
    int64_t amount;
    int clamp;
} crd__apply_command;
crd_status crd__decide_apply(const crd_credit_record *credit, const crd_invoice_record *invoice,
                             const crd__apply_command *command, crd__decision *out, crd__refusal *why);

typedef struct crd__unapply_command {
    crd__when when;
    int64_t seq;    /* the application */
    int64_t left;   /* what is left of it */
    int64_t amount; /* 0: all of that */
    int own_receipt; /* the application was made by the receipt that brought the credit */
} crd__unapply_command;
/* `receipt` is the one that made the application, or NULL. */
crd_status crd__decide_unapply(const crd_credit_record *credit, const crd_invoice_record *invoice,
                               const crd_receipt_record *receipt, const crd__unapply_command *command,
                               crd__decision *out, crd__refusal *why);

typedef struct crd__void_command {
    crd__when when;
    int64_t amount; /* 0: all that is available */
    const crd_invoice_record *returns; /* the invoice that the credit is a return of, or NULL */
} crd__void_command;
crd_status crd__decide_void(const crd_credit_record *credit, const crd__void_command *command, crd__decision *out,
                            crd__refusal *why);

/* Checks the dates and amounts of a credit to be issued, whose record is filled in but for first and last entry. */
crd_status crd__decide_issue(const crd_credit_record *credit, const crd__when *when, crd__refusal *why);

/* What follows when money returns to a credit (rule M8): first what expired unnoticed (a raised date may have reached its
 * expiry), then the entry of `type` that brings it back and undoes `seq`, then where it goes at once, if it is not
 * available again. */
void crd__decide_money_back(const crd_credit_record *credit, const crd__when *when, uint32_t type, int32_t date,
                            int64_t amount, int64_t seq, crd__decision *out);

/* credit_out.c */

typedef struct crd__out_command {
    crd__when when;
    int64_t amount; /* 0: all that is available */
    int override;   /* refund: also what is not refundable */
} crd__out_command;
crd_status crd__decide_refund(const crd_credit_record *credit, const crd__out_command *command, crd__decision *out,
                              crd__refusal *why);
crd_status crd__decide_transfer(const crd_credit_record *credit, const crd__out_command *command, crd__decision *out,
                                crd__refusal *why);
/* The credit that a transfer of `amount` makes there, whose customer, currency, id and sequences the caller fills in;
 * `credit` is as it was before the transfer. */
void crd__transferred_credit(const crd_credit_record *credit, int64_t amount, crd_credit_record *out);

/* Undoes, whole, a REFUND or ADJUST_PIECE of which `left` is left, by an entry of `type`. */
typedef struct crd__give_back_command {
    crd__when when;
    uint32_t type; /* CRD_ENTRY_UNREFUND, CRD_ENTRY_UNADJUST */
    int64_t seq;
    int64_t left;
} crd__give_back_command;
crd_status crd__decide_give_back(const crd_credit_record *credit, const crd__give_back_command *command,
                                 crd__decision *out, crd__refusal *why);
/* 1 when money that returns to the credit is available again, and usable on that date. */
int crd__returns_usable(const crd_credit_record *credit, int32_t date);

/* Undoes (part of) a TRANSFER: `there` is the credit it made, from which it goes back. */
typedef struct crd__untransfer_command {
    crd__when when;
    int64_t seq;
    int64_t left;
    int64_t amount; /* 0: what is available there */
} crd__untransfer_command;
crd_status crd__decide_untransfer(const crd_credit_record *credit, const crd_credit_record *there,
                                  const crd__untransfer_command *command, crd__decision *out_there,
                                  crd__decision *out, crd__refusal *why);

/* May available credit be set to `target`? `before` receives what it is. The credits are all of the account. */
typedef struct crd__adjust_command {
    crd__when when;
    const char *currency;
    int64_t target;
} crd__adjust_command;
crd_status crd__decide_adjust(const crd_credit_record *const *credits, uint64_t count,
                              const crd__adjust_command *command, int64_t *before, crd__refusal *why);
/* Takes an upward adjustment back: all of the credit that the ADJUST of `seq` made must be available. */
typedef struct crd__take_back_command {
    crd__when when;
    int64_t seq;
    int64_t amount;
    int undone; /* it was taken back before */
} crd__take_back_command;
crd_status crd__decide_take_back(const crd_credit_record *credit, const crd__take_back_command *command,
                                 crd__decision *out, crd__refusal *why);
/* What a credit counts for in an adjustment of that date. */
int64_t crd__adjustable(const crd_credit_record *credit, int32_t date);

typedef struct crd__delete_command {
    crd__when when;
    int32_t window; /* days after its issue */
    int cascade;    /* its applications are undone first */
    int moved;      /* something of it was ever refunded, transferred, adjusted, voided, expired or reversed */
} crd__delete_command;
/* May it be deleted at all? `receipt` is the one that brought it, or NULL. Its applications, and the write-offs made with
 * the receipt, are undone between this and crd__decide_delete(). */
crd_status crd__decide_may_delete(const crd_credit_record *credit, const crd_receipt_record *receipt,
                                  const crd__delete_command *command, crd__refusal *why);
void crd__decide_delete(const crd_credit_record *credit, const crd__when *when, crd__decision *out);
/* hold.c */

/* Past its instant, and not yet entered as lapsed. */
int crd__hold_lapsed(const crd_hold_record *hold, int64_t instant);
int crd__credit_expired(const crd_credit_record *credit, int32_t date);
/* The day on which something that happened to a credit on `day` is entered: later if it was touched later, and never in
 * a closed period (rules M6, M7). */
int32_t crd__day_entered(const crd_credit_record *credit, const crd__when *when, int32_t day);
/* Expires what is available of a credit that has expired on `date`; no move when nothing is. */
void crd__decide_expire(const crd_credit_record *credit, const crd__when *when, int32_t date, crd__decision *out);
/* Lapses a hold that did; what was available and had expired by that day expires first. What is freed is decided on
 * again: by the next lapse, or by crd__decide_expire(). */
void crd__decide_lapse(const crd_credit_record *credit, const crd_hold_record *hold, const crd__when *when,
                       crd__decision *out);

typedef struct crd__hold_command {
    crd__when when;
    int64_t amount; /* 0: all */
    int clamp;
    int stays; /* release: the caller says what becomes of it, so it does not expire */
} crd__hold_command;
/* `draft` is what it is allocated to, or NULL. */
crd_status crd__decide_hold(const crd_credit_record *credit, const crd_invoice_record *draft,
                            const crd__hold_command *command, crd__decision *out, crd__refusal *why);
crd_status crd__decide_release(const crd_hold_record *hold, const crd_credit_record *credit,
                               const crd_invoice_record *draft, const crd__hold_command *command, crd__decision *out,
                               crd__refusal *why);
/* `invoice` is what it pays; NULL: outside. */
crd_status crd__decide_capture(const crd_hold_record *hold, const crd_credit_record *credit,
                               const crd_invoice_record *invoice, const crd__hold_command *command,
                               crd__decision *out, crd__refusal *why);

/* invoice.c */

int crd__invoice_check(const crd_invoice_record *invoice);
crd_status crd__decide_enter(const crd_invoice_record *invoice, const crd__when *when, crd__refusal *why);
crd_status crd__decide_send(const crd_invoice_record *invoice, const crd__when *when, crd__decision *out,
                            crd__refusal *why);
/* May it be voided at all? Its applications are undone between this and crd__decide_invoice_void(). */
crd_status crd__decide_may_void(const crd_invoice_record *invoice, const crd__when *when, crd__refusal *why);
crd_status crd__decide_invoice_void(const crd_invoice_record *invoice, const crd__when *when, crd__decision *out,
                                    crd__refusal *why);

/* invoice_change.c */

/* The tax that goes with `part` of `whole`: by largest remainder, a tie going to the part that moves (rule M12). */
int64_t crd__tax_part(int64_t tax, int64_t part, int64_t whole);

/* What settles an invoice: a write-off, an application, or one of a memo that the invoice itself gave rise to. The
 * smaller rank is undone first, within a rank the newest. */
#define CRD__RANK_WRITE_OFF 0
#define CRD__RANK_APPLIED 1
#define CRD__RANK_OWN_MEMO 2
#define CRD__RANKS 3
typedef struct crd__settled {
    int64_t left;
    int64_t take; /* what is to be undone of it */
    uint32_t rank;
} crd__settled;
/* Decides what is undone so that `need` is open again; `list` is in the order of the journal. 0 when there is less. */
int crd__decide_free(crd__settled *list, uint64_t count, int64_t need);

typedef struct crd__write_off_command {
    crd__when when;
    int64_t amount; /* 0: all that is open, or all that is left of the write-off */
    uint32_t cause;
    int64_t seq;    /* undo: the write-off */
    int64_t left;   /* undo: what is left of it */
} crd__write_off_command;
crd_status crd__decide_write_off(const crd_invoice_record *invoice, const crd__write_off_command *command,
                                 crd__decision *out, crd__refusal *why);
/* `receipt` is the one it was made with, or NULL. */
crd_status crd__decide_unwrite_off(const crd_invoice_record *invoice, const crd_receipt_record *receipt,
                                   const crd__write_off_command *command, crd__decision *out, crd__refusal *why);

typedef struct crd__revise_command {
    crd__when when;
    int64_t total;
    int removes;          /* a line goes, and nothing comes in its place */
    uint32_t line_policy; /* CRD_LINES_... */
} crd__revise_command;
/* May the invoice have that total? `need` is what must be open first, `warnings` what the caller is to be told. */
crd_status crd__decide_may_revise(const crd_invoice_record *invoice, const crd__revise_command *command, int64_t *need,
                                  uint32_t *warnings, crd__refusal *why);
/* What settled an invoice that is revised to nothing open; `newest` is the cause of the newest write-off or application
 * that stands, which is asked for only where write-offs stand. */
uint32_t crd__revised_cause(const crd_invoice_record *invoice, uint32_t newest);

/* A return of `amount`; what the invoice may still take back is its total less what was returned. */
crd_status crd__decide_return(const crd_invoice_record *invoice, const crd__when *when, int64_t amount,
                              crd__refusal *why);
/* The tax that a return of `amount` takes along. */
int64_t crd__return_tax(const crd_invoice_record *invoice, int64_t amount);
/* May it be reversed, and by how much? */
crd_status crd__decide_may_reverse(const crd_invoice_record *invoice, const crd__when *when, int64_t *amount,
                                   crd__refusal *why);

/* application.c */

typedef struct crd__reapply_command {
    crd__when when;
    int64_t seq;    /* the application */
    int64_t left;   /* what is left of it, raises included */
    int64_t amount; /* what it is to be; 0: nothing */
    uint32_t flags; /* its own, CRD_ENTRY_... */
} crd__reapply_command;
/* Either what is to be unapplied (`lower`), or the move that raises it, or nothing when it is as asked. What is
 * unapplied is decided by crd__decide_unapply(). `receipt` is the one that made the application, or NULL. */
crd_status crd__decide_reapply(const crd_credit_record *credit, const crd_invoice_record *invoice,
                               const crd_receipt_record *receipt, const crd__reapply_command *command, int64_t *lower,
                               crd__decision *out, crd__refusal *why);

/* order.c */

/* The value of one key (CRD_ORDER_...) of an order of allocation; 0 for a key that does not concern the side. */
int32_t crd__order_credit(uint32_t key, const crd_credit_record *credit);
int32_t crd__order_invoice(uint32_t key, const crd_invoice_record *invoice);
int crd__order_known(uint32_t key);
/* Why a document takes no part in a reconcile of `date` (rule M15), or CRD_LEFT_NOTHING. */
uint32_t crd__left_credit(const crd_credit_record *credit, int32_t date, int use_cash);
uint32_t crd__left_invoice(const crd_invoice_record *invoice, int32_t date);
/* What a run writes off of an invoice that has `open`, of which it pays `paid` (rule M15). */
int64_t crd__tolerated(int64_t open, int64_t paid, int64_t tolerance);

/* receipt.c */

/* A credit or an invoice on a receipt, once however many lines name it. The decision works on the last four. */
typedef struct crd__party {
    const crd_credit_record *credit; /* or */
    const crd_invoice_record *invoice;
    int64_t open;  /* what it has that this receipt does not claim yet */
    int64_t asked; /* claimed by lines that leave the other side open */
    int64_t paid;  /* invoice: by this receipt */
    int32_t last;  /* date of its last entry, those of this receipt included */
    int32_t rank;  /* the ledger's, for sorting */
} crd__party;

typedef struct crd__receipt_line {
    crd__party *credit, *invoice; /* NULL where the line names none */
    uint32_t kind;                /* CRD_RECEIPT_... */
    int64_t amount;
} crd__receipt_line;

typedef struct crd__receipt_command {
    crd__when when;
    uint32_t flags; /* CRD_RECEIPT_... */
    int64_t amount;
    const char *id, *credit; /* credit: what its own money becomes */
    int32_t expires;         /* of its own money, 0: never */
    const crd__receipt_line *lines;
    crd__party *const *credits;  /* in the order of allocation */
    crd__party *const *invoices; /* the same; to distribute, every open one */
    uint64_t line_count, credit_count, invoice_count;
} crd__receipt_command;

/* An application or a write-off of the receipt. `credit` is NULL where its own money pays, and for a write-off. */
typedef struct crd__receipt_move {
    crd__move move;
    crd__party *credit, *invoice;
} crd__receipt_move;

typedef struct crd__receipt_plan {
    crd__receipt_move *moves; /* room for crd__receipt_moves() */
    void *work;               /* crd__receipt_work() bytes, aligned */
    uint64_t count;
    int64_t applied;
    int64_t kept; /* of its money, as credit */
} crd__receipt_plan;

uint64_t crd__receipt_moves(const crd__receipt_command *command);
uint64_t crd__receipt_work(const crd__receipt_command *command);
crd_status crd__decide_receipt(const crd__receipt_command *command, crd__receipt_plan *out, crd__refusal *why);

/* May a payment be reversed? Its date, the latest of all it touches, is `when.date`. */
crd_status crd__decide_may_bounce(const crd_receipt_record *receipt, const crd_credit_record *credit,
                                   const crd__when *when, uint32_t flags, crd__refusal *why);
/* May a receipt be undone whole, as entered in error? `credit` is NULL for a receipt of zero. */
crd_status crd__decide_may_undo_receipt(const crd_receipt_record *receipt, const crd_credit_record *credit,
                                        const crd__when *when, crd__refusal *why);
/* One application of the money taken back: it is freed, and gone at once whatever its expiry or state (rule M13). */
void crd__decide_bounced(int64_t seq, int64_t left, int own_receipt, int32_t date, crd__decision *out);

#endif
