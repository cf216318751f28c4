#!/bin/sh
# Every reason for which the headers say that a command is refused has a test that has it refused so, with the book
# unchanged: a REFUSED(…) of tests/ledger that calls the function and names the status.
#
# A test may call by a helper of its own: a function that returns what one public function returned stands for that.
# Not looked for are failures that are nobody's decision, and what walks of all commands provoke in every one of them:
# bad arguments (test_every_call.c), permission and feature (test_hooks.c, test_policy.c), keys (test_requests.c),
# conflicts (test_conflict.c), memory and storage (test_scene_faults.c). Batches that are too large take long to make.
set -eu
LC_ALL=C; export LC_ALL
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT

# FUNCTION STATUS, of the comment in front of a declaration that takes a request, and of crd_acknowledge().
cat include/credit/*.h | awk '
    /^\/\*\*/ { comment = ""; declaration = ""; inside = 1 }
    inside { comment = comment " " $0 }
    /\*\/[ \t]*$/ { inside = 0 }
    /^CRD_API/ { declaration = ""; reading = 1 }
    reading { declaration = declaration " " $0 }
    reading && /;/ {
        reading = 0
        if (declaration !~ /const crd_request \*request/ && declaration !~ /crd_acknowledge\(/) next
        name = declaration
        sub(/\(.*/, "", name)
        sub(/.*[ *]/, "", name)
        sub(/.*@return/, "", comment)
        sub(/@memberof.*/, "", comment)
        n = split(comment, words, /[^A-Z_a-z0-9]+/)
        for (i = 1; i <= n; i++)
            if (words[i] ~ /^CRD_E_/) print name, words[i]
    }' | sort -u >"$work/said"
[ "$(wc -l <"$work/said")" -ge 150 ] || { echo "the headers are read wrongly"; exit 1; }
grep -v -E ' CRD_E_(ARGUMENT|DISABLED|DENIED|CONFLICT|STORAGE|UNKNOWN|NOMEM|CANCELLED|TOO_LARGE)$' "$work/said" >"$work/due"

# FUNCTION STATUS, of the REFUSEDs of each file by itself, whose helpers are its own.
for file in tests/ledger/*.c; do
    awk '
    FNR == NR { # first reading: what helper stands for what
        if (match($0, /^static crd_status [a-z_0-9]+\(/)) {
            helper = $0; sub(/\(.*/, "", helper); sub(/.* /, "", helper)
        }
        if (helper != "" && match($0, /return (crd_[a-z_0-9]+|try_[a-z_]+)\(/)) {
            stands[helper] = substr($0, RSTART + 7, RLENGTH - 8)
        }
        if ($0 == "}") helper = ""
        next
    }
    /(REFUSED|ENDS)\(/ { call = ""; open = 1 }
    open { call = call " " $0 }
    open && /;[ \t]*(\/\*.*|\\|\})?$/ {
        open = 0
        if (call !~ /REFUSED\(/) next
        if (!match(call, /CRD_E_[A-Z_]+\)/)) next
        status = substr(call, RSTART, RLENGTH - 1)
        n = split(call, words, /[^a-z_0-9]+/)
        for (i = 1; i <= n; i++) {
            name = words[i]
            for (depth = 0; depth < 4 && name in stands; depth++) name = stands[name]
            if (name == "try_apply") name = "crd_credit_apply"
            if (name == "try_undo") name = "crd_undo"
            if (name == "try_enter") name = "crd_receipt_enter"
            if (name == "try_reverse") name = "crd_receipt_reverse"
            if (name ~ /^crd_/) print name, status
        }
    }' "$file" "$file"
done | sort -u >"$work/tried"

comm -23 "$work/due" "$work/tried" >"$work/missing"
[ ! -s "$work/missing" ] || { echo "said in the headers, and by no test:"; cat "$work/missing"; exit 1; }
