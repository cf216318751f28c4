#!/bin/sh
# Through a pooler that gives every transaction another connection of the server, a ledger works when its storage keeps no
# prepared statements; rivals share three connections here.
set -u
BUILD=${BUILD-build}
skip() { echo "SKIP $*"; exit 77; }
[ -n "${HAVE_POSTGRES-}" ] || skip "built without PostgreSQL"
[ -n "${CREDIT_TEST_CONNINFO-}" ] || skip "no PostgreSQL server to test against (Debian: postgresql)"
bouncer=$(command -v pgbouncer || ls /usr/sbin/pgbouncer 2>/dev/null) || skip "no pgbouncer"
server=$(echo " $CREDIT_TEST_CONNINFO" | sed -n 's|.* host=\(/[^ ]*\).*|\1|p')
[ -n "$server" ] || skip "the server given does not answer on a unix socket"

dir=$(mktemp -d /tmp/credit-pool-XXXXXX) || exit 1
cat >"$dir/pgbouncer.ini" <<END
[databases]
postgres = host=$server user=credit dbname=postgres
[pgbouncer]
listen_addr =
unix_socket_dir = $dir
listen_port = 6432
auth_type = any
pool_mode = transaction
default_pool_size = 3
logfile = $dir/log
pidfile = $dir/pid
END
as=
if [ "$(id -u)" = 0 ]; then
    chown -R nobody:nogroup "$dir"
    chmod 755 "$dir"
    as="setpriv --reuid=nobody --regid=nogroup --clear-groups"
fi
$as "$bouncer" -q "$dir/pgbouncer.ini" >"$dir/out" 2>&1 &
pooler=$!
trap 'kill "$pooler" 2>/dev/null; wait "$pooler" 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM HUP
n=0
until [ -S "$dir/.s.PGSQL.6432" ]; do
    n=$((n + 1))
    [ "$n" -lt 100 ] || { cat "$dir/out" "$dir/log" 2>/dev/null; echo "pgbouncer does not start"; exit 1; }
    sleep 0.1
done
CREDIT_TEST_CONNINFO="host=$dir port=6432 user=credit dbname=postgres"
CREDIT_TEST_UNPREPARED=1 CREDIT_TEST_POSTGRES=only
export CREDIT_TEST_CONNINFO CREDIT_TEST_UNPREPARED CREDIT_TEST_POSTGRES
status=0
for test in conflict transfer; do "$BUILD/tests/ledger/test_$test" || status=1; done
exit $status
