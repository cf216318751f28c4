#!/usr/bin/python3
"""bad_rows.py PROGRAM: every kind of bad row is reported with its line, field and reason, and nothing is kept; with
--skip-bad the good rows are kept, and only those."""
import json
import os
import re
import subprocess
import sys
import tempfile

PROGRAM = sys.argv[1]
SQLITE = os.environ.get("HAVE_SQLITE", "yes") != ""
HEADER = b"customer,document,kind,issued,due,currency,amount_minor\n"
GOOD = b"C-1,GOOD,invoice,2024-01-05,2024-02-04,EUR,1000\n"
MAX = 4000000000000000000
LONG = b"x" * 64

# what the file has behind HEADER and GOOD (so its first line is 3), and the reports: line, field, reason
CASES = {
    "unknown kind": (b"C-1,D,facture,2024-01-05,,EUR,10\n", [(3, "kind", "'facture' is not a kind of document")]),
    "kind in capitals": (b"C-1,D,Invoice,2024-01-05,,EUR,10\n", [(3, "kind", "'Invoice' is not a kind")]),
    "no such day": (b"C-1,D,invoice,2023-02-29,,EUR,10\n", [(3, "issued", "'2023-02-29' is not a date")]),
    "another form of date": (b"C-1,D,invoice,05.01.2024,,EUR,10\n", [(3, "issued", "is not a date")]),
    "date with a time": (b"C-1,D,invoice,2024-01-05T10:00,,EUR,10\n", [(3, "issued", "is not a date")]),
    "date too early": (b"C-1,D,invoice,1970-01-01,,EUR,10\n", [(3, "issued", "is not a date")]),
    "bad due date": (b"C-1,D,invoice,2024-01-05,2024-13-01,EUR,10\n", [(3, "due", "'2024-13-01' is not a date")]),
    "bad due date of a credit": (b"C-1,D,payment,2024-01-05,soon,EUR,10\n", [(3, "due", "'soon' is not a date")]),
    "no customer": (b",D,invoice,2024-01-05,,EUR,10\n", [(3, "customer", "is empty")]),
    "no document": (b"C-1,,invoice,2024-01-05,,EUR,10\n", [(3, "document", "is empty")]),
    "no kind": (b"C-1,D,,2024-01-05,,EUR,10\n", [(3, "kind", "is empty")]),
    "no issue date": (b"C-1,D,invoice,,,EUR,10\n", [(3, "issued", "is empty")]),
    "no currency": (b"C-1,D,invoice,2024-01-05,,,10\n", [(3, "currency", "is empty")]),
    "no amount": (b"C-1,D,invoice,2024-01-05,,EUR,\n", [(3, "amount_minor", "is empty")]),
    "row too short": (b"C-1,D,invoice,2024-01-05,,EUR\n", [(3, "amount_minor", "is missing")]),
    "row of one cell": (b"C-1\n", [(3, "document", "is missing")]),
    "row too long": (b"C-1,D,invoice,2024-01-05,,EUR,10,000\n", [(3, "8", "the header has no column")]),
    "unknown currency": (b"C-1,D,invoice,2024-01-05,,EUX,10\n", [(3, "currency", "'EUX' is not a known currency")]),
    "currency in small letters": (b"C-1,D,invoice,2024-01-05,,eur,10\n", [(3, "currency", "'eur' is not")]),
    "amount with decimals": (b"C-1,D,invoice,2024-01-05,,EUR,10.00\n", [(3, "amount_minor", "not a whole number")]),
    "amount with a blank": (b"C-1,D,invoice,2024-01-05,,EUR, 10\n", [(3, "amount_minor", "not a whole number")]),
    "amount with a plus": (b"C-1,D,invoice,2024-01-05,,EUR,+10\n", [(3, "amount_minor", "not a whole number")]),
    "only a minus": (b"C-1,D,invoice,2024-01-05,,EUR,-\n", [(3, "amount_minor", "not a whole number")]),
    "negative invoice": (b"C-1,D,invoice,2024-01-05,,EUR,-10\n", [(3, "amount_minor", "'-10' is negative")]),
    "negative credit": (b"C-1,D,credit_memo,2024-01-05,,EUR,-10\n", [(3, "amount_minor", "is negative")]),
    "credit of zero": (b"C-1,D,credit_memo,2024-01-05,,EUR,0\n", [(3, "amount_minor", "a credit of zero")]),
    "amount too large": (b"C-1,D,invoice,2024-01-05,,EUR,%d\n" % (MAX + 1), [(3, "amount_minor", "overflows")]),
    "amount beyond 64 bits": (b"C-1,D,invoice,2024-01-05,,EUR,18446744073709551626\n",
                              [(3, "amount_minor", "overflows")]),
    "amount of 300 digits": (b"C-1,D,invoice,2024-01-05,,EUR," + b"1" * 300 + b"\n",
                             [(3, "amount_minor", "overflows")]),
    "sum of invoices": (b"".join(b"C-%d,D,invoice,2024-01-05,,EUR,%d\n" % (i, MAX) for i in (1, 2, 3)),
                        [(5, "amount_minor", "overflows: this side of the book")]),
    "sum of credits": (b"".join(b"C-1,D%d,payment,2024-01-05,,EUR,%d\n" % (i, MAX) for i in (1, 2, 3)),
                       [(5, "amount_minor", "overflows: this side of the book")]),
    "id too long": (b"C-1," + LONG + b",invoice,2024-01-05,,EUR,10\n", [(3, "document", "longer than 63 bytes")]),
    "customer too long": (LONG + b",D,invoice,2024-01-05,,EUR,10\n", [(3, "customer", "longer than 63 bytes")]),
    "control character": (b"C-1,D\x01,invoice,2024-01-05,,EUR,10\n", [(3, "document", "control character")]),
    "NUL": (b"C-1,D\x00,invoice,2024-01-05,,EUR,10\n", [(3, "document", "control character")]),
    "NUL in a kind": (b"C-1,D,invoice\x00x,2024-01-05,,EUR,10\n", [(3, "kind", "not a kind")]),
    "NUL in a date": (b"C-1,D,invoice,2024-01-05\x00,,EUR,10\n", [(3, "issued", "not a date")]),
    "delete": (b"C-1,D\x7f,invoice,2024-01-05,,EUR,10\n", [(3, "document", "control character")]),
    "C1 control": (b"C-1,D\xc2\x85,invoice,2024-01-05,,EUR,10\n", [(3, "document", "control character")]),
    "line end in an id": (b'C-1,"D\nE",invoice,2024-01-05,,EUR,10\nC-1,D2,x,2024-01-05,,EUR,10\n',
                          [(3, "document", "control character"), (5, "kind", "'x' is not a kind")]),
    "own id": (b"C-1,~EUR1,invoice,2024-01-05,,EUR,10\n", [(3, "document", "begins with ~")]),
    "own customer": (b"~C,D,invoice,2024-01-05,,EUR,10\n", [(3, "customer", "begins with ~")]),
    "Latin-1": (b"C-1,M\xfcller,invoice,2024-01-05,,EUR,10\n", [(3, "document", "is not UTF-8")]),
    "overlong UTF-8": (b"C-1,D\xc0\xaf,invoice,2024-01-05,,EUR,10\n", [(3, "document", "is not UTF-8")]),
    "overlong UTF-8 of three": (b"C-1,D\xe0\x80\xaf,invoice,2024-01-05,,EUR,10\n", [(3, "document", "is not UTF-8")]),
    "surrogate": (b"C-1,D\xed\xa0\x80,invoice,2024-01-05,,EUR,10\n", [(3, "document", "is not UTF-8")]),
    "beyond Unicode": (b"C-1,D\xf4\x90\x80\x80,invoice,2024-01-05,,EUR,10\n", [(3, "document", "is not UTF-8")]),
    "cut UTF-8": (b"C-1,D\xe2\x82,invoice,2024-01-05,,EUR,10\n", [(3, "document", "is not UTF-8")]),
    "text behind quotes": (b'C-1,"D"x,invoice,2024-01-05,,EUR,10\n', [(3, "document", "behind its closing quote")]),
    "carriage return behind quotes": (b'C-1,"D"\r,invoice,2024-01-05,,EUR,10\n',
                                      [(3, "document", "behind its closing quote")]),
    "quote inside": (b'C-1,D"E,invoice,2024-01-05,,EUR,10\n', [(3, "document", "a quote stands inside")]),
    "quote never closed": (b'C-1,"D,invoice,2024-01-05,,EUR,10\nC-1,E,invoice,2024-01-05,,EUR,10\n',
                           [(3, "document", "never closed")]),
    "other amount": (b"C-1,GOOD,invoice,2024-01-05,2024-02-04,EUR,1001\n",
                     [(3, "amount_minor", "line 2 says otherwise")]),
    "other due date": (b"C-1,GOOD,invoice,2024-01-05,,EUR,1000\n", [(3, "due", "line 2 says otherwise")]),
    "other issue date": (b"C-1,GOOD,invoice,2024-01-06,2024-02-04,EUR,1000\n", [(3, "issued", "line 2 says")]),
    "other currency": (b"C-1,GOOD,invoice,2024-01-05,2024-02-04,USD,1000\n", [(3, "currency", "line 2 says")]),
    "other kind": (b"C-1,GOOD,debit_memo,2024-01-05,2024-02-04,EUR,1000\n", [(3, "kind", "line 2 says")]),
    "order and invoice": (b"C-1,GOOD,order,2024-01-05,2024-02-04,EUR,1000\n", [(3, "kind", "line 2 says")]),
    "two credits": (b"C-1,P,payment,2024-01-05,,EUR,10\nC-1,P,deposit,2024-01-05,,EUR,10\n",
                    [(4, "kind", "line 3 says otherwise")]),
    "all of them are reported": (b"C-1,A,x,2024-01-05,,EUR,10\nC-1,B,invoice,2024-01-05,,EUR,10\n\n"
                                 b"C-1,C,invoice,y,,EUR,10\r\n\"C-1\",\"D\",invoice,2024-01-05,,EUR,z\n",
                                 [(3, "kind", "'x'"), (6, "issued", "'y'"), (7, "amount_minor", "'z'")]),
}

