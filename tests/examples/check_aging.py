#!/usr/bin/python3
"""check_aging.py FILE SHOWN: compares the aging in the output of reconcile_csv FILE with one computed here.

By rule: an open invoice counts by the days it is overdue (without a due date, the date of issue counts), the
remainder of a credit as unapplied cash if it was money received, else as other credit, both negative. Orders count
nowhere. As of the latest date of issue in the file, so every document counts.
"""
import datetime
import re
import sys

import oracle

DECIMALS = {"EUR": 2, "USD": 2, "GBP": 2, "JPY": 0, "KWD": 3}


def aging(rows, as_of, currency):
    buckets = [0] * 7
    for row in rows:
        if row["currency"] != currency or row["kind"] == "order":
            continue
        if row["kind"] in oracle.CREDITS:
            buckets[5 if row["kind"] in ("payment", "deposit") else 6] -= row["open"]
            continue
        overdue = (datetime.date.fromisoformat(as_of) - datetime.date.fromisoformat(row["due"])).days
        buckets[0 if overdue <= 0 else min(1 + (overdue - 1) // 30, 4)] += row["open"]
    return buckets + [sum(buckets)]


def shown(text, currency):
    """The rows `before` and `after` of a currency's aging, as minor units."""
    part = text.split(f"{currency}: AGING", 1)[1].split("\n\n", 1)[0]
    found = {}
    for line in part.splitlines():
        match = re.match(r"\s+(before|after)\s+(.*)", line)
        if match:
            found[match[1]] = [cell for cell in match[2].split()]
    return found


def minor(cell, currency):
    whole, _, rest = cell.replace(",", "").partition(".")
    assert len(rest) == DECIMALS[currency], f"{cell} has not the decimals of {currency}"
    return int(whole + rest)


def main():
    rows = oracle.read(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        text = file.read()
    as_of = max(row["issued"] for row in rows)
    currencies = sorted({row["currency"] for row in rows})
    before = {currency: aging(rows, as_of, currency) for currency in currencies}
    oracle.reconcile(rows, as_of)
    bad = 0
    for currency in currencies:
        after = aging(rows, as_of, currency)
        assert before[currency][-1] == after[-1], "applying changes no balance"
        found = shown(text, currency)
        for name, expected in (("before", before[currency]), ("after", after)):
            got = [minor(cell, currency) for cell in found[name]]
            if got != expected:
                print(f"{currency} {name}: expected {expected}, got {got}")
                bad = 1
    sys.exit(bad)


if __name__ == "__main__":
    main()
