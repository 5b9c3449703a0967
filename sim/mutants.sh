#!/bin/sh
# Every known bug of base/mutant.h must be caught, and every wrong controller: for each, ROUNDS
# fleets (from different seeds) run until a checker fails, and the median of the seeds that it took
# is printed.
#   sh sim/mutants.sh build/mutants/apisim [ROUNDS [SEEDS_AT_MOST]]
# Exit code 1 when one survives.
apisim=$1 rounds=${2:-5} most=${3:-2000} code=0

# hunt NAME OPTIONS...: the median over the rounds, and who caught it
hunt() {
  name=$1; shift
  took=$(for r in $(seq 1 "$rounds"); do
    first=$((r * 100000))
    $apisim sim fleet --seeds "$first..$((first + most - 1))" --jobs 1 "$@" --stop \
      --check-determinism 0 -o "${TMPDIR:-/tmp}" | awk '
        /^seed [0-9]+:/ { check = $3 == "crash" ? "crash" : $4; sub(":", "", check) }
        /^first:/ { print $5, check; found = 1 } END { if (!found) print "-", "-" }'
  done | sort -n)
  median=$(echo "$took" | awk '{ v[NR] = $1; c[NR] = $2 } END { m = int((NR + 1) / 2); print v[m], c[m] }')
  missed=$(echo "$took" | grep -c '^- ')
  printf '%-25s median %6s seeds (%s)%s\n' "$name" "${median% *}" "${median#* }" \
    "$([ "$missed" -gt 0 ] && echo ", survived $missed of $rounds rounds")"
  [ "$missed" -eq "$rounds" ] && code=1
}

last=$($apisim sim mutants | awk 'END { print $1 }')
for n in $(seq 1 "$last"); do
  hunt "$(printf '%2d ' "$n")$($apisim sim mutants | awk -v n="$n" '$1 == n { print $2 }')" --mutant "$n"
done
for kind in stale ignores-410 repeats-create edges; do
  hunt "controller $kind" --controller "$kind"
done
exit $code
