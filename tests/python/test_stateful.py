"""Books kept by a Python storage that fails at random: what was acknowledged is there, what was refused is not.

Hypothesis draws commands, and for every command the faults of its storage calls, one after the other:

    fine          nothing happens
    raise         the call raises before it does anything
    keep+raise    a write keeps its batch and then raises; a read emits half of what it has and raises
    forget        the call finishes, but its proof is lost on the way, as when a process is cut off
    say failed    the storage says for certain that nothing was kept
    late          a write raises, and its batch lands at the next call of the storage, if its guards still hold

A naive book predicts every document. A command of unknown outcome is sent again under its request key, without faults,
and must then have happened exactly once.
"""
from datetime import timedelta
import logging
import os

from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

import credits
from credits import _abi, Ledger, Record, storage

from conftest import NOON
from plain_storage import PlainStorage

LONG = os.environ.get("CREDIT_TEST_LONG") == "1"
FAULTS = st.lists(st.sampled_from(["fine"] * 4 + ["raise", "keep+raise", "forget", "say failed", "late"]), max_size=6)
AMOUNTS = st.one_of(st.integers(1, 40), st.sampled_from([1, 100, 10 ** 12]))
logging.getLogger("credits").setLevel(logging.CRITICAL)


class Fault(Exception):
    """What a faulty storage raises."""


