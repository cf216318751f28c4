"""What callbacks in Python raise comes out of the call that led to it, and is never a success."""
from datetime import date
import logging

import pytest

import credits
from credits import EntryType, Ledger, MemoryStorage, Settings

from conftest import NOON, STORAGES, give_back, new_storage
from plain_storage import PlainStorage


class Oops(Exception):
    pass


class Faulty(PlainStorage):
    """Does before or after a call what it is told to."""

    def __init__(self):
        super().__init__()
        self.before_read = self.before_write = self.after_write = None
        self.writes = 0

    def read(self, query, emit):
        if self.before_read:
            self.before_read()
        super().read(query, emit)

    def write(self, batch):
        self.writes += 1
        if self.before_write:
            self.before_write()
        super().write(batch)
        if self.after_write:
            self.after_write()


def fail(error=None):
    raise error or Oops("disk on fire")


def once(callback):
    calls = iter([callback])
    return lambda: next(calls, lambda: None)()


@pytest.fixture
def faulty():
    return Faulty()


@pytest.fixture
def ledger(faulty):
    with Ledger(faulty, actor="a", clock=lambda: NOON) as opened:
        opened.add_customer("ACME")
        yield opened
        faulty.before_read = faulty.before_write = faulty.after_write = None
        opened.verify()


def issue(ledger, **terms):
    return ledger.issue_credit("ACME", "memo", "EUR", 5, reason="r", **terms)


def journal(ledger):
    if not any(row.currency == "EUR" for row in ledger.accounts()):
        return []
    return [row.entry.type for row in ledger.history("ACME", "EUR")]


def test_a_read_that_raises(faulty, ledger):
    faulty.before_read = fail
    with pytest.raises(Oops) as caught:
        ledger.customer("ACME")
    assert isinstance(caught.value.__cause__, credits.StorageError)
    assert "disk on fire" in caught.value.__cause__.host_text
    faulty.before_read = None
    assert ledger.customer("ACME").id == "ACME"


def test_a_read_that_raises_half_way(faulty, ledger):
    issue(ledger)

    def read(query, emit):
        emit(*faulty.rows[min(faulty.rows)])
        raise Oops
    faulty.read = read
    with pytest.raises(Oops):
        ledger.balance("ACME", "EUR")
    with pytest.raises(Oops):
        list(ledger.credits())
    del faulty.read


def test_a_write_that_raises_before_it_keeps(faulty, ledger):
    rows = faulty.rows
    faulty.before_write = fail
    with pytest.raises(Oops) as caught:
        issue(ledger)
    assert isinstance(caught.value.__cause__, credits.UnknownOutcomeError)
    assert faulty.rows is rows
    faulty.before_write = None
    assert issue(ledger).remaining == 5 and journal(ledger) == [EntryType.ISSUE]


def test_a_write_that_raises_once_is_written_again(faulty, ledger, caplog):
    faulty.before_write = once(fail)
    with caplog.at_level(logging.WARNING, "credits"):
        assert issue(ledger).remaining == 5
    assert "disk on fire" in caplog.text
    assert journal(ledger) == [EntryType.ISSUE]


def test_a_settled_write_that_raised_is_only_looked_up(faulty, ledger):
    faulty.settled = True
    writes, faulty.before_write = faulty.writes, once(fail)
    with pytest.raises(Oops) as caught:
        issue(ledger)
    assert isinstance(caught.value.__cause__, credits.StorageError)
    assert faulty.writes == writes + 1 and journal(ledger) == []


def test_a_write_that_raises_after_it_kept(faulty, ledger, caplog):
    faulty.after_write = once(fail)
    with caplog.at_level(logging.WARNING, "credits"):
        assert issue(ledger).remaining == 5
    assert "disk on fire" in caplog.text
    assert journal(ledger) == [EntryType.ISSUE]


