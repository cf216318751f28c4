# What hledger, Ledger and Beancount make of an export: sourced by test scripts, which set `work`, a directory with
# BOOK.hledger, BOOK.ledger, BOOK.beancount and BOOK.balances (account, amount and currency, separated by tabs).
LC_ALL=C.UTF-8; export LC_ALL
failed=0
fail() { echo "$*"; failed=1; }

# What a program says of a book, a line per account and currency: "ACCOUNT amount CURRENCY", without zeros.
library() { awk -F '\t' '$2 !~ /^-?[0.]*$/ { print $1, $2, $3 }' "$work/$1.balances" | sort; }
of_hledger() { # FILE
    for currency in $currencies; do
        hledger -f "$1" balance --flat -N "cur:^$currency\$" -O csv | sed 1d | tr -d '"' | tr ',' ' '
    done | awk '$2 !~ /^0/ || $2 ~ /[1-9]/' | sort
}
of_ledger() { # FILE
    for currency in $currencies; do
        ledger --args-only -f "$1" balance --flat --no-total --limit "commodity == \"$currency\"" \
            --balance-format '%(account) %(display_total)\n'
    done | sort
}

compare() { # PROGRAM BOOK SUFFIX
    "of_$1" "$work/$2.$3" >"$work/is" 2>"$work/says" || { fail "$1 cannot read the book of $2:"; cat "$work/says"; return; }
    library "$2" >"$work/should"
    cmp -s "$work/is" "$work/should" || { fail "$1 (<) and the library (>) differ on the book of $2:"; diff "$work/is" "$work/should" || true; }
}

# Beancount is told the balances and asked to check them; of one that is a unit off it must complain.
check_beancount() { # BOOK
    { cat "$work/$1.beancount"; awk -F '\t' '{ print "2999-01-01 balance", $1, $2, "~ 0", $3 }' "$work/$1.balances"; } >"$work/asserted"
    bean-check "$work/asserted" >"$work/says" 2>&1 || { fail "Beancount complains of the book of $1:"; head -n 20 "$work/says"; }
    { cat "$work/$1.beancount"; awk -F '\t' 'NR == 1 {
        last = substr($2, length($2)); print "2999-01-01 balance", $1, substr($2, 1, length($2) - 1) (last + 1) % 10, "~ 0", $3
    }' "$work/$1.balances"; } >"$work/wrong"
    if bean-check "$work/wrong" >"$work/says" 2>&1; then fail "Beancount does not notice a wrong balance of $1"; fi
}

# Every customer is one, whatever its id: none is cut short, and no two become the same.
customers() { # PROGRAM BOOK COUNT
    case $1 in
    hledger) found=$(hledger -f "$work/$2.hledger" tags customer --values | sort -u | wc -l) ;;
    ledger) found=$(ledger --args-only -f "$work/$2.ledger" register --format '%(tag("customer"))\n' | sort -u | wc -l) ;;
    esac
    [ "$found" -eq "$3" ] || fail "$1 sees $found customers in the book of $2, not $3"
}

agree() { # BOOK: whatever programs there are read the book, and agree with the library
    currencies=$(cut -f 3 "$work/$1.balances" | sort -u)
    count=$(sed -n 's/.*; customer: //p' "$work/$1.ledger" | sort -u | wc -l)
    if command -v hledger >/dev/null; then compare hledger "$1" hledger; customers hledger "$1" "$count"; fi
    if command -v ledger >/dev/null; then compare ledger "$1" ledger; customers ledger "$1" "$count"; fi
    if command -v bean-check >/dev/null; then check_beancount "$1"; fi
}

tell_missing() {
    for program in hledger ledger bean-check; do
        command -v $program >/dev/null || echo "SKIP no $program"
    done
}
