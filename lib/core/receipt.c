/*
 * Receipts: what a receipt's lines make of its money and of the credits on it (rule M14), and what may become of a
 * payment later (rules M3, M13). See decide.h for the shape of a decision.
 *
 * Invariants of crd__decide_receipt():
 * 1. What is claimed of a document, by pairs, lines and write-offs together, is checked against what it has before
 *    anything is matched; so `open` never falls below 0.
 * 2. Credits are matched before the receipt's own money, which pays what they leave: so only own money is kept.
 * 3. A matched pair takes the latest date of the receipt and its two documents, and moves theirs (rule M6).
 */
#include "core/decide.h"
#include "core/money.h"

#include <credit/allocate.h>
#include <credit/receipt.h>
#include <credit/reconcile.h>

#include <stddef.h>
#include <string.h>

uint64_t crd__receipt_moves(const crd__receipt_command *c) {
    return c->line_count + c->credit_count + 2 * c->invoice_count; /* pairs and write-offs; matched; own money */
}

/* Columns of the allocator: per credit amount, kinds and preference; per invoice amount, kind and index; what it finds. */
uint64_t crd__receipt_work(const crd__receipt_command *c) {
    uint64_t items = c->credit_count + c->invoice_count + 1;
    return items * (2 * sizeof(int64_t) + 5 * sizeof(uint32_t)) + crd_allocate_work_size(c->credit_count, c->invoice_count);
}

/* ---- what the lines claim ---- */

static crd_status check_states(const crd__receipt_command *c, crd__refusal *why) {
    for (uint64_t i = 0; i < c->line_count; i++) {
        const crd__party *p = c->lines[i].invoice;
        if (p != NULL && p->invoice->state != CRD_INVOICE_OPEN)
            return crd__refuse(why, CRD_E_STATE, CRD_KIND_INVOICE, p->invoice->id, p->invoice->open, p->invoice->state);
    }
    for (uint64_t i = 0; i < c->line_count; i++) {
        const crd__party *p = c->lines[i].credit;
        if (p != NULL && p->credit->state != CRD_CREDIT_ACTIVE)
            return crd__refuse(why, CRD_E_STATE, CRD_KIND_CREDIT, p->credit->id, p->credit->remaining,
                               p->credit->state);
    }
    return CRD_OK;
}

/* A credit that has expired on the receipt's date, or on its own last one, can pay nothing (rule M7). */
static crd_status check_dates(const crd__receipt_command *c, crd__refusal *why) {
    if (c->when.date <= c->when.closed_through)
        return crd__refuse(why, CRD_E_CLOSED, CRD_KIND_RECEIPT, c->id, c->when.closed_through, c->when.date);
    if (c->expires != 0 && c->expires <= c->when.date)
        return crd__refuse(why, CRD_E_DATE, CRD_KIND_CREDIT, c->credit, c->when.date + 1, c->expires);
    for (uint64_t i = 0; i < c->credit_count; i++) {
        const crd_credit_record *credit = c->credits[i]->credit;
        int32_t date = CRD__MAX(c->when.date, credit->last_date);
        if (credit->expires != 0 && date >= credit->expires)
            return crd__refuse(why, CRD_E_EXPIRED, CRD_KIND_CREDIT, credit->id, credit->expires, date);
    }
    return CRD_OK;
}

static crd_status claim(crd__party *p, int64_t amount, int64_t has, crd_status code, uint32_t kind, const char *id,
                        crd__refusal *why) {
    int64_t claimed;
    if (!crd__add(has - p->open, amount, &claimed)) return crd__refuse(why, CRD_E_OVERFLOW, kind, id, has, amount);
    p->open = has - claimed;
    return p->open < 0 ? crd__refuse(why, code, kind, id, has, claimed) : CRD_OK;
}

