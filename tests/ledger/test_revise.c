/*
 * Revised invoices: what comes off, what comes back, what is refused.
 */
#include "support/change.h"

START_TEST(R15_R16_a_discount_after_payment_makes_the_surplus_available_again) {
    world *w = world_open(_i);
    crd_invoice *i;
    crd_credit *k;
    crd_revise_terms t = revise_terms(70);
    crd_result r = result_block();
    int64_t seq;
    book *b;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 100, 0, 30);
    k = cash(w, "c1", "M", 100, 0);
    seq = apply(w, k, i, 100, 1);
    t.tax = 11;
    t.reason = "three for two";
    t.text = "as agreed";
    t.due = DAY(40);
    OK(w, crd_invoice_revise(w->ledger, on(2), i, &t, &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 30);
    ck_assert_uint_eq(r.warnings, 0); /* no line was removed */
    b = world_book(w);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", r.first_seq)->type, CRD_ENTRY_UNAPPLY);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq)->undoes, seq);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq)->amount, 30);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", r.first_seq)->flags & CRD_ENTRY_CONSEQUENCE, CRD_ENTRY_CONSEQUENCE);
    ck_assert_str_eq(book_entry(b, "c1", "EUR", r.first_seq)->invoice, "I");
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", r.last_seq)->type, CRD_ENTRY_REVISE);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.last_seq)->amount, 30);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.last_seq)->figure_before, 100);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.last_seq)->figure_after, 70);
    ck_assert_str_eq(book_entry(b, "c1", "EUR", r.last_seq)->reference, "three for two");
    ck_assert_int_eq(book_invoice(b, "c1", "I")->total, 70);
    ck_assert_int_eq(book_invoice(b, "c1", "I")->tax, 11);
    ck_assert_int_eq(book_invoice(b, "c1", "I")->due, DAY(40));
    ck_assert_str_eq(book_invoice(b, "c1", "I")->text, "as agreed");
    ck_assert_int_eq(book_invoice(b, "c1", "I")->applied, 70);
    ck_assert_uint_eq(book_invoice(b, "c1", "I")->state, CRD_INVOICE_PAID);
    ck_assert_uint_eq(book_invoice(b, "c1", "I")->revision, 1);
    ck_assert_int_eq(book_credit(b, "c1", "M")->remaining, 30);
    book_free(b);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 2).available, 30);
    crd_invoice_free(i);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(M12_write_offs_go_first_then_applications_newest_first_of_the_last_a_part) {
    world *w = world_open(_i);
    crd_invoice *i;
    crd_credit *k[3];
    crd_result r;
    int64_t seq[3], off;
    book *b;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 100, 0, 30);
    off = write_off(w, i, 10, CRD_CAUSE_TOLERANCE, 1);
    for (int n = 0; n < 3; n++) {
        k[n] = memo(w, "c1", NULL, 30, 0);
        seq[n] = apply(w, k[n], i, 30, 1);
    }
    ck_assert_uint_eq(crd_invoice_get(i)->state, CRD_INVOICE_PAID);
    r = revise(w, i, 95, 2); /* 5 of the write-off are enough */
    ck_assert_int_eq(r.amount, 0);
    ck_assert_int_eq(crd_invoice_get(i)->written_off, 5);
    ck_assert_int_eq(crd_invoice_get(i)->applied, 90);
    r = revise(w, i, 50, 3); /* the other 5, 30 of the third, 10 of the second */
    ck_assert_int_eq(r.amount, 40);
    b = world_book(w);
    ck_assert_int_eq(r.last_seq - r.first_seq, 3);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq)->undoes, off);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq + 1)->undoes, seq[2]);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq + 1)->amount, 30);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq + 2)->undoes, seq[1]);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq + 2)->amount, 10);
    book_free(b);
    ck_assert_int_eq(crd_invoice_get(i)->open, 0);
    ck_assert_int_eq(crd_credit_get(k[0])->remaining, 0);
    ck_assert_int_eq(crd_credit_get(k[1])->remaining, 10);
    ck_assert_int_eq(crd_credit_get(k[2])->remaining, 30);
    r = revise(w, i, 120, 4);
    ck_assert_int_eq(r.amount, 0); /* nothing is applied anew */
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 70);
    ck_assert_uint_eq(stored_invoice(w, "c1", "I").state, CRD_INVOICE_OPEN);
    revise(w, i, 0, 5);
    ck_assert_uint_eq(stored_invoice(w, "c1", "I").state, CRD_INVOICE_PAID);
    ck_assert_int_eq(crd_credit_get(k[0])->remaining, 30);
    crd_invoice_free(i);
    for (int n = 0; n < 3; n++) crd_credit_free(k[n]);
    world_close(w);
}
END_TEST

