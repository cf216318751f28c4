#!/bin/sh
# make dist: the same bytes twice, whoever packs; what is tracked and nothing else; and what is unpacked elsewhere, without
# a repository, packs itself to the same bytes, builds and works. CREDIT_TEST_LONG: it also passes tests of its own there.
set -eu
LC_ALL=C; export LC_ALL
unset MAKEFLAGS MFLAGS MAKELEVEL SOURCE_DATE_EPOCH || true
make=${MAKE-make} name=libcredit-$VERSION top=$PWD
tar --version 2>/dev/null | grep -q 'GNU tar' || { echo "SKIP no GNU tar"; exit 77; }
if [ -e .git ]; then
    git ls-files >/dev/null 2>&1 || { echo "SKIP no git, or none that reads this repository"; exit 77; }
else
    [ -f MANIFEST ] || { echo "SKIP neither a repository nor an unpacked archive"; exit 77; }
fi
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
fail() { echo "$*"; exit 1; }

sh tools/dist.sh "$work/one" "$VERSION"
(umask 077; TZ=Asia/Tokyo LC_ALL=C.UTF-8 GZIP_OPT=-1 sh tools/dist.sh "$work/two" "$VERSION")
cmp "$work/one/$name.tar.gz" "$work/two/$name.tar.gz" || fail "made twice, and different"
SOURCE_DATE_EPOCH=1000000000 sh tools/dist.sh "$work/dated" "$VERSION"
TZ=UTC tar -tvzf "$work/dated/$name.tar.gz" >"$work/list"
[ "$(grep -vc ' 0/0 .* 2001-09-09 01:46 ' "$work/list")" = 0 ] || fail "SOURCE_DATE_EPOCH or the owner is not heard"
! grep -vE '^(-rw-r--r--|-rwxr-xr-x|drwxr-xr-x) ' "$work/list" || fail "the modes above are the machine's"

mkdir "$work/elsewhere"
cd "$work/elsewhere"
tar -xzf "../one/$name.tar.gz"
[ "$(ls -A)" = "$name" ] || fail "the archive unpacks to" $(ls -A)
cd "$name"
find . -type f | sed 's|^\./||' | sort >"$work/found"
diff MANIFEST "$work/found" || fail "MANIFEST (<) and what is there (>) differ"
if [ -e "$top/.git" ]; then (cd "$top" && git ls-files); else grep -vx MANIFEST "$top/MANIFEST"; fi | sort >"$work/tracked"
grep -vx MANIFEST MANIFEST | diff "$work/tracked" - || fail "what is tracked (<) and MANIFEST (>) differ"
while read -r file; do cmp -s "$top/$file" "$file" || fail "$file was changed"; done <"$work/tracked"
"$make" -s dist >"$work/log" 2>&1 || { cat "$work/log"; fail "make dist fails elsewhere"; }
cmp "$work/one/$name.tar.gz" "dist/$name.tar.gz" || fail "unpacked and made again, and different"

# Nothing of the checkout helps: the environment of make check is not for this tree.
alone() { env -u BUILD -u CFLAGS -u CPPFLAGS -u LDFLAGS -u CREDIT_TEST_LONG -u HAVE_SQLITE -u HAVE_POSTGRES "$@" >"$work/log" 2>&1 \
    || { tail -n 40 "$work/log"; fail "elsewhere fails: $*"; }; }
CC=${CC-cc}
if [ -n "${CREDIT_TEST_LONG-}" ]; then
    alone "$make" -j2 CC="$CC" WERROR=1 all tests
    for test in build/tests/core/test_*; do [ ! -x "$test" ] || alone "$test"; done
    alone build/tests/ledger/test_apply
    for test in tests/build/symbols.sh tests/build/install.sh tests/build/rooms.sh tests/build/libc_only.sh; do
        alone env CC="$CC" VERSION="$VERSION" HAVE_SQLITE="${HAVE_SQLITE-}" HAVE_POSTGRES="${HAVE_POSTGRES-}" sh "$test"
    done
    alone "$make" CC="$CC" demo
else
    alone "$make" CC="$CC" CFLAGS=-O0 WITH_SQLITE=no WITH_POSTGRES=no build/libcredit.a
    alone "$CC" -std=c99 -Iinclude -o consumer tests/build/consumer.c build/libcredit.a
    alone ./consumer
fi
