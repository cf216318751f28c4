#!/bin/sh
# Writes the source as one archive, OUTDIR/libcredit-VERSION.tar.gz.
#
#   dist.sh OUTDIR VERSION
#
# 1. It holds what is tracked, as it lies in the tree now, and MANIFEST, a list of that: nothing that was generated, so
#    that it can be compared with the repository. Where there is no repository, MANIFEST says what goes in.
# 2. The same files give the same bytes (from the same gzip), whoever packs them, where and when: names are sorted, owners and modes are not
#    the machine's, and the one date is SOURCE_DATE_EPOCH, else that of the last commit, else that of MANIFEST, which is
#    the date the archive was given. So an archive, unpacked, makes itself again.
set -eu
LC_ALL=C; export LC_ALL
out=$1 name=libcredit-$2
tar --version 2>/dev/null | grep -q 'GNU tar' || { echo "dist.sh needs GNU tar" >&2; exit 1; }
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT

if [ -e .git ]; then
    git ls-files >"$work/tracked"
    epoch=${SOURCE_DATE_EPOCH-$(git log -1 --format=%ct)}
elif [ -f MANIFEST ]; then
    grep -vx MANIFEST MANIFEST >"$work/tracked"
    epoch=${SOURCE_DATE_EPOCH-$(date -r MANIFEST +%s)}
else
    echo "neither a repository nor a MANIFEST" >&2
    exit 1
fi
(echo MANIFEST; cat "$work/tracked") | sort >"$work/MANIFEST"
mkdir -p "$out" "$work/$name"
tar -cf "$work/tar" -T "$work/tracked"
tar -xf "$work/tar" -C "$work/$name"
cp "$work/MANIFEST" "$work/$name"
chmod -R u=rwX,go=rX "$work/$name"
tar --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -C "$work" -cf "$work/tar" "$name"
gzip -9nc "$work/tar" >"$work/tar.gz"
cp "$work/tar.gz" "$out/$name.tar.gz"