/* Credits first, then invoices (rule M16); the figures are those of all lines up to the one that is too much. */
static crd_status claim_all(const crd__receipt_command *c, crd__refusal *why) {
    crd_status status = CRD_OK;
    for (uint64_t i = 0; status == CRD_OK && i < c->line_count; i++) {
        const crd__receipt_line *line = &c->lines[i];
        if (line->credit == NULL) continue;
        status = claim(line->credit, line->amount, crd__credit_available(line->credit->credit), CRD_E_CREDIT_AMOUNT,
                       CRD_KIND_CREDIT, line->credit->credit->id, why);
        if (line->invoice == NULL) line->credit->asked += line->amount;
    }
    for (uint64_t i = 0; status == CRD_OK && i < c->line_count; i++) {
        const crd__receipt_line *line = &c->lines[i];
        if (line->invoice == NULL) continue;
        status = claim(line->invoice, line->amount, line->invoice->invoice->open, CRD_E_INVOICE_AMOUNT,
                       CRD_KIND_INVOICE, line->invoice->invoice->id, why);
        if (line->credit == NULL && line->kind == CRD_RECEIPT_PAYS) line->invoice->asked += line->amount;
    }
    return status;
}

/* `rest` receives what the lines leave of the receipt's own money: amount + credits used - invoices paid. */
static crd_status distribute(const crd__receipt_command *c, int64_t *rest, crd__refusal *why) {
    int64_t used = 0, paid = 0, remaining = 0;
    for (uint64_t i = 0; i < c->credit_count; i++)
        if (!crd__add(used, c->credits[i]->asked, &used)) return crd__refuse(why, CRD_E_OVERFLOW, CRD_KIND_RECEIPT, c->id, 0, used);
    for (uint64_t i = 0; i < c->invoice_count; i++)
        if (!crd__add(paid, c->invoices[i]->asked, &paid)) return crd__refuse(why, CRD_E_OVERFLOW, CRD_KIND_RECEIPT, c->id, 0, paid);
    if (!crd__add(c->amount, used, &remaining)) return crd__refuse(why, CRD_E_OVERFLOW, CRD_KIND_RECEIPT, c->id, 0, used);
    remaining -= paid;
    *rest = remaining;
    if (remaining < 0 || used > paid) return crd__refuse(why, CRD_E_DISTRIBUTION, CRD_KIND_RECEIPT, c->id, 0, remaining);
    return CRD_OK;
}

/* ---- matching ---- */

static void add_move(crd__receipt_plan *out, crd__party *credit, crd__party *invoice, uint32_t type, int32_t date,
                     int64_t amount) {
    crd__receipt_move *m = &out->moves[out->count++];
    memset(m, 0, sizeof *m);
    m->move.type = type;
    m->move.date = invoice->last = date;
    m->move.amount = amount;
    m->credit = credit;
    m->invoice = invoice;
}

static crd_status pay(const crd__receipt_command *c, crd__party *credit, crd__party *invoice, int64_t amount,
                      crd__receipt_plan *out, crd__refusal *why) {
    const crd_credit_record *k = credit->credit;
    int32_t date = CRD__MAX(c->when.date, CRD__MAX(credit->last, invoice->last));
    if (!crd__credit_usable(k, date))
        return crd__refuse(why, CRD_E_EXPIRED, CRD_KIND_CREDIT, k->id, date < k->effective ? k->effective : k->expires,
                           date);
    if (k->pays_kinds != 0 && !(k->pays_kinds >> invoice->invoice->kind & 1))
        return crd__refuse(why, CRD_E_RESTRICTED, CRD_KIND_CREDIT, k->id, k->pays_kinds, invoice->invoice->kind);
    add_move(out, credit, invoice, CRD_ENTRY_APPLY, date, amount);
    credit->last = date;
    return CRD_OK;
}

static crd_status pay_pairs(const crd__receipt_command *c, crd__receipt_plan *out, crd__refusal *why) {
    crd_status status = CRD_OK;
    for (uint64_t i = 0; status == CRD_OK && i < c->line_count; i++) {
        const crd__receipt_line *line = &c->lines[i];
        if (line->credit != NULL && line->invoice != NULL)
            status = pay(c, line->credit, line->invoice, line->amount, out, why);
    }
    return status;
}

