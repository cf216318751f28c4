/*
 * Postings as text for plain-text accounting programs.
 *
 * What all three formats share is kept the same in them: a transaction per entry, dated, cleared, with the account's
 * currency and the entry's number as its code, the customer as payee and the documents as tags. Amounts have all
 * decimals of their currency and a point.
 *
 * Texts of the book may hold anything. escape() leaves nothing in them that a format could take for its own: not a
 * comment (;), the end of a tag (,), a payee's note (|), a tag (:), a string (" and \), a date in a comment ([ and ]), nor
 * blanks that would be trimmed or end a name. It is reversible, so no two ids become one.
 */
#include "ledger/postings.h"

#include "core/money.h"

#include <string.h>

typedef struct export_writer {
    crd_ledger *ledger;
    uint32_t format;
    crd_write_text write;
    void *ctx;
    crd_status status;
    uint64_t used;
    char buffer[4096];
} export_writer;

static void export_flush(export_writer *w) {
    int32_t stopped;
    if (w->status != CRD_OK || w->used == 0) return;
    w->ledger->busy = 1;
    stopped = w->write(w->ctx, w->buffer, w->used);
    w->ledger->busy = 0;
    w->used = 0;
    if (stopped != 0) w->status = crd__fail(w->ledger, CRD_E_CANCELLED, NULL);
}

static void put_char(export_writer *w, char c) {
    if (w->used == sizeof w->buffer) export_flush(w);
    if (w->status == CRD_OK) w->buffer[w->used++] = c;
}

static void export_put(export_writer *w, const char *text) {
    while (*text != '\0') put_char(w, *text++);
}

static void put_number(export_writer *w, int64_t number) {
    char text[CRD_MONEY_TEXT];
    (void)crd_money_format(number, 0, text, sizeof text);
    export_put(w, text);
}

/* Bytes of a blank of Unicode, which a program might trim or take for the end of a name; else 0. */
static int blank_size(const char *text) {
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] == 0xc2) return s[1] == 0xa0 ? 2 : 0;
    if (s[0] == 0xe1) return s[1] == 0x9a && s[2] == 0x80 ? 3 : 0;
    if (s[0] == 0xe3) return s[1] == 0x80 && s[2] == 0x80 ? 3 : 0;
    if (s[0] != 0xe2) return 0;
    if (s[1] == 0x81) return s[2] == 0x9f ? 3 : 0;
    return s[1] == 0x80 && (s[2] <= 0x8a || s[2] == 0xa8 || s[2] == 0xa9 || s[2] == 0xaf) ? 3 : 0;
}

/* Bytes from here on that are to be escaped: a space only at either end, and next to another one. */
static int special(const char *text, const char *at) {
    if (*at == ' ') return at == text || at[1] == '\0' || at[1] == ' ' || at[-1] == ' ';
    return strchr("%;,|:\"\\[]", *at) != NULL ? 1 : blank_size(at);
}

static void escape(export_writer *w, const char *text) {
    static const char digits[] = "0123456789ABCDEF";
    for (const char *at = text; *at != '\0';) {
        int size = special(text, at);
        if (size == 0) put_char(w, *at++);
        while (size-- > 0) {
            unsigned char c = (unsigned char)*at++;
            put_char(w, '%');
            put_char(w, digits[c >> 4]);
            put_char(w, digits[c & 15]);
        }
    }
}

/* ---- names of accounts ---- */

