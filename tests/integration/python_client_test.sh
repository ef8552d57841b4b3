#!/usr/bin/env bash
# The Python package `rondo` as a user gets it: built and installed by pip into an environment of its own from PyPI,
# type-checked, and run against the real rondo-server.
#
#   python_client_test.sh BIN_DIR [PYTHON]      where rondo-server is; run from the repository's root
#
# The environment is made once, in build/python_client, and anew when what it is made of changes.
set -euo pipefail

bin=$(realpath "$1")
readonly bin python=${2:-python3} here=tests/integration/python_client
readonly work=$PWD/build/python_client
readonly venv=$work/venv source=$work/source
work_of_this_run=$(mktemp -d)
trap 'rm -rf "$work_of_this_run"' EXIT

# pip builds in the folder it is given; the sources stay clean, and no file of an older build gets in.
copy_sources() {
  rm -rf "$source"
  mkdir -p "$source/client"
  cp -r proto "$source/"
  # Outside of a checkout, as in an unpacked release, there is nothing but sources.
  if git ls-files --error-unmatch client/python/pyproject.toml >/dev/null 2>&1; then
    git ls-files -z --cached --others --exclude-standard client/python | xargs -0 cp --parents -t "$source"
  else
    cp -r client/python "$source/client/"
  fi
}

ingredients() {
  "$python" --version
  cat "$here/requirements.txt" client/python/{pyproject.toml,setup.py}
}

make_environment() {
  rm -rf "$venv"
  "$python" -m venv "$venv"
  # As a user does it: the generator comes from PyPI for the time of the build.
  "$venv/bin/pip" install --quiet --requirement "$here/requirements.txt" "$source/client/python[pandas,plot]"
  ingredients >"$venv/ingredients"
}

install_package() {
  copy_sources
  ingredients | cmp --silent - "$venv/ingredients" || make_environment
  "$venv/bin/pip" install --quiet --no-deps --no-build-isolation --force-reinstall "$source/client/python"
}

mkdir -p "$work"
exec 9>"$work/lock"
flock 9 # several presets' tests share the environment
install_package
"$venv/bin/mypy" --config-file client/python/pyproject.toml --cache-dir "$work/mypy" \
  --python-executable "$venv/bin/python" --package rondo
RONDO_BIN=$bin RONDO_TEST_FOLDER=$work_of_this_run PYTHONPATH=tests/integration PYTHONDONTWRITEBYTECODE=1 \
  "$venv/bin/python" -W error::ResourceWarning -m unittest discover --start-directory "$here" --top-level-directory "$here" \
  --pattern '*_test.py'