/* Whether some pair may be dated past an expiry: only when a document was touched after the receipt's date. */
static int receipt_needs_care(const crd__receipt_command *c) {
    int expires = 0, later = 0;
    for (uint64_t i = 0; i < c->credit_count; i++) {
        expires |= c->credits[i]->credit->expires != 0;
        later |= c->credits[i]->last > c->when.date;
    }
    for (uint64_t i = 0; i < c->invoice_count; i++) later |= c->invoices[i]->last > c->when.date;
    return expires && later;
}

static uint32_t find_preferred(const crd__receipt_command *c, const uint32_t *index, uint64_t count, const char *id) {
    for (uint64_t i = 0; id[0] != '\0' && i < count; i++)
        if (strcmp(c->invoices[index[i]]->invoice->id, id) == 0) return (uint32_t)i + 1;
    return 0;
}

/* Matches the credits [from, to) with the invoices that lines still ask for; those that a pair would be dated past the
 * credit's expiry with are left out, where there is one credit (rule M6). */
static crd_status match(const crd__receipt_command *c, uint64_t from, uint64_t to, crd__receipt_plan *out,
                        crd__refusal *why) {
    uint64_t most = c->credit_count + c->invoice_count + 1, credits = to - from, invoices = 0;
    int64_t *amount = out->work, *found_amount = amount + most;
    uint32_t *kind = (uint32_t *)(void *)(found_amount + most), *prefer = kind + most, *index = prefer + most;
    crd_open_items sides[2];
    crd_allocation found;
    crd_status status;
    memset(sides, 0, sizeof sides);
    memset(&found, 0, sizeof found);
    for (uint64_t i = 0; i < c->invoice_count; i++) {
        const crd__party *p = c->invoices[i];
        if (p->asked == 0) continue;
        if (credits == 1 && c->credits[from]->credit->expires != 0 && p->last >= c->credits[from]->credit->expires)
            continue;
        amount[credits + invoices] = p->asked;
        kind[credits + invoices] = p->invoice->kind;
        index[invoices++] = (uint32_t)i;
    }
    for (uint64_t i = 0; i < credits; i++) {
        const crd__party *p = c->credits[from + i];
        amount[i] = p->asked;
        kind[i] = p->credit->pays_kinds != 0 ? p->credit->pays_kinds : UINT32_MAX;
        prefer[i] = find_preferred(c, index, invoices, p->credit->prefers);
    }
    for (int side = 0; side < 2; side++) {
        sides[side].struct_size = sizeof sides[side];
        sides[side].count = side == 0 ? credits : invoices;
        sides[side].amount = side == 0 ? amount : amount + credits;
        sides[side].kind = side == 0 ? kind : kind + credits;
    }
    sides[0].prefer = prefer;
    found.struct_size = sizeof found;
    found.capacity = most - 1;
    found.credit = index + most;
    found.invoice = found.credit + most;
    found.amount = found_amount;
    status = crd_allocate(&sides[0], &sides[1], found.invoice + most,
                          crd_allocate_work_size(c->credit_count, c->invoice_count), &found);
    if (status != CRD_OK) return crd__refuse(why, status, CRD_KIND_RECEIPT, c->id, 0, 0);
    for (uint64_t i = 0; status == CRD_OK && i < found.count; i++) {
        crd__party *credit = c->credits[from + found.credit[i]], *invoice = c->invoices[index[found.invoice[i]]];
        credit->asked -= found.amount[i];
        invoice->asked -= found.amount[i];
        status = pay(c, credit, invoice, found.amount[i], out, why);
    }
    return status;
}

/* 1 when what the lines still ask for is of a kind that the credit may not pay. */
static int is_restricted(const crd__receipt_command *c, const crd_credit_record *credit) {
    for (uint64_t i = 0; i < c->invoice_count; i++)
        if (credit->pays_kinds != 0 && c->invoices[i]->asked > 0 &&
            !(credit->pays_kinds >> c->invoices[i]->invoice->kind & 1))
            return 1;
    return 0;
}

