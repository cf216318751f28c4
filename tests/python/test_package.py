"""The package as such: its declarations, its names, its version."""
import ctypes
from pathlib import Path
import re

import credits
from credits import _abi, _records, constants
from credits._library import load

TREE = Path(__file__).parents[2]


def test_its_version_is_the_librarys():
    version = f"{_abi.CRD_VERSION_MAJOR}.{_abi.CRD_VERSION_MINOR}.{_abi.CRD_VERSION_PATCH}"
    assert load().crd_version_text().decode() == version
    assert f'\nversion = "{version}"\n' in (TREE / "python/pyproject.toml").read_text()


def test_every_public_function_is_declared_and_every_command_is_there():
    listed = re.findall(r"^(crd_\w+) ", (TREE / "lib/credit.sym").read_text().split("[credit-")[0], re.M)
    assert sorted(listed) == sorted(_abi.FUNCTIONS)
    source = "".join(path.read_text() for path in (TREE / "python/credits").glob("*.py") if "_abi" not in path.name)
    # A pure calculation that Python does not need, or does itself.
    left = {"crd_allocate", "crd_allocate_work_size", "crd_money_split", "crd_money_parse", "crd_money_format",
            "crd_date_from_civil", "crd_date_from_text", "crd_date_of_instant", "crd_date_to_civil", "crd_date_to_text",
            "crd_instant_to_text", "crd_entry_hash", "crd_entry_name", "crd_entry_version", "crd_kind_name",
            "crd_left_text", "crd_ledger_exponent", "crd_record_fields"}
    nouns = ("customer", "credit", "invoice", "receipt", "hold", "plan", "report", "postings")
    unused = [name for name in listed if name not in left and name not in source
              and not re.fullmatch(rf"crd_({'|'.join(nouns)})_(find|get|free|refresh|next|close)", name)]
    assert unused == []


def test_every_number_of_an_enumeration_is_there():
    values = {name: value for name, value in vars(_abi).items() if name.startswith("CRD_")}
    enums = [(re.compile(pattern), enum) for pattern, enum in (
        (r"CRD_KIND_(?!BIT_|COUNT)", constants.Kind), ("CRD_CLASS_", constants.CreditClass),
        ("CRD_CAUSE_", constants.Cause), ("CRD_FLAG_", constants.Flag), (r"CRD_SWITCH_", constants.Switch),
        ("CRD_COMMAND_", constants.Command), ("CRD_REPORT_", constants.ReportKind),
                                                               (r"CRD_ORDER_(?!KEYS)", constants.Order),
        ("CRD_LEFT_", constants.LeftOut), (r"CRD_GL_(?!ROLES)", constants.GLRole), ("CRD_LINES_", constants.LinePolicy),
        ("CRD_LINE_", constants.RowLine), ("CRD_BY_", constants.By), ("CRD_WARN_", constants.CommandWarning),
        ("CRD_EXPORT_", constants.Format), ("CRD_HOLD_", constants.HoldState),
        (r"CRD_ENTRY_(?!BY_OWN|AUTOMATIC|CONSEQUENCE|POSTS)", constants.EntryType),
        (r"CRD_ENTRY_(BY_OWN|AUTOMATIC|CONSEQUENCE|POSTS)", constants.EntryFlag))]
    for pattern, enum in enums:
        names = {name[pattern.match(name).end():] if "(BY_OWN" not in pattern.pattern else name[len("CRD_ENTRY_"):]
                 for name in values if pattern.match(name)}
        assert names == set(enum.__members__), enum
    both = set(constants.CreditKind.__members__) | set(constants.CreditState.__members__)
    assert both == {name[len("CRD_CREDIT_"):] for name in values if name.startswith("CRD_CREDIT_")}
    both = set(constants.InvoiceKind.__members__) | set(constants.InvoiceState.__members__) \
        | {"AS_DRAFT", "AS_DISPUTED", "AS_OPENING", "APPLY", "NO_APPLY"}
    assert both == {name[len("CRD_INVOICE_"):] for name in values if name.startswith("CRD_INVOICE_")}


def test_every_name_it_exports_is_there_and_described():
    assert sorted(credits.__all__) == list(credits.__all__)
    for name in credits.__all__:
        thing = getattr(credits, name)
        if isinstance(thing, type):
            assert thing.__doc__, name
    for cls in (credits.Ledger, credits.Credit, credits.Invoice, credits.Receipt, credits.Hold, credits.Customer,
                credits.Plan, credits.Storage, credits.Record):
        for name, member in vars(cls).items():
            if not name.startswith("_") and callable(member):
                assert member.__doc__, f"{cls.__name__}.{name}"
                assert "return" in member.__annotations__, f"{cls.__name__}.{name}"


def test_records_are_those_of_the_library():
    for kind, (name, struct, fields) in _abi.RECORDS.items():
        count, size = ctypes.c_uint64(), ctypes.c_uint32()
        load().crd_record_fields(kind, ctypes.byref(count), ctypes.byref(size))
        assert (count.value, size.value) == (len(fields), ctypes.sizeof(struct))
        assert list(_records.CLASSES[kind].__dataclass_fields__) == [field for field, _, _ in fields]


def test_a_record_can_be_encoded_and_decoded():
    record = credits.Record(credits.Kind.ENTRY, {"customer": "ACME", "currency": "EUR", "seq": 7, "writer": 2 ** 64 - 1,
                                                 "hash": bytes(range(32)), "image": b"\0\1\2", "note": "é"})
    again = credits.Record.decode(record.kind, record.encode())
    for name, value in record.values.items():
        assert again[name] == value
    assert again["credit"] == "" and again["amount"] == 0
    assert credits.Record.decode(again.kind, again.encode()) == again
    assert record.key < credits.Record(credits.Kind.ENTRY, {**record.values, "seq": 8}).key
    accounts = credits.Record(credits.Kind.ACCOUNT, {"customer": "ZZZ"})
    assert accounts.key < record.key
