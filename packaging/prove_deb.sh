#!/bin/sh
# Proves a .deb on a bare Debian 12 (container or chroot, as root): installs it, uses it, removes it.
# usage: prove_deb.sh PACKAGE.deb
# No Python is needed or used: the package has to bring everything.
set -eu
package=$(realpath "$1")
export DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8
work=$(mktemp -d)
export CXR_QUORUM_HOME="$work/home"

fail() {
	echo "FAILED: $1" >&2
	exit 1
}
now() { date +%s.%N; }
# A busy machine makes a program late; what it computed for itself stays the same.
processor_seconds() { awk -v tick="$(getconf CLK_TCK)" '{ printf "%.1f", ($14 + $15) / tick }' "/proc/$1/stat"; }
since() { awk "BEGIN { printf \"%.2f\", $(now) - $1 }"; }

find / -xdev -path /proc -prune -o -path /tmp -prune -o -print | grep -i cxr-quorum && fail "something is there already"
command -v python3 >/dev/null && echo "note: this machine has a Python; a bare one has none"

apt-get update -qq
apt-get install -y -qq --no-install-recommends "$package" >"$work/apt.log" 2>&1 || { cat "$work/apt.log"; fail "install"; }
echo "installed: $(du -sm /usr/lib/cxr-quorum | cut -f1) MB in /usr/lib/cxr-quorum"

cxr-quorum --version
cxr-quorum models --verify >"$work/models.txt" || { cat "$work/models.txt"; fail "models"; }
cxr-quorum doctor >"$work/doctor.txt" || { cat "$work/doctor.txt"; fail "doctor"; }
cxr-quorum demo --no-window --output "$work/demo" >"$work/demo.txt" || { cat "$work/demo.txt"; fail "demo"; }
# Times are measured ahead of whatever else this machine does, if we may: as on an idle one.
priority="beside this machine's other work"
chrt --rr --pid 1 $$ 2>/dev/null && priority="ahead of this machine's other work"
start=$(now)
code=0
cxr-quorum label "$work/demo/samples" --output "$work/votes.csv" --heatmaps "$work/maps" --quiet || code=$?
# The samples hold a colour photograph, which has to be refused: exit code 1.
[ "$code" = 1 ] || fail "label ended with $code"
rows=$(grep -c ",ok," "$work/votes.csv")
[ "$rows" -ge 8 ] || fail "only $rows films were labelled"
echo "labelled: $rows films with heatmaps in $(since "$start") s, $priority"

# The window, without a display server and on a real X server.
window() {
	rm -rf "$CXR_QUORUM_HOME"
	start=$(now)
	"$@" cxr-quorum "$work/demo/samples" >"$work/window.log" 2>&1 &
	pid=$!
	shown=""
	for _ in $(seq 1 1500); do
		kill -0 "$pid" 2>/dev/null || { cat "$work/window.log"; fail "the window ended"; }
		if [ -n "${DISPLAY:-}" ] && [ -z "$shown" ] && xdotool search --onlyvisible --name "CXR Quorum" >/dev/null 2>&1; then
			shown="$(since "$start") s ($(processor_seconds "$pid") s of processor time)"
		fi
		if find "$CXR_QUORUM_HOME" -name review.sqlite 2>/dev/null | grep -q . && { [ -z "${DISPLAY:-}" ] || [ -n "$shown" ]; }; then
			break
		fi
		sleep 0.02
	done
	[ -z "${DISPLAY:-}" ] || [ -n "$shown" ] || fail "no window appeared"
	sleep 3
	kill -TERM "$pid"
	wait "$pid" || { cat "$work/window.log"; fail "the window closed with an error"; }
	[ ! -s "$work/window.log" ] || cat "$work/window.log"
}
window env QT_QPA_PLATFORM=offscreen
echo "window offscreen: opened the folder and closed"

apt-get install -y -qq --no-install-recommends xvfb xdotool >"$work/apt.log" 2>&1 || fail "Xvfb"
Xvfb :97 -screen 0 1440x900x24 >/dev/null 2>&1 &
server=$!
export DISPLAY=:97
for _ in $(seq 1 100); do xdotool getdisplaygeometry >/dev/null 2>&1 && break; sleep 0.1; done
for run in first warm warm warm; do
	window env
	echo "window on X, $run start, $priority: visible after $shown"
done
chrt --other --pid 0 $$ 2>/dev/null || true
kill "$server"

for file in /usr/share/man/man1/cxr-quorum.1.gz /usr/share/applications/cxr-quorum.desktop; do
	[ -s "$file" ] || [ ! -d "$(dirname "$file")" ] || echo "note: $file is left out by this machine's dpkg settings"
done

apt-get purge -y -qq cxr-quorum >"$work/apt.log" 2>&1 || { cat "$work/apt.log"; fail "remove"; }
left=$(find / -xdev -path /proc -prune -o -path /tmp -prune -o -path /var/cache -prune -o -path /var/log -prune -o -print | grep -i cxr-quorum || true)
[ -z "$left" ] || fail "left behind: $left"
[ -n "$(find "$CXR_QUORUM_HOME" -name review.sqlite)" ] || fail "removing the program removed a review"
echo "removed: nothing left but the reader's own reviews"
rm -rf "$work"
