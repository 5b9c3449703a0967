#!/bin/sh
# sim_hashes.sh BUILD A..B [JOBS]: the simulator's hashes of seeds A to B from three builds (gcc -O0, gcc -O2, clang -O2 with
# the address sanitizer), which must be the same. A chunk of seeds that is done is not done again for the same commit, so a
# long run can be stopped and gone on with. Where two lists differ, the first seed that does is run in both builds and the
# first line of their transcripts that differs is printed.
set -e
build=$1 first=${2%%..*} last=${2##*..} jobs=${3:-2}
chunk=${CHUNK:-500}
commit=$(git rev-parse --short=12 HEAD 2>/dev/null || echo none)
[ -z "$(git status --porcelain 2>/dev/null)" ] || commit=$commit-changed
out=$build/hashes/$commit
case $commit in *-changed|none) rm -rf "$out" ;; esac
mkdir -p "$out"

binary() {
  case $1 in
    gcc-O0) echo "$build/O0/apisim" ;;
    gcc-O2) echo "$build/apisim" ;;
    clang-asan) echo "$build/clang-asan/apisim" ;;
  esac
}

# Prints the hashes of one build, from chunk files.
hashes() {
  from=$first
  while [ "$from" -le "$last" ]; do
    to=$((from + chunk - 1))
    [ "$to" -le "$last" ] || to=$last
    file=$out/$1-$from-$to
    if [ ! -f "$file" ]; then
      "$(binary "$1")" sim fleet --seeds "$from..$to" --jobs "$jobs" --check-determinism 0 --hashes -o "$out" >"$file.part" ||
        echo "$1: seeds $from..$to have failures (their hashes count all the same)" >&2
      grep -E '^[0-9]+ [0-9a-f]{16}$' "$file.part" >"$file.new"
      [ "$(wc -l <"$file.new")" = $((to - from + 1)) ] || { echo "$1: seeds $from..$to are not all there" >&2; exit 1; }
      mv "$file.new" "$file"
      rm "$file.part"
    fi
    cat "$file"
    from=$((to + 1))
  done
}

# The first line of two transcripts that is not the same, with the one before it.
first_difference() {
  for one in "$1" "$2"; do
    "$(binary "$one")" sim run --seed "$3" -o "$out/differs.sim" --trace "$out/$one.trace" >/dev/null 2>&1 || true
  done
  paste -d '\n' "$out/$1.trace" "$out/$2.trace" | awk -v a="$1" -v b="$2" '
    NR % 2 { left = $0; next }
    left != $0 { print "  both       " same "\n  " a "     " left "\n  " b " " $0; found = 1; exit }
    { same = $0 }
    END { if (!found) print "  the lines are the same: bytes that were sent differ" }'
}

for one in gcc-O2 gcc-O0 clang-asan; do
  began=$(date +%s)
  hashes "$one" >"$out/$one"
  echo "$one: $(wc -l <"$out/$one") seeds, $(($(date +%s) - began)) s, $(sha256sum "$out/$one" | cut -c1-16)"
done
code=0
for one in gcc-O0 clang-asan; do
  cmp -s "$out/gcc-O2" "$out/$one" && continue
  code=1
  seed=$(paste -d ' ' "$out/gcc-O2" "$out/$one" | awk '$2 != $4 { print $1; exit }')
  echo "gcc-O2 and $one part at seed $seed:"
  first_difference gcc-O2 "$one" "$seed"
done
[ $code = 0 ] && echo "the same hashes from all three builds: seeds $first..$last"
exit $code
