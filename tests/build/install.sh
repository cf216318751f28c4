#!/bin/sh
# An installed libcredit can be used through pkg-config alone, from a staging directory and from a prefix, shared
# and static, and through CMake; and uninstall leaves the place as it was. In every other way: make consumers.
set -eu
command -v "${PKG_CONFIG-pkg-config}" >/dev/null || { echo "SKIP no pkg-config"; exit 77; }
unset MAKEFLAGS MFLAGS MAKELEVEL
BUILD=${BUILD-build} CC=${CC-cc} PKG_CONFIG=${PKG_CONFIG-pkg-config}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
fail() { echo "$*"; exit 1; }
make_() {
    "${MAKE-make}" -s BUILD="$BUILD" CC="$CC" CFLAGS="${CFLAGS--O2 -g}" CPPFLAGS="${CPPFLAGS-}" LDFLAGS="${LDFLAGS-}" \
        WITH_SQLITE="$([ -n "${HAVE_SQLITE-}" ] && echo yes || echo no)" \
        WITH_POSTGRES="$([ -n "${HAVE_POSTGRES-}" ] && echo yes || echo no)" "$@" >"$work/make.log" 2>&1 \
        || { cat "$work/make.log"; fail "make $* failed"; }
}
tree() { (cd "$1" && find . | LC_ALL=C sort); }

# 1. A staging tree, which nothing but pkg-config's sysroot knows about.
stage=$work/stage
mkdir "$stage"
make_ install DESTDIR="$stage" prefix=/opt/credit
staged() { PKG_CONFIG_LIBDIR=$stage/opt/credit/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$stage "$PKG_CONFIG" "$@"; }
[ "$(staged --modversion credits)" = "$VERSION" ] || fail "credits.pc has another version than version.h"
$CC -std=c99 -o "$work/shared" tests/build/consumer.c $(staged --cflags --libs credits)
readelf -d "$work/shared" | grep -q "NEEDED.*libcredit.so.${VERSION%%.*}\]" || fail "the shared library is not used"
[ "$(LD_LIBRARY_PATH=$stage/opt/credit/lib "$work/shared")" = "libcredit $VERSION: ACME still owes 7500 cents" ] \
    || fail "shared program fails"

# CMake finds the same, and says of versions and components that are not there what they are.
if command -v cmake >/dev/null; then
    mkdir "$work/cmake"
    cp tests/build/consumer.c "$work/cmake"
    cat >"$work/cmake/CMakeLists.txt" <<EOF
cmake_minimum_required(VERSION 3.14)
project(consumer LANGUAGES C)
set(CMAKE_C_STANDARD 99)
find_package(credit 9)
if(credit_FOUND)
    message(FATAL_ERROR "there is no version 9")
endif()
find_package(credit $VERSION COMPONENTS nonsense)
if(credit_FOUND OR NOT credit_NOT_FOUND_MESSAGE MATCHES nonsense)
    message(FATAL_ERROR "there is no nonsense")
endif()
find_package(credit $VERSION REQUIRED COMPONENTS testkit)
add_executable(consumer consumer.c)
target_link_libraries(consumer PRIVATE credit::testkit)
target_compile_definitions(consumer PRIVATE CONSUMER_TESTKIT)
EOF
    (cd "$work/cmake" && CC="$CC" cmake -DCMAKE_PREFIX_PATH="$stage/opt/credit" . && cmake --build .) >"$work/log" 2>&1 \
        || { cat "$work/log"; fail "a CMake project does not build"; }
    "$work/cmake/consumer" >/dev/null || fail "a program built by CMake fails"
else
    echo "SKIP find_package: no cmake"
fi

# The program of the README, as pasted.
$CC -std=c99 -o "$work/ten" examples/ten_lines.c $(staged --cflags --libs credits)
[ "$(LD_LIBRARY_PATH=$stage/opt/credit/lib "$work/ten")" = "ACME still owes 7500 cents" ] || fail "ten_lines.c, shared"
rm "$stage"/opt/credit/lib/libcredit.so*
$CC -std=c99 -o "$work/ten" examples/ten_lines.c $(staged --static --cflags --libs credits)
[ "$("$work/ten")" = "ACME still owes 7500 cents" ] || fail "ten_lines.c, static"
make_ install-shared DESTDIR="$stage" prefix=/opt/credit

