#!/bin/sh
# install_afl.sh: AFL++ from the distribution, once.
command -v afl-clang-fast >/dev/null && exit 0
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq >/dev/null
$sudo apt-get install -y -qq --no-install-recommends afl++ >/dev/null
