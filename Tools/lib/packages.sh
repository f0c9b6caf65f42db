# Installs what is missing. Source it, then call `need GROUP..`.
#
# Groups: build (to compile), clients (Redis clients for the suites), languages (clients in other
# languages; say `want`, since their suites are skipped without), page (a browser; also `want`), disk
# (loop devices), python (redis-py and lmdb, beside the build, never into the system).
# Only what is missing is installed, by apt-get as root; otherwise the missing things are named.

repo="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
scratch="${LETHE_SCRATCH:-$repo/.build}"
python_packages="$scratch/tools/python"
export PYTHONPATH="$python_packages${PYTHONPATH:+:$PYTHONPATH}"
export PYTHONDONTWRITEBYTECODE=1

say() { printf '%s\n' "$*" >&2; }

have_header() { [ -e "/usr/include/$1" ] || [ -e "/usr/local/include/$1" ]; }
have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }

# The Debian packages of a group that are missing, one a line.
missing_of() {
  case "$1" in
    build)
      have_header lmdb.h || echo liblmdb-dev
      have_header sodium.h || echo libsodium-dev
      have gcc || echo gcc
      have git || echo git
      have python3 || echo python3 ;;
    clients)
      have redis-cli && have redis-benchmark || echo redis-tools
      have redis-server || echo redis-server
      have gcc || echo gcc
      have_header hiredis/hiredis.h || echo libhiredis-dev ;;
    languages)
      [ -d /usr/share/nodejs/@redis/client ] && have node || echo node-redis
      ruby -e 'require "redis"' >/dev/null 2>&1 || echo ruby-redis
      have php || echo php-cli
      php -r 'exit(extension_loaded("redis") ? 0 : 1);' >/dev/null 2>&1 || echo php-redis
      perl -MRedis -e 1 >/dev/null 2>&1 || echo libredis-perl ;;
    page)
      have chromium || have chromium-browser || have google-chrome || echo chromium ;;
    disk)
      have mkfs.ext4 || echo e2fsprogs
      have losetup || echo mount ;;
    python)
      have python3 || echo python3
      python3 -m pip --version >/dev/null 2>&1 || echo python3-pip ;;
  esac
}

have_python_packages() {
  python3 - <<'PYTHON' >/dev/null 2>&1
import lmdb, redis
assert int(redis.__version__.split(".")[0]) >= 8
PYTHON
}

install_debian() {
  if [ "$(id -u)" != 0 ] || ! have apt-get; then
    say "missing: $*"
    say "install them (Debian names) and start again; as root this script does it itself"
    return 1
  fi
  say "installing $*"
  # A freshly installed redis-server would start and stay: the policy forbids starting services.
  local policy=/usr/sbin/policy-rc.d made=
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && made=1
  fi
  local status=0
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
      --no-install-recommends "$@"; } >"$scratch/tools/apt.log" 2>&1 </dev/null || status=$?
  [ -z "$made" ] || rm -f "$policy"
  if [ "$status" != 0 ]; then
    tail -n 5 "$scratch/tools/apt.log" >&2
    say "apt-get could not install $*"
    return 1
  fi
}

need() {
  mkdir -p "$scratch/tools"
  if ! have swift; then
    say "missing: Swift 6.3 or newer (https://www.swift.org/install)"
    return 1
  fi
  local packages
  packages="$(for group in "$@"; do missing_of "$group"; done | sort -u | tr '\n' ' ')"
  # shellcheck disable=SC2086 # words on purpose
  [ -z "${packages// /}" ] || install_debian $packages || return 1
  case " $* " in
    *" python "*)
      if ! have_python_packages; then
        say "installing redis and lmdb from PyPI into ${python_packages#"$repo"/}"
        if ! python3 -m pip install --quiet --disable-pip-version-check --upgrade \
          --root-user-action=ignore --target "$python_packages" redis lmdb \
          >"$scratch/tools/pip.log" 2>&1 || ! have_python_packages; then
          tail -n 5 "$scratch/tools/pip.log" >&2
          say "pip could not install redis (8 or newer) and lmdb"
          return 1
        fi
      fi ;;
  esac
}

# want GROUP..: as `need`, package by package when not all can be had; never fails.
want() {
  local packages name
  packages="$(for group in "$@"; do missing_of "$group"; done | sort -u | tr '\n' ' ')"
  [ -n "${packages// /}" ] || return 0
  # shellcheck disable=SC2086 # words on purpose
  install_debian $packages && return 0
  for name in $packages; do
    install_debian "$name" || say "SKIPPED without $name: the suites that need it"
  done
}
