"""Every command of the interface, on storages in memory, in SQLite and in Python."""
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal as D

import pytest

import credits
from credits import (BulkRow, Cause, CreditKind, CreditState, EntryType, InvoiceState, Kind, Line, ReceiptLine,
                     ReceiptState, Request, Switch)

from conftest import NOON

TODAY = date(2026, 3, 10)


def entries(ledger, currency="EUR"):
    return [row.entry.type for row in ledger.history("ACME", currency)]


def test_the_example_of_the_package(ledger, acme):
    memo = ledger.issue_credit("ACME", "memo", "EUR", "45.00", reason="two chairs returned")
    bill = ledger.enter_invoice("ACME", "EUR", 120)
    done = memo.apply(bill)
    assert (done.amount, done.first_seq, done.last_seq, done.repeated) == (D("45.00"), 3, 3, False)
    assert (memo.state, memo.available, bill.open, bill.state) == (CreditState.SPENT, 0, D("75.00"), InvoiceState.OPEN)
    assert entries(ledger) == [EntryType.ISSUE, EntryType.INVOICE, EntryType.APPLY]
    assert ledger.balance("ACME", "EUR").balance == D("75.00")
    assert acme.balance("EUR", on=TODAY).outstanding == D("75.00")


def test_a_record_has_the_types_of_python(ledger, acme):
    record = ledger.issue_credit("ACME", CreditKind.GOODWILL, "EUR", D("10.5"), id="G1", reason="late", priority=-2,
                                 expires=date(2026, 12, 31), pays_kinds=["invoice", "fee"], notes="é",
                                 key="k1", note="by phone").record
    assert (record.customer, record.id, record.currency) == ("ACME", "G1", "EUR")
    assert (record.kind, record.credit_class) == (CreditKind.GOODWILL, credits.CreditClass.PROMISE)
    assert (record.original, str(record.original)) == (D("10.5"), "10.50")
    assert (record.issued, record.effective, record.expires) == (TODAY, TODAY, date(2026, 12, 31))
    assert (record.issued_at, record.priority, record.notes) == (NOON, -2, "é")
    assert record.pays_kinds == 1 << 1 | 1 << 4
    assert record.lines_digest == bytes(32)
    entry, = (row.entry for row in ledger.history("ACME", "EUR"))
    assert (entry.actor, entry.note, entry.instant, entry.business_date) == ("till 1", "by phone", NOON, TODAY)
    assert len(entry.hash) == 32 and entry.image


def test_customer_change_and_switches(ledger, acme):
    assert (acme.record.name, acme.id) == ("Acme & Sons", "ACME")
    done = acme.change(category="trade", set=Switch.AUTO_APPLY_ON)
    assert done.first_seq == 2
    assert (acme.record.category, acme.record.name, acme.record.switches) == ("trade", "Acme & Sons",
                                                                              Switch.AUTO_APPLY_ON)
    acme.change(name="")
    assert acme.record.name == ""
    bill = ledger.enter_invoice("ACME", "EUR", 5)
    ledger.issue_credit("ACME", "memo", "EUR", 5, reason="r")
    assert bill.refresh().state == InvoiceState.PAID
    with pytest.raises(credits.ExistsError):
        ledger.add_customer("ACME")
    with pytest.raises(credits.NotFoundError):
        ledger.customer("NOBODY")
    assert ledger.customer("ACME").record.created_at == NOON


def test_refund_and_its_undo(ledger, acme):
    payment = ledger.issue_credit("ACME", "payment", "EUR", 30, method="check")
    done = payment.refund(12, reference="T1")
    assert payment.remaining == 18
    ledger.undo("ACME", "EUR", done.first_seq)
    assert payment.remaining == 30 and payment.record.refunded == 0
    goodwill = ledger.issue_credit("ACME", "goodwill", "EUR", 3, reason="r")
    with pytest.raises(credits.NotRefundableError):
        goodwill.refund()
    assert goodwill.refund(override=True).amount == 3


def test_void_delete_and_adjust(ledger, acme):
    a = ledger.issue_credit("ACME", "memo", "EUR", 10, reason="r", id="A")
    assert a.void(4).amount == 4
    assert (a.remaining, a.record.voided) == (6, 4)
    b = ledger.issue_credit("ACME", "memo", "EUR", 7, reason="r", id="B")
    assert b.delete().amount == 7
    assert [row.id for row in ledger.credits("ACME")] == ["A"]
    assert ledger.adjust_credit("ACME", "EUR", "2.50", reason="agreed").amount == D("-3.50")
    assert ledger.balance("ACME", "EUR").available == D("2.50")
    assert ledger.adjust_credit("ACME", "EUR", "2.50", reason="agreed").last_seq == 0


