#!/usr/bin/python3
"""The program credits, as an office and a support engineer use it.

The book is examples/data/open-items.csv, kept by examples/reconcile_csv as of a day on which nothing could be applied
yet. What is to come out is worked out from the file itself: by tests/examples/oracle.py, which knows the rules and not
the library, and by sums that are made here.
"""
import datetime
import glob
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, "tests/examples")
import check_aging
import oracle

BUILD = os.environ.get("BUILD", "build")
CREDITS = f"{BUILD}/credits"
FILE = "examples/data/open-items.csv"
DAY = "2025-01-31"  # the latest issued in the file
DECIMALS = check_aging.DECIMALS
SANITIZED = b"__asan_init" in open(CREDITS, "rb").read()
REPORTS = ("customers accounts credits invoices receipts open-items aging totals credit-entries occasions payments "
           "statement overdue due-after-credit prescan revenue takings roll-forward unacknowledged").split()

work = tempfile.mkdtemp()
book = f"{work}/book.db"
environment = {name: value for name, value in os.environ.items() if name not in ("USER", "LOGNAME", "CREDITS_STORE")}


def run(*words, status=0, store="sqlite:" + book, env=None, told=None):
    """What it prints, after its exit status, and a part of what it says on stderr, were what they should be."""
    command = [CREDITS, *(["--store", store] if store else []), *words]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env={**environment, **(env or {})})
    assert done.returncode == status, (command, done.returncode, done.stdout, done.stderr)
    if told is None:
        assert done.stderr == "", (command, done.stderr)
    else:
        assert done.stderr.startswith("credits: ") and told in done.stderr, (command, done.stderr)
    return done.stdout


def rows(*words, **how):
    return [json.loads(line) for line in run("--json", *words, **how).splitlines()]


def minor(text, currency):
    whole, _, rest = text.partition(".")
    assert len(rest) == DECIMALS[currency], f"{text} has not the decimals of {currency}"
    return int(whole + rest)


def keep(path):
    subprocess.run([f"{BUILD}/examples/reconcile_csv", "--json", "--store", "sqlite:" + path, "--as-of", "2024-01-01",
                    FILE], check=True, stdout=subprocess.DEVNULL)


def beside():
    """Every file beside the book, and what is in it."""
    return {name: (hashlib.sha256(open(name, "rb").read()).hexdigest(), os.stat(name).st_mtime_ns)
            for name in glob.glob(f"{work}/*") if os.path.isfile(name)}


def the_figures_of_the_file():
    items = oracle.read(FILE)
    expected = {}
    for item in items:
        account = expected.setdefault((item["customer"], item["currency"]), [0, 0, 0])
        if item["kind"] in oracle.INVOICES:
            account[0] += item["total"]
        elif item["kind"] in oracle.CREDITS:
            account[1] += item["total"]
            account[2] += item["total"] if item["kind"] in ("payment", "deposit") else 0
    got = {}
    for row in rows("balance"):
        figures = [minor(row[name], row["currency"]) for name in ("outstanding", "credit", "unearned")]
        assert minor(row["balance"], row["currency"]) == figures[0] - figures[1], row
        assert (row["available"], row["held"]) == (row["credit"], row["allocated"]), row
        got[row["customer"], row["currency"]] = figures
    assert got == expected, (got, expected)
    one = rows("balance", "C-1009")
    assert [row["currency"] for row in one] == ["EUR", "USD"], one

    for currency in ("EUR", "USD", "JPY", "KWD"):
        sums = [0] * 8
        for row in rows("report", "aging", "--currency", currency, "--as-of", DAY):
            names = ["current", "1-30", "31-60", "61-90", "over-90", "cash", "other-credit", "amount"]
            assert list(row) == ["customer", "currency", *names], row
            sums = [a + minor(row[name], currency) for a, name in zip(sums, names)]
        assert sums == check_aging.aging(items, DAY, currency), (currency, sums)
    own = rows("report", "aging", "--buckets", "15,45", "--as-of", DAY, "--customer", "C-1001")[0]
    assert list(own)[2:-1] == ["to-15", "16-45", "over-45", "cash", "other-credit"], own

    listed = {(row["customer"], row["id"], row["kind"], row["issued"], row["due"] or row["issued"], row["currency"],
               abs(minor(row["amount"], row["currency"]))) for row in rows("report", "open-items")}
    words = {"finance_charge": "finance-charge", "debit_memo": "debit-memo", "credit_memo": "memo"}
    assert listed == {(item["customer"], item["document"], words.get(item["kind"], item["kind"]), item["issued"],
                       item["due"], item["currency"], item["total"]) for item in items if item["kind"] != "order"}


