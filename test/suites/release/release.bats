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
	# this machine's binary
	here=foster-$(awk -v arch="$(dpkg --print-architecture)" '$1 == arch { print $4 }' packaging/architectures | tr / -)
}

# everywhere COMMAND [ARG...]	for each architecture, with arch, platform and the binary's file set
everywhere() {
	while IFS=$'\t' read -r arch _ _ platform <&3; do
		file=foster-${platform//\//-}
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

teardown() {
	[ -z "${registry-}" ] || kill "$registry" 2>/dev/null || true
}

teardown_file() {
	rm -rf "${BATS_FILE_TMPDIR:?}/storage" "$BATS_FILE_TMPDIR/run"
}

@test "a second build, in another folder, later, by another user, is the same to the bit" {
	[ "$(stat -c %u "$SECOND/foster-linux-amd64")" != "$(stat -c %u "$RELEASE/foster-linux-amd64")" ] || [ "$(id -u)" != 0 ]
	run diff -rq "$RELEASE" "$SECOND"
	assert_output ''
	(cd "$SECOND" && sha256sum --quiet -c "$RELEASE/SHA256SUMS")
	assert_equal "$(wc -l <"$RELEASE/SHA256SUMS")" "$(find "$RELEASE" -type f ! -name 'SHA256SUMS*' | wc -l)"
}

@test "on this machine, make builds the file that is released" {
	make -s COMMIT="$COMMIT" OUT="$BATS_TEST_TMPDIR/foster"
	cmp "$BATS_TEST_TMPDIR/foster" "$RELEASE/$here"
}

@test "every binary is for its architecture, and needs no loader and no library" {
	while read -r name words machine; do
		run -0 readelf -hldW "$RELEASE/foster-linux-$name"
		refute_output --partial INTERP
		refute_output --partial NEEDED
		assert_line --regexp "^ *Class: *${words%-*}$"
		assert_line --regexp "^ *Data: .*${words#*-} endian$"
		assert_line --regexp "^ *Machine: *$machine"
	done <<-'END'
		amd64 ELF64-little Advanced Micro Devices X86-64
		arm64 ELF64-little AArch64
		arm-v6 ELF32-little ARM
		arm-v7 ELF32-little ARM
		386 ELF32-little Intel 80386
		ppc64le ELF64-little PowerPC64
		riscv64 ELF64-little RISC-V
		s390x ELF64-big IBM S/390
	END
	run -0 readelf -A "$RELEASE/foster-linux-arm-v7"
	assert_output --partial 'Tag_ABI_VFP_args: VFP registers'
	assert_output --partial 'Tag_CPU_arch: v7'
	run -0 readelf -A "$RELEASE/foster-linux-arm-v6"
	assert_output --partial 'Tag_CPU_arch: v5TE'
}

@test "version and commit are the same wherever they stand" {
	run -0 "$RELEASE/foster-linux-amd64" --version
	assert_output "foster $VERSION - git.$COMMIT"
	assert_equal "$(sed -n 's/^## \([^ ]*\).*/\1/p' CHANGELOG.md | head -n 1)" "$VERSION"
	for file in "$RELEASE"/*.deb; do
		assert_equal "$(dpkg-deb -f "$file" Version)" "$VERSION-1"
	done
	assert_equal "$(dpkg-parsechangelog --show-field Version)" "$VERSION-1"
	assert_equal "$(jq -r '.packages[0].versionInfo' "$RELEASE"/*.spdx.json)" "$VERSION"
	assert_equal "$(jq -r '.predicate.buildDefinition.externalParameters.version' "$RELEASE"/*.provenance.json)" "$VERSION"
	run -0 jq -r '.predicate.buildDefinition.externalParameters.commit' "$RELEASE"/*.provenance.json
	[[ $output = "$COMMIT"* ]]
	grep -qx "pkgver=$VERSION" "$RELEASE/APKBUILD"
	grep -qx "Version: *$VERSION" "$RELEASE/foster.spec"
	run -0 tar -xOzf "$RELEASE/foster-$VERSION.tar.gz" "foster-$VERSION/packaging/commit"
	[[ $output = "$COMMIT"* ]]
	run -0 skopeo inspect --config "oci-archive:$layout"
	assert_equal "$(jq -r '.config.Labels | ."org.opencontainers.image.version" + " " + ."org.opencontainers.image.revision"' <<<"$output")" "$VERSION $COMMIT"
	run ! grep -rnF "$VERSION" --include='*.c' --include=foster.h --include=README.md --include=foster.1 .
}

# project NAME	what packaging/project says
project() {
	sh -c '. packaging/project; eval "echo \"\$$1\""' sh "$1"
}

@test "the project's page and contact are those of packaging/project wherever they stand" {
	page=$(project HOME_PAGE) maintainer=$(project MAINTAINER)
	[ -n "$page" ] && [ -n "$maintainer" ]
	cp -r packaging debian "$BATS_TEST_TMPDIR"
	(cd "$BATS_TEST_TMPDIR" && debian/rules debian/control >/dev/null)
	diff -r debian "$BATS_TEST_TMPDIR/debian"
	assert_equal "$(dpkg-deb -f "$RELEASE/foster_$VERSION-1_amd64.deb" Homepage Maintainer)" $'Homepage: '"$page"$'\nMaintainer: '"$maintainer"
	grep -qxF "url=\"$page\"" "$RELEASE/APKBUILD"
	grep -qxF "# Maintainer: $maintainer" "$RELEASE/APKBUILD"
	grep -qx "URL: *$page" "$RELEASE/foster.spec"
	grep -qF " $maintainer - $VERSION-1" "$RELEASE/foster.spec"
	assert_equal "$(jq -r '.packages[0].homepage' "$RELEASE"/*.spdx.json)" "$page"
	run -0 skopeo inspect --config "oci-archive:$layout"
	assert_equal "$(jq -r '.config.Labels | ."org.opencontainers.image.url" + " " + ."org.opencontainers.image.authors"' <<<"$output")" "$page $maintainer"
	# what a template has to fill in is filled in
	run ! grep -n '@[A-Z0-9_]*@' "$RELEASE/APKBUILD" "$RELEASE/foster.spec"
}

@test "each binary has a checksum file of its own" {
	own_sum() {
		(cd "$RELEASE" && sha256sum --quiet -c "$file.sha256")
		assert_equal "$(wc -l <"$RELEASE/$file.sha256")" 1
	}
	everywhere own_sum
}

@test "the documented ADD names the file of each platform that Docker can build for" {
	line=$(sed -n 's/^ADD .*\/\(foster-linux-.*\) \/foster$/\1/p' docs/releases.md | head -n 1)
	# the names are expanded in a Dockerfile as a shell expands them
	[ "$line" = "foster-linux-\${TARGETARCH}\${TARGETVARIANT:+-\$TARGETVARIANT}" ]
	expanded() {
		local name

		# shellcheck disable=SC2034	# for the line
		name=$(IFS=/ read -r _ TARGETARCH TARGETVARIANT <<<"$platform"; eval "echo $line")
		[ -x "$RELEASE/$name" ]
		assert_equal "$name" "$file"
	}
	everywhere expanded
}

@test "musl's notice is in everything that holds musl, as musl's source has it" {
	tar -xOzf "$BUILD"/debs/musl_*.orig.tar.gz --wildcards '*/COPYRIGHT' | cmp - packaging/COPYRIGHT.musl
	in_deb() {
		dpkg-deb --fsys-tarfile "$RELEASE/foster_$VERSION-1_$arch.deb" | tar -xO ./usr/share/doc/foster/copyright >"$BATS_TEST_TMPDIR/copyright"
		# each of its lines, with the blank before it that the format wants
		diff <(sed '1,/own notice:$/d' "$BATS_TEST_TMPDIR/copyright" | tail -n +2) <(sed 's/^$/./; s/^/ /' packaging/COPYRIGHT.musl)
	}
	everywhere in_deb
	tar -xOzf "$RELEASE/foster-$VERSION.tar.gz" "foster-$VERSION/packaging/COPYRIGHT.musl" | cmp - packaging/COPYRIGHT.musl
}

@test "Debian's packages are lintian clean" {
	run -0 env TMPDIR="$BATS_TEST_TMPDIR" lintian --allow-root --fail-on error,warning "$RELEASE"/*.deb
	refute_output --regexp '^[EW]:'
}

@test "dpkg-buildpackage makes the package from the released source, with its source package, lintian clean" {
	cd "$BATS_TEST_TMPDIR"
	cp "$RELEASE/foster-$VERSION.tar.gz" "foster_$VERSION.orig.tar.gz"
	tar -xzf "foster_$VERSION.orig.tar.gz"
	(cd "foster-$VERSION" && SOURCE_DATE_EPOCH=$(git -C "$BATS_TEST_DIRNAME" log -1 --format=%ct) dpkg-buildpackage --unsigned-source --unsigned-changes >../build.log 2>&1) ||
		fail "$(cat build.log)"
	run -0 env TMPDIR="$BATS_TEST_TMPDIR" lintian --allow-root --fail-on error,warning foster_*.changes
	refute_output --regexp '^[EW]:'
	cmp foster_*.deb "$RELEASE/foster_$VERSION-1_$(dpkg --print-architecture).deb"
}

@test "Debian's package is installed, runs, has its page, and is removed without a trace" {
	root=$BATS_TEST_TMPDIR/root
	[ "$(id -u)" = 0 ] || skip 'needs root'
	mkdir -p "$root"/var/lib/dpkg/{updates,info}
	touch "$root/var/lib/dpkg/status"
	dpkg --root="$root" --force-script-chrootless --log=/dev/null --install "$RELEASE/foster_$VERSION-1_$(dpkg --print-architecture).deb"
	run -3 "$root/usr/bin/foster" sh -c 'exit 3'
	zcat "$root/usr/share/man/man1/foster.1.gz" | cmp - docs/foster.1
	cmp "$root/usr/bin/foster" "$RELEASE/$here"
	PATH=$root/usr/bin:$PATH debian/tests/stop
	dpkg --root="$root" --force-script-chrootless --log=/dev/null --purge foster
	[ ! -e "$root/usr" ]
}

@test "Debian's test fails where the service behind the shell is cut short" {
	[ "$(id -u)" = 0 ] || skip 'needs root'
	mkdir "$BATS_TEST_TMPDIR/bin"
	# the first argument is --
	printf '#!/bin/sh\nshift\nexec tini-static -g -- "$@"\n' >"$BATS_TEST_TMPDIR/bin/foster"
	chmod +x "$BATS_TEST_TMPDIR/bin/foster"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run -1 --separate-stderr debian/tests/stop
	assert_output 'the service did not finish'
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
		assert_equal "$(tar -tvzf "$BATS_TEST_TMPDIR/one/$layer" | awk '{ print $1, $2, $NF }')" \
			$'-rwxr-xr-x 0/0 foster\ndrwxr-xr-x 0/0 licenses/\n-rw-r--r-- 0/0 licenses/COPYRIGHT.musl\n-rw-r--r-- 0/0 licenses/LICENSE'
		tar -xOzf "$BATS_TEST_TMPDIR/one/$layer" foster | cmp - "$RELEASE/$file"
		tar -xOzf "$BATS_TEST_TMPDIR/one/$layer" licenses/COPYRIGHT.musl | cmp - packaging/COPYRIGHT.musl
		config=$(jq -r '.config.digest | sub("sha256:"; "")' "$BATS_TEST_TMPDIR/one/manifest.json")
		assert_equal "$(jq -c .config.Entrypoint "$BATS_TEST_TMPDIR/one/$config")" "$(sed -n 's/^ENTRYPOINT //p' Dockerfile)"
		assert_equal "$(jq -c .config.Cmd "$BATS_TEST_TMPDIR/one/$config")" "$(sed -n 's/^CMD //p' Dockerfile)"
		assert_equal "$(jq -c .config.User "$BATS_TEST_TMPDIR/one/$config")" null
	}
	everywhere of_image
}

@test "the image is pulled, runs, and is copied from in a build" {
	[ "$(id -u)" = 0 ] || skip 'needs root'
	run -0 podman_here pull -q "oci-archive:$layout"
	podman_here tag "${lines[-1]}" localhost/foster
	run -0 run_image localhost/foster --version
	assert_output "foster $VERSION - git.$COMMIT"
	for args in --help ''; do
		# shellcheck disable=SC2086	# one word or none
		run -0 run_image localhost/foster $args
		assert_output "$("$RELEASE/$here" --help)"
	done
	# who gave a program, with or without --, gets it as before
	run -0 run_image localhost/foster /foster --version
	assert_output "foster $VERSION - git.$COMMIT"
	run -0 run_image localhost/foster -- /foster --version
	assert_output "foster $VERSION - git.$COMMIT"
	printf 'FROM scratch\nCOPY --from=localhost/foster /foster /init\nENTRYPOINT ["/init", "-V"]\n' |
		podman_here build -q -t localhost/copy -f - "$BATS_TEST_TMPDIR"
	run -0 run_image localhost/copy
	assert_output "foster $VERSION - git.$COMMIT"
}

@test "the SBOM has each binary's checksum, and what the linker put into it" {
	sbom=$RELEASE/foster-$VERSION.spdx.json
	in_sbom() {
		local id=SPDXRef-$file linked

		assert_equal "$(jq -r --arg id "$id" '.files[] | select(.SPDXID == $id).checksums[0].checksumValue' "$sbom")  $file" \
			"$(cat "$RELEASE/$file.sha256")"
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
	grep -q ' foster-linux-s390x$' "$BATS_TEST_TMPDIR/sums"
	jq -r '.predicate.buildDefinition.resolvedDependencies[] | select(.digest.sha256) | .digest.sha256 + "  " + .name' \
		"$RELEASE"/*.provenance.json >"$BATS_TEST_TMPDIR/inputs"
	(cd "$BUILD/debs" && sha256sum --quiet -c "$BATS_TEST_TMPDIR/inputs")
	assert_equal "$(grep -c 'musl-dev_' "$BATS_TEST_TMPDIR/inputs")" 7
	run -0 jq -r '.predicate.buildDefinition.internalParameters.toolchain[] | select(.file == "foster-linux-riscv64").gcc' "$RELEASE"/*.provenance.json
	assert_output "$(riscv64-linux-gnu-gcc -dumpfullversion)"
}

@test "the provenance has URIs where SLSA wants them" {
	provenance=$(echo "$RELEASE"/*.provenance.json)
	run -0 jq -r '._type, .predicateType, (.predicate | .buildDefinition.buildType, .runDetails.builder.id,
		(.buildDefinition.resolvedDependencies[].uri))' "$provenance"
	assert_equal "${#lines[@]}" "$((5 + $(find "$BUILD/debs" -name 'musl*' | wc -l)))"
	for line in "${lines[@]}"; do
		[[ $line =~ ^(https|git\+https)://[^/]+/.+$|^pkg:deb/debian/musl(-dev)?@[0-9][0-9.]*(-[0-9]+)?\?arch=[a-z0-9]+\&distro=debian-12$ ]] || fail "$line"
	done
	# the sections that buildType and builder name
	for section in the-provenance built-by-hand; do
		[[ $output = *"/releases.md#$section"* ]]
		grep -qi "^## ${section//-/ }$" docs/releases.md
	done
}

# signed KEY	a copy of the release, with this throwaway key
signed() {
	mkdir "$BATS_TEST_TMPDIR/signed"
	find "$RELEASE" -type f ! -name 'SHA256SUMS*' ! -name '*.json' -exec cp {} "$BATS_TEST_TMPDIR/signed" \;
	(
		set -a
		. packaging/project
		SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) RELEASE=$BATS_TEST_TMPDIR/signed SIGN_KEY=$1 packaging/papers
	)
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
	sh -euc '. ./APKBUILD; echo "$sha512sums" | sed /./!d | sha512sum --quiet -c; tar -xzf "${source##*/}"
		CC=musl-gcc pkgdir=$PWD/package; cd "$pkgname-$pkgver"; build; check; package'
	run -0 sh -c 'cd package && find . -type f | sort'
	assert_output "$(printf '%s\n' ./usr/bin/foster ./usr/share/licenses/foster/{COPYRIGHT.musl,LICENSE} ./usr/share/man/man1/foster.1)"
	cmp package/usr/bin/foster "$RELEASE/$here"
}

@test "rpmbuild makes a package from the spec and the released source" {
	mkdir -p "$BATS_TEST_TMPDIR/SOURCES"
	cp "$RELEASE/foster-$VERSION.tar.gz" "$BATS_TEST_TMPDIR/SOURCES"
	# Debian's musl-tools are unknown to rpm, and have what the spec asks for
	run -0 rpmbuild --nodeps --define "_topdir $BATS_TEST_TMPDIR" --define "_dbpath $BATS_TEST_TMPDIR/db" -ba "$RELEASE/foster.spec"
	run -0 rpm --dbpath "$BATS_TEST_TMPDIR/db" -qpl "$BATS_TEST_TMPDIR"/RPMS/*/*.rpm
	assert_output "$(printf '%s\n' /usr/bin/foster "/usr/share/licenses/foster-$VERSION"{,/COPYRIGHT.musl,/LICENSE} /usr/share/man/man1/foster.1)"
	cd "$BATS_TEST_TMPDIR"
	rpm2cpio RPMS/*/*.rpm | cpio --quiet -idm
	cmp usr/bin/foster "$RELEASE/$here"
}

@test "make install installs where PREFIX and DESTDIR say, whatever the umask, and uninstall undoes it" {
	run -0 sh -c "umask 077; make -s install PREFIX=/opt DESTDIR=$BATS_TEST_TMPDIR/root"
	run -0 sh -c "cd $BATS_TEST_TMPDIR/root && find . -type f -printf '%m %p\n' | sort"
	assert_output $'644 ./opt/share/man/man1/foster.1\n755 ./opt/bin/foster'
	make -s uninstall PREFIX=/opt DESTDIR="$BATS_TEST_TMPDIR/root"
	run -0 find "$BATS_TEST_TMPDIR/root" -type f
	assert_output ''
}

@test "the workflows are sound: syntax, pins, permissions, and all checks before a release" {
	for file in .github/workflows/*.yml; do
		run -0 yamllint -d '{extends: default, rules: {document-start: disable, line-length: disable, comments: {min-spaces-from-content: 1}}}' "$file"
		# an action is pinned by a commit, with the tag that Renovate follows
		run -0 sed -n 's/^ *-\{0,1\} *uses: //p' "$file"
		for line in "${lines[@]}"; do
			[[ $line = ./.github/workflows/ci.yml || $line =~ ^[a-z-]+/[a-z-]+@[0-9a-f]{40}\ \#\ v[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "$file: $line"
		done
	done
	jq -e . .github/renovate.json >/dev/null
	run -0 python3 - <<-'END'
		import yaml
		ci, release = (yaml.safe_load(open(f".github/workflows/{name}.yml")) for name in ("ci", "release"))
		assert "workflow_call" in ci["on"] and ci["permissions"] == {"contents": "read"}
		assert [step["run"] for step in ci["jobs"]["check"]["steps"] if "run" in step][-1] == ".ci/run"
		assert release["on"] == {"push": {"tags": ["v*"]}} and release["permissions"] == {}
		jobs = release["jobs"]
		assert jobs["check"]["uses"] == "./.github/workflows/ci.yml"
		assert jobs["build"]["needs"] == "check" and jobs["publish"]["needs"] == "build"
		assert jobs["check"]["permissions"] == jobs["build"]["permissions"] == {"contents": "read"}
		assert jobs["publish"]["permissions"] == {"contents": "write", "packages": "write", "id-token": "write"}
		# what anybody may write never becomes a part of a command, and no token stays on the disk
		for job in [*ci["jobs"].values(), *jobs.values()]:
		    for step in job.get("steps", []):
		        assert "${{" not in step.get("run", "")
		        assert "checkout@" not in step.get("uses", "") or step["with"]["persist-credentials"] is False
	END
	grep -qF "sed -n 's/^VERSION = //p' Makefile" .github/workflows/release.yml
	assert_equal "$(sed -n 's/^VERSION = //p' Makefile)" "$VERSION"
}

@test "actionlint finds nothing in the workflows" {
	command -v actionlint >/dev/null || skip 'no actionlint on this machine, and Debian has none'
	run -0 actionlint .github/workflows/*.yml
}

# filled_in	a copy of packaging/ whose owner has filled in who they are
filled_in() {
	mkdir "$BATS_TEST_TMPDIR/owned"
	cp -r packaging CHANGELOG.md "$BATS_TEST_TMPDIR/owned"
	sed -i '/^[A-Z]/s/\.invalid/.example/' "$BATS_TEST_TMPDIR/owned/packaging/project"
}

@test "publishing: refused until the owner has said who they are" {
	run -1 env IMAGE=localhost/foster packaging/publish "$VERSION"
	assert_output 'publish: packaging/project must be filled in by the owner first'
}

@test "publishing: the image reaches a registry, and signature, provenance and SBOM are for its digest" {
	filled_in
	cp -r "$RELEASE" "$BATS_TEST_TMPDIR/copy"
	cd "$BATS_TEST_TMPDIR"
	mkdir bin
	# who can't be asked here says what they were asked for
	# shellcheck disable=SC2016	# for the scripts
	for name in cosign gh; do
		printf '#!/bin/sh\necho "%s $*" >>"%s/calls"\nfor word; do [ "$before" != --predicate ] || cp "$word" "%s/predicate-$type"; [ "$before" != --notes-file ] || cp "$word" "%s/notes"; [ "$before" != --type ] || type=$word; before=$word; done\n' \
			"$name" "$PWD" "$PWD" "$PWD" >"bin/$name"
		chmod +x "bin/$name"
	done
	cat >registry.yml <<-END
		version: 0.1
		storage: {filesystem: {rootdirectory: $PWD/registry}}
		http: {addr: 127.0.0.1:0}
	END
	docker-registry serve registry.yml >registry.log 2>&1 3>&- &
	registry=$!
	# "listening on 127.0.0.1:PORT"
	for _ in $(seq 600); do
		port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' registry.log)
		[ -z "$port" ] || break
		sleep 0.1
	done
	printf '#!/bin/sh\nexec %s "$@" --dest-tls-verify=false\n' "$(command -v skopeo)" >bin/skopeo
	chmod +x bin/skopeo
	PATH=$PWD/bin:$PATH IMAGE=localhost:$port/owner/foster RELEASE=$PWD/copy run -0 owned/packaging/publish "$VERSION"
	skopeo inspect --tls-verify=false --raw "docker://localhost:$port/owner/foster:$VERSION" >index
	tar -xf "$layout" index.json
	digest=$(jq -r '.manifests[0].digest' index.json)
	assert_equal "sha256:$(sha256sum <index | cut -d ' ' -f 1)" "$digest"
	assert_equal "$(grep -c "^cosign .*--yes .* localhost:$port/owner/foster@$digest\$" calls)" 3
	grep -q '^cosign sign --yes --recursive ' calls
	jq -e '.buildDefinition.buildType and .runDetails.builder.id' predicate-slsaprovenance1
	cmp predicate-spdxjson copy/foster-"$VERSION".spdx.json
	grep -q '^cosign sign-blob --yes --bundle .*/SHA256SUMS.sigstore.json .*/SHA256SUMS$' calls
	grep -q "^gh release create v$VERSION --verify-tag .*/foster-linux-amd64 " calls
	grep -qF "localhost:$port/owner/foster@$digest" notes
	run ! grep -q '^## ' notes
	grep -q '^- ' notes
}
