#!/usr/bin/env bash
# Apply the worked example “waive an invoice” to a copy of this tree, run its tests there, and print what it adds: files and lines.
# make example
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD patch="$PWD/docs/examples/waive_invoice.patch"
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z | tar --null --create --files-from=- --file=- | tar --extract --directory="$copy" --file=-
cd "$copy"
git init --quiet && git add --all && git apply --index "$patch"
"$root/.venv/bin/python" -m pytest -q -p no:cacheprovider \
  tests/operations/test_waive.py tests/operations/test_registry.py tests/operations/test_lost_answers.py \
  tests/operations/test_permissions.py -k waive
git apply --numstat "$patch"
