"""Customer credit: libcredit from Python.

    from credits import Ledger, MemoryStorage

    with MemoryStorage() as storage, Ledger(storage, actor="till 1") as ledger:
        ledger.add_customer("ACME")
        memo = ledger.issue_credit("ACME", "memo", "EUR", "45.00", reason="two chairs returned")
        bill = ledger.enter_invoice("ACME", "EUR", "120.00")
        memo.apply(bill)
        print(f"ACME still owes {bill.open} EUR")

Amounts are Decimal (or int, or str) in major units and never rounded; business dates are datetime.date, instants
datetime with a time zone. What is refused raises a CreditError, one class for each reason, with its figures.
The headers of libcredit are the specification; names are theirs.
"""
from ._library import LibraryError, load
from ._records import (AccountRecord, CreditRecord, CustomerRecord, EntryRecord, HoldRecord, InvoiceRecord, LineRecord,
                       ReceiptRecord, RequestRecord)
from .constants import (By, Cause, Command, CommandWarning, CreditClass, CreditKind, CreditState, EntryFlag, EntryType, Flag, Format,
                        GLRole, HoldState, InvoiceKind, InvoiceState, Kind, LeftOut, LinePolicy, Order, PlanState,
                        ReceiptState, ReportKind, RowLine, Switch)
from .errors import *  # noqa: F401,F403
from .errors import CreditError
from .ledger import (Balance, BulkResult, BulkRow, Credit, Customer, Event, Finding, Hold, Invoice, Ledger, Line,
                     Operation, Plan, PlanApplication, PlanItem, PlannedAccount, PlanResult, Posting, Postings, Progress,
                     Receipt, ReceiptLine, Report, Request, Result, Row, Settings, SweepResult, Unit, VerifyResult,
                     system_clock)
from .storage import (FIELDS, Batch, Change, Emit, Guard, GuardFailed, Key, KeyExists, MemoryStorage, NotKept, Query,
                      Record, Restart, SchemaUnusable, SQLiteStorage, Storage)
from .values import Amount, InexactAmountError

__all__ = [name for name in dir() if not name.startswith("_")]
