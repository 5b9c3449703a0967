#!/bin/sh
# afl.sh BIN_DIR TARGET SECONDS: the same entry point under AFL++. Queue and crashes: build/afl/TARGET.
bin=$1 target=$2 seconds=$3
out=build/afl/$target
mkdir -p "$out"
dict=
[ -f "fuzz/dict/$target.dict" ] && dict="-x fuzz/dict/$target.dict"
# No cores are written and the processor's governor is left alone: AFL++ would refuse to start otherwise.
export AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_SKIP_CPUFREQ=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_AUTORESUME=1
# shellcheck disable=SC2086
afl-fuzz -i "fuzz/corpus/$target" -o "$out" -V "$seconds" -t 2000 -m none $dict -- "$bin/${target}_afl"
