/*
 * The journal's chain: what of an entry is hashed, and what follows from the hash.
 *
 * 1. The canonical bytes of an entry are its encoding with customer, currency, last_seq and hash blank: the account
 *    is bound by the first hash of its chain, last_seq says nothing that seq does not, and the hash is the result.
 * 2. An entry that applies a credit, with short ids and no note, and the hash before it fit one block of BLAKE2b
 *    (128 bytes). This is why the fields of an entry are numbered as they are.
 */
#include "core/blake2b.h"
#include "core/record.h"

#include <string.h>

#define HASH 32

/* One block, a few times over: nearly every entry that carries no image. */
#define SMALL 1024

/* The largest entry: 29 fields of its own and an image of at most 45, each with up to 35 bytes that are not text,
 * and the texts of both, at most 11 and 12 if all were of the longest kind. */
#define LARGE (HASH + (29 + 45) * 35 + (11 + 12) * CRD_MAX_TEXT)

static void hash_start(const char *customer, const char *currency, uint8_t *out) {
    static const char label[] = "credit/1";
    uint8_t bytes[sizeof label + 2 * (CRD_MAX_ID + 1)];
    size_t first = strlen(customer) + 1, second = strlen(currency) + 1;
    memcpy(bytes, label, sizeof label);
    memcpy(bytes + sizeof label, customer, first);
    memcpy(bytes + sizeof label + first, currency, second);
    crd__blake2b_256(out, bytes, sizeof label + first + second);
}

/* Apart from its caller, so that only entries that need it pay for the stack. */
static crd_status hash_large(const crd_entry_record *entry, const uint8_t *previous, uint8_t *out) {
    uint8_t bytes[LARGE];
    uint64_t size = crd__entry_canonical(entry, bytes + HASH, LARGE - HASH);
    if (size == 0) return CRD_E_TOO_LARGE;
    memcpy(bytes, previous, HASH);
    crd__blake2b_256(out, bytes, (size_t)size + HASH);
    return CRD_OK;
}

crd_status CRD_CALL crd_entry_hash(const crd_entry_record *entry, const uint8_t *previous, uint8_t *out) {
    crd_entry_record whole;
    uint8_t bytes[SMALL];
    uint64_t size;
    if (entry == NULL || out == NULL || entry->struct_size < sizeof entry->struct_size) return CRD_E_ARGUMENT;
    if (entry->struct_size < sizeof whole) {
        memset(&whole, 0, sizeof whole);
        memcpy(&whole, entry, entry->struct_size);
        whole.struct_size = sizeof whole;
        entry = &whole;
    }
    if (previous != NULL) {
        memcpy(bytes, previous, HASH);
    } else {
        const char *customer = crd__record_customer(CRD_KIND_ENTRY, entry);
        const char *currency = crd__record_currency(CRD_KIND_ENTRY, entry);
        if (entry->seq != 1) return CRD_E_ARGUMENT;
        if (strlen(customer) > CRD_MAX_ID || strlen(currency) > CRD_MAX_ID) return CRD_E_TOO_LARGE;
        hash_start(customer, currency, bytes);
    }
    size = crd__entry_canonical(entry, bytes + HASH, SMALL - HASH);
    if (size == 0) return hash_large(entry, bytes, out);
    crd__blake2b_256(out, bytes, (size_t)size + HASH);
    return CRD_OK;
}

int64_t CRD_CALL crd_entry_version(const uint8_t *hash) {
    uint64_t version = 0;
    if (hash == NULL) return 0;
    for (uint32_t i = 0; i < 8; i++) version = version << 8 | hash[i];
    version >>= 1;
    return version != 0 ? (int64_t)version : 1; /* 0 stands for "no such account" */
}

const char *CRD_CALL crd_entry_name(uint32_t type) {
    switch (type) {
    case CRD_ENTRY_CUSTOMER: return "customer";
    case CRD_ENTRY_ISSUE: return "issue";
    case CRD_ENTRY_APPLY: return "apply";
    case CRD_ENTRY_UNAPPLY: return "unapply";
    case CRD_ENTRY_VOID: return "void";
    case CRD_ENTRY_EXPIRE: return "expire";
    case CRD_ENTRY_REFUND: return "refund";
    case CRD_ENTRY_UNREFUND: return "unrefund";
    case CRD_ENTRY_ADJUST: return "adjust";
    case CRD_ENTRY_ADJUST_PIECE: return "adjust_piece";
    case CRD_ENTRY_UNADJUST: return "unadjust";
    case CRD_ENTRY_TRANSFER: return "transfer";
    case CRD_ENTRY_UNTRANSFER: return "untransfer";
    case CRD_ENTRY_REVERSE: return "reverse";
    case CRD_ENTRY_DELETE: return "delete";
    case CRD_ENTRY_CREDIT_CHANGE: return "credit_change";
    case CRD_ENTRY_INVOICE: return "invoice";
    case CRD_ENTRY_SEND: return "send";
    case CRD_ENTRY_REVISE: return "revise";
    case CRD_ENTRY_INVOICE_VOID: return "invoice_void";
    case CRD_ENTRY_WRITE_OFF: return "write_off";
    case CRD_ENTRY_UNWRITE_OFF: return "unwrite_off";
    case CRD_ENTRY_CUT: return "cut";
    case CRD_ENTRY_RECEIPT: return "receipt";
    case CRD_ENTRY_RECEIPT_UNDO: return "receipt_undo";
    case CRD_ENTRY_RECEIPT_REVERSE: return "receipt_reverse";
    case CRD_ENTRY_RECEIPT_DELETE: return "receipt_delete";
    case CRD_ENTRY_HOLD: return "hold";
    case CRD_ENTRY_RELEASE: return "release";
    case CRD_ENTRY_LAPSE: return "lapse";
    case CRD_ENTRY_CAPTURE: return "capture";
    case CRD_ENTRY_SWITCHES: return "switches";
    default: return "?";
    }
}