class FaultyStorage(PlainStorage):
    def __init__(self):
        super().__init__()
        self.faults = []
        self.late = None
        self.emitted = 0

    def fault(self):
        if self.settled:  # then nothing takes effect later
            self.faults = ["raise" if fault == "late" else fault for fault in self.faults]
        if self.late is not None:
            batch, self.late = self.late, None
            try:
                super().write(batch)
            except credits.NotKept:
                pass
        self.last = self.faults.pop(0) if self.faults else "fine"
        if self.last == "raise":
            raise Fault("before")
        if self.last == "say failed":
            raise credits.NotKept("no", 5)
        return self.last

    def read(self, query, emit):
        fault = self.fault()
        keys = sorted(self.rows)
        for key in keys[:len(keys) // 2] if fault == "keep+raise" else keys:
            if self.rows[key][0] in query.kinds and emit(*self.rows[key]):
                break
        if fault == "keep+raise":
            raise Fault("half way")

    def write(self, batch):
        fault = self.fault()
        if fault == "late":
            self.late = batch
            raise Fault("late")
        super().write(batch)
        if fault == "keep+raise":
            raise Fault("after")

    def _open(self, state):
        """Between the storage and the library, for "forget"."""
        table, token = super()._open(state)
        @storage.trampoline(_abi.crd_storage_read)
        def read(ctx, query, emit, sink, out):
            storage._READ(ctx, query, emit, sink, out)
            if self.last == "forget":
                out.contents.proof = 0

        @storage.trampoline(_abi.crd_storage_write)
        def write(ctx, batch, out):
            storage._WRITE(ctx, batch, out)
            if self.last == "forget":
                out.contents.proof = 0
        table.read, table.write = read, write
        self.keep = read, write
        return table, token


class Books(RuleBasedStateMachine):
    credits_, invoices, applications = Bundle("credits"), Bundle("invoices"), Bundle("applications")
    settled = False

    @initialize()
    def open(self):
        self.n = 0
        self.storage = FaultyStorage()
        self.storage.settled = self.settled
        self.ledger = Ledger(self.storage, actor="clerk", clock=lambda: NOON + timedelta(seconds=self.n))
        self.credits, self.open_, self.acknowledged = {}, {}, []
        self.applied = {}
        for customer in ("A", "B"):
            self.ledger.add_customer(customer)

    def command(self, faults, do):
        """Does a command under faults, and again without when its outcome is unknown. True when it happened. What is
        refused for good raises the CreditError."""
        self.n += 1
        key, rows = f"k{self.n}", self.storage.rows
        self.storage.faults = list(faults)
        try:
            result = do(key)
        except (Fault, credits.CreditError) as error:
            self.storage.faults = []
            cause = error.__cause__ if isinstance(error, Fault) else error
            assert isinstance(cause, credits.CreditError), error
            if isinstance(cause, credits.UnknownOutcomeError):
                result = do(key)
                if result:
                    self.acknowledged.append(key)
                return result
            assert self.storage.late is None and self.storage.rows is rows, f"{cause!r}, and yet something was kept"
            if isinstance(error, credits.CreditError) and not cause.transient:
                raise
            return None
        self.storage.faults = []
        if result:
            self.acknowledged.append(key)
        return result

    def handle(self, find, customer, id):
        faults, self.storage.faults = self.storage.faults, []
        found = find(customer, id)
        self.storage.faults = faults
        return found

    @rule(target=credits_, customer=st.sampled_from("AB"), kind=st.sampled_from(["memo", "goodwill", "payment"]),
          amount=AMOUNTS, faults=FAULTS)
    def issue(self, customer, kind, amount, faults):
        id = f"C{self.n + 1}"
        done = self.command(faults, lambda key: self.ledger.issue_credit(
            customer, kind, "JPY", amount, id=id, reason="r", key=key))
        if done:
            assert done.remaining == amount
            self.credits[customer, id] = amount
        return customer, id

    @rule(target=invoices, customer=st.sampled_from("AB"), total=AMOUNTS, faults=FAULTS)
    def enter(self, customer, total, faults):
        id = f"I{self.n + 1}"
        if self.command(faults, lambda key: self.ledger.enter_invoice(customer, "JPY", total, id=id, key=key)):
            self.open_[customer, id] = total
        return customer, id

    @rule(target=applications, credit=credits_, invoice=invoices, amount=AMOUNTS, clamp=st.booleans(), faults=FAULTS)
    def apply(self, credit, invoice, amount, clamp, faults):
        if credit not in self.credits or invoice not in self.open_:
            return None
        most = min(self.credits[credit], self.open_[invoice])
        expected = min(amount, most) if clamp else amount
        may = credit[0] == invoice[0] and 0 < expected <= most
        c, i = self.handle(self.ledger.credit, *credit), self.handle(self.ledger.invoice, *invoice)
        try:
            done = self.command(faults,
                                lambda key: c.refresh() and i.refresh() and c.apply(i, amount, clamp=clamp, key=key))
        except credits.CreditError:
            assert not may
            return None
        if not done:
            return None
        assert may and done.amount == expected
        self.credits[credit] -= expected
        self.open_[invoice] -= expected
        self.applied[credit[0], done.first_seq] = [credit, invoice, expected]
        return credit[0], done.first_seq

    @rule(application=applications, amount=AMOUNTS, whole=st.booleans(), faults=FAULTS)
    def unapply(self, application, amount, whole, faults):
        if application is None:
            return
        credit, invoice, left = self.applied[application]
        expected = left if whole else amount
        try:
            done = self.command(faults, lambda key: self.ledger.undo(
                application[0], "JPY", application[1], 0 if whole else amount, key=key))
        except credits.CreditError:
            assert left == 0 or expected > left
            return
        if done:
            assert done.amount == expected <= left
            self.applied[application][2] -= expected
            self.credits[credit] += expected
            self.open_[invoice] += expected

    @rule(credit=credits_, amount=AMOUNTS, how=st.sampled_from(["void", "refund"]), faults=FAULTS)
    def take(self, credit, amount, how, faults):
        if credit not in self.credits:
            return
        c = self.handle(self.ledger.credit, *credit)
        try:
            done = self.command(faults, lambda key: c.refresh() and (
                c.void(amount, key=key) if how == "void" else c.refund(amount, override=True, key=key)))
        except credits.CreditError:
            assert amount > self.credits[credit]
            return
        if done:
            assert done.amount == amount
            self.credits[credit] -= amount

    @rule(customer=st.sampled_from("AB"), first=AMOUNTS, second=AMOUNTS, give_up=st.booleans(), faults=FAULTS)
    def unit(self, customer, first, second, give_up, faults):
        """Two commands, together or not at all."""
        number = self.n + 1

        class GiveUp(Exception):
            pass

        def both(key):
            try:
                with self.ledger.unit():
                    self.ledger.issue_credit(customer, "memo", "JPY", first, id=f"C{number}", reason="r", key=key)
                    self.ledger.enter_invoice(customer, "JPY", second, id=f"I{number}", key=key + "b")
                    if give_up:
                        raise GiveUp
            except GiveUp:
                return None
            return True
        done = self.command(faults, both)
        assert not (done and give_up)
        if done:
            self.credits[customer, f"C{number}"] = first
            self.open_[customer, f"I{number}"] = second

    @invariant()
    def the_book_is_what_the_naive_book_says(self):
        if not hasattr(self, "storage"):
            return
        assert not self.storage.faults
        found_credits, found_open, sums = {}, {}, {}
        for kind, data in self.storage.rows.values():
            record = Record.decode(kind, data)
            v = record.values
            if kind == credits.Kind.CREDIT:
                found_credits[v["customer"], v["id"]] = v["remaining"]
                sums.setdefault(v["customer"], [0, 0])[0] += v["remaining"]
                assert v["original"] == sum(v[name] for name in (
                    "remaining", "applied", "refunded", "voided", "reversed", "expired", "adjusted", "transferred",
                    "deleted")) and v["remaining"] - v["held"] - v["allocated"] >= 0
            elif kind == credits.Kind.INVOICE:
                found_open[v["customer"], v["id"]] = v["open"]
                sums.setdefault(v["customer"], [0, 0])[1] += v["open"]
                assert v["total"] == v["open"] + v["applied"] + v["written_off"] + v["cancelled"] and v["open"] >= 0
        assert found_credits == self.credits
        assert found_open == self.open_
        for kind, data in self.storage.rows.values():
            if kind == credits.Kind.ACCOUNT:
                v = Record.decode(kind, data).values
                if v["currency"]:
                    assert [v["credit_remaining"], v["invoice_open"]] == sums[v["customer"]]
        self.ledger.verify()

    @invariant()
    def every_acknowledged_command_is_in_the_journal(self):
        if hasattr(self, "storage"):
            keys = {Record.decode(*row)["request_key"] for row in self.storage.rows.values()
                    if row[0] == credits.Kind.REQUEST}
            assert keys.issuperset(self.acknowledged)

    def teardown(self):
        if hasattr(self, "ledger"):
            self.storage.faults = []
            self.ledger.verify()
            self.ledger.close()


class SettledBooks(Books):
    """The same on a storage that says that none of its calls takes effect later: nothing is written again."""
    settled = True


_settings = settings(derandomize=not LONG, print_blob=LONG, deadline=None, max_examples=120 if LONG else 30,
                     stateful_step_count=40 if LONG else 25, database=None,
                     suppress_health_check=list(HealthCheck))
TestBooks = Books.TestCase
TestBooks.settings = _settings
TestSettledBooks = SettledBooks.TestCase
TestSettledBooks.settings = _settings
