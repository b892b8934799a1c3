#!/bin/sh
# fetch-release NAME VERSION SHA256 URL: one program out of a release, into /out. Without a version it is left out, by name.
set -eu
name=$1 version=$2 sha256=$3 url=$4
if [ -z "$version" ]; then
  echo "$name" >>/out/etc/spoon/left-out
  exit 0
fi
if [ -z "$sha256" ]; then
  echo "$name $version: no checksum given. Take it from the release and pass it as a build argument." >&2
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
install -m 0755 "$program" "/out/usr/local/bin/$name"
rm -r "$work"