/* A credit line that is not used up found no invoice it may pay, or none that would be dated in time. */
static crd_status match_credits(const crd__receipt_command *c, crd__receipt_plan *out, crd__refusal *why) {
    crd_status status = CRD_OK;
    int careful = receipt_needs_care(c);
    if (c->credit_count == 0) return CRD_OK;
    if (!careful) status = match(c, 0, c->credit_count, out, why);
    for (uint64_t i = 0; status == CRD_OK && careful && i < c->credit_count; i++) status = match(c, i, i + 1, out, why);
    for (uint64_t i = 0; status == CRD_OK && i < c->credit_count; i++) {
        const crd__party *p = c->credits[i];
        if (p->asked == 0) continue;
        if (is_restricted(c, p->credit))
            return crd__refuse(why, CRD_E_RESTRICTED, CRD_KIND_CREDIT, p->credit->id, p->credit->pays_kinds, 0);
        return crd__refuse(why, CRD_E_EXPIRED, CRD_KIND_CREDIT, p->credit->id, p->credit->expires, p->last);
    }
    return status;
}

/* What lines ask for that no credit met, and then, if told so, whatever is open, in the order of the invoices. */
static crd_status pay_own(const crd__receipt_command *c, int64_t rest, crd__receipt_plan *out, crd__refusal *why) {
    int32_t last = c->when.date;
    for (uint64_t i = 0; i < c->invoice_count; i++) {
        crd__party *p = c->invoices[i];
        int64_t amount = p->asked;
        int late = c->expires != 0 && CRD__MAX(last, p->last) >= c->expires;
        if ((c->flags & CRD_RECEIPT_DISTRIBUTE) && !late && p->invoice->state == CRD_INVOICE_OPEN &&
            crd__left_invoice(p->invoice, c->when.date) == CRD_LEFT_NOTHING) {
            int64_t more = CRD__MIN(rest, p->open);
            rest -= more;
            amount += more;
        }
        if (amount == 0) continue;
        last = CRD__MAX(last, p->last);
        if (late) return crd__refuse(why, CRD_E_EXPIRED, CRD_KIND_INVOICE, p->invoice->id, c->expires, last);
        add_move(out, NULL, p, CRD_ENTRY_APPLY, last, amount);
    }
    out->kept = rest;
    if (rest == 0 || (c->flags & CRD_RECEIPT_EXCESS_TO_CREDIT)) return CRD_OK;
    return crd__refuse(why, CRD_E_DISTRIBUTION, CRD_KIND_RECEIPT, c->id, 0, rest);
}

/* Discounts and tolerances come last: what they leave open is 0, or was meant to be. */
static crd_status receipt_write_off(const crd__receipt_command *c, crd__receipt_plan *out, crd__refusal *why) {
    for (uint64_t i = 0; i < out->count; i++) {
        out->moves[i].invoice->paid += out->moves[i].move.amount;
        out->applied += out->moves[i].move.amount;
    }
    for (uint64_t i = 0; i < c->line_count; i++) {
        const crd__receipt_line *line = &c->lines[i];
        crd__party *p = line->invoice;
        if (line->kind == CRD_RECEIPT_PAYS) continue;
        if (p->paid == 0)
            return crd__refuse(why, CRD_E_NOTHING, CRD_KIND_INVOICE, p->invoice->id, 0, line->amount);
        add_move(out, NULL, p, CRD_ENTRY_WRITE_OFF, CRD__MAX(c->when.date, p->last), line->amount);
        out->moves[out->count - 1].move.cause =
            line->kind == CRD_RECEIPT_DISCOUNT ? CRD_CAUSE_DISCOUNT : CRD_CAUSE_TOLERANCE;
    }
    return CRD_OK;
}

