/*
 * Opening, closing and setting up a ledger, and the host's unit of work.
 */
#include "core/money.h"
#include "ledger/ledger.h"

#include <string.h>

/* Fails before there is a ledger to carry an error. */
static crd_status check_options(const crd_ledger_options *options) {
    const crd_storage *storage = options->storage;
    if (storage == NULL || storage->struct_size < sizeof *storage) return CRD_E_ARGUMENT;
    if (storage->read == NULL || storage->write == NULL) return CRD_E_ARGUMENT;
    for (uint32_t kind = 1; kind < CRD_KIND_COUNT; kind++) {
        uint32_t size = 0;
        (void)crd_record_fields(kind, NULL, &size);
        if (storage->record_size[kind] < size) return CRD_E_ARGUMENT;
    }
    if (options->allocator != NULL &&
        (options->allocator->struct_size < sizeof *options->allocator || options->allocator->resize == NULL ||
         options->allocator->release == NULL))
        return CRD_E_ARGUMENT;
    if (options->hooks != NULL && options->hooks->struct_size < sizeof *options->hooks) return CRD_E_ARGUMENT;
    if (options->currency_count != 0 && options->currencies == NULL) return CRD_E_ARGUMENT;
    return options->flags & ~CRD_LEDGER_DENY ? CRD_E_ARGUMENT : CRD_OK;
}

static int code_is_good(const char *code) {
    for (int i = 0; i < 3; i++)
        if (code[i] < 'A' || code[i] > 'Z') return 0;
    return code[3] == '\0';
}

static crd_status copy_currencies(crd_ledger *ledger, const crd_ledger_options *options) {
    uint64_t count = options->currency_count;
    char *block;
    if (count == 0) return CRD_OK;
    block = crd__alloc(&ledger->allocator, count * (sizeof(void *) + sizeof(crd_currency) + 4));
    if (block == NULL) return CRD_E_NOMEM;
    ledger->currencies = (crd_currency **)(void *)block;
    ledger->currency_count = count;
    for (uint64_t i = 0; i < count; i++) {
        const crd_currency *from = options->currencies[i];
        crd_currency *to = (crd_currency *)(void *)(block + count * sizeof(void *)) + i;
        char *code = block + count * (sizeof(void *) + sizeof(crd_currency)) + 4 * i;
        if (from == NULL || from->struct_size < sizeof *from || from->code == NULL || !code_is_good(from->code) ||
            from->exponent < 0 || from->exponent > CRD_MONEY_MAX_EXPONENT)
            return CRD_E_CURRENCY;
        memcpy(code, from->code, 4);
        to->struct_size = sizeof *to;
        to->exponent = from->exponent;
        to->code = code;
        ledger->currencies[i] = to;
    }
    return CRD_OK;
}

static crd_status check_order(crd_ledger *ledger, const char *field, const uint32_t *order) {
    for (int i = 0; i < CRD_ORDER_KEYS && order[i] != 0; i++)
        if (!crd__order_known(order[i])) return crd__fail_argument(ledger, field, "has an unknown key");
    return CRD_OK;
}

static crd_status take_settings(crd_ledger *ledger, const crd_settings *from) {
    static const uint32_t credits[CRD_ORDER_KEYS] = {CRD_ORDER_DATE};
    static const uint32_t invoices[CRD_ORDER_KEYS] = {CRD_ORDER_FINANCE_CHARGE, CRD_ORDER_DUE, CRD_ORDER_DATE};
    crd_settings s;
    crd_status status;
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    if (from != NULL) {
        status = crd__take_struct(ledger, "settings", &s, sizeof s, sizeof s, from);
        if (status != CRD_OK) return status;
    }
    if (s.feature_off > 1) return crd__fail_argument(ledger, "settings.feature_off", "must be 0 or 1");
    if (s.auto_apply > 1) return crd__fail_argument(ledger, "settings.auto_apply", "must be 0 or 1");
    if (s.utc_offset_minutes < -1440 || s.utc_offset_minutes > 1440)
        return crd__fail_argument(ledger, "settings.utc_offset_minutes", "must lie between -1440 and 1440");
    if (s.delete_window < 0) return crd__fail_argument(ledger, "settings.delete_window", "must not be negative");
    if (s.line_policy > CRD_LINES_REFUSE)
        return crd__fail_argument(ledger, "settings.line_policy", "is not a policy of this version");
    if (s.reserved != 0) return crd__fail_argument(ledger, "settings.reserved", "must be 0");
    status = crd__check_date_field(ledger, "settings.closed_through", s.closed_through);
    if (status == CRD_OK) status = check_order(ledger, "settings.credit_order", s.credit_order);
    if (status == CRD_OK) status = check_order(ledger, "settings.invoice_order", s.invoice_order);
    if (status != CRD_OK) return status;
    if (s.credit_order[0] == 0) memcpy(s.credit_order, credits, sizeof credits);
    if (s.invoice_order[0] == 0) memcpy(s.invoice_order, invoices, sizeof invoices);
    ledger->settings = s;
    return CRD_OK;
}

