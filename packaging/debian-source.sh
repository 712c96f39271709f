#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prints an APT sources entry for another suite of the archive that this machine already uses: packaging/debian-source.sh SUITE
# Address, components and key are those of the machine's own entry for its release.
set -euo pipefail
suite=$1
# shellcheck source=/dev/null
. /etc/os-release

# one "address<TAB>keyring" line per entry that serves this release's main part (others may use the code name too), from both of APT's file formats
entries() {
    local file
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -e "$file" ] || continue
        awk -v RS='' -v codename="$VERSION_CODENAME" '
            {
                uri = key = suites = types = components = ""
                count = split($0, lines, "\n")
                for (i = 1; i <= count; i++) {
                    if (lines[i] ~ /^#/) continue
                    value = lines[i]; sub(/^[^:]*:[ \t]*/, "", value)
                    field = tolower(lines[i]); sub(/:.*/, "", field)
                    if (field == "uris") uri = value
                    if (field == "suites") suites = " " value " "
                    if (field == "types") types = " " value " "
                    if (field == "components") components = " " value " "
                    if (field == "signed-by") key = value
                }
                split(uri, first, " ")
                if (types ~ / deb / && components ~ / main / && index(suites, " " codename " ")) print first[1] "\t" key
            }' "$file"
    done
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -e "$file" ] || continue
        awk -v codename="$VERSION_CODENAME" '
            $1 == "deb" {
                line = $0; key = ""
                if (match(line, /\[[^]]*\]/)) {
                    options = substr(line, RSTART + 1, RLENGTH - 2)
                    if (match(options, /signed-by=[^ ]*/)) key = substr(options, RSTART + 10, RLENGTH - 10)
                    sub(/\[[^]]*\]/, "", line)
                }
                split(line, words, " ")
                if (words[3] == codename && line ~ / main( |$)/) print words[2] "\t" key
            }' "$file"
    done
}

IFS=$'\t' read -r uri key < <(entries) || {
    printf 'debian-source: no APT entry for "%s" found on this machine\n' "$VERSION_CODENAME" >&2
    exit 1
}
: "${key:=/usr/share/keyrings/debian-archive-keyring.gpg}"
printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$uri" "$suite" "$key"
