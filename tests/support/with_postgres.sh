#!/bin/sh
# Runs a command with a PostgreSQL server of its own to test against, and stops the server when the command ends,
# however it ends.
#
#   with_postgres.sh COMMAND [ARGUMENT…]
#
# The command finds the server by CREDIT_TEST_CONNINFO. If that is set already, the server it names is used; if there is
# no server to start, the command runs without, and its tests say that they are skipped. The cluster lives in a scratch
# folder, answers on a unix socket in it and never on TCP, and belongs to an unprivileged user (nobody, when run as root).
# With CREDIT_POSTGRES_DURABLE=1 it syncs what it keeps, as a benchmark must; a test that cuts connections and kills
# processes needs a server that lives, not a disk.
set -u
[ $# -gt 0 ] || { echo "usage: with_postgres.sh COMMAND [ARGUMENT...]" >&2; exit 2; }
[ -z "${CREDIT_TEST_CONNINFO-}" ] || exec "$@"

bin=
for place in ${CREDIT_POSTGRES_BIN-} /usr/lib/postgresql/15/bin /usr/lib/postgresql/*/bin \
    "$(dirname "$(command -v postgres 2>/dev/null || echo /nowhere/x)")"; do
    if [ -z "$bin" ] && [ -x "$place/initdb" ] && [ -x "$place/postgres" ]; then bin=$place; fi
done
[ -n "$bin" ] || exec "$@"

# As somebody who may do little: initdb and postgres refuse to run as root.
if [ "$(id -u)" != 0 ]; then
    as() { "$@"; }
elif command -v setpriv >/dev/null; then
    as() { setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME=/nonexistent "$@"; }
else
    as() { runuser -u nobody -- "$@"; }
fi

# Not below TMPDIR: the path of a socket may have no more than 107 bytes.
scratch=$(mktemp -d /tmp/credit-pg-XXXXXX) || exit 1
[ "$(id -u)" != 0 ] || chown nobody:nogroup "$scratch"
chmod 755 "$scratch"
cd_back=$(pwd)
cd "$scratch" || exit 1
if ! as "$bin/initdb" -N -D "$scratch/data" -U credit -A trust -E UTF8 --no-locale >"$scratch.log" 2>&1; then
    cat "$scratch.log"
    rm -rf "$scratch" "$scratch.log"
    exit 1
fi
rm -f "$scratch.log"

fsync=off
[ -z "${CREDIT_POSTGRES_DURABLE-}" ] || fsync=on

# Whoever holds the other end of the pipe keeps the server running: this script, until it ends or is killed.
as mkfifo "$scratch/held"
(
    trap '' INT TERM HUP
    cat <"$scratch/held" >/dev/null
    as "$bin/pg_ctl" -D "$scratch/data" -m immediate -w stop >/dev/null 2>&1
    cd / && rm -rf "$scratch"
) >/dev/null 2>&1 &
keeper=$!
exec 9>"$scratch/held"

if ! as "$bin/pg_ctl" -D "$scratch/data" -w -l "$scratch/server.log" start \
    -o "-k $scratch -c fsync=$fsync -c listen_addresses= -c max_connections=60 -c shared_buffers=64MB -c max_prepared_transactions=0" \
    >/dev/null 2>&1 9>&-; then
    cat "$scratch/server.log"
    exec 9>&-
    wait "$keeper"
    exit 1
fi
cd "$cd_back" || exit 1
CREDIT_TEST_CONNINFO="host=$scratch user=credit dbname=postgres"
export CREDIT_TEST_CONNINFO

child=
trap '[ -z "$child" ] || kill -TERM "$child" 2>/dev/null' INT TERM HUP
"$@" 9>&- &
child=$!
status=0
wait "$child" || status=$?
while kill -0 "$child" 2>/dev/null; do wait "$child"; status=$?; done
exec 9>&-
wait "$keeper"
exit "$status"
