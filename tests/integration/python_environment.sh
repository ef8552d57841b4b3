# Sourced, from the repository's root: an environment from PyPI with the Python package `rondo` as a user gets it, built
# and installed by pip. It is made once, in build/python_client, and anew when what it is made of changes.

readonly python_tests=tests/integration/python_client
readonly work=$PWD/build/python_client
readonly venv=$work/venv source=$work/source

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

# PYTHON: what the environment is made of
ingredients() {
  "$1" --version
  cat "$python_tests/requirements.txt" client/python/{pyproject.toml,setup.py}
}

make_environment() {
  rm -rf "$venv"
  "$1" -m venv "$venv"
  # As a user does it: the generator comes from PyPI for the time of the build.
  "$venv/bin/pip" install --quiet --requirement "$python_tests/requirements.txt" "$source/client/python[pandas,plot]"
  ingredients "$1" >"$venv/ingredients"
}

# The sources that the package is made of, by content.
sources_digest() {
  find proto client/python -type f ! -path '*/__pycache__/*' -print0 | sort -z | xargs -0 sha256sum | sha256sum
}

is_installed() {
  ingredients "$1" | cmp --silent - "$venv/ingredients" && sources_digest | cmp --silent - "$venv/sources_digest"
}

install_package() {
  rm -f "$venv/sources_digest"  # cut off half way, it is not installed
  copy_sources
  ingredients "$1" | cmp --silent - "$venv/ingredients" || make_environment "$1"
  "$venv/bin/pip" install --quiet --no-deps --no-build-isolation --force-reinstall "$source/client/python"
  sources_digest >"$venv/sources_digest"
}

# PYTHON. Several tests share the environment, also of several presets: until the caller ends nobody changes it.
prepare_python_environment() {
  mkdir -p "$work"
  exec 9>"$work/lock"
  flock --shared 9
  is_installed "$1" && return
  flock --exclusive 9
  is_installed "$1" || install_package "$1"
  flock --shared 9
}

# begin_python_test BIN_DIR [PYTHON]: what a test of the package begins with; BIN_DIR is where rondo-server is. Sets
# `python` and the folder `work_of_this_run`, which ends with the script.
begin_python_test() {
  bin=$(realpath "$1")
  readonly bin python=${2:-python3}
  work_of_this_run=$(mktemp -d)
  trap 'rm -rf "$work_of_this_run"' EXIT
  prepare_python_environment "$python"
}

# run_python_tests VENV ARGUMENT...: the package's tests, with the arguments of unittest, by the Python of that environment.
run_python_tests() {
  local folder=$1
  shift
  RONDO_BIN=$bin RONDO_TEST_FOLDER=$work_of_this_run PYTHONPATH=tests/integration:$python_tests PYTHONDONTWRITEBYTECODE=1 \
    "$folder/bin/python" -W error::ResourceWarning -m unittest "$@"
}
