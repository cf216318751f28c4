#!/bin/sh
# Which test carries which promise of tests/requirements.txt.
#
# A test carries an id by having it as a word of its name, words being parted by underscores: R48_R52_..., M8_...,
# museum_04_05_... (both 04 and 05). A script in tests/ carries one by its file's name in the same way, or by a comment
# line that begins with ids and a colon, as "# R69 R71: ...".
#
# Prints a table of all ids. Fails when an id whose status is now has no test, and when a test carries an id that the
# list does not have: it is misspelt, or the promise was never written down. That a test in a C file is also run needs
# no look here: the compiler warns of one that no case uses.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/.."

awk -F '\t' '
function complain(text) {
    complaints = complaints text "\n"
}

# Credits a test with each id among the words of a text.
function carry(test, text,    words, n, i, in_museum) {
    n = split(text, words, /[^A-Za-z0-9]+/)
    in_museum = 0
    for (i = 1; i <= n; i++) {
        if (words[i] ~ /^[RM][0-9]+$/)
            carry_id(test, words[i])
        else if (in_museum && words[i] ~ /^[0-9]+$/)
            carry_id(test, "museum-" words[i])
        in_museum = words[i] == "museum" || (in_museum && words[i] ~ /^[0-9]+$/)
    }
}

function carry_id(test, id) {
    if (!(id in status)) {
        complain(FILENAME ": " test " carries " id ", which is not in the list")
    } else if (!((id, test) in carried)) {
        carried[id, test] = 1
        count[id]++
        if (count[id] <= 2)
            names[id] = names[id] (count[id] > 1 ? " " : "  ") test
    }
}

FILENAME == "tests/requirements.txt" {
    if (/^#/ || /^$/)
        next
    if (NF != 3 || ($2 != "now" && $2 != "later") || $3 == "" || $1 in status)
        complain(FILENAME ":" FNR ": not an id of its own, a status and a text: " $1)
    if (!($1 in status))
        ids[++id_count] = $1
    status[$1] = $2
    next
}

FILENAME ~ /\.c$/ && /^[ \t]*START_TEST\(/ {
    name = $0
    sub(/^[ \t]*START_TEST\([ \t]*/, "", name)
    sub(/[^A-Za-z0-9_].*/, "", name)
    carry(name, name)
}

FILENAME ~ /\.sh$/ {
    name = FILENAME
    sub(/^tests\//, "", name)
    if (FNR == 1)
        carry(name, name)
    if (/^# *([RM][0-9]+|museum[-_][0-9]+)([ ,]+([RM][0-9]+|museum[-_][0-9]+))*:/) {
        text = $0
        sub(/:.*/, "", text)
        carry(name, text)
    }
}

END {
    for (i = 1; i <= id_count; i++) {
        id = ids[i]
        printf "%-9s  %-5s  %3d%s%s\n", id, status[id], count[id], names[id], (count[id] > 2 ? " ..." : "")
        if (status[id] == "now" && !count[id])
            complain(id " is due now and no test carries it")
        due += status[id] == "now"
        tested += status[id] == "now" && count[id]
        early += status[id] == "later" && count[id]
    }
    printf "%d of %d ids due have a test; of %d for later, %d have one already\n", tested, due, id_count - due, early
    printf "%s", complaints
    exit complaints != ""
}' tests/requirements.txt tests/*/*.c tests/*/*.sh