def reports_of_every_kind():
    before = beside()
    for name in REPORTS:
        dated = [] if name == "unacknowledged" else ["--as-of", DAY]
        table = run("report", name, *dated).splitlines()
        objects = rows("report", name, *dated)
        assert len(objects) == len(table) - 1, (name, table)
        assert objects == [] or table[0].split() == list(objects[0]), (name, table[0])
    named = run("help").split("Reports: ", 1)[1].split("\n", 1)[0].split()
    assert sorted(named) == sorted([*REPORTS, "history", "lines"]), named

    history = rows("report", "history", "--customer", "C-1001", "--invoice", "R-20131",
                   "--columns", "seq,type,invoice_after,hash")
    assert [(row["seq"], row["type"], row["invoice_after"]) for row in history] == [(1, "invoice", "1284.50")], history
    assert len(history[0]["hash"]) == 64
    whole = rows("report", "history", "--customer", "C-1001")
    numbers = [(row["currency"], row["seq"]) for row in whole]
    assert numbers == [(None, 1)] + [("EUR", n) for n in range(1, len(whole))], whole
    assert [row["id"] for row in rows("report", "invoices", "--state", "draft")] == [
        item["document"] for item in sorted(oracle.read(FILE), key=lambda item: (item["customer"], item["document"]))
        if item["kind"] == "order"]
    assert rows("report", "lines", "--customer", "C-1001", "--invoice", "R-20131") == []
    by = rows("report", "takings", "--by", "day", "--currency", "JPY", "--as-of", DAY)
    assert [(row["date"], row["received"]) for row in by] == [("2024-11-25", "800000")], by
    assert list(rows("report", "totals", "--by", "class,source")[0])[:3] == ["credit_class", "source", "currency"]

    # As of a day, and as known at an instant; the instant is one that a report printed.
    on = rows("report", "open-items", "--customer", "C-1001", "--to", "2024-10-31")
    assert [row["id"] for row in on] == ["F-0031", "R-20131"], on
    instant = rows("report", "history", "--customer", "C-1001", "--invoice", "F-0031")[0]["instant"]
    assert instant == "2024-10-31T12:00:00.000000Z"
    for known, ids in ((instant, ["F-0031", "R-20131"]), ("2024-10-31T12:00:00Z", ["F-0031", "R-20131"]),
                       ("2024-10-31T12:00:00.5Z", ["F-0031", "R-20131"]), ("2024-10-31T11:59:59.999999Z", ["R-20131"])):
        then = rows("report", "open-items", "--customer", "C-1001", "--known-at", known)
        assert [row["id"] for row in then] == ids, (known, then)
    for form in ("hledger", "ledger", "beancount"):
        example = subprocess.run([f"{BUILD}/examples/gl_export", form, book], capture_output=True, encoding="utf-8")
        assert run("export", form) == example.stdout != "", form
    november = run("export", "ledger", "--from", "2024-11-01", "--to", "2024-11-30", "--currency", "JPY")
    assert [line[:10] for line in november.splitlines() if line[:1].isdigit()] == ["2024-11-25"], november
    run("verify"), run("reconcile", "--cash"), run("version", store=None)
    assert beside() == before, "looking changed something"


def planned(*words):
    """What a reconcile proposes, as the oracle has it; and what it leaves, by document."""
    lines = rows("reconcile", "--as-of", DAY, *words)
    applied = [(row["customer"], row["credit"], row["invoice"], minor(row["amount"], row["currency"]))
               for row in lines if row.get("what") == "apply"]
    left = {(row["customer"], row["credit"] or row["invoice"], row["currency"], bool(row["credit"])):
            (minor(row["amount"], row["currency"]), row["because"]) for row in lines if row.get("what") == "leave"}
    return applied, left, lines


