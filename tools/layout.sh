#!/bin/sh
# Prints what the public headers lay down in a data model, one fact a line: the size of every struct, the place of every
# member (struct.member offset size). Nothing is run, so a cross compiler will do: the figures are read from its assembly;
# and nothing is linked, so clang will do, which compiles for any machine. The headers need nothing but <stdint.h>.
#
#   layout.sh MODEL [INCLUDE]      lp64, llp64, ilp32 (ARM), ilp32-i386. Exit status 77: no compiler for it here
set -eu
LC_ALL=C; export LC_ALL
model=$1 include=${2-include}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT

case $model:$(uname -m) in
lp64:x86_64 | lp64:aarch64 | lp64:s390x) set -- "${CC-cc}" ;;
lp64:*) set -- 'clang --target=x86_64-linux-gnu -ffreestanding' ;;
llp64:*) set -- x86_64-w64-mingw32-gcc 'clang --target=x86_64-w64-mingw32 -ffreestanding' ;;
ilp32:*) set -- arm-linux-gnueabihf-gcc 'clang --target=arm-linux-gnueabihf -ffreestanding' ;;
ilp32-i386:*) set -- i686-linux-gnu-gcc 'clang --target=i686-linux-gnu -ffreestanding' 'gcc -m32 -ffreestanding' ;;
*) echo "no such data model: $model" >&2; exit 1 ;;
esac
echo '#include <stdint.h>' >"$work/probe.c"
cc=
for candidate in "$@"; do
    [ -z "$cc" ] || continue
    ! $candidate -S -o "$work/probe.s" "$work/probe.c" 2>/dev/null || cc=$candidate
done
[ -n "$cc" ] || { echo "no compiler for $model: $1"; exit 77; }

# Members, from the text of the headers: comments off, then statement by statement inside a struct.
for header in "$include"/credit/*.h; do
    sed -e 's|/\*\*<.*\*/||; s|//.*||' "$header" | awk '
        /\/\*/ { comment = 1 }
        !comment { print }
        /\*\// { comment = 0 }' | tr '\n' ' ' | tr ';' '\n' | awk '
        /struct crd_[a-z_]+ \{/ { match($0, /struct crd_[a-z_]+ \{/); name = substr($0, RSTART + 7, RLENGTH - 9)
            print name; $0 = substr($0, RSTART + RLENGTH) }
        /^ *\}/ { name = "" }
        name == "" { next }
        match($0, /\(CRD_CALL *\*[a-z_]+\)/) { m = substr($0, RSTART, RLENGTH); gsub(/.*\*|\)/, "", m); print name "." m; next }
        { gsub(/\[[^]]*\]/, ""); n = split($0, part, ","); for (i = 1; i <= n; i++) { m = part[i]; gsub(/ +$/, "", m)
            gsub(/.*[ *]/, "", m); if (m != "") print name "." m } }'
done | sort -u >"$work/names"
{
    echo '#include <stddef.h>'
    for header in "$include"/credit/*.h; do echo "#include <credit/${header##*/}>"; done
    cat <<'C'
#define SAY(what, a, b) __asm__ volatile(".ascii \"@@ " what " %c0 %c1\"" : : "i"((int)(a)), "i"((int)(b)))
void say(void);
void say(void) {
C
    awk -F. 'NF == 1 { printf "SAY(\"%s\", sizeof(%s), 0);\n", $1, $1 }
        NF == 2 { printf "SAY(\"%s.%s\", offsetof(%s, %s), sizeof(((%s *)0)->%s));\n", $1, $2, $1, $2, $1, $2 }' "$work/names"
    echo '}'
} >"$work/layout.c"
$cc -std=gnu99 -O1 -I"$include" -S -o "$work/layout.s" "$work/layout.c"
sed -n 's/.*\.ascii[[:space:]]*"@@ \(.*\)"$/\1/p' "$work/layout.s" | awk '$1 ~ /\./ { print; next } { print $1, $2 }' | sort
