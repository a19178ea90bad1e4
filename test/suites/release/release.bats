# release.bats: is what make release has made what it says, and does it serve?
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2030,SC2031,SC2154  # set by bats, which makes each test a subshell

bats_require_minimum_version 1.8.0
if ! bats_load_library bats-support 2>/dev/null; then
	load /usr/lib/bats/bats-support/load.bash
	load /usr/lib/bats/bats-assert/load.bash
else
	bats_load_library bats-assert
fi

setup() {
	cd "$BATS_TEST_DIRNAME/../../.." || exit
	layout=$RELEASE/foster-$VERSION-oci.tar
}

# everywhere COMMAND [ARG...]	for each architecture, with arch and platform set
everywhere() {
	while IFS=$'\t' read -r arch _ _ platform <&3; do
		"$@" || fail "$arch"
	done 3< <(grep -v '^#' packaging/architectures)
}

podman_here() {
	podman --root "$BATS_FILE_TMPDIR/storage" --runroot "$BATS_FILE_TMPDIR/run" \
		--storage-driver vfs --events-backend none --runtime runc --cgroup-manager cgroupfs "$@"
}

run_image() {
	podman_here run --rm --network none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "$@"
}

teardown_file() {
	rm -rf "${BATS_FILE_TMPDIR:?}/storage" "$BATS_FILE_TMPDIR/run"
}

@test "a second build, in another folder, later, by another user, is the same to the bit" {
	[ "$(stat -c %u "$SECOND/foster-amd64")" != "$(stat -c %u "$RELEASE/foster-amd64")" ] || [ "$(id -u)" != 0 ]
	run diff -rq "$RELEASE" "$SECOND"
	assert_output ''
	(cd "$SECOND" && sha256sum --quiet -c "$RELEASE/SHA256SUMS")
	assert_equal "$(wc -l <"$RELEASE/SHA256SUMS")" "$(find "$RELEASE" -type f ! -name 'SHA256SUMS*' | wc -l)"
}

@test "on this machine, make builds the file that is released" {
	arch=$(dpkg --print-architecture)
	make -s COMMIT="$COMMIT" OUT="$BATS_TEST_TMPDIR/foster"
	cmp "$BATS_TEST_TMPDIR/foster" "$RELEASE/foster-$arch"
}

@test "every binary is for its architecture, and needs no loader and no library" {
	while read -r name words machine; do
		run -0 readelf -hldW "$RELEASE/foster-$name"
		refute_output --partial INTERP
		refute_output --partial NEEDED
		assert_line --regexp "^ *Class: *${words%-*}$"
		assert_line --regexp "^ *Data: .*${words#*-} endian$"
		assert_line --regexp "^ *Machine: *$machine"
	done <<-'END'
		amd64 ELF64-little Advanced Micro Devices X86-64
		arm64 ELF64-little AArch64
		armel ELF32-little ARM
		armhf ELF32-little ARM
		i386 ELF32-little Intel 80386
		ppc64el ELF64-little PowerPC64
		riscv64 ELF64-little RISC-V
		s390x ELF64-big IBM S/390
	END
	run -0 readelf -A "$RELEASE/foster-armhf"
	assert_output --partial 'Tag_ABI_VFP_args: VFP registers'
	assert_output --partial 'Tag_CPU_arch: v7'
	run -0 readelf -A "$RELEASE/foster-armel"
	assert_output --partial 'Tag_CPU_arch: v5TE'
}