def test_transfer(ledger, acme):
    ledger.add_customer("BETA")
    here = ledger.issue_credit("ACME", "payment", "EUR", 20)
    there = here.transfer("BETA", 8, id="T")
    assert (there.customer, there.id, there.remaining, here.remaining) == ("BETA", "T", 8, 12)
    assert credits.Flag.TRANSFERRED_IN in there.record.flags
    assert there.result.amount == 8
    ledger.undo("ACME", "EUR", there.result.first_seq)
    assert here.remaining == 20 and there.refresh().remaining == 0


def test_holds_and_allocations(ledger, acme):
    memo = ledger.issue_credit("ACME", "memo", "EUR", 50, reason="r")
    hold = memo.hold(20, lapses_at=NOON + timedelta(days=3))
    assert (hold.record.amount, memo.available, memo.remaining) == (20, 30, 50)
    assert hold.record.lapses_on == date(2026, 3, 13)
    bill = ledger.enter_invoice("ACME", "EUR", 15)
    assert hold.capture(bill, 15).amount == 15
    assert hold.release().amount == 5
    order = ledger.enter_invoice("ACME", "EUR", 100, draft=True, id="O1")
    allocation = memo.hold(draft=order)
    assert allocation.record.amount == 35 and allocation.record.invoice == "O1"
    assert order.state == InvoiceState.DRAFT and order.record.allocated == 35
    order.send()
    assert (order.open, memo.state) == (65, CreditState.SPENT)
    assert ledger.hold("ACME", allocation.id).record.state == credits.HoldState.CAPTURED


def test_lines_revise_and_return(ledger, acme):
    bill = ledger.enter_invoice("ACME", "EUR", "30.00", id="I1", tax="5.00", lines=[
        Line("20.00", quantity=2, sku="CHAIR", unit_price="10.00", tax="3.00"),
        Line("10.00", quantity="0.5", text="delivery", tax="2")])
    lines = [row.document_line for row in bill.lines()]
    assert [(line.sku, line.quantity, line.unit_price, line.amount) for line in lines] == [
        ("CHAIR", D(2), D(10), D(20)), ("", D("0.5"), D(0), D(10))]
    memo = ledger.issue_credit("ACME", "memo", "EUR", "10.00", return_of="I1", reason="one came back",
                               lines=[Line("10.00", quantity=1, origin="I1/1")])
    assert credits.Flag.RETURN in memo.record.flags and bill.refresh().record.returned == 10
    other = ledger.enter_invoice("ACME", "EUR", 9, id="I2", text="nine")
    other.revise(7, due=date(2026, 4, 1), disputed=True, reason="agreed")
    record = other.record
    assert (record.total, record.open, record.due, record.text) == (7, 7, date(2026, 4, 1), "nine")
    assert credits.Flag.DISPUTED in record.flags
    other.revise(disputed=False)
    assert other.record.total == 7
    with pytest.raises(credits.NothingError):
        other.revise(7)
    sale = ledger.enter_invoice("ACME", "EUR", 5, id="I3", lines=[Line(3, sku="A"), Line(2, sku="B")])
    late = sale.revise(3, end_lines=[2], on=date(2029, 1, 1))  # a day after the sale
    assert late.warnings == credits.CommandWarning.LINE_REMOVED and "credit memo" in late.warning


def test_write_off_void_and_reverse_of_invoices(ledger, acme):
    bill = ledger.enter_invoice("ACME", "EUR", 9)
    done = bill.write_off(2, cause=Cause.TOLERANCE)
    assert bill.open == 7
    ledger.undo("ACME", "EUR", done.first_seq, amount=1)
    assert bill.open == 8
    memo = bill.reverse(reason="wrong customer")
    assert memo.record.kind == CreditKind.REVERSED_INVOICE and bill.open == 0
    other = ledger.enter_invoice("ACME", "EUR", 3)
    other.void(strict=True)
    assert other.state == InvoiceState.VOIDED