static int is_letter(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Beancount: capitals, digits and a dash; one of its five roots, and something below it. */
static int named_for_beancount(const char *name) {
    static const char roots[] = "Assets\0Liabilities\0Equity\0Income\0Expenses";
    const char *root = roots;
    for (int i = 0; i < 5; i++, root += strlen(root) + 1) {
        size_t length = strlen(root);
        if (strncmp(name, root, length) == 0 && name[length] == ':') break;
        if (i == 4) return 0;
    }
    for (const char *at = name; *at != '\0'; at++) {
        int first = at == name || at[-1] == ':';
        if (*at == ':' ? at[1] == '\0' || first : !is_letter(*at) && *at != '-') return 0;
        if (first && (*at == '-' || (*at >= 'a' && *at <= 'z'))) return 0;
    }
    return 1;
}

/* hledger and Ledger: whatever they cannot take for something else. */
static int named_for_journals(const char *name) {
    for (const char *at = name; *at != '\0'; at++) {
        int first = at == name || at[-1] == ':';
        if ((unsigned char)*at >= 0x80) {
            if (blank_size(at) > 0) return 0;
            continue;
        }
        if (!is_letter(*at) && (first || strchr(" :-_.,&/+'#", *at) == NULL)) return 0;
        if (*at == ' ' && (at[1] == ' ' || at[1] == ':' || at[1] == '\0')) return 0;
        if (*at == ':' && at[1] == '\0') return 0;
    }
    return 1;
}

static crd_status check_names(const export_writer *w, const crd_postings *postings) {
    for (uint32_t role = 0; role < CRD_GL_ROLES; role++) {
        const char *name = crd__postings_account(postings, role);
        if (!(w->format == CRD_EXPORT_BEANCOUNT ? named_for_beancount(name) : named_for_journals(name))) {
            (void)crd__fail_argument(w->ledger, "spec.accounts", "this format cannot name an account like that");
            w->ledger->error.given = role;
            return CRD_E_ARGUMENT;
        }
    }
    return CRD_OK;
}

/* ---- the text ---- */

static void export_put_date(export_writer *w, int32_t date) {
    char text[16];
    (void)crd_date_to_text(date, text, sizeof text);
    export_put(w, text);
}

static void put_head(export_writer *w, const crd_postings *postings) {
    export_put(w, "; Postings of customer credit, written by libcredit.\n");
    if (w->format == CRD_EXPORT_HLEDGER) export_put(w, "decimal-mark .\n");
    if (w->format != CRD_EXPORT_BEANCOUNT) return;
    for (uint32_t role = 0; role < CRD_GL_ROLES; role++) { /* roles may share a name, which is opened once */
        const char *name = crd__postings_account(postings, role);
        uint32_t earlier = 0;
        while (strcmp(crd__postings_account(postings, earlier), name) != 0) earlier++;
        if (earlier < role) continue;
        export_put(w, "1970-01-01 open ");
        export_put(w, name);
        put_char(w, '\n');
    }
}

/* A line of its own: "; name: text" or, in Beancount, name: "text". */
static void export_put_tag(export_writer *w, const char *name, const char *text) {
    int beancount = w->format == CRD_EXPORT_BEANCOUNT;
    if (text[0] == '\0') return;
    export_put(w, beancount ? "  " : "    ; ");
    export_put(w, name);
    export_put(w, beancount ? ": \"" : ": ");
    escape(w, text);
    export_put(w, beancount ? "\"\n" : "\n");
}

static void put_transaction(export_writer *w, const crd_entry_record *e) {
    int beancount = w->format == CRD_EXPORT_BEANCOUNT;
    put_char(w, '\n');
    export_put_date(w, e->business_date);
    export_put(w, beancount ? " * \"" : " * (");
    if (!beancount) {
        export_put(w, e->currency);
        put_char(w, '/');
        put_number(w, e->seq);
        export_put(w, ") ");
    }
    escape(w, e->customer);
    export_put(w, beancount ? "\" \"" : " | ");
    export_put(w, crd_entry_name(e->type));
    export_put(w, beancount ? "\"\n  entry: \"" : "\n");
    if (beancount) {
        export_put(w, e->currency);
        put_char(w, '/');
        put_number(w, e->seq);
        export_put(w, "\"\n");
    }
    export_put_tag(w, "credit", e->credit);
    export_put_tag(w, "invoice", e->invoice);
    export_put_tag(w, "receipt", e->receipt);
}

static void put_posting(export_writer *w, const crd_posting *p, int32_t exponent) {
    char amount[CRD_MONEY_TEXT];
    (void)crd_money_format(p->amount, exponent, amount, sizeof amount);
    export_put(w, w->format == CRD_EXPORT_BEANCOUNT ? "  " : "    ");
    export_put(w, p->account);
    export_put(w, "  ");
    export_put(w, amount);
    put_char(w, ' ');
    export_put(w, p->currency);
    export_put(w, w->format == CRD_EXPORT_BEANCOUNT ? "\n    customer: \"" : "  ; customer: ");
    escape(w, p->customer);
    export_put(w, w->format == CRD_EXPORT_BEANCOUNT ? "\"\n" : "\n");
}

static crd_status export_all(export_writer *w, crd_postings *postings) {
    const crd_posting *row;
    int32_t exponent = 0;
    crd_status status = check_names(w, postings);
    if (status != CRD_OK) return status;
    put_head(w, postings);
    while ((status = crd__postings_next(postings, &row)) == CRD_OK && row != NULL && w->status == CRD_OK) {
        if (row->number == 0) {
            status = crd__currency_exponent(row->currency, (const crd_currency *const *)w->ledger->currencies,
                                            w->ledger->currency_count, &exponent);
            if (status != CRD_OK)
                return crd__fail_subject(w->ledger, CRD_E_CURRENCY, CRD_KIND_ACCOUNT, row->customer, row->currency,
                                         "the ledger does not know how many decimals it has");
            put_transaction(w, row->entry);
        }
        put_posting(w, row, exponent);
    }
    if (status != CRD_OK) return status;
    export_flush(w);
    return w->status;
}

crd_status crd_postings_export(crd_ledger *ledger, const crd_posting_spec *spec, uint32_t format,
                               crd_write_text write, void *ctx) {
    crd_postings *postings = NULL;
    export_writer *w;
    crd_status status = crd__enter(ledger);
    if (status != CRD_OK) return status;
    if (format < CRD_EXPORT_HLEDGER || format > CRD_EXPORT_BEANCOUNT)
        return crd__fail_argument(ledger, "format", "is not a format of this version");
    if (write == NULL) return crd__fail_argument(ledger, "write", "must be given");
    status = crd__postings_open(ledger, spec, &postings);
    if (status != CRD_OK) return status;
    w = crd__alloc(&ledger->allocator, sizeof *w);
    if (w == NULL) {
        status = crd__fail(ledger, CRD_E_NOMEM, NULL);
    } else {
        w->ledger = ledger;
        w->format = format;
        w->write = write;
        w->ctx = ctx;
        status = export_all(w, postings);
    }
    crd__free(&ledger->allocator, w);
    crd_postings_close(postings);
    return status;
}
