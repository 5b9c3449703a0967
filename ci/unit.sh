#!/bin/sh
# unit.sh TEST...: runs each cmocka program, shows only what failed, and ends with one summary line.
passed=0
failed=0
for t in "$@"; do
  if out=$("$t" 2>&1); then
    n=$(printf '%s\n' "$out" | sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' | awk '{s += $1} END {print s + 0}')
    passed=$((passed + n))
  else
    failed=$((failed + 1))
    printf '== %s\n%s\n' "$t" "$out" | tail -n 60
  fi
done
echo "unit: $passed passed, $failed failed"
[ "$failed" = 0 ]
