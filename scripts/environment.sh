# shellcheck shell=bash
# What start, test and bench share: a Python, the environment in .venv, and a browser.
# To be sourced. Everything it says goes to stderr, so that stdout stays the program's own.

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
venv=$root/.venv
log=$venv/setup.log

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
is_root() { [[ $EUID -eq 0 ]]; }
has_apt() { command -v apt-get >/dev/null; }
is_ubuntu() { grep -Eq '^(ID|ID_LIKE)=.*ubuntu' /etc/os-release 2>/dev/null; }

# Show each line of stdin as the state of LABEL: in place on a terminal, else one in ten seconds.
show_progress() { # LABEL
  local line shown=-10
  while IFS= read -r line; do
    if [[ -t 2 ]]; then
      printf '\r\033[K  %s: %s' "$1" "${line:0:50}" >&2
    elif ((SECONDS - shown >= 10)); then
      say "  $1: $line"
      shown=$SECONDS
    fi
  done
  if [[ -t 2 ]]; then printf '\r\033[K' >&2; fi
}

apt_install() { # LABEL PACKAGE…
  local label=$1 apt_log
  shift
  apt_log=$(mktemp)
  if {
    apt-get update -qq &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=120 -o APT::Status-Fd=3 "$@"
  } 3>&1 >"$apt_log" 2>&1 </dev/null | apt_steps | show_progress "$label"; then
    rm -f "$apt_log"
  else
    tail -n 5 "$apt_log" >&2
    rm -f "$apt_log"
    return 1
  fi
}

# apt's status lines, e.g. "pmstatus:chromium:45.3:Installing chromium (amd64)", in words.
apt_steps() {
  local percent words
  while IFS=: read -r _ _ percent words; do
    printf '%s %% %s\n' "${percent%%.*}" "$words"
  done
}

find_python() {
  local name
  for name in python3 python3.14 python3.13 python3.12 python3.11; do
    # the newest that requirements.lock has wheels for is 3.14
    if "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then
      python=$name
      return
    fi
  done
  fail "Schoolwatch needs Python 3.11 to 3.14. On Debian 12 or Ubuntu 22.04: sudo apt-get install python3.11-venv"
}

ensure_venv_module() {
  local package=$python-venv
  "$python" -c 'import ensurepip, venv' 2>/dev/null && return
  has_apt || fail "This Python has no venv module: install it, then run this again."
  is_root || fail "This Python cannot make environments yet. Run: sudo apt-get install $package   (then this again)"
  say "Installing $package"
  apt_install "$package" "$package" || fail "$package could not be installed (see above)."
}

# An environment belongs to one place, one Python and one lock file.
fingerprint() { # LOCK
  { printf '%s\n' "$venv" "$(readlink -f "$venv/bin/python")" && cat "$root/$1"; } | sha256sum | cut -d ' ' -f 1
}

is_stamped() { # LOCK STAMP
  [[ -x $venv/bin/python && -x $venv/bin/schoolwatch && $(cat "$venv/$2" 2>/dev/null) == "$(fingerprint "$1")" ]]
}

pip_install() { # ARGUMENT…
  # from files of known hash, never by running a package's own build; PIP_USER would leave the environment
  PIP_USER=0 "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off "$@" \
    </dev/null 2>&1 | tee -a "$log"
}

install_lock() { # LOCK LABEL
  local total
  total=$(grep -c '^[a-z0-9].*==' "$root/$1")
  pip_install --require-hashes --only-binary :all: -r "$root/$1" | pip_steps "$total" | show_progress "$2" ||
    installation_failed
}

installation_failed() {
  tail -n 15 "$log" >&2
  fail "The packages could not be installed (see above; all of it: $log). Is the network there? Then run this again."
}

# pip's lines in words: which package of how many.
pip_steps() { # TOTAL
  local line count=0 total=$1
  while read -r line; do
    case $line in
      Ignoring\ *) total=$((total - 1)) ;; # a package for other systems
      Collecting\ * | Processing\ *) # from an index, or from a folder of files
        count=$((count + 1))
        line=${line#* }
        line=${line%% *}
        printf '%s of %s, %s\n' "$count" "$total" "${line##*/}"
        ;;
      Installing\ collected*) printf 'all %s fetched, now unpacking\n' "$count" ;;
    esac
  done
}

