#!/bin/sh
# Runs the stages of make check-long that are named, each whatever became of the others, and prints one table at the end:
# what ran, how much of it, what was skipped, and why. The exit status is 1 when anything failed.
#
#   sh tests/long.sh STAGE…        check sanitizers valgrind portability consumers race
#
# CREDIT_TEST_LONG=1 in its environment makes check, sanitizers and race long. CREDIT_VALGRIND_TESTS: only these test
# programs under valgrind. What a stage did is told in the file CHECK_REPORT names: see tests/run.sh.
set -u
MAKE=${MAKE-make} CC=${CC-cc}
long=${CREDIT_TEST_LONG-}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

has_sanitizers() {
    echo 'int main(void) { return 0; }' >"$work/probe.c"
    $CC -fsanitize=address,undefined -o "$work/probe" "$work/probe.c" 2>/dev/null && "$work/probe"
}
skip() { printf 'SKIP\t-\t%s\n' "$*" >>"$CHECK_REPORT"; }

stage() { # NAME: does it, if it can be done here
    case $1 in
    check) $MAKE check ;;
    sanitizers)
        if has_sanitizers; then $MAKE check SANITIZE=address,undefined
        else skip "$CC has no address sanitizer"; fi
        ;;
    valgrind)
        # at the usual length
        unset CREDIT_TEST_LONG
        if ! command -v valgrind >/dev/null; then skip "valgrind is not installed"
        elif [ -n "${CREDIT_VALGRIND_TESTS-}" ]; then $MAKE check-valgrind TESTS="$(echo $CREDIT_VALGRIND_TESTS)" # on one line
        else $MAKE check-valgrind; fi
        ;;
    portability) $MAKE portability ;;
    consumers)
        if grep -q '^consumers:' Makefile; then $MAKE consumers
        else skip "there is no make consumers yet"; fi
        ;;
    race)
        stores='sqlite postgres'
        sh tests/support/with_postgres.sh sh -c '[ -n "${CREDIT_TEST_CONNINFO-}" ]' \
            || { stores=sqlite; skip "no PostgreSQL server for a longer race"; }
        for store in $stores; do
            $MAKE race STORE=$store SECONDS="$([ -n "$long" ] && echo 60 || echo 10)" >"$work/race" 2>&1
            status=$?
            cat "$work/race"
            sed -n "s/^race: \([0-9]* workers.*\|[0-9]* acknowledged.*\)/DID	$store	\1/p" "$work/race" >>"$CHECK_REPORT"
            [ "$status" = 0 ] || return 1
        done
        ;;
    *) echo "no such stage: $1"; return 1 ;;
    esac
}

failed=0
for name in "$@"; do
    echo "==== $name"
    CHECK_REPORT=$work/$name.report
    export CHECK_REPORT
    : >"$CHECK_REPORT"
    began=$(date +%s)
    (stage "$name")
    status=$?
    took=$(($(date +%s) - began))
    [ "$status" = 0 ] || failed=1
    # A stage that counts nothing is one check; one that breaks off before it counts has failed.
    awk -F '\t' -v name="$name" -v status="$status" -v took="$took" '
        $1 == "COUNT" { counted = 1; passed += $3; failed += $4; skipped += $5 }
        $1 == "SKIP" { skips++ }
        END {
            if (!counted && status == 0 && !skips) passed = 1
            if (status != 0 && !failed) failed = 1
            if (skipped < skips) skipped = skips
            printf "%-14s %7d %7d %7d  %3d:%02d\n", name, passed, failed, skipped, took / 60, took % 60
        }' "$CHECK_REPORT" >>"$work/table"
    # Names of tests without their directories; the same words once.
    sed -n "s|^DID	[^	]*/\([^	/]*\)	|$name	\1	|p; t; s|^DID	|$name	|p" "$CHECK_REPORT" >>"$work/did"
    sed -n "s|^SKIP	\([^	]*\)	|$name	|p" "$CHECK_REPORT" | sort -u >>"$work/skipped"
done

# The same reason in several stages: one line.
merge() { awk -F '\t' '{ if (!($2 in stages)) order[++n] = $2; if (!seen[$1 SUBSEP $2]++) stages[$2] = stages[$2] " " $1 }
    END { for (i = 1; i <= n; i++) printf "  %s (%s)\n", order[i], substr(stages[order[i]], 2) }'; }
rule='----------------------------------------------------------------'
echo
echo "$rule"
printf '%-14s %7s %7s %7s  %6s\n' "what ran" passed failed skipped m:s
cat "$work/table"
echo "$rule"
[ ! -s "$work/did" ] || { echo "how much"; awk -F '\t' '{ printf "  %-12s %-22s %s\n", $1, $2, $3 }' "$work/did"; }
if [ -s "$work/skipped" ]; then
    echo "skipped, and why"
    merge <"$work/skipped"
else
    echo "nothing was skipped"
fi
echo "$rule"
exit $failed