START_TEST(M5_what_is_left_names_the_state_of_a_revised_invoice) {
    world *w = world_open(_i);
    crd_invoice *i;
    crd_credit *k;
    customer(w, "c1");
    i = invoice(w, "c1", "bad", 100, 0, 30);
    write_off(w, i, 100, 0, 1);
    revise(w, i, 60, 2); /* 60 are bad debt still */
    ck_assert_uint_eq(stored_invoice(w, "c1", "bad").state, CRD_INVOICE_WRITTEN_OFF);
    ck_assert_int_eq(stored_invoice(w, "c1", "bad").written_off, 60);
    crd_invoice_free(i);
    i = invoice(w, "c1", "half", 100, 0, 30);
    k = memo(w, "c1", "K", 60, 0);
    apply(w, k, i, 60, 1);
    write_off(w, i, 40, 0, 1);
    ck_assert_uint_eq(stored_invoice(w, "c1", "half").state, CRD_INVOICE_WRITTEN_OFF);
    revise(w, i, 60, 2); /* no debt is left that was bad */
    ck_assert_uint_eq(stored_invoice(w, "c1", "half").state, CRD_INVOICE_PAID);
    ck_assert_int_eq(stored_invoice(w, "c1", "half").applied, 60);
    crd_invoice_free(i);
    i = invoice(w, "c1", "part", 100, 0, 30);
    write_off(w, i, 30, 0, 1);
    revise(w, i, 30, 2);
    ck_assert_uint_eq(stored_invoice(w, "c1", "part").state, CRD_INVOICE_WRITTEN_OFF);
    crd_invoice_free(i);
    i = invoice(w, "c1", "small", 100, 0, 30); /* a tolerance is no bad debt */
    write_off(w, i, 30, CRD_CAUSE_TOLERANCE, 1);
    revise(w, i, 30, 2);
    ck_assert_uint_eq(stored_invoice(w, "c1", "small").state, CRD_INVOICE_PAID);
    ck_assert_uint_eq(stored_invoice(w, "c1", "small").cause, CRD_CAUSE_TOLERANCE);
    crd_invoice_free(i);
    i = invoice(w, "c1", "rest", 100, 0, 30); /* the credit was first, bad debt settled the last of it */
    crd_credit_free(k);
    k = memo(w, "c1", "L", 60, 0);
    apply(w, k, i, 60, 2);
    write_off(w, i, 30, 0, 2);
    revise(w, i, 90, 2);
    ck_assert_uint_eq(stored_invoice(w, "c1", "rest").state, CRD_INVOICE_WRITTEN_OFF);
    crd_invoice_free(i);
    i = invoice(w, "c1", "nothing", 100, 0, 30); /* nothing settled it */
    revise(w, i, 0, 2);
    ck_assert_uint_eq(stored_invoice(w, "c1", "nothing").state, CRD_INVOICE_PAID);
    ck_assert_uint_eq(stored_invoice(w, "c1", "nothing").cause, CRD_CAUSE_NONE);
    crd_invoice_free(i);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(M6_M12_a_revision_takes_one_date_the_latest_of_what_it_touches) {
    world *w = world_open(_i);
    crd_invoice *i;
    crd_credit *k;
    crd_revise_terms t = revise_terms(40);
    crd_result r;
    book *b;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 100, 0, 30);
    k = memo(w, "c1", "K", 80, 0);
    apply(w, k, i, 70, 1);
    apply(w, k, NULL, 10, 9);
    REFUSED(w, crd_invoice_revise(w->ledger, on(0), i, &t, NULL), CRD_E_DATE); /* the invoice's own last day */
    FIGURES(w, DAY(1), DAY(0));
    r = revise(w, i, 40, 3);
    b = world_book(w);
    for (int64_t seq = r.first_seq; seq <= r.last_seq; seq++)
        ck_assert_int_eq(book_entry(b, "c1", "EUR", seq)->business_date, DAY(9));
    book_free(b);
    r = revise(w, i, 50, 10);
    b = world_book(w);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq)->business_date, DAY(10));
    book_free(b);
    crd_invoice_free(i);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R78_M12_an_invoice_of_a_closed_period_is_revised_in_the_open_one) {
    world *w = world_open(_i);
    crd_settings s;
    crd_revise_terms t = revise_terms(40);
    crd_invoice *i;
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    s.closed_through = DAY(10);
    customer(w, "c1");
    i = invoice(w, "c1", "I", 100, 0, 30);
    OK(w, crd_ledger_configure(w->ledger, &s));
    REFUSED(w, crd_invoice_revise(w->ledger, on(10), i, &t, NULL), CRD_E_CLOSED);
    FIGURES(w, DAY(10), DAY(10));
    revise(w, i, 40, 11);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").issued, DAY(0));
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 40);
    REFUSED(w, crd_invoice_void(w->ledger, on(11), i, 0, NULL), CRD_E_CLOSED);
    ck_assert_ptr_nonnull(strstr(crd_ledger_error(w->ledger)->message, "credit memo"));
    ck_assert_ptr_nonnull(strstr(crd_ledger_error(w->ledger)->message, "reverse"));
    ck_assert_ptr_nonnull(strstr(crd_ledger_error(w->ledger)->message, "write it off"));
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R15_R17_lines_come_off_and_on_and_the_policy_decides_after_the_day) {
    static const uint32_t policies[] = {CRD_LINES_WARN, CRD_LINES_ALLOW, CRD_LINES_REFUSE};
    static const int64_t second[] = {2}, first[] = {1};
    world *w = world_open(_i);
    crd_line_terms cheaper = line_terms("A", 5, 450), fewer = line_terms("A", 4, 400);
    const crd_line_terms *add[1];
    crd_settings s;
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    customer(w, "c1");
    for (int n = 0; n < 3; n++) {
        char id[] = "I0";
        crd_revise_terms t = revise_terms(700);
        crd_result r = result_block();
        crd_invoice *i;
        id[1] = (char)('0' + n);
        i = lined_invoice(w, "c1", id, 0);
        s.line_policy = policies[n];
        OK(w, crd_ledger_configure(w->ledger, &s));
        t.end_lines = second;
        t.end_line_count = 1;
        if (policies[n] == CRD_LINES_REFUSE) {
            REFUSED(w, crd_invoice_revise(w->ledger, on(1), i, &t, NULL), CRD_E_WINDOW);
            FIGURES(w, DAY(0), DAY(1));
            ck_assert_ptr_nonnull(strstr(crd_ledger_error(w->ledger)->message, "credit memo"));
            OK(w, crd_invoice_revise(w->ledger, on(0), i, &t, &r)); /* on the day itself it may go */
        } else {
            OK(w, crd_invoice_revise(w->ledger, on(1), i, &t, &r));
        }
        world_check(w);
        ck_assert_uint_eq(r.warnings, policies[n] == CRD_LINES_WARN ? CRD_WARN_LINE_REMOVED : 0);
        ck_assert_uint_eq(stored_invoice(w, "c1", id).line_count, 3); /* it ended, and is there */
        add[0] = &cheaper;
        t = revise_terms(650);
        t.end_lines = first;
        t.end_line_count = 1;
        t.add_lines = add;
        t.add_line_count = 1;
        r = result_block();
        OK(w, crd_invoice_revise(w->ledger, on(2), i, &t, &r)); /* no less of it: a discount, under every policy */
        world_check(w);
        ck_assert_uint_eq(r.warnings, 0);
        ck_assert_uint_eq(stored_invoice(w, "c1", id).line_count, 4);
        crd_invoice_free(i);
    }
    s.line_policy = CRD_LINES_WARN;
    OK(w, crd_ledger_configure(w->ledger, &s));
    {
        static const int64_t fourth[] = {4};
        crd_invoice *i = find_invoice(w->ledger, "c1", "I0");
        crd_revise_terms t = revise_terms(600);
        crd_result r = result_block();
        add[0] = &fewer;
        t.end_lines = fourth;
        t.end_line_count = 1;
        t.add_lines = add;
        t.add_line_count = 1;
        OK(w, crd_invoice_revise(w->ledger, keyed(3, "k"), i, &t, &r)); /* one less of it is a removal */
        ck_assert_uint_eq(r.warnings, CRD_WARN_LINE_REMOVED);
        ck_assert_ptr_nonnull(strstr(crd_warning_text(r.warnings), "return"));
        ck_assert_ptr_nonnull(strstr(crd_warning_text(r.warnings), "credit memo"));
        ck_assert_str_ne(crd_warning_text(0), crd_warning_text(r.warnings));
        r = result_block();
        OK(w, crd_invoice_revise(w->ledger, keyed(3, "k"), i, &t, &r));
        ck_assert_uint_eq(r.repeated, 1);
        ck_assert_uint_eq(r.warnings, CRD_WARN_LINE_REMOVED); /* the first result again */
        fewer.amount = 399;
        ENDS(w->ledger, crd_invoice_revise(w->ledger, keyed(3, "k"), i, &t, &r), CRD_E_KEY_REUSED);
        FIELD(w, "terms.lines");
        crd_invoice_free(i);
    }
    s.line_policy = 3;
    ENDS(w->ledger, crd_ledger_configure(w->ledger, &s), CRD_E_ARGUMENT);
    FIELD(w, "settings.line_policy");
    world_close(w);
}
END_TEST

