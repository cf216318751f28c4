"""Reports, postings and plans as iterators."""
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal as D
import gc

import pytest

import credits
from credits import (By, CreditState, EntryType, GLRole, InvoiceState, Kind, LeftOut, PlanState, ReportKind, RowLine)

TODAY = date(2026, 3, 10)


@pytest.fixture
def book(ledger):
    ledger.add_customer("ACME", name="Acme", location="north")
    ledger.add_customer("BETA", name="Beta", location="south")
    ledger.issue_credit("ACME", "memo", "EUR", "45.50", reason="two chairs", id="M1", source="returns")
    ledger.issue_credit("ACME", "payment", "EUR", 20, id="P1", receipt="R1", method="check", payment_info="4711")
    ledger.enter_invoice("ACME", "EUR", 120, id="I1", due=date(2026, 2, 1), on=date(2026, 1, 5))
    ledger.enter_invoice("BETA", "JPY", 7000, id="I2", due=date(2026, 4, 1))
    ledger.issue_credit("BETA", "goodwill", "JPY", 500, reason="late", id="G1")
    return ledger


def test_lists(book):
    assert [row.customer_record.name for row in book.customers()] == ["Acme", "Beta"]
    assert [(row.customer, row.currency, row.amount) for row in book.accounts()] == [
        ("ACME", "EUR", D("54.50")), ("BETA", "JPY", D(6500))]
    assert [row.credit.id for row in book.credits("ACME")] == ["M1", "P1"]
    assert [row.id for row in book.credits(states=[CreditState.SPENT])] == []
    assert [row.id for row in book.credits(source="returns")] == ["M1"]
    assert [(row.id, row.invoice.due) for row in book.invoices(states="open")] == [
        ("I1", date(2026, 2, 1)), ("I2", date(2026, 4, 1))]
    assert [row.id for row in book.invoices(states={InvoiceState.PAID, "voided"})] == []
    assert [row.receipt.payment_info for row in book.receipts(method="check")] == ["4711"]
    assert sorted((row.kind, row.id, row.amount) for row in book.open_items("ACME")) == [
        (Kind.CREDIT, "M1", D("-45.5")), (Kind.CREDIT, "P1", D(-20)), (Kind.INVOICE, "I1", D(120))]


def test_history_and_statement(book):
    assert [row.entry.type for row in book.history("ACME", kind=Kind.CREDIT, id="M1")] == [EntryType.ISSUE]
    rows = list(book.history("ACME", "EUR"))
    assert [row.entry.seq for row in rows] == list(range(1, len(rows) + 1))
    statement = list(book.statement("ACME", date(2026, 2, 1), TODAY))
    assert [(row.line, row.balance) for row in statement] == [
        (RowLine.OPENING, 120), (RowLine.ENTRY, D("74.50")), (RowLine.ENTRY, D("54.50")), (RowLine.CLOSING, D("54.50"))]


def test_aging_and_figures(book):
    acme, beta = book.aging(TODAY)
    assert acme.buckets == (0, 0, 120, 0, 0, -20, D("-45.5")) and sum(acme.buckets) == acme.amount
    assert beta.buckets[0] == 7000
    own, _ = book.aging(TODAY, buckets=[0, 7])
    assert own.buckets == (0, 0, 120, -20, D("-45.5"))
    overdue, = book.report(ReportKind.OVERDUE, on=TODAY)
    assert overdue.figures["overdue"] == 120 and set(overdue.figures) == {"open", "overdue", "credit", "after",
                                                                          "overdue_after"}
    totals = {row.currency: row.figures for row in book.report("totals", on=TODAY)}
    assert totals["EUR"]["active"] == 2 and isinstance(totals["EUR"]["active"], int)
    assert str(totals["EUR"]["issued"]) == "65.50" and str(totals["JPY"]["issued"]) == "500"
    by = list(book.report("totals", on=TODAY, by=By.CUSTOMER | By.STATE))
    assert {row.customer for row in by} == {"ACME", "BETA"}
    takings, = book.report("takings", on=TODAY)
    assert (takings.method, takings.reference, takings.amount) == ("check", "4711", 20)


def test_every_report_opens(book):
    for report in ReportKind:
        spec = {}
        if report in (ReportKind.HISTORY, ReportKind.LINES):
            spec = dict(customer="ACME", kind=Kind.INVOICE, id="I1")
        for row in book.report(report, **spec):
            assert isinstance(row, credits.Row)
    with pytest.raises(ValueError):
        book.report("nonsense")
    with pytest.raises(credits.ArgumentError):
        book.history("ACME")