def by_oracle():
    items = oracle.read(FILE)
    return items, [(credit["customer"], credit["document"], invoice["document"], amount)
                   for credit, invoice, amount in oracle.reconcile(items, DAY)]


def a_preview_is_what_is_posted():
    before = beside()
    items, expected = by_oracle()
    applied, left, lines = planned("--cash")
    assert applied == expected, (applied, expected)
    for item in items:
        key = (item["customer"], item["document"], item["currency"], item["kind"] in oracle.CREDITS)
        planned_for = (key[0], key[2]) in accounts(lines)
        assert (key in left) == (item["open"] > 0 and planned_for) or item["kind"] == "deposit", key
        if key in left:
            assert left[key][0] == item["open"], (key, left[key])
            assert (left[key][1] == "not yet posted") == (item["kind"] == "order"), (key, left[key])
            assert (left[key][1] == "reserved") == (item["kind"] == "deposit"), (key, left[key])
    assert lines[-1]["applications"] == len(expected), lines[-1]
    plan = lines[-1]["plan"]
    without = planned()
    cash = {item["document"] for item in items if item["kind"] == "payment"}
    assert not cash & {row[1] for row in without[0]}, without
    assert any(why == "unapplied cash not selected" for _, why in without[1].values()), without
    assert "--post --expect " + plan in run("reconcile", "--cash", "--as-of", DAY)
    assert {row[0] for row in planned("--cash", "--customer", "C-1001")[0]} == {"C-1001"}
    assert beside() == before, "a preview changed something"

    # Not what was shown: nothing is posted, and the book stays as it is.
    post = ["--cash", "--as-of", DAY, "--post", "--actor", "office"]
    run("--json", "reconcile", *post, "--expect", without[2][-1]["plan"], status=1, told="Nothing was posted")
    assert rows("report", "receipts", "--method", "adjustment") == []

    # One customer first: the plan of all is another one then.
    shutil.copy(book, f"{work}/other.db")
    other = "sqlite:" + f"{work}/other.db"
    run("reconcile", *post, "--customer", "C-1001", store=other)
    run("reconcile", *post, "--expect", plan, store=other, status=1, told="Nothing was posted")

    posted = rows("reconcile", *post, "--expect", plan, "--note", "end of January")
    outcomes = [row for row in posted if "outcome" in row]
    assert {row["outcome"] for row in outcomes} == {"posted"} and len(outcomes) == len(set(accounts(posted)))
    entries = []
    for customer in sorted({row[0] for row in expected}, key=str.encode):
        history = rows("report", "history", "--customer", customer)
        entries += [(customer, row["credit"], row["invoice"], minor(row["amount"], row["currency"]), row["actor"],
                     row["note"]) for row in history if row["type"] == "apply"]
    assert entries == [(*row, "office", "end of January") for row in expected], entries
    for row in rows("report", "open-items"):
        item = next(i for i in items if (i["customer"], i["document"]) == (row["customer"], row["id"])
                    and (i["kind"] in oracle.CREDITS) == row["amount"].startswith("-"))
        assert abs(minor(row["amount"], row["currency"])) == item["open"], row
    assert "There is nothing to apply" in run("reconcile", *post[:-3])
    assert rows("verify")[-1]["findings"] == 0

    # A receipt is taken back whole, by the entry that its report tells; not twice.
    receipt = outcomes[0]
    receipts = rows("report", "receipts", "--customer", receipt["customer"], "--columns", "id,first_seq")
    seq = next(row["first_seq"] for row in receipts if row["id"] == receipt["receipt"])
    undo = ["undo", receipt["customer"], receipt["currency"], str(seq)]
    run(*undo, status=2, told="who asks?")
    assert rows(*undo, env={"LOGNAME": "office"})[0]["seq"] == seq
    run(*undo, "--actor", "office", status=1, told="(CRD_E_NOTHING)")
    again = planned("--cash")[0]
    assert again == [row for row in expected if row[0] == receipt["customer"]], again


