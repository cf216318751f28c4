#!/usr/bin/python3
"""An independent reconcile of a file of open items, to compare examples/reconcile_csv with.

    oracle.py [--as-of DATE] [--applications FILE] FILE

Prints the JSON that reconcile_csv --json prints for a book that was empty before. It knows nothing of the library:
the rules are written down here a second time, from their description (rules M14 and M15), as plainly as possible:

- per customer and currency; credits by date of issue, then order in the file; finance charges first, then the other
  invoices by due date (without one the date of issue), date of issue, order in the file;
- credit by credit, each until it or the invoices are used up;
- orders and deposits, and what is dated after the day of the run, take no part.
"""
import argparse
import csv
import json
import sys

INVOICES = ("invoice", "finance_charge", "debit_memo")
CREDITS = ("credit_memo", "payment", "deposit", "goodwill", "promotional")


def read(path):
    """The documents of a file in its order, a repeated row counted once."""
    seen, rows = set(), []
    with open(path, newline="", encoding="utf-8-sig") as file:
        for number, row in enumerate(csv.DictReader(file)):
            key = tuple(row[name] for name in ("customer", "document", "kind", "issued", "due", "currency",
                                               "amount_minor"))
            if key not in seen:
                seen.add(key)
                rows.append({"number": number, "customer": row["customer"], "document": row["document"],
                             "kind": row["kind"], "issued": row["issued"], "due": row["due"] or row["issued"],
                             "currency": row["currency"], "open": int(row["amount_minor"]),
                             "total": int(row["amount_minor"])})
    return rows


def reconcile(rows, as_of):
    """Uses up what is open in the rows; returns the applications in their order."""
    accounts = {}
    for row in rows:
        accounts.setdefault((row["customer"].encode(), row["currency"]), []).append(row)
    applications = []
    for _, items in sorted(accounts.items()):
        ready = [row for row in items if row["issued"] <= as_of]
        credits = sorted((row for row in ready if row["kind"] in CREDITS and row["kind"] != "deposit"),
                         key=lambda row: (row["issued"], row["number"]))
        invoices = sorted((row for row in ready if row["kind"] in INVOICES),
                          key=lambda row: (row["kind"] != "finance_charge", row["due"], row["issued"], row["number"]))
        for credit in credits:
            for invoice in invoices:
                amount = min(credit["open"], invoice["open"])
                if amount > 0:
                    credit["open"] -= amount
                    invoice["open"] -= amount
                    applications.append((credit, invoice, amount))
    return applications


def summary(rows, applications, currency):
    invoices = [row for row in rows if row["kind"] in INVOICES and row["currency"] == currency]
    credits = [row for row in rows if row["kind"] in CREDITS and row["currency"] == currency]
    used = [amount for credit, _, amount in applications if credit["currency"] == currency]

    def partly(items):
        return sum(0 < row["open"] < row["total"] for row in items)

    def closed(items):
        return sum(row["open"] == 0 for row in items)

    return {"customers": len({row["customer"] for row in invoices + credits}),
            "invoices": len(invoices), "credits": len(credits),
            "applications": len(used), "applied_minor": sum(used),
            "invoices_paid": closed(invoices), "invoices_partly_paid": partly(invoices),
            "credits_spent": closed(credits), "credits_partly_spent": partly(credits),
            "credit_remaining_minor": sum(row["open"] for row in credits),
            "invoice_open_minor": sum(row["open"] for row in invoices)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--as-of")
    parser.add_argument("--applications")
    parser.add_argument("file")
    options = parser.parse_args()

    rows = read(options.file)
    applications = reconcile(rows, options.as_of or max((row["issued"] for row in rows), default=""))
    if options.applications:
        with open(options.applications, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("customer", "credit", "invoice", "amount_minor"))
            for credit, invoice, amount in applications:
                writer.writerow((credit["customer"], credit["document"], invoice["document"], amount))
    currencies = sorted({row["currency"] for row in rows})
    if len(currencies) > 1:
        result = [{"currency": currency, **summary(rows, applications, currency)} for currency in currencies]
    else:
        result = summary(rows, applications, currencies[0] if currencies else "")
    json.dump(result, sys.stdout, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
