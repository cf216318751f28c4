#!/bin/sh
# Runs test programs and test scripts, two at a time, and counts.
#
#   tests/run.sh PROGRAM|SCRIPT.sh…
#
# Each prints one line; of what fails, the output follows. A program counts with the checks it reports in the way of
# the check framework ("100%: Checks: 12, Failures: 0, Errors: 0"), a script or any other program as one. Exit
# status 77 means skipped; so does, for one check among others, a line of output that begins with "SKIP". Either is
# printed as a SKIP line with its reason. The last line is "N passed, N failed, N skipped"; the exit status is 1
# when anything failed.
#
# Every test runs at the top of the tree with a TMPDIR of its own, removed when it ends: in memory, where there is room,
# because no test pulls the plug, and what waits for a disk proves nothing more. CREDIT_TEST_UNDER is put before each
# program (valgrind, qemu); CHECK_JOBS is how many run at once; CK_TIMEOUT_MULTIPLIER stretches the time limits of the
# check framework for slow machines. CHECK_REPORT names a file that gets, a line each and separated by tabs, the counts,
# the skips, and what tests say of how much they did, in lines that begin with "DID": tests/long.sh makes a table of it.
set -u

one() {
    log=$results/$(echo "$1" | tr / _).log
    TMPDIR=$(mktemp -d) && export TMPDIR || exit 1
    began=$(date +%s)
    case $1 in
    *.sh) "./$1" >"$log" 2>&1 ;;
    /*) ${CREDIT_TEST_UNDER-} "$1" >"$log" 2>&1 ;;
    *) ${CREDIT_TEST_UNDER-} "./$1" >"$log" 2>&1 ;;
    esac
    status=$?
    took=$(($(date +%s) - began))
    rm -rf "$TMPDIR"

    checks=$(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\).*/\1 \2 \3/p' "$log" \
        | awk '{ checks += $1; failed += $2 + $3 } END { print checks + 0, failed + 0 }')
    failed=${checks#* }
    checks=${checks% *}
    skipped=$(grep -c '^SKIP' "$log")
    if [ "$status" = 77 ]; then
        [ "$skipped" -gt 0 ] || { skipped=1; sed -n '$s/^/SKIP /p' "$log" >"$log.skip"; }
        checks=$skipped
    else
        [ "$checks" -gt 0 ] || checks=$((1 + skipped))
        [ "$status" = 0 ] || [ "$failed" -gt 0 ] || failed=1
        [ "$checks" -ge $((failed + skipped)) ] || checks=$((failed + skipped))
    fi
    passed=$((checks - failed - skipped))
    echo "$passed $failed $skipped" >"$log.count"

    # One write per test, so that the lines of two that end together do not mix.
    {
        if [ "$failed" -gt 0 ]; then
            echo "FAIL $1: $failed of $checks, exit status $status"
            sed 's/^/    /' "$log" | tail -n 60
        elif [ "$status" != 77 ]; then
            echo "ok   $1: $passed passed$([ "$took" -lt 2 ] || echo ", $took s")"
        fi
        cat "$log.skip" 2>/dev/null || grep '^SKIP' "$log"
    } | sed "s|^SKIP|SKIP $1:|" >"$log.line"
    cat "$log.line"
    [ -z "${CHECK_REPORT-}" ] || {
        printf 'COUNT\t%s\t%s\t%s\t%s\t%s\n' "$1" "$passed" "$failed" "$skipped" "$took"
        sed -n "s|^SKIP $1: *|SKIP	$1	|p" "$log.line"
        sed -n "s|^DID *|DID	$1	|p" "$log"
    } >"$log.report"
}

if [ "${1-}" = --one ]; then
    one "$2"
    exit 0
fi

# Where programs may be run from and a gigabyte is free; else where the system has its scratch files.
if [ -z "${TMPDIR-}" ] && memory=$(mktemp -d /dev/shm/credit-XXXXXX 2>/dev/null); then
    printf '#!/bin/sh\n' >"$memory/try" && chmod +x "$memory/try"
    if "$memory/try" 2>/dev/null && df -kP "$memory" | awk 'NR == 2 { exit $4 < 1048576 }'; then
        TMPDIR=$memory
        export TMPDIR
    else
        rm -rf "$memory"
        memory=
    fi
fi
results=$(mktemp -d) || exit 1
trap 'rm -rf "$results" ${memory:+"$memory"}' EXIT
trap 'exit 130' INT TERM
: "${CK_TIMEOUT_MULTIPLIER:=4}"
export results CK_TIMEOUT_MULTIPLIER

# The longest first, so that none of them runs alone at the end.
longest='python/suite build/amalgamation build/abi build/configure storage/test_testkit storage/postgres_pooler
    storage/test_postgres race/race storage/test_postgres_kit ledger/test_every_call model/'
in_order() {
    for test in "$@"; do
        place=1
        for name in $longest; do
            case $test in *"$name"*) break ;; esac
            place=$((place + 1))
        done
        echo "$place $test"
    done | sort -s -n -k 1,1 | cut -d ' ' -f 2-
}
[ $# = 0 ] || in_order "$@" | xargs -n 1 -P "${CHECK_JOBS:-2}" sh "$0" --one
[ -z "${CHECK_REPORT-}" ] || cat "$results"/*.report >>"$CHECK_REPORT"
for test in "$@"; do
    cat "$results/$(echo "$test" | tr / _).log.count" 2>/dev/null || echo "0 1 0"
done | awk '
    { passed += $1; failed += $2; skipped += $3 }
    END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped; exit failed > 0 }'
