# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# debian: Debian packages of any suite and architecture, fetched and unpacked into a folder by apt
# on state of its own: nothing is installed, no root is needed, the machine's own apt and dpkg do
# not notice. Source it, with a 'die' of your own:
#
#	. scripts/debian.bash
#	debian_init "$tmp" arm64		# works in the folder $tmp
#	debian_lists "$debian_mirror" bookworm	# reads the lists of these archives and suites
#	debian_unpack DIR PACKAGE...		# these packages
#	debian_unpack_all DIR PACKAGE...	# and all that they depend on
#
# Signatures are checked by the Debian archive keyring.
#   DEBIAN_MIRROR    archive to use; by default the one apt is set up for
#   DEBIAN_SECURITY  security archive, may be empty; same default
#   DEBIAN_KEYRING   keyring to check signatures with

# quietly COMMAND...: its output is shown only if it fails
quietly() { "$@" >"$debian_tmp/log" 2>&1 || { cat "$debian_tmp/log" >&2; return 1; }; }

# debian_init FOLDER ARCH: sets debian_mirror and debian_security, the archives apt is set up for,
# each of which carries every suite
debian_init() {
	local targets
	debian_tmp=$1 debian_arch=$2
	# shellcheck disable=SC2016
	targets=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' || true)
	debian_archive() { awk -v p="$1" '$2 ~ p {print $1; exit}' <<<"$targets"; }
	debian_mirror=${DEBIAN_MIRROR-$(debian_archive '^(bullseye|bookworm|trixie|forky|(old)*stable|testing|sid|unstable)$')}
	# shellcheck disable=SC2034 # the caller's
	debian_security=${DEBIAN_SECURITY-$(debian_archive '^[a-z]+-security$')}
	[ -n "$debian_mirror" ] || die "apt knows no Debian archive here: set DEBIAN_MIRROR"
	debian_keyring=${DEBIAN_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}
	[ -r "$debian_keyring" ] ||
		die "no $debian_keyring: install debian-archive-keyring or set DEBIAN_KEYRING"
	debian_options=(-q -o Dir::Etc::sourcelist="$debian_tmp/sources.list"
		-o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferences=/dev/null
		-o Dir::Etc::preferencesparts=/dev/null -o Dir::State="$debian_tmp/state"
		-o Dir::State::status=/dev/null -o Dir::Cache="$debian_tmp/cache"
		-o APT::Architecture="$debian_arch" -o APT::Architectures="$debian_arch"
		-o APT::Sandbox::User= -o Acquire::Languages=none -o Acquire::Retries=3
		-o APT::Update::Error-Mode=any)
	mkdir -p "$debian_tmp/state/lists/partial" "$debian_tmp/cache/archives/partial"
}

# debian_lists ARCHIVE SUITE [ARCHIVE SUITE]...
debian_lists() {
	printf "deb [arch=$debian_arch signed-by=$debian_keyring] %s %s main\n" "$@" \
		>"$debian_tmp/sources.list"
	quietly apt-get "${debian_options[@]}" update
}

# debian_show PACKAGE: what the lists say about it
debian_show() { apt-cache "${debian_options[@]}" show --no-all-versions "$1"; }

# debian_unpack DIR PACKAGE...: into DIR, which is made anew
debian_unpack() {
	local to=$1 debs=$debian_tmp/debs
	shift
	rm -rf "$debs"
	mkdir "$debs"
	(cd "$debs" && quietly apt-get "${debian_options[@]}" download "$@") || return
	debian_unpack_files "$to" "$debs"
}

# debian_unpack_all DIR PACKAGE...: the same with all that they depend on
debian_unpack_all() {
	local to=$1 debs=$debian_tmp/debs
	shift
	rm -rf "$debs"
	mkdir -p "$debs/partial"
	# Debug::NoLocking: nothing of this machine is changed, so there is nothing to lock.
	quietly apt-get "${debian_options[@]}" -o Dir::Cache::archives="$debs" \
		-o Debug::NoLocking=true -o APT::Keep-Downloaded-Packages=true -y \
		--no-install-recommends --download-only install "$@" || return
	debian_unpack_files "$to" "$debs"
}

debian_unpack_files() {
	local deb
	rm -rf "$1"
	for deb in "$2"/*.deb; do
		dpkg-deb -x "$deb" "$1" || return
	done
}