static void open_party(crd__party *p) {
    p->open = p->credit != NULL ? crd__credit_available(p->credit) : p->invoice->open;
    p->last = p->credit != NULL ? p->credit->last_date : p->invoice->last_date;
    p->asked = p->paid = 0;
}

crd_status crd__decide_receipt(const crd__receipt_command *c, crd__receipt_plan *out, crd__refusal *why) {
    int64_t rest = 0;
    crd_status status;
    out->count = 0;
    out->applied = out->kept = 0;
    for (uint64_t i = 0; i < c->credit_count; i++) open_party(c->credits[i]);
    for (uint64_t i = 0; i < c->invoice_count; i++) open_party(c->invoices[i]);
    status = check_states(c, why);
    if (status == CRD_OK) status = check_dates(c, why);
    if (status == CRD_OK) status = pay_pairs(c, out, why);
    if (status == CRD_OK) status = claim_all(c, why);
    if (status == CRD_OK) status = distribute(c, &rest, why);
    if (status == CRD_OK) status = match_credits(c, out, why);
    if (status == CRD_OK) status = pay_own(c, rest, out, why);
    return status == CRD_OK ? receipt_write_off(c, out, why) : status;
}

/* ---- what becomes of a payment ---- */

static crd_status refuse_receipt(const crd_receipt_record *receipt, const crd__when *when, crd__refusal *why) {
    int32_t date = when->date;
    if (receipt->state != CRD_RECEIPT_POSTED)
        return crd__refuse(why, CRD_E_NOTHING, CRD_KIND_RECEIPT, receipt->id, 0, receipt->state);
    return crd__decide_date(when, CRD_KIND_RECEIPT, receipt->id, receipt->last_date, &date, why);
}

crd_status crd__decide_may_bounce(const crd_receipt_record *receipt, const crd_credit_record *credit,
                                   const crd__when *when, uint32_t flags, crd__refusal *why) {
    int64_t elsewhere;
    crd_status status;
    if (receipt->state == CRD_RECEIPT_UNDONE || receipt->state == CRD_RECEIPT_DELETED)
        return crd__refuse(why, CRD_E_STATE, CRD_KIND_RECEIPT, receipt->id, 0, receipt->state);
    if (receipt->state == CRD_RECEIPT_POSTED && credit == NULL) /* it brought no money: undo it instead */
        return crd__refuse(why, CRD_E_NOTHING, CRD_KIND_RECEIPT, receipt->id, 0, receipt->state);
    status = refuse_receipt(receipt, when, why);
    if (status != CRD_OK || !(flags & CRD_REVERSE_STRICT)) return status;
    elsewhere = credit->applied - credit->applied_by_receipt + credit->refunded + credit->transferred + credit->held +
                credit->allocated;
    return elsewhere == 0 ? CRD_OK : crd__refuse(why, CRD_E_IN_USE, CRD_KIND_CREDIT, credit->id, elsewhere, 0);
}

crd_status crd__decide_may_undo_receipt(const crd_receipt_record *receipt, const crd_credit_record *credit,
                                        const crd__when *when, crd__refusal *why) {
    crd_status status = refuse_receipt(receipt, when, why);
    if (status != CRD_OK || credit == NULL || credit->refunded + credit->transferred == 0) return status;
    return crd__refuse(why, CRD_E_IN_USE, CRD_KIND_CREDIT, credit->id, credit->refunded + credit->transferred, 0);
}

void crd__decide_bounced(int64_t seq, int64_t left, int own_receipt, int32_t date, crd__decision *out) {
    uint32_t own = own_receipt ? CRD_ENTRY_BY_OWN_RECEIPT : 0;
    out->count = 0;
    crd__decide_move(out, CRD_ENTRY_UNAPPLY, date, left);
    out->moves[0].undoes = seq;
    out->moves[0].flags = own;
    crd__decide_move(out, CRD_ENTRY_REVERSE, date, left);
    out->moves[1].flags = own | CRD_ENTRY_CONSEQUENCE;
}
