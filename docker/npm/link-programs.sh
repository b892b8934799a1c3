#!/bin/sh
# link-programs.sh ROOT: the programs of node_modules beside this get onto the PATH; for both images, after `npm ci`.
set -eu
here=/usr/local/lib/spoon
for program in codex npm npx; do
  ln -s "$here/node_modules/.bin/$program" "$1/usr/local/bin/$program"
done
# `npm install -g` goes where a person in a box may write, and where spoon.sh has put it on the PATH. ~/.npmrc wins over it.
# shellcheck disable=SC2016 # npm expands it
echo 'prefix=${HOME}/.local' >"$1$here/node_modules/npm/npmrc"
