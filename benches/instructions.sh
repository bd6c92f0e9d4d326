#!/usr/bin/env bash
# Counts the instructions of whole runs on the shipped example under callgrind and compares them with the record beside
# this file. Fails when one is more than 5 % above its record.
#
#   benches/instructions.sh            compare
#   benches/instructions.sh --record   write what was counted
set -euo pipefail
cd "$(dirname "$0")/.."
record=benches/instructions.tsv
cargo build --release --locked --quiet
program=${CARGO_TARGET_DIR:-target}/release/zhijian
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Compiled rules are remembered here.
export XDG_CACHE_HOME=$work
example=corpora/examples/day-2026-09-18.csv

count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$@" 2>&1 >/dev/null |
        sed -n 's/^.*Collected *: *//p'
}

head -n 1 "$example" > "$work/none.csv"
head -n 8 "$example" > "$work/few.csv"
"$program" scan --quiet "$work/few.csv" > "$work/out"
{
    printf 'nothing\t%s\n' "$(count scan --quiet --threads 1 "$work/none.csv")"
    printf 'few\t%s\n' "$(count scan --quiet --threads 1 "$work/few.csv")"
    printf 'day\t%s\n' "$(count scan --quiet --threads 1 "$example")"
    printf 'lint\t%s\n' "$(count lint --threads 1 corpora/scripts/clean.yaml)"
    printf 'cite\t%s\n' "$(count cite docs/labelling.md)"
} > "$work/counted.tsv"
if [ "${1:-}" = --record ]; then
    cp "$work/counted.tsv" "$record"
fi
awk -F '\t' '
    NR == FNR { recorded[$1] = $2; next }
    {
        change = 100 * ($2 / recorded[$1] - 1)
        printf "%-8s %14d instructions, %+.1f %% against the record\n", $1, $2, change
        if (!(change <= 5)) worse = 1
    }
    END { exit worse }
' "$record" "$work/counted.tsv" || {
    echo "more instructions than recorded: make it cheaper, or record the new counts with benches/instructions.sh --record and say why" >&2
    exit 1
}
