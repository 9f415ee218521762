#!/usr/bin/env bash
# Apply a worked example to a copy of this tree, and run its tests there: docs/examples/apply.sh waive_invoice
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
patch="$root/docs/examples/$1.patch"
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git -C "$root" ls-files -z | tar --null --files-from=- --create --directory "$root" | tar --extract --directory "$copy"
cd "$copy"
patch --quiet --strip=1 < "$patch"
tests=$(sed -n 's#^+++ b/\(tests/.*/test_[a-z_]*\.py\)$#\1#p' "$patch")
"$root/.venv/bin/python" -m pytest -q -p no:cacheprovider $tests tests/operations/test_registry.py -k "waive or Waive"
git diff --no-index --numstat "$root/billing" "$copy/billing" | grep -v __pycache__ || true
