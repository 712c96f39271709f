#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs what this repository needs, and only what is missing: packaging/install-deps.sh [build|run|check|rpm]…
# Each purpose includes the ones before it in that list. Without anything missing it asks no network and takes a tenth of a second.
set -euo pipefail
cd "$(dirname "$0")/.."

die() {
    printf 'install-deps: %s\n' "$*" >&2
    exit 1
}

# purpose | Debian | Fedora. The same line in both columns wherever the names agree.
packages='
build clang             clang
build llvm              llvm
build libbpf-dev        libbpf-devel
build libbpf1           libbpf
build linux-libc-dev    kernel-headers
build bpftool           bpftool
build make              make
run   iproute2          iproute
run   iputils-ping      iputils
run   procps            procps-ng
run   util-linux        util-linux
run   skopeo            skopeo
run   dbus              dbus-daemon
run   sudo              sudo
run   cockpit-ws        cockpit-ws
run   cockpit-bridge    cockpit-bridge
run   cockpit-system    cockpit-system
check chromium          chromium-headless
check fonts-dejavu-core dejavu-sans-fonts
check gettext           gettext
check qemu-system-x86   qemu-system-x86-core
check busybox-static    busybox
check cpio              cpio
check xz-utils          xz
check zstd              zstd
check docker-registry   docker-distribution
check umoci             umoci
check buildah           buildah
check podman            podman
check gnupg             gnupg2
check libelf-dev        elfutils-libelf-devel
check zlib1g-dev        zlib-devel
check gcc               gcc
check passwd            shadow-utils
check xdp-tools         xdp-tools
rpm   rpm               rpm-build
rpm   rpm               rpm-sign
rpm   dnf               dnf
rpm   createrepo-c      createrepo_c
rpm   rpmlint           rpmlint
rpm   appstream         appstream
rpm   cmake             cmake
rpm   g++               gcc-c++
rpm   systemd           systemd
rpm   systemd-container systemd-container
'
cockpit_wanted=337 # the first Cockpit whose shell is PatternFly 6

purposes=" "
for purpose in "${@:-build}"; do
    case $purpose in
        build) purposes+="build " ;;
        run) purposes+="build run " ;;
        check | rpm) purposes+="build run check rpm " ;;
        *) die "unknown purpose \"$purpose\": build, run, check or rpm" ;;
    esac
done

# shellcheck source=/dev/null
. /etc/os-release
case " ${ID:-} ${ID_LIKE:-} " in
    *" debian "*) column=2 ;;
    *" fedora "*) column=3 ;;
    *) die "neither Debian nor Fedora; the packages are named in $0, and \`npm ci\` does the rest" ;;
esac

wanted=()
while read -r purpose debian fedora; do
    [ -n "$purpose" ] && [[ $purposes == *" $purpose "* ]] || continue
    if [ "$column" = 2 ]; then wanted+=("$debian"); else wanted+=("$fedora"); fi
done <<<"$packages"
# Any npm will do: it only fetches Node 24 and the rest. A Node from elsewhere brings its own.
command -v npm >/dev/null || wanted+=(npm)

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "not root and no sudo; as root: $*"
    fi
}

# Names of those given that Debian's package database does not have installed.
missing_debian() {
    local installed
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' || true)
    printf '%s\n' "$@" | sort -u | grep -vxF "${installed:-none}" || true
}

install_debian() {
    local missing backported=() plain=() name
    missing=$(missing_debian "${wanted[@]}")
    if [[ $purposes == *" run "* && -n $(dpkg-query -W -f '${Version}' cockpit-ws 2>/dev/null || true) ]]; then
        dpkg --compare-versions "$(dpkg-query -W -f '${Version}' cockpit-ws)" ge "$cockpit_wanted" ||
            missing+=$'\ncockpit-ws\ncockpit-bridge\ncockpit-system'
    fi
    for name in $missing; do
        case ${VERSION_CODENAME:-}:$name in
            bookworm:cockpit-*) backported+=("$name") ;;
            *) plain+=("$name") ;;
        esac
    done
    [ -n "${plain[*]}${backported[*]}" ] || return 0
    printf 'install-deps: installing %s\n' "${plain[*]} ${backported[*]}"
    if [ -n "${backported[*]}" ]; then
        # Debian 12's own Cockpit is 287. The entry stays: backports are never taken unless asked for, and get updates.
        packaging/debian-source.sh bookworm-backports | as_root tee /etc/apt/sources.list.d/bpfman-backports.sources >/dev/null
    fi
    # One source that does not answer must not stop the rest; what really is not to be had, the install says.
    as_root apt-get update -q || true
    local apt=(apt-get install -qq -y --no-install-recommends -o Dpkg::Use-Pty=0)
    [ -z "${plain[*]}" ] || as_root env DEBIAN_FRONTEND=noninteractive "${apt[@]}" "${plain[@]}"
    [ -z "${backported[*]}" ] ||
        as_root env DEBIAN_FRONTEND=noninteractive "${apt[@]}" -t bookworm-backports "${backported[@]}"
}

install_fedora() {
    local missing=() name
    for name in "${wanted[@]}"; do
        rpm -q --quiet --whatprovides "$name" || missing+=("$name")
    done
    [ -n "${missing[*]}" ] || return 0
    printf 'install-deps: installing %s\n' "${missing[*]}"
    as_root dnf install -y --setopt=install_weak_deps=False "${missing[@]}"
}

if [ "$column" = 2 ]; then install_debian; else install_fedora; fi

# npm writes node_modules/.package-lock.json when it is done, so an interrupted run is repeated.
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    printf 'install-deps: npm ci\n'
    npm ci --no-audit --no-fund
    touch node_modules/.package-lock.json
fi
version=$(node_modules/.bin/node --version 2>/dev/null || true)
[[ $version =~ ^v([0-9]+)\. ]] && [ "${BASH_REMATCH[1]}" -ge 24 ] ||
    die "node_modules/.bin/node is \"${version}\", not 24 or newer; npm must be allowed to run the \"node\" package's install script"
