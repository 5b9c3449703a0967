#!/bin/sh
# coverage.sh BUILD: runs the unit and external suites on the covered binary and writes lcov's HTML to
# reports/coverage; prints the line coverage of apiserver/.
set -e
build=$1
find "$build/obj/cover" -name '*.gcda' -delete
make --no-print-directory -j2 MODE=cover unit || true
make --no-print-directory MODE=cover demo >/dev/null 2>&1 || true
make --no-print-directory MODE=cover external || true
make --no-print-directory MODE=cover live || true
mkdir -p reports/coverage
lcov -q -c -d "$build/obj/cover" --base-directory . --no-external -o "$build/coverage.info"
lcov -q -r "$build/coverage.info" '*_test.c' '*/build/gen/*' -o "$build/coverage.info"
genhtml -q "$build/coverage.info" -o reports/coverage
lcov -q -e "$build/coverage.info" "$PWD/apiserver/*" -o "$build/apiserver.info"
lcov --summary "$build/apiserver.info" 2>&1 | sed -n 's/^ *lines\.*: */line coverage of apiserver: /p'
echo "report: reports/coverage/index.html"