def test_as_it_was_known(book):
    later = datetime(2026, 3, 11, tzinfo=timezone.utc)
    book.credit("ACME", "M1").void(at=later)
    assert [row.credit.remaining for row in book.credits("ACME")] == [0, 20]
    before = book.credits("ACME", known_at=later - timedelta(hours=1), on=TODAY)
    assert [row.credit.remaining for row in before] == [D("45.5"), 20]


def test_a_report_is_closed_at_its_end_or_before(book):
    rows = book.credits()
    assert next(rows).id == "M1"
    with rows:
        next(rows)
    assert list(rows) == []
    rows.close()
    state = book._state
    gc.collect()
    book.balance("ACME", "EUR")
    lent = len(state.live)
    for _ in range(5):
        next(book.credits())
        book.credit("ACME", "M1")
    gc.collect()
    book.balance("ACME", "EUR")  # what was collected is freed before the next call
    assert len(state.live) == lent


def test_postings(book):
    rows = list(book.postings(customer="ACME", accounts={GLRole.RECEIVABLE: "Debtors", "sales": "Sales"}))
    assert {row.account for row in rows if row.role == GLRole.RECEIVABLE} == {"Debtors"}
    sums = {}
    for row in rows:
        sums[row.entry.seq] = sums.get(row.entry.seq, 0) + row.amount
        assert row.customer == "ACME" and row.currency == "EUR"
    assert set(sums.values()) == {0}
    text = book.export_postings("beancount", currency="EUR")
    assert "45.50 EUR" in text and "open" in text
    pieces = []
    assert book.export_postings("beancount", pieces.append, currency="EUR") == ""
    assert b"".join(pieces).decode() == text


def test_a_plan_is_walked_edited_and_committed(book):
    with book.plan(use_cash=True, with_customers=True) as plan:
        acme, beta = plan
        assert (acme.customer.name, acme.state, acme.applied) == ("Acme", PlanState.PROPOSED, D("65.50"))
        assert [(a.credit.id, a.invoice.id, a.amount) for a in acme.applications] == [
            ("M1", "I1", D("45.5")), ("P1", "I1", D(20))]
        assert [(i.kind, i.open, i.proposed, i.left_out) for i in acme.items if i.invoice] == [
            (Kind.INVOICE, 120, D("65.5"), LeftOut.NO_COUNTERPART)]
        for account in plan:
            if account.account.customer == "ACME":
                edited = plan.edit(1, 5)
                assert edited.applied == D("50.50")
                with pytest.raises(credits.CreditAmountError) as caught:
                    plan.edit(0, 46)
                assert caught.value.limit == D("45.50")
            else:
                assert plan.skip().state == PlanState.SKIPPED
        done = plan.commit(key="run 1")
        assert (done.posted, done.skipped, done.applications, done.receipts) == (1, 1, 2, 1)
        acme, beta = plan
        assert (acme.state, beta.state) == (PlanState.POSTED, PlanState.SKIPPED)
        receipt = book.receipt("ACME", acme.receipt)
    assert receipt.record.applied == D("50.50")
    with pytest.raises(ValueError, match="closed"):
        plan.skip()
    receipt.undo()
    assert book.balance("ACME", "EUR").balance == D("54.50") and book.credit("ACME", "P1").remaining == 20


def test_reconcile(book):
    told = []
    done = book.reconcile(posted=told.append, customers=["ACME"], tolerance=100, currency="EUR")
    assert (done.posted, done.write_offs) == (1, 1)
    assert (told[0].applied, told[0].written_off, told[0].state) == (D("45.50"), D("74.50"), PlanState.POSTED)
    items = [(Kind.CREDIT, "BETA", "G1"), ("invoice", "BETA", "I2")]
    assert book.reconcile(items=items, on=TODAY).applications == 1
    assert book.reconcile(by=credits.Request(on=TODAY)).applications == 0
    assert book.reconcile().posted == 0
    with pytest.raises(ValueError):
        book.reconcile(tolerance=1)
    with pytest.raises(TypeError):
        book.reconcile(customers="ACME")


def test_a_plan_that_another_writer_overtook(book, storage):
    with book.plan() as plan:
        accounts = list(plan)
        with credits.Ledger(storage, actor="other") as other:
            other.credit("ACME", "M1").void()
        done = plan.commit()
        assert (done.posted, done.conflicted) == (1, 1)
        assert [account.state for account in plan] == [PlanState.CONFLICTED, PlanState.POSTED]
        assert len(accounts) == 2
