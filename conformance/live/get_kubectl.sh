#!/bin/sh
# get_kubectl.sh BUILD: where no kubectl is found, Debian's (1.20) is unpacked into BUILD/tools; nothing is
# installed, so it cannot clash with a kubectl of the machine. Quiet when there is nothing to do.
set -e
tools=$1/tools
command -v kubectl >/dev/null 2>&1 && exit 0
for f in /usr/lib/google-cloud-sdk/bin/kubectl.* "$tools"/*/usr/bin/kubectl; do
  [ -x "$f" ] && exit 0
done
mkdir -p "$tools"
cd "$tools"
echo "unpacking Debian's kubernetes-client into $tools"
apt-get download -qq kubernetes-client 2>/dev/null || {
  apt-get update -qq >/dev/null
  apt-get download -qq kubernetes-client
}
dpkg -x kubernetes-client_*.deb debian
rm -f kubernetes-client_*.deb
