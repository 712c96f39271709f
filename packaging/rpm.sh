#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds rpm-build/*.rpm from bpfman.spec and the checkout as it stands, without network, and lints them: `make rpm`.
# The same commit gives the same packages, byte for byte, whatever folder it is in; the source package names its folder.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^Version: *//p' bpfman.spec)
out=$PWD/rpm-build
cache=$PWD/.cache/rpm
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{SOURCES,tree} "$cache"
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

pack() { # TARBALL TAR-ARGUMENT…
    local tarball=$1
    shift
    tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -c "$@" | zstd -q -f -T0 -3 -o "$tarball"
}

# what is tracked or new, as it is on disk, less what is deleted
git ls-files -z --cached --others --exclude-standard | sort -zu |
    while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done >"$work/files"
pack "$work/SOURCES/bpfman-$version.tar.zst" --null --files-from="$work/files" --transform="s,^,bpfman-$version/,S"

# What is compiled elsewhere stays out: Fedora builds from source and has these tools itself.
modules=$cache/node_modules-$(sha256sum <package-lock.json | cut -c1-16).tar.zst
if [ ! -e "$modules" ]; then
    rm -f "$cache"/node_modules-*
    # maps, declarations, and of PatternFly what it is made from and its documentation are ballast
    pack "$modules.new" --exclude='*.map' --exclude='*.d.ts' \
        --exclude='node_modules/@patternfly/*.scss' --exclude=node_modules/@patternfly/patternfly/docs \
        --exclude=node_modules/{.bin,node,typescript,@typescript,@biomejs,@bufbuild/buf,playwright-core,@axe-core,axe-core,@types} \
        --exclude='node_modules/@bufbuild/buf-*' --exclude='node_modules/@esbuild' --exclude='node_modules/@koromix' \
        node_modules
    mv "$modules.new" "$modules"
fi
cp "$modules" "$work/SOURCES/bpfman-$version-node_modules.tar.zst"

# The programs that build come from node_modules here; the spec names Fedora's packages for them.
options=(--nodeps)
[ -e /etc/fedora-release ] || options+=(--load packaging/macros.debian)
options+=(--define "build_node $(readlink -f node_modules/.bin/node)")
options+=(--define "build_esbuild $(readlink -f node_modules/@esbuild/linux-*/bin/esbuild)")

# koffi takes a C++ compiler a minute, so what was built from this source before is used again
koffi=$cache/koffi-$(find node_modules/koffi -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
if [ ! -e "$koffi" ]; then
    rm -rf "$cache"/koffi-*
    cp -r node_modules/koffi "$work/koffi"
    (cd "$work/koffi" && "$OLDPWD/node_modules/.bin/node" cnoke.cjs -P . -D src/koffi --release)
    for triplet in "$work"/koffi/build/koffi/*; do
        install -D "$triplet/koffi.node" "$koffi.new/${triplet##*/}/koffi.node"
    done
    mv "$koffi.new" "$koffi"
fi
options+=(--define "koffi_built $koffi")

# Twice, because a binary package that is built with its source package names that one's digest, which covers folder names.
for what in -bb -bs; do
    rpmbuild "${options[@]}" \
        --define "_topdir $work" \
        --define "_specdir $PWD" \
        --define 'use_source_date_epoch_as_buildtime 1' \
        --define 'clamp_mtime_to_source_date_epoch 1' \
        --define '_buildhost reproducible' \
        "$what" bpfman.spec >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        exit 1
    }
done
rm -rf "$out"
mkdir "$out"
find "$work/RPMS" "$work/SRPMS" -name '*.rpm' -exec mv -t "$out" {} +
rpmlint -c packaging/rpmlint.toml bpfman.spec "$out"/*.rpm
(cd "$out" && sha256sum ./*.rpm)