# The tree can be moved, because its paths are said relative to the prefix.
mv "$stage/opt/credit" "$work/moved"
$CC -std=c99 -o "$work/relocated" tests/build/consumer.c \
    $(PKG_CONFIG_LIBDIR=$work/moved/lib/pkgconfig "$PKG_CONFIG" --define-prefix --cflags --libs credits)
LD_LIBRARY_PATH=$work/moved/lib "$work/relocated" >/dev/null || fail "a moved tree does not work"
mv "$work/moved" "$stage/opt/credit"
"$stage/opt/credit/bin/credits" version | grep -q "^credits $VERSION" || fail "the program credits is not installed"
[ -f "$stage/opt/credit/share/man/man1/credits.1" ] || fail "credits(1) is not installed"
make_ uninstall DESTDIR="$stage" prefix=/opt/credit
[ "$(tree "$stage")" = . ] || fail "uninstall left behind:" $(tree "$stage")
make_ uninstall DESTDIR="$stage" prefix=/opt/credit

# 2. A prefix that others use as well, parts installed one by one, static only.
root=$work/root
mkdir -p "$root/bin" "$root/lib/pkgconfig" "$root/include" "$root/share/man/man3"
touch "$root/lib/pkgconfig/other.pc" "$root/include/other.h" "$root/share/man/man3/other.3"
tree "$root" >"$work/before"
make_ install-headers install-static install-pc install-man prefix="$root"
PKG_CONFIG_PATH=$root/lib/pkgconfig; export PKG_CONFIG_PATH
$CC -std=c99 -o "$work/static" tests/build/consumer.c $("$PKG_CONFIG" --static --cflags --libs credits)
"$work/static" >/dev/null || fail "static program fails"
if [ -n "${HAVE_SQLITE-}" ]; then
    # Debian's sqlite3.pc names -lz, and its libsqlite3-dev does not bring it: that is not ours to test.
    if echo 'int main(void) { return 0; }' \
        | $CC -x c - -o "$work/probe" $("$PKG_CONFIG" --static --libs sqlite3) 2>/dev/null; then
        $CC -std=c99 -DCONSUMER_SQLITE -o "$work/static-sqlite" tests/build/consumer.c \
            $("$PKG_CONFIG" --static --cflags --libs credits-sqlite)
        "$work/static-sqlite" >/dev/null || fail "static program with SQLite fails"
    else
        echo "SKIP static with SQLite: what sqlite3.pc needs for it is not installed (Debian: zlib1g-dev)"
    fi
    make_ install prefix="$root"
    $CC -std=c99 -DCONSUMER_SQLITE -o "$work/shared-sqlite" tests/build/consumer.c \
        $("$PKG_CONFIG" --cflags --libs credits-sqlite credits)
    LD_LIBRARY_PATH=$root/lib "$work/shared-sqlite" >/dev/null || fail "shared program with SQLite fails"
fi
if [ -n "${HAVE_POSTGRES-}" ]; then
    make_ install prefix="$root"
    $CC -std=c99 -DCONSUMER_POSTGRES -o "$work/shared-postgres" tests/build/consumer.c \
        $("$PKG_CONFIG" --cflags --libs credits-postgres credits)
    LD_LIBRARY_PATH=$root/lib "$work/shared-postgres" >/dev/null || fail "shared program with PostgreSQL fails"
fi
# Also by one who has other things enabled than whoever installed.
make_ uninstall prefix="$root" WITH_SQLITE=no WITH_POSTGRES=no ENABLE_STATIC=no
tree "$root" | cmp -s - "$work/before" || fail "uninstall left or took:" $(tree "$root" | diff "$work/before" - || true)

# 3. A prefix of its own, and one with directories that are empty, such as a new /usr/local has.
mkdir "$work/own"
make_ install prefix="$work/own"
make_ uninstall prefix="$work/own"
[ "$(tree "$work/own")" = . ] || fail "uninstall left behind:" $(tree "$work/own")
mkdir "$work/own/bin" "$work/own/lib" "$work/own/include" "$work/own/share" "$work/own/share/man" "$work/own/sbin"
tree "$work/own" >"$work/before"
make_ install prefix="$work/own"
make_ uninstall prefix="$work/own"
tree "$work/own" | diff "$work/before" - || fail "uninstall left or took the above"
