#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compares libgantry's ABI with the committed baseline: check-abi.sh LIBRARY HEADERS BASELINE [--write]
# Any difference fails, an appended member too: it lands with a new baseline in the same commit.
# (A suppression that lets an append pass lets a reordering pass as well.)
set -eu
library=$1 headers=$2 baseline=$3 private=$(dirname "$0")/private.suppr
if [ "${4:-}" = --write ]; then
	exec abidw --suppressions "$private" --headers-dir "$headers" --no-corpus-path --no-comp-dir-path --drop-private-types \
		--drop-undefined-syms --type-id-style hash --no-show-locs --out-file "$baseline" "$library"
fi
abidiff --suppressions "$private" --headers-dir2 "$headers" --drop-private-types "$baseline" \
	"$library"