@test "version and commit are the same wherever they stand" {
	run -0 "$RELEASE/foster-amd64" --version
	assert_output "foster $VERSION - git.$COMMIT"
	assert_equal "$(sed -n 's/^## \([^ ]*\).*/\1/p' CHANGELOG.md | head -n 1)" "$VERSION"
	for file in "$RELEASE"/*.deb; do
		assert_equal "$(dpkg-deb -f "$file" Version)" "$VERSION"
	done
	assert_equal "$(jq -r '.packages[0].versionInfo' "$RELEASE"/*.spdx.json)" "$VERSION"
	assert_equal "$(jq -r '.predicate.buildDefinition.externalParameters.version' "$RELEASE"/*.provenance.json)" "$VERSION"
	run -0 jq -r '.predicate.buildDefinition.externalParameters.commit' "$RELEASE"/*.provenance.json
	[[ $output = "$COMMIT"* ]]
	grep -qx "pkgver=$VERSION" "$RELEASE/APKBUILD"
	grep -qx "_commit=$COMMIT" "$RELEASE/APKBUILD"
	run -0 skopeo inspect --config "oci-archive:$layout"
	assert_equal "$(jq -r '.config.Labels | ."org.opencontainers.image.version" + " " + ."org.opencontainers.image.revision"' <<<"$output")" "$VERSION $COMMIT"
	run ! grep -rnF "$VERSION" --include='*.c' --include=foster.h --include=README.md --include=foster.1 .
}

@test "Debian's packages are lintian clean" {
	run -0 env TMPDIR="$BATS_TEST_TMPDIR" lintian --allow-root --fail-on error,warning "$RELEASE"/*.deb
	refute_output --regexp '^[EW]:'
}

@test "Debian's package is installed, runs, has its page, and is removed without a trace" {
	root=$BATS_TEST_TMPDIR/root
	[ "$(id -u)" = 0 ] || skip 'needs root'
	mkdir -p "$root"/var/lib/dpkg/{updates,info}
	touch "$root/var/lib/dpkg/status"
	find "$root" | sort >"$BATS_TEST_TMPDIR/before"
	dpkg --root="$root" --force-script-chrootless --log=/dev/null --install "$RELEASE/foster_${VERSION}_$(dpkg --print-architecture).deb"
	run -3 "$root/usr/bin/foster" sh -c 'exit 3'
	zcat "$root/usr/share/man/man1/foster.1.gz" | cmp - docs/foster.1
	cmp "$root/usr/bin/foster" "$RELEASE/foster-$(dpkg --print-architecture)"
	dpkg --root="$root" --force-script-chrootless --log=/dev/null --purge foster
	[ ! -e "$root/usr" ]
}

@test "the image has each platform, the file that is released, and no user" {
	mkdir "$BATS_TEST_TMPDIR/oci"
	tar -C "$BATS_TEST_TMPDIR/oci" -xf "$layout"
	run -0 skopeo inspect --raw "oci:$BATS_TEST_TMPDIR/oci:$VERSION"
	jq -r '.manifests[].platform | [.os, .architecture, .variant] | map(values) | join("/")' <<<"$output" >"$BATS_TEST_TMPDIR/platforms"
	diff "$BATS_TEST_TMPDIR/platforms" <(grep -v '^#' packaging/architectures | cut -f 4)
	of_image() {
		local os docker variant

		IFS=/ read -r os docker variant <<<"$platform"
		rm -rf "$BATS_TEST_TMPDIR/one"
		skopeo --override-os "$os" --override-arch "$docker" --override-variant "$variant" \
			copy -q "oci-archive:$layout" "dir:$BATS_TEST_TMPDIR/one"
		layer=$(jq -r '.layers[0].digest | sub("sha256:"; "")' "$BATS_TEST_TMPDIR/one/manifest.json")
		assert_equal "$(tar -tvzf "$BATS_TEST_TMPDIR/one/$layer" | awk '{ print $1, $2, $NF }')" '-rwxr-xr-x 0/0 foster'
		tar -xOzf "$BATS_TEST_TMPDIR/one/$layer" foster | cmp - "$RELEASE/foster-$arch"
		config=$(jq -r '.config.digest | sub("sha256:"; "")' "$BATS_TEST_TMPDIR/one/manifest.json")
		assert_equal "$(jq -c .config.User "$BATS_TEST_TMPDIR/one/$config")" null
	}
	everywhere of_image
}

@test "the image is pulled, runs, and is copied from in a build" {
	[ "$(id -u)" = 0 ] || skip 'needs root'
	run -0 podman_here pull -q "oci-archive:$layout"
	podman_here tag "${lines[-1]}" localhost/foster
	run -0 run_image localhost/foster /foster --version
	assert_output "foster $VERSION - git.$COMMIT"
	printf 'FROM scratch\nCOPY --from=localhost/foster /foster /init\nENTRYPOINT ["/init", "-V"]\n' |
		podman_here build -q -t localhost/copy -f - "$BATS_TEST_TMPDIR"
	run -0 run_image localhost/copy
	assert_output "foster $VERSION - git.$COMMIT"
}

@test "the SBOM has each binary's checksum, and what the linker put into it" {
	sbom=$RELEASE/foster-$VERSION.spdx.json
	in_sbom() {
		local id=SPDXRef-foster-$arch linked

		assert_equal "$(jq -r --arg id "$id" '.files[] | select(.SPDXID == $id).checksums[0].checksumValue' "$sbom")  $RELEASE/foster-$arch" \
			"$(sha256sum "$RELEASE/foster-$arch")"
		linked=$(jq -r --arg id "$id" '. as $all | .relationships[] | select(.spdxElementId == $id and .relationshipType == "STATIC_LINK").relatedSpdxElement
			| . as $p | $all.packages[] | select(.SPDXID == $p).name' "$sbom" | sort)
		assert_equal "$linked" "$(grep -o 'lib\(c\|gcc\)\.a(' "$BUILD/$arch.map" | sort -u | sed 's/libc\..*/musl/; s/libgcc\..*/libgcc/' | sort)"
		[[ $linked = *musl* ]]
	}
	everywhere in_sbom
	assert_equal "$(jq -r '.packages[] | select(.name == "musl").versionInfo' "$sbom")" "$(dpkg-deb -f "$BUILD"/debs/musl-dev_*_arm64.deb Version)"
	# an element that is related to must be there
	assert_equal "$(jq -c '([.packages[], .files[]] | map(.SPDXID)) as $ids | [.relationships[].relatedSpdxElement] - $ids' "$sbom")" '[]'
}