# rows that look odd and are good: how many invoices and credits the file then has beside GOOD
GOOD_CASES = {
    "nothing else": (b"", 0, 0),
    "repeated row": (GOOD + b'"C-1","GOOD","invoice",2024-01-05,2024-02-04,EUR,1000\n', 0, 0),
    "same amount written otherwise": (b"C-1,GOOD,invoice,2024-01-05,2024-02-04,EUR,0001000\n", 0, 0),
    "due date of a credit counts for nothing": (b"C-1,P,payment,2024-01-05,2024-02-01,EUR,10\n"
                                                b"C-1,P,payment,2024-01-05,,EUR,10\n", 0, 1),
    "invoice and credit of one number": (b"C-1,GOOD,credit_memo,2024-01-05,,EUR,10\n", 0, 1),
    "one number, many customers": (b"".join(b"K%d,GOOD,invoice,2024-01-05,,EUR,10\n" % i for i in range(3000)), 3000, 0),
    "invoice of zero": (b"C-1,Z,invoice,2024-01-05,,EUR,0\n", 1, 0),
    "largest amount": (b"C-1,L,invoice,2024-01-05,,EUR,%d\n" % MAX, 1, 0),
    "63 bytes": (LONG[1:] + b"," + LONG[1:] + b",invoice,2024-01-05,,EUR,10\n", 1, 0),
    "carriage returns": (b"C-1,R,invoice,2024-01-05,,EUR,10\r\n\r\n\"C-1\",\"R2\",invoice,2024-01-05,,EUR,\"11\"\r\n",
                         2, 0),
    "no line end at the end": (b"C-1,N,invoice,2024-01-05,,EUR,10", 1, 0),
    "quotes and commas in an id": (b'"C,""1""","a,b",invoice,2024-01-05,,EUR,10\n', 1, 0),
    "more than Latin": ("Ωmega,№ 4,invoice,2024-01-05,,EUR,10\n🙂,東京,payment,2024-01-05,,EUR,10\n".encode(), 1, 1),
    "due before issued": (b"C-1,B,invoice,2024-01-05,2023-12-01,EUR,10\n", 1, 0),
    "order beside": (b"C-1,O,order,2024-01-05,,EUR,10\n", 0, 0),
}

failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print(f"FAIL: {what}")


def run(directory, content, *options):
    path = os.path.join(directory, "f.csv")
    with open(path, "wb") as file:
        file.write(content)
    done = subprocess.run([PROGRAM, "--json", *options, path], capture_output=True, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace"), path


def reports(stderr, path):
    """The reports among the lines: line, field, reason."""
    return [(int(m[1]), m[2], m[3])
            for m in re.finditer(rf"^{re.escape(path)}:(\d+): field (.*?): (.*)$", stderr, re.MULTILINE)]


def same(got, expected):
    return len(got) == len(expected) and all(
        g[0] == e[0] and g[1] == e[1] and e[2] in g[2] for g, e in zip(got, expected))


def bad_case(directory, name, content, expected):
    book = os.path.join(directory, "book.db")
    store = ("--store", f"sqlite:{book}") if SQLITE else ()
    status, out, err, path = run(directory, HEADER + GOOD + content, *store)
    check(status == 1, f"{name}: exit status {status}")
    check(out == "", f"{name}: printed {out!r}")
    check(same(reports(err, path), expected), f"{name}: expected {expected}, got {err!r}")
    check("nothing was kept" in err, f"{name}: does not say that nothing was kept")
    check(not os.path.exists(book), f"{name}: made a book")

    status, out, err, path = run(directory, HEADER + GOOD + content, "--skip-bad", *store)
    check(status == 0, f"{name}, skipped: exit status {status}: {err}")
    check(same(reports(err, path), expected), f"{name}, skipped: expected {expected}, got {err!r}")
    if status == 0:
        rows = [row for row in content.split(b"\n") if row.strip(b"\r")]
        good = len(rows) - len(expected) - (1 if name == "line end in an id" else 0)
        told = json.loads(out)
        check(isinstance(told, dict), f"{name}, skipped: {out}")
        check(told["invoices"] + told["credits"] == 1 + good, f"{name}, skipped: {out}, expected {1 + good} documents")
    if SQLITE:
        again, out2, _, _ = run(directory, HEADER + GOOD + content, "--skip-bad", *store)
        check(again == 0 and json.loads(out2)["invoices"] == json.loads(out)["invoices"], f"{name}: not repeatable")
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(book + suffix):
                os.remove(book + suffix)


def good_case(directory, name, content, invoices, credits):
    status, out, err, _ = run(directory, HEADER + GOOD + content)
    check(status == 0 and err == "", f"{name}: exit status {status}, {err}")
    if status == 0:
        told = json.loads(out)
        check((told["invoices"], told["credits"]) == (1 + invoices, credits), f"{name}: {out}")


def against_the_book(directory):
    """A row that says otherwise of a document the book has is found before anything is kept."""
    book = os.path.join(directory, "book.db")
    store = ("--store", f"sqlite:{book}")
    first = GOOD + b"C-1,P,payment,2024-01-06,,EUR,10\nC-2,O,order,2024-01-05,,EUR,10\n"
    status, told, err, _ = run(directory, HEADER + first, *store)
    check(status == 0, f"the book: {err}")
    for name, row, field in (
            ("amount", b"C-1,GOOD,invoice,2024-01-05,2024-02-04,EUR,999\n", "amount_minor"),
            ("due", b"C-1,GOOD,invoice,2024-01-05,,EUR,1000\n", "due"),
            ("kind", b"C-1,P,deposit,2024-01-06,,EUR,10\n", "kind"),
            ("order", b"C-2,O,invoice,2024-01-05,,EUR,10\n", "kind"),
            ("currency", b"C-1,P,payment,2024-01-06,,USD,10\n", "currency"),
            ("issued", b"C-1,P,payment,2024-01-07,,EUR,10\n", "issued")):
        new = b"C-3,NEW,invoice,2024-01-05,,EUR,10\n"
        status, _, err, path = run(directory, HEADER + new + row, *store)
        check(status == 1 and same(reports(err, path), [(3, field, "the book says otherwise")]), f"book, {name}: {err!r}")
        status, again, err, _ = run(directory, HEADER + first, *store)
        check(status == 0, f"book, {name}: {err}")
        one, other = json.loads(told), json.loads(again)
        del one["applications"], one["applied_minor"], other["applications"], other["applied_minor"]
        check(one == other, f"book, {name}: it changed: {told} {again}")


def headers(directory):
    for name, header, field in (
            ("empty file", b"", "1"),
            ("no due column", b"customer,document,kind,issued,currency,amount_minor\n", "due"),
            ("twice", HEADER[:-1] + b",kind\n", "kind"),
            ("not UTF-8", HEADER[:-1] + b",\xff\n", None)):
        status, out, err, path = run(directory, header + GOOD if header else b"", "--skip-bad")
        got = reports(err, path)
        check(status == 1 and out == "" and len(got) >= 1 and got[0][0] == 1 and (field is None or got[0][1] == field),
              f"header, {name}: {status} {err!r}")
    status, out, err, _ = run(directory, b"\xef\xbb\xbf" + b"amount_minor,note,currency,due,issued,kind,document,customer\r\n"
                              b'5,"x,\r\ny",USD,,2024-02-29,invoice,D,C\r\n')
    check(status == 0 and json.loads(out)["invoice_open_minor"] == 5, f"columns in another order: {out} {err}")
    status, out, err, _ = run(directory, HEADER)
    check(status == 0 and json.loads(out)["customers"] == 0, f"no rows: {status} {out} {err}")


def usage(directory):
    for options in (["--store", "nowhere"], ["--as-of", "today"], ["--as-of"], ["--what"]):
        status, out, err, _ = run(directory, HEADER + GOOD, *options) if options != ["--as-of"] else (
            subprocess.run([PROGRAM, "--as-of"], capture_output=True).returncode, "", "usage", "")
        check(status == 2 and out == "" and "usage" in err, f"{options}: {status} {err}")
    done = subprocess.run([PROGRAM, os.path.join(directory, "missing.csv")], capture_output=True)
    check(done.returncode == 1 and b"missing.csv" in done.stderr, f"no file: {done}")


with tempfile.TemporaryDirectory() as directory:
    for name, (content, expected) in CASES.items():
        bad_case(directory, name, content, expected)
    for name, (content, invoices, credits) in GOOD_CASES.items():
        good_case(directory, name, content, invoices, credits)
    headers(directory)
    usage(directory)
    if SQLITE:
        against_the_book(directory)
print(f"{len(CASES)} bad and {len(GOOD_CASES)} good cases, {len(failures)} failures")
sys.exit(1 if failures else 0)