def accounts(lines):
    return [(row["customer"], row["currency"]) for row in lines if row.get("what") == "apply"]


def what_is_refused():
    before = beside()
    with open(f"{work}/text.db", "w") as file:
        file.write("this is no database, but long enough to be looked at as one\n" * 20)
    open(f"{work}/empty.db", "w").close()
    sqlite3.connect(f"{work}/host.db").executescript("CREATE TABLE own (x); PRAGMA journal_mode = DELETE").close()
    others = beside()
    for name, told in (("absent.db", "No such file"), ("text.db", "not a database"), ("empty.db", "CRD_E_SCHEMA"),
                       ("host.db", "CRD_E_SCHEMA"), (".", ": ")):
        for words in (["verify"], ["reconcile", "--post", "--actor", "office"], ["sweep", "--actor", "office"]):
            run(*words, status=1, store=f"sqlite:{work}/{name}", told=told)
    assert beside() == others, "a refusal changed something"
    for words, told in (
            ([], "which command?"),
            (["borrow"], "there is no command borrow"),
            (["report"], "needs more"),
            (["report", "weather"], "there is no report weather"),
            (["report", "aging", "extra"], "extra is one word too many"),
            (["report", "aging", "--as-of", "2025-02-30"], "2025-02-30 is no date"),
            (["report", "aging", "--from", "x"], "x is no date"),
            (["report", "aging", "--known-at", "2025-02-28"], "is no instant"),
            (["report", "aging", "--known-at", "2025-02-28T25:00:00Z"], "is no instant"),
            (["report", "aging", "--known-at", "2025-02-28T10:00:00.1234567Z"], "is no instant"),
            (["report", "aging", "--buckets", "a"], "a is no list of days"),
            (["report", "aging", "--columns", "name"], "has no column name"),
            (["report", "invoices", "--state", "active"], "active is no state"),
            (["report", "totals", "--by", "week"], "week is none of"),
            (["report", "history", "--credit", "a", "--invoice", "b"], "only one of"),
            (["verify", "--cash"], "--cash means nothing to verify"),
            (["verify", "--nothing"], "there is no option --nothing"),
            (["verify", "--customer"], "a value is missing after --customer"),
            (["verify", "--customer", "a", "--customer=b"], "--customer is given twice"),
            (["--json=yes", "verify"], "--json takes no value"),
            (["reconcile", "--expect", "x"], "--expect is for --post"),
            (["reconcile", "--post"], "who asks?"),
            (["sweep"], "who asks?"),
            (["sweep", "--actor", "a", "--closed-through", "soon"], "soon is no date"),
            (["export", "xml"], "xml is none of"),
            (["--json", "export", "ledger"], "a format of its own"),
            (["undo", "C-1001", "EUR", "x"], "x is no number"),
            (["--exponent", "BGN", "verify"], "BGN is no list of currencies"),
            (["--exponent", "bgn=2", "verify"], "CRD_E_CURRENCY")):
        run(*words, status=2, told=told)
    run("verify", store=None, status=2, told="which book?")
    run("verify", store="mysql:x", status=2, told="mysql:x is no book")
    for words, told in (
            (["report", "statement", "--customer", "nobody"], "CRD_E_NOT_FOUND"),
            (["report", "history"], "CRD_E_ARGUMENT"),
            (["report", "aging", "--currency", "EURO"], "CRD_E_"),
            (["balance", "nobody"], "CRD_E_NOT_FOUND"),
            (["reconcile", "--post", "--actor", "a", "--as-of", DAY, "--closed-through", DAY], "CRD_E_CLOSED"),
            (["undo", "C-1001", "EUR", "99999", "--actor", "a"], "CRD_E_NOT_FOUND")):
        run(*words, status=1, told=told)
    after = beside()
    assert {name: after[name] for name in before} == before
    with open("/dev/full", "w") as full:
        done = subprocess.run([CREDITS, "--store", "sqlite:" + book, "balance"], stdout=full, stderr=subprocess.PIPE,
                              text=True)
    assert done.returncode == 1 and done.stderr.startswith("credits: the output: "), done
    named = {"CREDITS_STORE": "sqlite:" + book}
    assert run("verify", "--customer", "C-1001", store=None, env=named).startswith("accounts")
    assert run("--help", store=None).startswith("usage: credits")
    assert run("--version", store=None).startswith("credits ")