@test "the provenance names each file, and what it was made from" {
	jq -r '.subject[] | .digest.sha256 + "  " + .name' "$RELEASE"/*.provenance.json >"$BATS_TEST_TMPDIR/sums"
	(cd "$RELEASE" && sha256sum --quiet -c "$BATS_TEST_TMPDIR/sums")
	grep -q ' foster-s390x$' "$BATS_TEST_TMPDIR/sums"
	jq -r '.predicate.buildDefinition.resolvedDependencies[] | select(.digest.sha256) | .digest.sha256 + "  " + .name' \
		"$RELEASE"/*.provenance.json >"$BATS_TEST_TMPDIR/inputs"
	(cd "$BUILD/debs" && sha256sum --quiet -c "$BATS_TEST_TMPDIR/inputs")
	assert_equal "$(grep -c 'musl-dev_' "$BATS_TEST_TMPDIR/inputs")" 7
	run -0 jq -r '.predicate.buildDefinition.internalParameters.toolchain[] | select(.file == "foster-riscv64").gcc' "$RELEASE"/*.provenance.json
	assert_output "$(riscv64-linux-gnu-gcc -dumpfullversion)"
}

# signed KEY	a copy of the release, with this throwaway key
signed() {
	mkdir "$BATS_TEST_TMPDIR/signed"
	find "$RELEASE" -type f ! -name 'SHA256SUMS*' ! -name '*.json' -exec cp {} "$BATS_TEST_TMPDIR/signed" \;
	SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) RELEASE=$BATS_TEST_TMPDIR/signed SIGN_KEY=$1 packaging/papers
	cd "$BATS_TEST_TMPDIR/signed" || return
}

@test "a key of minisign signs the checksums" {
	minisign -GWf -p "$BATS_TEST_TMPDIR/key.pub" -s "$BATS_TEST_TMPDIR/key" >/dev/null
	signed "$BATS_TEST_TMPDIR/key"
	minisign -Vm SHA256SUMS -p "$BATS_TEST_TMPDIR/key.pub"
	echo >>SHA256SUMS
	run ! minisign -Vm SHA256SUMS -p "$BATS_TEST_TMPDIR/key.pub"
}

@test "a key of GPG signs the checksums" {
	export GNUPGHOME=$BATS_TEST_TMPDIR/gnupg
	mkdir -m 700 "$GNUPGHOME"
	gpg --batch --quiet --passphrase '' --quick-generate-key 'throwaway <key@foster.invalid>' default default never
	signed key@foster.invalid
	gpg --batch --verify SHA256SUMS.asc SHA256SUMS
	echo >>SHA256SUMS
	run ! gpg --batch --verify SHA256SUMS.asc SHA256SUMS
	gpgconf --kill all
}

@test "the APKBUILD's steps build, check and install from the source that it names" {
	run -0 shellcheck -s sh -e SC2034,SC2154 "$RELEASE/APKBUILD"
	cd "$BATS_TEST_TMPDIR"
	cp "$RELEASE/APKBUILD" "$RELEASE/foster-$VERSION.tar.gz" .
	# shellcheck disable=SC2016	# for the shell inside
	sh -euc '. ./APKBUILD; echo "$sha512sums" | sed /./!d | sha512sum --quiet -c; tar -xzf "$source"
		CC=musl-gcc pkgdir=$PWD/package; cd "$pkgname-$pkgver"; build; check; package'
	run -0 sh -c 'cd package && find . -type f | sort'
	assert_output $'./usr/bin/foster\n./usr/share/man/man1/foster.1'
}

@test "make install installs where PREFIX and DESTDIR say, whatever the umask, and uninstall undoes it" {
	run -0 sh -c "umask 077; make -s install PREFIX=/opt DESTDIR=$BATS_TEST_TMPDIR/root"
	run -0 sh -c "cd $BATS_TEST_TMPDIR/root && find . -type f -printf '%m %p\n' | sort"
	assert_output $'644 ./opt/share/man/man1/foster.1\n755 ./opt/bin/foster'
	make -s uninstall PREFIX=/opt DESTDIR="$BATS_TEST_TMPDIR/root"
	run -0 find "$BATS_TEST_TMPDIR/root" -type f
	assert_output ''
}

@test "the workflow is sound, runs all checks, and releases a tag that is the version" {
	run -0 yamllint -d '{extends: default, rules: {document-start: disable, line-length: disable}}' .github/workflows/ci.yml
	run -0 grep -E '^ *- run: ' .github/workflows/ci.yml
	assert_line --regexp ' .ci/run$'
	assert_line --regexp ' make release$'
	grep -qF "sed -n 's/^VERSION = //p' Makefile" .github/workflows/ci.yml
	assert_equal "$(sed -n 's/^VERSION = //p' Makefile)" "$VERSION"
}
