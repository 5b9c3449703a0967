#!/bin/sh
# test.sh: every suite, in the order in which a failure is cheapest to find. Ends at the first that fails.
set -e
step() {
  printf '\n=== %s\n' "$*"
  start=$(date +%s)
  "$@"
  echo "    ($(($(date +%s) - start)) s)"
}
m="make --no-print-directory -j2"
step $m tidy
step $m all
step $m unit
step $m MODE=asan all
step $m MODE=asan unit
step $m MODE=clang all
step $m MODE=clang unit
step $m demo
step $m sim-smoke
step $m MODE=asan demo
step $m MODE=asan external
step $m live
step $m fuzz-smoke