def test_receipts(ledger, acme):
    first = ledger.enter_invoice("ACME", "EUR", 40, id="I1")
    ledger.enter_invoice("ACME", "EUR", 30, id="I2")
    ledger.issue_credit("ACME", "memo", "EUR", 10, reason="r", id="M1")
    receipt = ledger.enter_receipt("ACME", "EUR", 60, id="R1", method="check", payment_info="4711", lines=[
        ReceiptLine(10, invoice="I1", credit="M1"), ReceiptLine(29, invoice="I1"),
        ReceiptLine(1, invoice="I1", kind="discount"), ReceiptLine(20, invoice="I2")], excess_to_credit=True)
    assert receipt.result.amount == 59
    assert first.refresh().state == InvoiceState.PAID
    assert (receipt.record.amount, receipt.record.payment_info, receipt.record.state) == (60, "4711",
                                                                                          ReceiptState.POSTED)
    payment = ledger.credit("ACME", receipt.record.credit)
    assert payment.remaining == 11
    receipt.reverse(fee=5, fee_id="F1", reason="bounced")
    assert receipt.record.state == ReceiptState.REVERSED
    assert ledger.invoice("ACME", "F1").open == 5 and first.refresh().open == 30
    wrong = ledger.enter_receipt("ACME", "EUR", 7, excess_to_credit=True)
    wrong.undo()
    assert wrong.record.state == ReceiptState.UNDONE
    with pytest.raises(credits.DistributionError) as caught:
        ledger.enter_receipt("ACME", "EUR", 7)
    assert caught.value.given == 7
    spread = ledger.enter_receipt("ACME", "EUR", 5, distribute=True)
    assert spread.result.amount == 5


def test_change_application_and_undo_in_part(ledger, acme):
    memo = ledger.issue_credit("ACME", "memo", "EUR", 50, reason="r")
    bill = ledger.enter_invoice("ACME", "EUR", 50)
    done = memo.apply(bill, 20)
    assert ledger.change_application("ACME", "EUR", done.first_seq, 35).amount == 35
    assert ledger.undo("ACME", "EUR", done.first_seq, 5).amount == 5
    assert (memo.remaining, bill.open) == (20, 20)
    assert memo.apply(None, 20).amount == 20
    assert memo.record.applied_outside == 20


def test_bulk_issue(ledger, acme):
    rows = [BulkRow("ACME", dict(kind="memo", currency="EUR", amount=i, reason="r", id=f"C{i}"), key=f"k{i}")
            for i in (1, 2, 3)] + [BulkRow("NOBODY", dict(kind="memo", currency="JPY", amount=9, reason="r"))]
    results = ledger.issue_credits(rows)
    assert [(r.id, r.amount) for r in results[:3]] == [("C1", 1), ("C2", 2), ("C3", 3)]
    assert isinstance(results[3].error, credits.NotFoundError) and results[3].last_seq == 0
    assert [r.repeated for r in ledger.issue_credits(rows[:3])] == [True] * 3
    with pytest.raises(credits.NotFoundError) as caught:
        ledger.issue_credits([rows[3], BulkRow("ACME", dict(kind="memo", currency="EUR", amount=8, reason="r"))],
                             all_or_nothing=True)
    assert [r.last_seq for r in caught.value.results] == [0, 0]
    assert ledger.issue_credits([]) == []
    assert ledger.balance("ACME", "EUR").credit == 6


def test_bulk_payments(ledger, acme):
    bill = ledger.enter_invoice("ACME", "EUR", 50, id="I")
    results = ledger.issue_credits([
        BulkRow("ACME", dict(currency="EUR", amount=20, id="R", lines=[ReceiptLine(20, invoice="I")]), payment=True),
        BulkRow("ACME", dict(currency="EUR", amount=40, distribute=True, excess_to_credit=True), payment=True),
        BulkRow("ACME", dict(currency="EUR", amount=1), payment=True)])
    assert [(r.id, r.amount) for r in results[:2]] == [("R", 20), ("~EUR5", 30)]
    assert isinstance(results[2].error, credits.DistributionError) and results[2].error.given == 1
    bill.refresh()
    assert (bill.open, ledger.balance("ACME", "EUR").credit) == (0, 10)