def damage_is_found_and_named():
    broken = f"{work}/broken.db"
    shutil.copy(book, broken)
    database = sqlite3.connect(broken)
    database.execute("UPDATE crd_credit SET remaining = remaining - 100, voided = voided + 100"
                     " WHERE customer = 'C-1002' AND id = 'G-881'")
    database.commit(), database.close()
    found = rows("verify", store="sqlite:" + broken, status=3)
    assert ("C-1002", "credit", "G-881", "remaining", 35000 + 9900, 45000) == tuple(
        found[0][name] for name in ("customer", "kind", "id", "field", "stored", "expected")), found
    assert found[-1]["findings"] == len(found) - 1 >= 2, found
    assert " G-881 " in run("verify", store="sqlite:" + broken, status=3)
    assert rows("verify", "--customer", "C-1003", store="sqlite:" + broken)[-1]["findings"] == 0

    # One byte of the file itself, in the journal: the name of who did it.
    shutil.copy(book, broken)
    data = open(broken, "rb").read()
    names = [at for at in range(len(data)) if data.startswith(b"reconcile_csv", at)]
    hit = 0
    for at in (names[0], names[len(names) // 2], names[-1]):
        with open(broken, "wb") as file:
            file.write(data[:at] + b"R" + data[at + 1:])
        found = rows("verify", store="sqlite:" + broken, status=3)
        hit += any(row["kind"] == "entry" and row["field"] == "hash" and row["seq"] > 0 for row in found[:-1])
    assert hit == 3, hit


def a_name_moves_no_cursor():
    """What stands in a book cannot write on a terminal; in JSON it is told as it is."""
    broken = f"{work}/broken.db"
    shutil.copy(book, broken)
    database = sqlite3.connect(broken)
    database.execute("UPDATE crd_entry SET note = ? WHERE customer = 'C-1002'", ('a "b"\\\t\nc',))
    database.commit(), database.close()
    how = {"store": "sqlite:" + broken}
    notes = {row["note"] for row in rows("report", "history", "--customer", "C-1002", "--currency", "EUR", **how)}
    assert notes == {'a "b"\\\t\nc'}, notes
    table = run("report", "history", "--customer", "C-1002", "--currency", "EUR", **how)
    assert "\t" not in table and 'a "b"\\  c' in table, table


def books_made_by_a_host():
    """Sweep, a currency of the host's own, and PostgreSQL: on books that the Python package makes."""
    if SANITIZED or not os.path.exists(f"{BUILD}/libcredit.so"):
        print("SKIP books of the Python package: it is sanitized, or there is no shared library")
        return
    os.environ["CREDIT_LIBRARY"] = os.path.abspath(f"{BUILD}/libcredit.so")
    sys.path.insert(0, "python")
    from credits import Ledger, Line, PostgresStorage, SQLiteStorage
    today = datetime.date.today()
    yesterday = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)

    def fill(storage):
        with Ledger(storage, actor="host", currencies={"BGN": 2}) as ledger:
            then: dict = {"on": today - datetime.timedelta(days=40)}
            ledger.add_customer("ACME", name="Acme", **then)
            ledger.issue_credit("ACME", "goodwill", "EUR", "7.50", reason="late", id="G1",
                                expires=today - datetime.timedelta(days=3), **then)
            ledger.issue_credit("ACME", "memo", "EUR", "45.00", reason="two chairs", id="M1", **then)
            ledger.enter_invoice("ACME", "EUR", "120.00", id="I1", lines=[
                Line("105.00", "3.5", sku="oak", unit_price="30.00"), Line("15.00", text="delivery")], **then)
            ledger.enter_invoice("ACME", "BGN", "3.10", id="I2", **then)
            then["at"] = yesterday - datetime.timedelta(days=9)
            ledger.add_customer("BETA", **then)
            memo = ledger.issue_credit("BETA", "memo", "EUR", "20.00", reason="a stool", id="M2", **then)
            memo.hold("5.00", id="H1", lapses_at=yesterday, lapses_on=yesterday.date(), **then)

    def use(store, *general):
        how = {"store": store}
        own = [*general, "--exponent", "BGN=2"]
        assert rows(*general, "verify", **how)[-1]["findings"] == 0
        run(*general, "balance", status=1, told="CRD_E_CURRENCY", **how)
        balances = [(row["currency"], row["balance"], row["available"]) for row in rows(*own, "balance", "ACME", **how)]
        assert balances == [("BGN", "3.10", "0.00"), ("EUR", "75.00", "45.00")], balances
        credits = [(row["id"], row["expired"], row["state"]) for row in
                   rows(*own, "report", "credits", "--as-of", str(today), "--columns", "id,expired,state", **how)]
        assert credits == [("G1", "7.50", "voided"), ("M1", "0.00", "active"), ("M2", "0.00", "active")], credits
        lines = rows(*own, "report", "lines", "--customer", "ACME", "--invoice", "I1", **how)
        names = ("number", "sku", "text", "quantity", "unit_price", "amount")
        assert [tuple(row[name] for name in names) for row in lines] == [
            (1, "oak", None, "3.500", "30.00000", "105.00"), (2, None, "delivery", "1.000", "0.00000", "15.00")], lines
        hold = ["report", "history", "--customer", "BETA", "--hold", "H1", "--columns", "type,hold,amount"]
        assert rows(*own, *hold, **how) == [{"type": "hold", "hold": "H1", "amount": "5.00"}]
        run(*own, "sweep", "--actor", "a", "--closed-through", str(today), status=1, told="CRD_E_CLOSED", **how)
        assert rows(*own, "sweep", "--actor", "office", **how) == [{"accounts": 2, "expired": 1, "lapsed": 1}]
        assert [row["type"] for row in rows(*own, *hold, **how)] == ["hold", "lapse"]
        assert rows(*own, "sweep", "--actor", "office", **how) == [{"accounts": 0, "expired": 0, "lapsed": 0}]
        plan = rows(*own, "reconcile", **how)
        assert [(row["credit"], row["invoice"], row["amount"]) for row in plan[:1]] == [("M1", "I1", "45.00")], plan
        posted = rows(*own, "reconcile", "--post", "--expect", plan[-1]["plan"], "--actor", "office", **how)
        assert [(row["outcome"], row["amount"]) for row in posted if "outcome" in row] == [("posted", "45.00")], posted
        assert "    Assets:Receivable" in run(*own, "export", "ledger", **how)
        assert rows(*own, "verify", **how)[-1]["findings"] == 0

    fill(SQLiteStorage(f"{work}/host-made.db"))
    use(f"sqlite:{work}/host-made.db")
    conninfo = os.environ.get("CREDIT_TEST_CONNINFO")
    if not conninfo or not os.environ.get("HAVE_POSTGRES", "yes"):
        print("SKIP a book in PostgreSQL: no server, or built without")
        return
    schema = f"cli_{os.getpid()}"
    run("--schema", schema, "verify", store="postgres:" + conninfo, status=1, told="CRD_E_SCHEMA")
    run("--schema", schema, "sweep", "--actor", "a", store="postgres:" + conninfo, status=1, told="CRD_E_SCHEMA")
    fill(PostgresStorage(conninfo, schema=schema))
    use("postgres:" + conninfo, "--schema", schema)
    run("verify", store="postgres:host=/nowhere", status=1, told="CRD_E_STORAGE")


try:
    keep(book)
    for part in (the_figures_of_the_file, reports_of_every_kind, what_is_refused, damage_is_found_and_named,
                 a_name_moves_no_cursor, a_preview_is_what_is_posted, books_made_by_a_host):
        part()
finally:
    shutil.rmtree(work)
