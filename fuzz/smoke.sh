#!/bin/sh
# smoke.sh BIN_DIR TARGET...: every target on its seeds and on what was found before, two at a time: a gate's result must
# not hang on how fast the machine is, so new input is for longer runs. The canary must be found. Ends with one summary line.
bin=$1
shift
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
one() {
  target=$1
  mkdir -p "$out/$target"
  dict=
  [ -f "fuzz/dict/$target.dict" ] && dict="-dict=fuzz/dict/$target.dict"
  seeds=
  for d in "fuzz/corpus/$target" "fuzz/regression/$target"; do [ -d "$d" ] && seeds="$seeds $d"; done
  limit=-runs=0
  [ "$target" = canary ] && limit=-max_total_time=30
  # shellcheck disable=SC2086
  "$bin/${target}_fuzzer" $limit -timeout=20 -rss_limit_mb=4096 -max_len=4096 -entropic=0 -seed=1 $dict \
    -artifact_prefix="$out/$target-" "$out/$target" $seeds > "$out/$target.log" 2>&1
  echo $? > "$out/$target.rc"
}
for pair in $(seq 1 2); do
  n=0
  for target in "$@"; do
    n=$((n + 1))
    [ $((n % 2)) = $((pair % 2)) ] && one "$target"
  done &
done
wait
passed=0
failed=0
for target in "$@"; do
  rc=$(cat "$out/$target.rc")
  good=$([ "$rc" = 0 ] && echo 1 || echo 0)
  if [ "$target" = canary ]; then
    good=$(grep -q heap-buffer-overflow "$out/canary.log" && echo 1 || echo 0)
  fi
  if [ "$good" = 1 ]; then
    passed=$((passed + 1))
    printf '  %-16s %s\n' "$target" "$(sed -n 's/.*Done \([0-9]*\) runs.*/\1 runs/p;s/.*ERROR: AddressSanitizer.*/found/p' "$out/$target.log")"
  else
    failed=$((failed + 1))
    printf '== %s\n' "$target"
    grep -v '^#\|^INFO' "$out/$target.log" | head -40
  fi
done
echo "fuzz-smoke: $passed passed, $failed failed"
[ "$failed" = 0 ]