# One set-up at a time, until fd 9 is closed.
begin_alone() {
  exec 9<"$root"
  flock --nonblock 9 && return
  say "Waiting for another set-up of $venv to end"
  flock 9
}

# Make .venv, or leave it when it is whole and of this lock file.
prepare_environment() {
  is_stamped requirements.lock .lock-sha && return
  [[ -w $root ]] || fail "Cannot write to $root, where the environment (.venv) belongs."
  begin_alone
  if ! is_stamped requirements.lock .lock-sha; then
    if [[ -e $venv ]]; then say "The environment in .venv is unfinished or out of date: making it anew."; fi
    find_python
    ensure_venv_module
    say "Setting up Schoolwatch in $venv (once, a few minutes, 600 MB)"
    rm -rf "$venv"
    "$python" -m venv "$venv" || fail "$python could not make an environment in $venv (see above)."
    install_lock requirements.lock Packages
    # in place: what is edited or pulled here is what runs
    pip_install --no-deps --no-build-isolation --no-index -e "$root" >/dev/null || installation_failed
    fingerprint requirements.lock >"$venv/.lock-sha"
  fi
  exec 9<&-
}

prepare_test_environment() {
  prepare_environment
  is_stamped requirements-dev.lock .lock-dev-sha && return
  begin_alone
  say "Adding what the tests need to $venv"
  install_lock requirements-dev.lock "Packages for the tests"
  fingerprint requirements-dev.lock >"$venv/.lock-dev-sha"
  exec 9<&-
}

# Find a browser and name it to the program in SCHOOLWATCH_BROWSER, or say in one line what to run and go on.
prepare_browser() {
  local packages=()
  driver_runs || packages+=(libatomic1)
  # with letters for what people write and how they write it; Ubuntu's chromium is a snap, of no use to a service
  has_browser || is_ubuntu || packages+=(chromium fonts-liberation fonts-noto-core fonts-noto-color-emoji)
  if ((${#packages[@]})) && is_root && has_apt; then
    say "Installing the browser (once, up to 400 MB)"
    apt_install Browser "${packages[@]}" || true
  fi
  driver_runs && { has_browser || { download_browser && has_browser; }; } && return
  if is_ubuntu; then
    say "No browser, so no screenshots, only HTML cards. Run: sudo apt-get install libatomic1 && $venv/bin/playwright install chromium && sudo $venv/bin/playwright install-deps chromium"
  else
    say "No browser, so no screenshots, only HTML cards. Run: sudo apt-get install ${packages[*]}"
  fi
}

# Playwright's driver needs libatomic, which a small system may lack.
driver_runs() {
  ! ldd "$venv"/lib/python*/site-packages/playwright/driver/node | grep -q 'not found'
}

has_browser() { browser_on_path || { driver_runs && playwright_browser; }; }

browser_on_path() {
  local name
  for name in "${SCHOOLWATCH_BROWSER:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    # asked for its version, since Ubuntu has a chromium-browser that only says that it is not installed
    if timeout 20 "$name" --version >/dev/null 2>&1; then
      SCHOOLWATCH_BROWSER=$(command -v "$name")
      export SCHOOLWATCH_BROWSER
      return
    fi
  done
  return 1
}

playwright_browser() {
  local place
  place=$("$venv/bin/python" -c 'from playwright.sync_api import sync_playwright as start
with start() as playwright: print(playwright.chromium.executable_path)')
  [[ -x $place && -e ${place%/*/*}/INSTALLATION_COMPLETE ]] && export SCHOOLWATCH_BROWSER=$place
}

# A download that failed is tried again the next day, not at each start.
download_browser() {
  local failed=$venv/.browser-failed options=(--no-shell)
  [[ -z $(find "$failed" -mmin -1440 2>/dev/null) ]] || return 1
  if is_root && has_apt; then options+=(--with-deps); fi
  say "Downloading Playwright's Chromium (once, about 180 MB)"
  if timeout 600 "$venv/bin/playwright" install "${options[@]}" chromium </dev/null 2>&1 |
    tee -a "$log" | show_progress Chromium; then
    rm -f "$failed"
  else
    touch "$failed"
    return 1
  fi
}
