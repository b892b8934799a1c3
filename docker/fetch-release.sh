#!/bin/sh
# fetch-release NAME VERSION SHA256 URL: one program out of a release, into /out. Nothing is taken unpinned.
set -eu
name=$1 version=$2 sha256=$3 url=$4
if ! expr "$version" : '[0-9][0-9.]*$' >/dev/null || ! expr "$sha256" : '[0-9a-f]\{64\}$' >/dev/null; then
  echo "$name: it needs a version and a SHA-256, and has '$version' and '$sha256'." >&2
  echo "Run node scripts/pinFedora.ts and give the lines of docker/pins.env as build arguments." >&2
  exit 1
fi
work=$(mktemp -d)
curl --fail --silent --show-error --location --proto '=https' --output "$work/release" "$url"
echo "$sha256  $work/release" | sha256sum --check --quiet
case $url in
  *.tar.gz)
    tar -xzf "$work/release" -C "$work"
    program=$(find "$work" -type f -name "$name" | head -n 1)
    ;;
  *) program=$work/release ;;
esac
install -D -m 0755 "$program" "/out/usr/local/bin/$name"
rm -r "$work"