static void ledger_free(crd_ledger *ledger) {
    crd_allocator allocator = ledger->allocator;
    crd__unit *unit = &ledger->unit;
    crd__list_free(&allocator, &unit->accounts);
    crd__list_free(&allocator, &unit->guards);
    crd__list_free(&allocator, &unit->docs);
    crd__list_free(&allocator, &unit->entries);
    crd__list_free(&allocator, &unit->requests);
    crd__list_free(&allocator, &unit->lines);
    crd__list_free(&allocator, &unit->images);
    crd__arena_free(&unit->arena);
    crd__arena_free(&ledger->scratch);
    crd__free(&allocator, ledger->currencies);
    crd__free(&allocator, ledger);
}

static crd_status open_ledger(crd_ledger *ledger, const crd_ledger_options *options) {
    crd_status status = take_settings(ledger, options->settings);
    if (status == CRD_OK) status = copy_currencies(ledger, options);
    if (status != CRD_OK) return status;
    ledger->writer = options->writer;
    if (ledger->writer != 0) return CRD_OK;
    if (ledger->storage.new_writer == NULL) return CRD_E_ARGUMENT;
    ledger->writer = ledger->storage.new_writer(ledger->storage.ctx);
    return ledger->writer != 0 ? CRD_OK : CRD_E_STORAGE;
}

crd_status crd_ledger_open(const crd_ledger_options *options, crd_ledger **out) {
    const crd_allocator *allocator;
    crd_ledger *ledger;
    crd_status status;
    if (out == NULL) return CRD_E_ARGUMENT;
    *out = NULL;
    if (options == NULL || options->struct_size < sizeof *options) return CRD_E_ARGUMENT;
    for (uint32_t i = sizeof *options; i < options->struct_size; i++)
        if (((const unsigned char *)options)[i] != 0) return CRD_E_ARGUMENT;
    status = check_options(options);
    if (status != CRD_OK) return status;
    allocator = options->allocator != NULL ? options->allocator : crd__default_allocator();
    ledger = crd__alloc(allocator, sizeof *ledger);
    if (ledger == NULL) return CRD_E_NOMEM;
    ledger->allocator = *allocator;
    memcpy(&ledger->storage, options->storage, sizeof ledger->storage);
    if (options->hooks != NULL) ledger->hooks = *options->hooks;
    ledger->flags = options->flags;
    crd__arena_init(&ledger->unit.arena, &ledger->allocator);
    crd__arena_init(&ledger->scratch, &ledger->allocator);
    ledger->unit.mark = 1;
    (void)crd__enter(ledger);
    status = open_ledger(ledger, options);
    if (status != CRD_OK) {
        ledger_free(ledger);
        return status;
    }
    *out = ledger;
    return CRD_OK;
}

void crd_ledger_close(crd_ledger *ledger) {
    static const crd__counts nothing = {0, 0, 0, 0, 0, 0, 0};
    if (ledger == NULL || ledger->busy) return;
    crd__unit_back(ledger, &nothing);
    crd__unit_forget(ledger);
    crd__handles_bury(ledger);
    if (ledger->storage.close != NULL) ledger->storage.close(ledger->storage.ctx);
    ledger_free(ledger);
}

crd_status crd_ledger_configure(crd_ledger *ledger, const crd_settings *settings) {
    crd_status status = crd__enter(ledger);
    if (status != CRD_OK) return status;
    if (settings == NULL) return crd__fail_argument(ledger, "settings", "must be given");
    return take_settings(ledger, settings);
}

crd_status crd_ledger_exponent(crd_ledger *ledger, const char *currency, int32_t *out) {
    crd_status status;
    if (out != NULL) *out = 0;
    status = crd__enter(ledger);
    if (status != CRD_OK) return status;
    if (out == NULL) return crd__fail_argument(ledger, "out", "must be given");
    status = crd__check_currency(ledger, currency);
    if (status != CRD_OK) return status;
    return crd__currency_exponent(currency, (const crd_currency *const *)ledger->currencies, ledger->currency_count,
                                  out);
}

crd_status crd_unit_begin(crd_ledger *ledger) {
    crd_status status = crd__enter(ledger);
    if (status != CRD_OK) return status;
    if (ledger->unit.open) return crd__fail(ledger, CRD_E_UNIT, "a unit of work is open already");
    ledger->unit.open = 1;
    return CRD_OK;
}

crd_status crd_unit_commit(crd_ledger *ledger) {
    crd_status status = crd__enter(ledger);
    if (status != CRD_OK) return status;
    if (!ledger->unit.open) return crd__fail(ledger, CRD_E_UNIT, "no unit of work is open");
    status = crd__unit_keep(ledger, 0);
    crd__unit_forget(ledger);
    return status;
}

crd_status crd_unit_rollback(crd_ledger *ledger) {
    static const crd__counts nothing = {0, 0, 0, 0, 0, 0, 0};
    crd_status status = crd__enter(ledger);
    if (status != CRD_OK) return status;
    if (!ledger->unit.open) return crd__fail(ledger, CRD_E_UNIT, "no unit of work is open");
    crd__unit_back(ledger, &nothing);
    crd__unit_forget(ledger);
    return CRD_OK;
}
