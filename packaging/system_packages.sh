#!/bin/sh
# Installs the system libraries that Qt and the tests need on Debian and Ubuntu, if they are missing.
# usage: system_packages.sh app|tests
set -eu

app="python3-venv libglib2.0-0 libgl1 libegl1 libxkbcommon0 libfontconfig1 libdbus-1-3
     libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libxcb-image0
     libxcb-render-util0 libxcb-xinerama0 libxcb-randr0"
tests="xvfb xauth openbox xdotool git strace"

case "${1:-app}" in
app) wanted="$app" ;;
tests) wanted="$app $tests" ;;
*) echo "usage: system_packages.sh app|tests" >&2; exit 2 ;;
esac

command -v dpkg-query >/dev/null 2>&1 || {
	echo "Not a Debian system: if the window does not open, see docs/troubleshooting.md for the libraries Qt needs." >&2
	exit 0
}

missing=""
for package in $wanted; do
	# Debian 13 renamed some libraries with a t64 suffix.
	dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
		dpkg-query -W -f='${Status}' "${package}t64" 2>/dev/null | grep -q 'ok installed' ||
		missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
	as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
	as_root="sudo"
else
	echo "These system packages are missing and need an administrator:" >&2
	echo "  sudo apt-get install$missing" >&2
	echo "Going on without them; the command line works, the window may not." >&2
	exit 0
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of words is meant
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
