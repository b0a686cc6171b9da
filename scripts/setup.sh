#!/usr/bin/env bash
# Installs the Debian packages that the switch (runtime) or its tests (test) use and this machine lacks.
#
# Asking twice does nothing the second time. What the running switch uses is optional: when it cannot be had,
# the script says what will be missing and succeeds. What the tests use is required: then it fails.
set -euo pipefail

# what is looked for | the package that has it | what is missing without it
runtime_set=(
  'flite|flite|English speech: prompts fall back to the next provider, at the end to a tone'
  'espeak-ng|espeak-ng|speech in languages other than English'
  'libmp3lame.so.0|libmp3lame0|MP3: recordings and voicemail are kept as WAV'
)
test_set=(
  'gcc|gcc|the race detector'
  '/usr/include/stdlib.h|libc6-dev|the race detector'
  'sipp|sip-tester|calls placed and taken by SIPp'
  'linphonec|linphone-cli|calls with Linphone'
  'baresip|baresip|calls with baresip'
  'kamailio|kamailio|trunks behind Kamailio: digest, Record-Route, failover'
  'ffmpeg|ffmpeg|reading recordings with a decoder that is not ours'
  'sox|sox|measuring recordings with a program that is not ours'
  'libopus.so.0|libopus0|Opus'
  'shellcheck|shellcheck|the check of the shell scripts'
)

say() { printf 'setup: %s\n' "$*" >&2; }

have() { # program, library or file
  case $1 in
    /*) [ -e "$1" ] ;;
    lib*.so.*) library "$1" ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

library() {
  local dir
  for dir in /lib /usr/lib /usr/local/lib /lib64 /usr/lib64 "/lib/$(uname -m)-linux-gnu" "/usr/lib/$(uname -m)-linux-gnu"; do
    [ -e "$dir/$1" ] && return 0
  done
  ldconfig=$(command -v ldconfig || echo /sbin/ldconfig)
  [ -x "$ldconfig" ] && "$ldconfig" -p 2>/dev/null | grep -qF "$1"
}

missing() { # rows of the named set that are not there
  local row
  for row in "$@"; do
    have "${row%%|*}" || printf '%s\n' "$row"
  done
}

packages() { cut -d'|' -f2 | sort -u | tr '\n' ' '; }

as_root() {
  if [ "$(id -u)" = 0 ]; then
    DEBIAN_FRONTEND=noninteractive "$@"
  else
    sudo DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

can_install() {
  if ! command -v apt-get >/dev/null 2>&1; then
    say "this is not a Debian system; install by hand what provides: $1"
    return 1
  fi
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null 2>&1; then
    say "neither root nor sudo; as root run: apt-get install $1"
    return 1
  fi
}

apt_install() {
  as_root apt-get install -y -q --no-install-recommends "$@" </dev/null >&2
}

# Package lists are fetched only when the install fails without them (a fresh machine has none). Then each
# package is tried alone, so that one that cannot be had does not take the others with it.
install() {
  local package
  apt_install "$@" && return 0
  as_root apt-get update -q </dev/null >&2 || say "the package lists could not be fetched"
  apt_install "$@" && return 0
  for package in "$@"; do
    apt_install "$package" || say "$package could not be installed"
  done
}

main() {
  local wanted=${1:-runtime} rows=("${runtime_set[@]}") gaps names
  case $wanted in
    runtime) ;;
    test) rows+=("${test_set[@]}") ;;
    *) say "usage: $0 [runtime|test]"; exit 2 ;;
  esac

  gaps=$(missing "${rows[@]}")
  [ -n "$gaps" ] || return 0
  names=$(packages <<<"$gaps")
  if can_install "$names"; then
    say "installing $names"
    # shellcheck disable=SC2086 # a list of package names
    install $names
  fi

  gaps=$(missing "${rows[@]}")
  [ -n "$gaps" ] || { say "done"; return 0; }
  while IFS='|' read -r _ package lost; do
    say "without $package: $lost"
  done <<<"$gaps"
  [ "$wanted" = runtime ]
}

main "$@"
