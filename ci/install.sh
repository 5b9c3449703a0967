#!/bin/sh
# install.sh BUILD: what the build and the tests need: Debian packages (only the missing ones) and a Python
# environment in BUILD/venv. Quiet when there is nothing to do.
set -e
build=$1
packages="gcc clang libclang-rt-14-dev make pkg-config libevent-dev libjansson-dev libcmocka-dev libcbor-dev libyaml-dev
 libssl-dev libsodium-dev libnghttp2-dev zlib1g-dev etcd-server etcd-client lcov valgrind curl openssl ca-certificates python3
 python3-venv chromium"
missing=
for p in $packages; do
  dpkg -s "$p" >/dev/null 2>&1 || missing="$missing $p"
done
if [ -n "$missing" ]; then
  sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  echo "installing:$missing"
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get update -qq >/dev/null || true
  $sudo apt-get install -y -qq --no-install-recommends $missing >"$build/apt.log" 2>&1 || {
    tail -n 20 "$build/apt.log"
    exit 1
  }
fi
if ! cmp -s ci/requirements.txt "$build/venv/requirements.txt"; then
  echo "making $build/venv"
  python3 -m venv "$build/venv"
  "$build/venv/bin/pip" install -q -r ci/requirements.txt
  cp ci/requirements.txt "$build/venv/requirements.txt"
fi
