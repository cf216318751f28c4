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
from .constants import (By, Cause, Command, CommandWarning, CreditClass, CreditKind, CreditState, EntryFlag, EntryType,
                        FieldType, Flag, Format,
                        GLRole, HoldState, InvoiceKind, InvoiceState, Kind, LeftOut, LinePolicy, Order, PlanState,
                        ReceiptState, ReportKind, RowLine, Switch)
from .errors import (AmountOverflowError, ArgumentError, BelowZeroError, BusyError, CancelledError, ClosedError,
                     ConflictError,
                     ContractError, CorruptError, CreditAmountError, CreditError, CurrencyError, DateError,
                     DeniedError, DisabledError, DistributionError, ExistsError, ExpiredError, InUseError,
                     InvoiceAmountError, KeyReusedError, NotFoundError, NotRefundableError, NothingError,
                     OtherCustomerError, OutOfMemoryError, RestartError, RestrictedError, ReturnedError, SchemaError,
                     StateError, StorageError, TooLargeError, UnitError, UnknownOutcomeError, WindowError)
from .cursors import Plan, Postings, Report
from .documents import Credit, Customer, Hold, Invoice, Receipt
from .ledger import Ledger, Unit, system_clock
from .storage import (FIELDS, Batch, Change, Emit, Guard, GuardFailed, Key, KeyExists, MemoryStorage, NotKept,
                      PostgresStorage, Query, Record, Restart, SchemaUnusable, SQLiteStorage, Storage)
from .terms import (Balance, BulkResult, BulkRow, Event, Finding, Line, Operation, PlanApplication, PlanItem,
                    PlannedAccount, PlanResult, Posting, Progress, ReceiptLine, Request, Result, Row, Settings,
                    SweepResult, VerifyResult)
from .values import Amount, InexactAmountError

__all__ = [
    "AccountRecord", "Amount", "AmountOverflowError", "ArgumentError", "Balance", "Batch", "BelowZeroError",
    "BulkResult", "BulkRow", "BusyError", "By", "CancelledError", "Cause", "Change", "ClosedError", "Command",
    "CommandWarning", "ConflictError", "ContractError", "CorruptError", "Credit", "CreditAmountError", "CreditClass",
    "CreditError", "CreditKind", "CreditRecord", "CreditState", "CurrencyError", "Customer", "CustomerRecord",
    "DateError", "DeniedError", "DisabledError", "DistributionError", "Emit", "EntryFlag", "EntryRecord", "EntryType",
    "Event", "ExistsError", "ExpiredError", "FIELDS", "FieldType", "Finding", "Flag", "Format", "GLRole", "Guard",
    "GuardFailed", "Hold", "HoldRecord", "HoldState", "InUseError", "InexactAmountError", "Invoice",
    "InvoiceAmountError", "InvoiceKind", "InvoiceRecord", "InvoiceState", "Key", "KeyExists", "KeyReusedError", "Kind",
    "Ledger", "LeftOut", "LibraryError", "Line", "LinePolicy", "LineRecord", "MemoryStorage", "NotFoundError",
    "NotKept", "NotRefundableError", "NothingError", "Operation", "Order", "OtherCustomerError", "OutOfMemoryError",
    "Plan", "PlanApplication", "PlanItem", "PlanResult", "PlanState", "PlannedAccount", "PostgresStorage", "Posting",
    "Postings", "Progress", "Query", "Receipt", "ReceiptLine", "ReceiptRecord", "ReceiptState", "Record", "Report",
    "ReportKind", "Request", "RequestRecord", "Restart", "RestartError", "RestrictedError", "Result", "ReturnedError",
    "Row", "RowLine", "SQLiteStorage", "SchemaError", "SchemaUnusable", "Settings", "StateError", "Storage",
    "StorageError", "SweepResult", "Switch", "TooLargeError", "Unit", "UnitError", "UnknownOutcomeError",
    "VerifyResult", "WindowError", "load", "system_clock",
]