def test_requests(ledger, acme):
    clerk = Request(actor="clerk", note="by hand", on=date(2026, 3, 5), at=NOON + timedelta(hours=1))
    first = ledger.issue_credit("ACME", "memo", "EUR", 5, reason="r", by=clerk, key="once")
    again = ledger.issue_credit("ACME", "memo", "EUR", 5, reason="r", by=clerk, key="once")
    assert first.id == again.id and ledger.balance("ACME", "EUR").credit == 5
    with pytest.raises(credits.KeyReusedError) as caught:
        ledger.issue_credit("ACME", "memo", "EUR", 6, reason="r", by=clerk, key="once")
    assert "amount" in caught.value.field
    entry, = (row.entry for row in ledger.history("ACME", "EUR"))
    assert (entry.actor, entry.note, entry.business_date) == ("clerk", "by hand", date(2026, 3, 5))
    assert first.apply(None, 1, by="other", key="apply", on=TODAY).repeated is False
    assert first.apply(None, 1, by="other", key="apply", on=TODAY).repeated is True
    with pytest.raises(TypeError):
        first.void(whom="clerk")


def test_settings_and_closed_periods(ledger, acme):
    ledger.configure(closed_through=date(2026, 2, 28), utc_offset_minutes=60)
    assert ledger.settings.utc_offset_minutes == 60
    with pytest.raises(credits.ClosedError) as caught:
        ledger.issue_credit("ACME", "memo", "EUR", 5, reason="r", on=date(2026, 2, 28))
    assert (caught.value.limit, caught.value.given) == (date(2026, 2, 28), date(2026, 2, 28))
    ledger.issue_credit("ACME", "memo", "EUR", 5, reason="r", on=date(2026, 2, 28), override_closed=True)
    with pytest.raises(credits.ArgumentError):
        ledger.configure(utc_offset_minutes=2000)
    assert ledger.settings.utc_offset_minutes == 60
    ledger.configure(feature_off=True)
    with pytest.raises(credits.DisabledError):
        ledger.issue_credit("ACME", "memo", "EUR", 5, reason="r")
    ledger.configure(feature_off=False, credit_order=["expiry", "class"], line_policy="refuse")


def test_sweep(ledger, acme):
    ledger.issue_credit("ACME", "goodwill", "EUR", 5, reason="r", expires=date(2026, 3, 20))
    late = datetime(2026, 4, 1, tzinfo=timezone.utc)
    seen = []
    done = ledger.sweep(at=late, progress=seen.append)
    assert (done.accounts, done.expired, done.expired_amount, done.lapsed) == (1, 1, 500, 0)
    assert ledger.sweep("ACME", at=late).expired == 0


def test_units(ledger, acme):
    with ledger.unit():
        memo = ledger.issue_credit("ACME", "memo", "EUR", 5, reason="r")
        bill = ledger.enter_invoice("ACME", "EUR", 5)
        memo.apply(bill)
        assert ledger.balance("ACME", "EUR").credit == 0  # not kept yet
        assert bill.open == 0
    assert entries(ledger)[-1] == EntryType.APPLY
    with pytest.raises(KeyError):
        with ledger.unit():
            ledger.issue_credit("ACME", "memo", "EUR", 7, reason="r")
            raise KeyError("changed my mind")
    assert ledger.balance("ACME", "EUR").credit == 0
    with ledger.unit() as unit:
        ledger.issue_credit("ACME", "memo", "EUR", 8, reason="r")
        unit.rollback()
    assert ledger.balance("ACME", "EUR").credit == 0
    with ledger.unit():
        with pytest.raises(credits.UnitError):
            with ledger.unit():
                pass
        ledger.issue_credit("ACME", "memo", "EUR", 9, reason="r")
    assert ledger.balance("ACME", "EUR").credit == 9


def test_acknowledge(ledger, acme):
    ledger.issue_credit("ACME", "memo", "EUR", 5, reason="r")
    rows = list(ledger.unacknowledged())
    assert [(row.currency, row.entry.seq) for row in rows] == [("", 1), ("EUR", 1)]
    for row in rows:
        ledger.acknowledge(row.customer, row.currency, row.entry.seq)
    assert list(ledger.unacknowledged()) == []


def test_the_kind_of_every_handle_has_all_of_its_record(ledger, acme):
    receipt = ledger.enter_receipt("ACME", "EUR", 5, excess_to_credit=True, id="R", credit="C")
    for handle, kind in ((acme, Kind.CUSTOMER), (receipt, Kind.RECEIPT), (ledger.credit("ACME", "C"), Kind.CREDIT)):
        names = [name for name, _, _ in credits.FIELDS[kind]]
        assert list(vars(handle.record)) == names
        assert repr(handle).startswith("<")
