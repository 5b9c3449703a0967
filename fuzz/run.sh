#!/bin/sh
# run.sh BIN_DIR TARGET SECONDS: one target for a while. New inputs are kept in build/corpus, so that the next run
# starts where this one ended; a crash becomes a file under fuzz/regression/TARGET.
bin=$1 target=$2 seconds=$3
keep=build/corpus/$target
mkdir -p "$keep" "fuzz/regression/$target"
dict=
[ -f "fuzz/dict/$target.dict" ] && dict="-dict=fuzz/dict/$target.dict"
seeds=
for d in "fuzz/corpus/$target" "fuzz/regression/$target"; do [ -d "$d" ] && seeds="$seeds $d"; done
# shellcheck disable=SC2086
exec "$bin/${target}_fuzzer" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -max_len=8192 -entropic=0 -print_final_stats=1 \
  $dict -artifact_prefix="fuzz/regression/$target/" "$keep" $seeds