/* What is added makes up for what ends once, however many lines that is. */
START_TEST(R17_one_line_does_not_stand_for_two_that_were_removed) {
    static const int64_t both[] = {1, 2};
    world *w = world_open(_i);
    crd_line_terms five = line_terms("A", 5, 50), two = line_terms("A", 2, 20), three = line_terms("A", 3, 30);
    const crd_line_terms *sold[2], *one[1], *parts[2];
    crd_invoice_terms sale = invoice_terms("I", 100);
    crd_invoice *i;
    crd_revise_terms t = revise_terms(50);
    crd_settings s;
    crd_result r = result_block();
    sold[0] = sold[1] = one[0] = &five;
    parts[0] = &two;
    parts[1] = &three;
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    s.line_policy = CRD_LINES_REFUSE;
    customer(w, "c1");
    sale.lines = sold;
    sale.line_count = 2;
    OK(w, crd_invoice_enter(w->ledger, on(0), "c1", &sale, &i));
    OK(w, crd_ledger_configure(w->ledger, &s));
    t.end_lines = both;
    t.end_line_count = 2;
    t.add_lines = one;
    t.add_line_count = 1;
    REFUSED(w, crd_invoice_revise(w->ledger, on(1), i, &t, &r), CRD_E_WINDOW);
    /* five in two lines are five */
    t.end_line_count = 1;
    t.add_lines = parts;
    t.add_line_count = 2;
    t.total = 100;
    OK(w, crd_invoice_revise(w->ledger, on(1), i, &t, &r));
    world_check(w);
    ck_assert_uint_eq(r.warnings, 0);
    /* words count where there is no number */
    five.sku = two.sku = three.sku = NULL;
    five.text = "a chair";
    two.text = three.text = "a table";
    sale.id = "J";
    OK(w, crd_invoice_enter(w->ledger, on(1), "c1", &sale, NULL));
    crd_invoice_free(i);
    i = find_invoice(w->ledger, "c1", "J");
    REFUSED(w, crd_invoice_revise(w->ledger, on(2), i, &t, &r), CRD_E_WINDOW);
    two.text = three.text = "a chair";
    OK(w, crd_invoice_revise(w->ledger, on(2), i, &t, &r));
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(M16_to_leave_a_text_and_to_clear_it_are_two_commands) {
    world *w = world_open(_i);
    crd_invoice *i;
    crd_customer *c = NULL;
    crd_revise_terms t = revise_terms(90);
    crd_customer_change_terms change;
    crd_result r = result_block();
    customer(w, "c1");
    i = invoice(w, "c1", "I", 100, 0, 30);
    OK(w, crd_invoice_revise(w->ledger, keyed(1, "k"), i, &t, &r));
    t.text = "";
    REFUSED(w, crd_invoice_revise(w->ledger, keyed(1, "k"), i, &t, &r), CRD_E_KEY_REUSED);
    FIELD(w, "terms.text");
    t.text = NULL;
    t.reference = "";
    REFUSED(w, crd_invoice_revise(w->ledger, keyed(1, "k"), i, &t, &r), CRD_E_KEY_REUSED);
    FIELD(w, "terms.reference");
    memset(&change, 0, sizeof change);
    change.struct_size = sizeof change;
    change.name = "Acme";
    OK(w, crd_customer_find(w->ledger, "c1", &c));
    OK(w, crd_customer_change(w->ledger, keyed(1, "c"), c, &change, &r));
    change.location = "";
    REFUSED(w, crd_customer_change(w->ledger, keyed(1, "c"), c, &change, &r), CRD_E_KEY_REUSED);
    FIELD(w, "change.location");
    crd_customer_free(c);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(M16_a_revision_is_refused_in_the_order_of_reasons) {
    static const int64_t none[] = {9}, first[] = {1}, twice[] = {1, 1};
    world *w = world_open(_i);
    crd_revise_terms t = revise_terms(500);
    crd_invoice *i, *gone;
    customer(w, "c1");
    i = lined_invoice(w, "c1", "I", 0);
    gone = invoice(w, "c1", "V", 100, 0, 30);
    void_invoice(w, gone, 0);
    REFUSED(w, crd_invoice_revise(w->ledger, on(1), i, NULL, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms");
    REFUSED(w, crd_invoice_revise(w->ledger, on(1), i, &t, NULL), CRD_E_ARGUMENT); /* the lines say 1000 */
    FIELD(w, "terms.total");
    FIGURES(w, 1000, 500);
    t.total = -1;
    REFUSED(w, crd_invoice_revise(w->ledger, on(1), i, &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.total");
    t.total = 5;
    t.tax = 6;
    REFUSED(w, crd_invoice_revise(w->ledger, on(1), i, &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.tax");
    t.tax = 0;
    t.flags = CRD_REVISE_DISPUTED | CRD_REVISE_UNDISPUTED;
    REFUSED(w, crd_invoice_revise(w->ledger, on(1), i, &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.flags");
    t.flags = 0;
    t.end_line_count = 1;
    REFUSED(w, crd_invoice_revise(w->ledger, on(1), i, &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.end_lines");
    t.end_lines = none;
    REFUSED(w, crd_invoice_revise(w->ledger, on(1), i, &t, NULL), CRD_E_NOT_FOUND);
    FIELD(w, "terms.end_lines");
    t.end_lines = twice;
    t.end_line_count = 2;
    REFUSED(w, crd_invoice_revise(w->ledger, on(1), i, &t, NULL), CRD_E_NOT_FOUND);
    t.end_lines = first;
    t.end_line_count = 1;
    t.total = 500;
    OK(w, crd_invoice_revise(w->ledger, on(1), i, &t, NULL));
    REFUSED(w, crd_invoice_revise(w->ledger, on(1), i, &t, NULL), CRD_E_NOT_FOUND); /* it has ended */
    t = revise_terms(90);
    REFUSED(w, crd_invoice_revise(w->ledger, on(-1), gone, &t, NULL), CRD_E_STATE);
    FIGURES(w, 0, CRD_INVOICE_VOIDED);
    t = revise_terms(500);
    REFUSED(w, crd_invoice_revise(w->ledger, on(1), i, &t, NULL), CRD_E_NOTHING); /* the same thing twice */
    t.flags = CRD_REVISE_DISPUTED;
    OK(w, crd_invoice_revise(w->ledger, on(1), i, &t, NULL));
    ck_assert_uint_eq(crd_invoice_get(i)->flags, CRD_FLAG_DISPUTED);
    REFUSED(w, crd_invoice_revise(w->ledger, on(1), i, &t, NULL), CRD_E_NOTHING);
    t.flags = CRD_REVISE_UNDISPUTED;
    OK(w, crd_invoice_revise(w->ledger, on(1), i, &t, NULL));
    ck_assert_uint_eq(crd_invoice_get(i)->flags, 0);
    world_check(w);
    crd_invoice_free(i);
    crd_invoice_free(gone);
    world_close(w);
}
END_TEST

START_TEST(M9_a_draft_is_revised_and_counts_nowhere_still) {
    world *w = world_open(_i);
    crd_invoice *i;
    customer(w, "c1");
    i = invoice_as(w, "c1", "D", CRD_INVOICE_INVOICE, 100, 0, 30, CRD_INVOICE_AS_DRAFT);
    revise(w, i, 250, 1);
    ck_assert_uint_eq(stored_invoice(w, "c1", "D").state, CRD_INVOICE_DRAFT);
    ck_assert_int_eq(stored_invoice(w, "c1", "D").open, 0);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 1).balance, 0);
    send_invoice(w, i, 2);
    ck_assert_int_eq(stored_invoice(w, "c1", "D").open, 250);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R60_a_revision_that_would_overflow_is_refused) {
    world *w = world_open(_i);
    crd_revise_terms t = revise_terms(CRD_MAX_AMOUNT);
    crd_invoice *i;
    customer(w, "c1");
    crd_invoice_free(invoice(w, "c1", "A", CRD_MAX_AMOUNT, 0, 30));
    crd_invoice_free(invoice(w, "c1", "B", CRD_MAX_AMOUNT, 0, 30));
    i = invoice(w, "c1", "C", 100, 0, 30);
    REFUSED(w, crd_invoice_revise(w->ledger, on(1), i, &t, NULL), CRD_E_OVERFLOW);
    t.total = CRD_MAX_AMOUNT + 1;
    REFUSED(w, crd_invoice_revise(w->ledger, on(1), i, &t, NULL), CRD_E_ARGUMENT);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(M8_M12_what_a_revision_frees_of_an_expired_credit_expires) {
    world *w = world_open(_i);
    crd_invoice *i;
    crd_credit *p;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 100, 0, 30);
    p = promise(w, "c1", "P", 100, 0, 10);
    apply(w, p, i, 100, 1);
    revise(w, i, 60, 12);
    ck_assert_int_eq(stored_credit(w, "c1", "P").expired, 40);
    ck_assert_int_eq(stored_credit(w, "c1", "P").remaining, 0);
    ck_assert_int_eq(stored_credit(w, "c1", "P").applied, 60);
    crd_invoice_free(i);
    crd_credit_free(p);
    world_close(w);
}
END_TEST

/* Museum 20: A paid invoice was made smaller and went below zero. Naive rule: open = new total - payments. */
START_TEST(museum_20_a_paid_invoice_that_shrinks_never_goes_below_zero) {
    world *w = world_open(_i);
    crd_invoice *i;
    crd_credit *k;
    int64_t naive;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 100, 0, 30);
    k = cash(w, "c1", "K", 100, 0);
    apply(w, k, i, 100, 1);
    naive = 80 - crd_invoice_get(i)->applied;
    ck_assert_int_eq(naive, -20); /* the new total less what was paid */
    revise(w, i, 80, 2);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 0);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 20); /* and the money is not stuck */
    crd_invoice_free(i);
    i = invoice(w, "c1", "J", 20, 2, 30);
    apply(w, k, i, 20, 2);
    crd_invoice_free(i);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

/* Museum 30: The same after a payment, a return and a revision. Naive rule: the letter takes the total, or the last
 * payment. */
START_TEST(museum_30_what_is_asked_for_is_what_is_open_after_every_change) {
    world *w = world_open(_i);
    crd_invoice *i;
    crd_credit *k;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 100, 0, 30);
    k = cash(w, "c1", "K", 100, 0);
    apply(w, k, i, 100, 1);
    revise(w, i, 130, 2);
    ck_assert_int_eq(crd_invoice_get(i)->open, 30); /* not the 130 it is about, and not the 100 that were paid */
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 30);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 2).outstanding, 30);
    crd_invoice_free(i);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("revise");
    TCase *t = tcase_create("revise");
    tcase_add_loop_test(t, R15_R16_a_discount_after_payment_makes_the_surplus_available_again, 0, STORES);
    tcase_add_loop_test(t, M12_write_offs_go_first_then_applications_newest_first_of_the_last_a_part, 0, STORES);
    tcase_add_loop_test(t, M5_what_is_left_names_the_state_of_a_revised_invoice, 0, STORES);
    tcase_add_loop_test(t, M6_M12_a_revision_takes_one_date_the_latest_of_what_it_touches, 0, STORES);
    tcase_add_loop_test(t, R78_M12_an_invoice_of_a_closed_period_is_revised_in_the_open_one, 0, STORES);
    tcase_add_loop_test(t, R15_R17_lines_come_off_and_on_and_the_policy_decides_after_the_day, 0, STORES);
    tcase_add_loop_test(t, R17_one_line_does_not_stand_for_two_that_were_removed, 0, STORES);
    tcase_add_loop_test(t, M16_to_leave_a_text_and_to_clear_it_are_two_commands, 0, STORES);
    tcase_add_loop_test(t, M16_a_revision_is_refused_in_the_order_of_reasons, 0, STORES);
    tcase_add_loop_test(t, M9_a_draft_is_revised_and_counts_nowhere_still, 0, STORES);
    tcase_add_loop_test(t, R60_a_revision_that_would_overflow_is_refused, 0, STORES);
    tcase_add_loop_test(t, M8_M12_what_a_revision_frees_of_an_expired_credit_expires, 0, STORES);
    tcase_add_loop_test(t, museum_20_a_paid_invoice_that_shrinks_never_goes_below_zero, 0, STORES);
    tcase_add_loop_test(t, museum_30_what_is_asked_for_is_what_is_open_after_every_change, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