def test_a_keyboard_interrupt_comes_out_even_when_all_is_kept(faulty, ledger):
    faulty.after_write = once(lambda: fail(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt) as caught:
        issue(ledger)
    assert "was kept" in caught.value.__notes__[0]
    assert journal(ledger) == [EntryType.ISSUE]


def test_an_unknown_write_with_a_request_key_is_sent_again(faulty, ledger):
    def keep_and_go_away():
        faulty.before_read = fail
        fail()
    faulty.after_write = once(keep_and_go_away)
    with pytest.raises(Oops) as caught:
        issue(ledger, key="k")
    assert isinstance(caught.value.__cause__, credits.UnknownOutcomeError)
    faulty.before_read = None
    assert issue(ledger, key="k").remaining == 5
    assert journal(ledger) == [EntryType.ISSUE]


def test_what_a_storage_says_for_certain(faulty, ledger):
    rows = faulty.rows
    for signal, error in ((credits.NotKept("out of space", 28), credits.StorageError),
                          (credits.Restart("deadlock"), credits.RestartError),
                          (credits.SchemaUnusable("table is gone"), credits.SchemaError)):
        faulty.before_write = lambda: fail(signal)
        with pytest.raises(error) as caught:
            issue(ledger)
        assert caught.value.__cause__ is signal
        assert caught.value.host_text == signal.text and faulty.rows is rows
    assert caught.value.host_error == 0
    faulty.before_write = None
    faulty.before_read = lambda: fail(credits.NotKept("offline", 7))
    with pytest.raises(credits.StorageError) as caught:
        ledger.customer("ACME")
    assert (caught.value.host_text, caught.value.host_error) == ("offline", 7)


def test_a_conflict_between_two_ledgers(faulty, ledger):
    memo = issue(ledger, id="M")
    with Ledger(faulty, actor="b", clock=lambda: NOON) as other:
        other.credit("ACME", "M").apply(None, 3)
    with pytest.raises(credits.ConflictError) as caught:
        memo.apply(None, 3)
    assert isinstance(caught.value.__cause__, credits.GuardFailed) and caught.value.transient
    assert memo.refresh().remaining == 2
    with pytest.raises(credits.CreditAmountError):
        memo.apply(None, 3)


def test_records_a_storage_may_not_emit(faulty, ledger):
    issue(ledger, id="M")
    original = faulty.read

    def emitting(change):
        def read(query, emit):
            original(query, lambda kind, data: change(emit, kind, data))
        return read

    def record(emit, kind, data, **values):
        made = credits.Record.decode(kind, data)
        made.values.update({name: value for name, value in values.items() if name in made.values})
        return emit(made)
    for values, error in ((dict(id="a\0b"), ValueError), (dict(remaining=2 ** 70), ValueError),
                          (dict(remaining="5"), TypeError), (dict(lines_digest=b"short"), ValueError)):
        faulty.read = emitting(lambda emit, kind, data: record(emit, kind, data, **values))
        with pytest.raises(error):
            ledger.credit("ACME", "M")
    faulty.read = emitting(lambda emit, kind, data: emit(kind, data[:-1]))
    with pytest.raises(credits.CorruptError):
        ledger.credit("ACME", "M")
    faulty.read = emitting(lambda emit, kind, data: emit(kind, data) or emit(kind, data))
    with pytest.raises(credits.ContractError):
        ledger.credit("ACME", "M")
    faulty.read = emitting(lambda emit, kind, data: record(emit, kind, data))
    assert ledger.credit("ACME", "M").remaining == 5
    del faulty.read


def test_emit_stops_a_read(faulty, ledger):
    told = []
    original = faulty.read
    faulty.read = lambda query, emit: original(query, lambda *what: told.append(emit(*what)) or False)
    with pytest.raises(credits.NotFoundError):
        ledger.customer("NOBODY")
    assert told and set(told) <= {True, False}
    del faulty.read


def test_what_a_storage_may_not_return(faulty, ledger):
    def generator(query, emit):
        yield emit
    for read in (generator, lambda query, emit: []):
        faulty.read = read
        with pytest.raises(TypeError, match="read"):
            ledger.customer("ACME")
    del faulty.read
    rows = faulty.rows
    for answer in (False, True, [0], iter([])):
        faulty.write = lambda batch: answer
        with pytest.raises(TypeError, match="write"):
            issue(ledger)
        assert faulty.rows is rows
    del faulty.write


def test_an_independent_batch_may_be_kept_in_part(faulty, ledger):
    ledger.add_customer("BETA")
    for name in ("ACME", "BETA"):
        ledger.issue_credit(name, "memo", "EUR", 5, reason="r", id="M")
        ledger.enter_invoice(name, "EUR", 5)
    whole, seen = faulty.write, []

    def write(batch):
        seen.append(batch)
        if not batch.independent:
            return whole(batch)
        kept = [i for i, guard in enumerate(batch.guards) if guard.customer == "ACME"]
        whole(credits.Batch([batch.guards[i] for i in kept],
                            [change for change in batch.changes if change.record["customer"] == "ACME"]))
        return [i for i in range(len(batch.guards)) if i not in kept]
    faulty.write = write
    done = ledger.reconcile()
    assert (done.posted, done.conflicted) == (1, 1)
    for answer in ([99], [1, 0], [-1], [0, 0]):
        faulty.write = lambda batch: answer
        with pytest.raises(ValueError, match="indexes"):
            ledger.reconcile()
    del faulty.write
    assert ledger.reconcile().posted == 1


def test_nothing_of_a_read_can_be_used_when_it_is_over(faulty, ledger):
    kept = []
    original = faulty.read
    faulty.read = lambda query, emit: kept.append((query, emit)) or original(query, emit)
    issue(ledger)
    ledger.balance("ACME", "EUR")
    query, emit = kept[-1]
    record = credits.Record.decode(*faulty.rows[min(faulty.rows)])
    with pytest.raises(RuntimeError):
        emit(record)
    with pytest.raises(RuntimeError):
        query.matches(record)
    del faulty.read


def test_a_storage_may_filter_with_the_query(faulty, ledger):
    """The laziest correct host and one that emits exactly what matches come to the same."""
    issue(ledger, id="M")

    def read(query, emit):
        for key in sorted(faulty.rows):
            record = credits.Record.decode(*faulty.rows[key])
            if query.matches(record):
                emit(record)
    faulty.read = read
    memo = ledger.credit("ACME", "M")
    memo.apply(None, 2)
    assert [row.credit.remaining for row in ledger.credits()] == [3]
    ledger.verify()
    del faulty.read


def test_documents_of_two_ledgers_do_not_mix(faulty, ledger):
    memo = issue(ledger)
    bill = ledger.enter_invoice("ACME", "EUR", 5, id="B", draft=True)
    with Ledger(faulty, actor="b", clock=lambda: NOON) as other:
        theirs = other.invoice("ACME", "B")
        for command in (lambda: memo.apply(theirs), lambda: memo.hold(draft=theirs)):
            with pytest.raises(ValueError, match="another ledger"):
                command()
    assert memo.hold(draft=bill).record.amount == 5


def test_a_call_from_within_a_callback_is_refused(faulty, ledger):
    faulty.before_read = lambda: ledger.balance("ACME", "EUR")
    with pytest.raises(credits.BusyError):
        ledger.customer("ACME")
    handle = None
    faulty.before_read = lambda: handle.record
    with pytest.raises(AttributeError):
        ledger.customer("ACME")
    faulty.before_read = None
    handle = ledger.customer("ACME")
    faulty.before_read = lambda: handle.record
    with pytest.raises(credits.BusyError):
        handle.refresh()
    faulty.before_read = ledger.close
    with pytest.raises(credits.BusyError):
        ledger.customer("ACME")


def test_new_writer_flags_and_closed_that_raise(faulty):
    faulty.new_writer = fail
    with pytest.raises(Oops):
        Ledger(faulty)
    del faulty.new_writer
    closed = []
    faulty.closed = lambda: closed.append(1)
    with Ledger(faulty, actor="a") as ledger:
        faulty.joined = fail
        with pytest.raises(Oops):
            ledger.add_customer("ACME")
        del faulty.joined
        assert faulty.rows == {}
    assert closed == [1]
    faulty.closed = fail
    ledger = Ledger(faulty, actor="a")
    with pytest.raises(Oops):
        ledger.close()
    from credits.storage import _objects
    assert not any(getattr(thing, "storage", None) is faulty for thing in _objects.values())


# ---- hooks, on every storage


@pytest.fixture(params=STORAGES)
def store(request, tmp_path):
    made = new_storage(request.param, tmp_path)
    yield made
    give_back(made)


def test_authorize(store):
    asked = []

    def authorize(operation):
        asked.append(operation)
        return operation.amount < 10
    with Ledger(store, actor="a", clock=lambda: NOON, authorize=authorize, deny=True) as ledger:
        ledger.add_customer("ACME")
        issue(ledger)
        with pytest.raises(credits.DeniedError):
            ledger.issue_credit("ACME", "memo", "EUR", 10, reason="r")
    operation = asked[1]
    assert (operation.command, operation.actor, operation.customer) == (credits.Command.CREDIT_ISSUE, "a", "ACME")
    assert (operation.currency, operation.amount, operation.override_closed) == ("EUR", 5, False)
    with Ledger(store, actor="a", clock=lambda: NOON, authorize=lambda operation: None) as ledger:
        with pytest.raises(credits.DeniedError):  # what returns nothing allows nothing
            issue(ledger)
    with Ledger(store, actor="a", clock=lambda: NOON, authorize=lambda operation: fail()) as ledger:
        with pytest.raises(Oops) as caught:
            issue(ledger)
        assert isinstance(caught.value.__cause__, credits.DeniedError)
        with pytest.raises(Oops):
            ledger.issue_credits([credits.BulkRow("ACME", dict(kind="memo", currency="EUR", amount=1, reason="r"))])
        assert journal(ledger) == [EntryType.ISSUE]
    with Ledger(store, actor="a", deny=True) as ledger:
        with pytest.raises(credits.DeniedError):
            issue(ledger)


def test_one_of_many_that_authorize_raises_on_keeps_all_from_being_kept(store):
    def authorize(operation):
        return operation.amount != 2 or fail()
    with Ledger(store, actor="a", clock=lambda: NOON, authorize=authorize) as ledger:
        ledger.add_customer("ACME")
        with pytest.raises(Oops):
            ledger.issue_credits([credits.BulkRow("ACME", dict(kind="memo", currency="EUR", amount=n, reason="r"))
                                  for n in (1, 2, 3)])
        assert journal(ledger) == []


def test_events(store):
    told = []
    with Ledger(store, actor="a", clock=lambda: NOON, event=told.append) as ledger:
        ledger.add_customer("ACME", name="Acme")
        memo = issue(ledger, id="M")
        bill = ledger.enter_invoice("ACME", "EUR", 5, id="I", lines=[credits.Line(5, sku="S")])
        memo.apply(bill)
    assert [event.entry.type.name for event in told] == ["CUSTOMER", "ISSUE", "INVOICE", "APPLY"]
    assert told[0].customer.name == "Acme" and told[0].credit is None
    assert told[2].lines[0].sku == "S"
    assert (told[3].credit.remaining, told[3].invoice.open, told[3].account.invoice_open) == (0, 0, 0)


def test_an_event_hook_that_raises_undoes_nothing_and_says_so(store):
    with Ledger(store, actor="a", clock=lambda: NOON, event=lambda event: fail(Oops("no mail"))) as ledger:
        with pytest.raises(Oops) as caught:
            ledger.add_customer("ACME")
        assert caught.value.__notes__ == ["libcredit: the command had succeeded, and was kept"]
        assert ledger.customer("ACME").id == "ACME"


def test_a_clock_that_raises(store):
    clock = [lambda: NOON]
    with Ledger(store, actor="a", clock=lambda: clock[0]()) as ledger:
        ledger.add_customer("ACME")
        for broken, error in ((fail, Oops), (lambda: 5, TypeError), (lambda: NOON.replace(tzinfo=None), ValueError)):
            clock[0] = broken
            with pytest.raises(error):
                issue(ledger)
            with pytest.raises(error):
                ledger.balance("ACME", "EUR")
            issue(ledger, at=NOON)
    with Ledger(store, actor="a", clock=None) as ledger:
        with pytest.raises(credits.ArgumentError):
            issue(ledger)


def test_an_order_of_the_hosts_own(store):
    def largest_first(a, b):
        return b.remaining - a.remaining

    def by_id(a, b):
        return (a.id > b.id) - (a.id < b.id)
    with Ledger(store, actor="a", clock=lambda: NOON, compare_credits=largest_first, compare_invoices=by_id) as ledger:
        ledger.add_customer("ACME")
        for n in (3, 9, 5):
            ledger.issue_credit("ACME", "memo", "EUR", n, reason="r", id=f"C{n}")
        for name in "BA":
            ledger.enter_invoice("ACME", "EUR", 6, id=name)
        ledger.reconcile()
        pairs = [(row.entry.credit, row.entry.invoice, int(row.entry.amount)) for row in ledger.history("ACME", "EUR")
                 if row.entry.type == EntryType.APPLY]
        assert pairs == [("C9", "A", 6), ("C9", "B", 3), ("C5", "B", 3)]
        ledger.verify()


def test_a_comparison_that_raises_keeps_nothing_that_went_by_it(store):
    broken = [False]

    def compare(a, b):
        return fail() if broken[0] else 0
    with Ledger(store, actor="a", clock=lambda: NOON, compare_credits=compare) as ledger:
        ledger.add_customer("ACME")
        for _ in range(3):
            issue(ledger)
        bill = ledger.enter_invoice("ACME", "EUR", 8)
        before = journal(ledger)
        broken[0] = True
        with pytest.raises(Oops):
            ledger.reconcile()
        with pytest.raises(Oops):
            ledger.adjust_credit("ACME", "EUR", 1, reason="r")
        assert journal(ledger) == before
        with pytest.raises(RuntimeError, match="rolled back") as caught:
            with ledger.unit():
                with pytest.raises(Oops):
                    ledger.adjust_credit("ACME", "EUR", 1, reason="r")
        assert isinstance(caught.value.__cause__, Oops)
        assert journal(ledger) == before
        broken[0] = False
        with ledger.unit():
            ledger.adjust_credit("ACME", "EUR", 1, reason="r")
        assert ledger.balance("ACME", "EUR").available == 1
        ledger.verify()
        assert bill.refresh().open == 8


def test_runs_can_be_stopped_and_raise(store):
    with Ledger(store, actor="a", clock=lambda: NOON) as ledger:
        for name in ("A", "B", "C"):
            ledger.add_customer(name)
            ledger.issue_credit(name, "memo", "EUR", 5, reason="r", expires=date(2026, 4, 1))
            ledger.enter_invoice(name, "EUR", 3)
        with pytest.raises(credits.CancelledError):
            ledger.reconcile(progress=lambda progress: False)
        with pytest.raises(Oops):
            ledger.reconcile(progress=lambda progress: fail())
        with pytest.raises(Oops) as caught:
            ledger.reconcile(posted=lambda account: fail())
        assert isinstance(caught.value.__cause__, credits.CancelledError) or caught.value.__notes__
        posted, seen = [], []
        ledger.reconcile(posted=lambda account: posted.append(account), progress=seen.append)
        assert all(account.receipt for account in posted if account.applied)
        with pytest.raises(Oops):
            ledger.sweep(on=date(2026, 5, 1), progress=lambda progress: fail())
        with pytest.raises(Oops):
            ledger.export_postings("ledger", lambda text: fail())
        with pytest.raises(credits.CancelledError):
            ledger.export_postings("ledger", lambda text: False)
        with ledger.plan(progress=lambda progress: fail()) as plan:
            ledger.enter_invoice("A", "EUR", 1)
            assert [account.applied for account in plan if account.applied] == [1]
            with pytest.raises(Oops):
                plan.commit()
        ledger.verify()


def test_findings_of_verify():
    store = PlainStorage()
    with Ledger(store, actor="a", clock=lambda: NOON) as ledger:
        ledger.add_customer("ACME")
        issue(ledger, id="M")
        for key, (kind, data) in store.rows.items():
            record = credits.Record.decode(kind, data)
            if kind == credits.Kind.CREDIT:
                record.values["reason"] = "another"
                store.rows[key] = kind, record.encode()
        with pytest.raises(credits.CorruptError) as caught:
            ledger.verify()
        finding, = caught.value.findings
        assert (finding.kind, finding.customer, finding.id, finding.field) == (credits.Kind.CREDIT, "ACME", "M",
                                                                               "reason")
        with pytest.raises(Oops):
            ledger.verify(found=lambda finding: fail())
        with pytest.raises(credits.CancelledError):
            ledger.verify(found=lambda finding: False)


def test_settings_at_open(store):
    with Ledger(store, actor="a", clock=lambda: NOON, settings=Settings(auto_apply=True)) as ledger:
        ledger.add_customer("ACME")
        issue(ledger)
        assert ledger.enter_invoice("ACME", "EUR", 5).open == 0


@pytest.mark.parametrize("kind", [MemoryStorage, PlainStorage])
def test_threads_take_turns(kind):
    from threading import Thread
    store = kind()
    with Ledger(store, actor="a", clock=lambda: NOON) as ledger:
        ledger.add_customer("ACME")
        failed = []

        def work():
            try:
                for _ in range(10):
                    issue(ledger).apply(None, 1)
                    list(ledger.history("ACME", "EUR"))[-1]
            except BaseException as error:
                failed.append(error)
        threads = [Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert ledger.balance("ACME", "EUR").credit == 4 * 10 * 4
        ledger.verify()
