#!/bin/sh
# R32 M16: no credit is spent twice, whoever is killed when. Processes that are killed at random, on one schema of
# PostgreSQL, and on one SQLite file; eight of them, then two. And the judge itself: it must see a command that was
# acknowledged and is lost, one that was refused and is kept, and a credit that is applied beyond its amount.
set -u
cd "$(dirname "$0")/../.."
race=${BUILD:-build}/tests/race/race
[ -x "$race" ] || { echo "SKIP a race needs a store that processes share, and SQLite and PostgreSQL were left out"; exit 77; }
seconds=2
case ${CREDIT_TEST_LONG:-0} in 0) ;; *) seconds=10 ;; esac
fail() { echo "$*"; exit 1; }
race() {
    "$race" "$@" >"$TMPDIR/said" 2>&1
    status=$?
    sed 's/^race: \([0-9]* workers\|[0-9]* acknowledged\)/DID \1/' "$TMPDIR/said"
    return $status
}

if [ -n "${HAVE_POSTGRES-}" ] && [ -n "${CREDIT_TEST_CONNINFO-}" ]; then
    # the server's connections are cut as well
    mkdir "$TMPDIR/server"
    race "postgres:$CREDIT_TEST_CONNINFO" "$TMPDIR/server" "$seconds" 8 || fail "a race on PostgreSQL went wrong"
else
    echo "SKIP no PostgreSQL server for a race"
fi
[ -n "${HAVE_SQLITE-yes}" ] || { echo "SKIP no race on SQLite, which was left out"; exit 0; }

for workers in 8 2; do
    d=$TMPDIR/$workers
    mkdir "$d"
    race "sqlite:$d/book" "$d" "$seconds" "$workers" || fail "a race of $workers workers went wrong"
done

judge() { "$race" judge "sqlite:$d/book" "$d"/worker-*.log "$d/forged.log" >"$d/said" 2>&1; }
: >"$d/forged.log"
judge || fail "the judge finds fault with a clean book: $(cat "$d/said")"

echo "+ w99-0-1 c00 5 5" >"$d/forged.log"
judge && fail "a lost command was not seen"
grep -q " 1 lost, 0 kept though refused" "$d/said" || fail "not told as lost: $(cat "$d/said")"

grep -h "^+" "$d"/worker-*.log | sed -n '1s/^+ \([^ ]*\) \([^ ]*\).*/- \1 \2 CRD_E_STATE/p' >"$d/forged.log"
judge && fail "a command that was refused and kept was not seen"
grep -q " 0 lost, 1 kept though refused" "$d/said" || fail "not told as kept: $(cat "$d/said")"

: >"$d/forged.log"
if command -v python3 >/dev/null; then
    python3 - "$d/book" <<'END' || fail "cannot spoil the book"
import sqlite3, sys
book = sqlite3.connect(sys.argv[1])
table = [name for name, in book.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%credit'")][0]
book.execute("UPDATE %s SET original = 1 WHERE customer = 'hot' AND id = 'K00'" % table)
book.commit()
END
    judge && fail "a credit applied beyond its amount was not seen"
    grep -q "credit hot K00 of 1 has" "$d/said" || fail "not told as over-applied: $(cat "$d/said")"
fi
