# guides.bats: each command of docs/*.md is typed, and prints what the guide shows.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016  # set by "run"; what is in single quotes is for the guides

bats_require_minimum_version 1.8.0
export BATS_TEST_TIMEOUT=900
load engines

guide=$BATS_TEST_DIRNAME/guide

# all that is not run; the guide says why
not_run() {
	cat <<-'END'
		docker.md: docker run --init: {"init-path": "/usr/local/bin/foster"}
		engines.md: foster under the engines: test/suites/engines/run docker.bats             # one file
		engines.md: foster under the engines: test/suites/engines/run --with ./compare        # the table below
		engines.md: foster under the engines: test/suites/engines/run --with bash             # a shell where docker, podman and ctr are those
		migrating.md: In the other's place: COPY --from=foster /foster /usr/bin/tini
		recipes.md: docker run --init for a whole machine: {"init": true, "init-path": "/usr/local/bin/foster"}
		recipes.md: Podman by default: [containers]
		recipes.md: Podman by default: init_path = "/usr/local/bin/foster"
		recipes.md: Celery: ENTRYPOINT ["/foster", "-c", "--"]
		recipes.md: Celery: CMD ["celery", "-A", "app", "worker"]
		recipes.md: Airflow: FROM apache/airflow
		recipes.md: Airflow: USER root
		recipes.md: Airflow: COPY --from=foster /foster /usr/bin/dumb-init
		recipes.md: Airflow: USER airflow
		recipes.md: JupyterHub: FROM quay.io/jupyter/base-notebook
		recipes.md: JupyterHub: COPY --from=foster /foster /foster
		recipes.md: JupyterHub: ENTRYPOINT ["/foster", "--"]
		recipes.md: JupyterHub: CMD ["start-notebook.py"]
		recipes.md: Argo Workflows: container:
		recipes.md: Argo Workflows:   image: my-image
		recipes.md: Argo Workflows:   command: ["/foster", "--"]
		recipes.md: Argo Workflows:   args: ["sh", "-c", "prepare; compute; upload"]
		recipes.md: Amazon ECS: {
		recipes.md: Amazon ECS:   "containerDefinitions": [{
		recipes.md: Amazon ECS:     "name": "server",
		recipes.md: Amazon ECS:     "image": "server",
		recipes.md: Amazon ECS:     "linuxParameters": {"initProcessEnabled": true},
		recipes.md: Amazon ECS:     "stopTimeout": 60
		recipes.md: Amazon ECS:   }]
		recipes.md: Amazon ECS: }
	END
}

# what is followed to the end, whoever fails
is_as_said() {
	run "$guide" "$root/docs/$1"
	grep -v '^as said: ' <<<"$output"
	[ "$status" = 0 ]
}

# bats test_tags=docker
@test "docs/docker.md: every command prints what is shown" {
	needs_engine docker
	needs_image worker
	is_as_said docker.md
}

# bats test_tags=docker,python
@test "docs/python.md: every command prints what is shown" {
	needs_engine docker
	needs_image signals
	is_as_said python.md
}

@test "docs/engines.md: nothing to type but the tests themselves" {
	is_as_said engines.md
}

# bats test_tags=docker
@test "docs/migrating.md: every command prints what is shown" {
	needs_engine docker
	needs_image worker
	is_as_said migrating.md
}

# bats test_tags=docker
@test "docs/faq.md: every command prints what is shown" {
	needs_engine docker
	needs_image worker
	is_as_said faq.md
}

# bats test_tags=docker
@test "docs/troubleshooting.md: every command prints what is shown" {
	needs_engine docker
	needs_image worker
	is_as_said troubleshooting.md
}

# bats test_tags=docker,podman
@test "docs/recipes.md: every command prints what is shown" {
	needs_engine docker
	needs_engine podman
	needs_image podman
	is_as_said recipes.md
}

@test "the files that Podman can't play are what it can play in other words" {
	run -0 /usr/bin/python3 - "$root/examples/kubernetes" <<-'END'
		import os, sys, yaml
		os.chdir(sys.argv[1])
		spec = lambda name: yaml.safe_load(open(name + ".yaml"))["spec"]
		for name in sorted(os.listdir()):
		    for thing in yaml.safe_load_all(open(name)):
		        assert all(key in thing for key in ("apiVersion", "kind", "metadata"))
		assert spec("deadline")["template"]["spec"] == spec("job"), "deadline"
		handed, mounted = spec("init-container"), spec("image-volume")
		assert handed["containers"] == mounted["containers"], "image-volume"
		image = mounted["volumes"][0]["image"]
		assert image["reference"] == handed["initContainers"][0]["image"], "image-volume"
	END
}

@test "every block of the guides is run, but for those that are named here" {
	cd "$root/docs"
	# test/suites/release, kubernetes and lives run the others
	guides=$(grep -l '^ *```' ./*.md | grep -vxE './(releases|kubernetes|fleet|testing).md')
	for file in $guides; do
		grep -q "^	is_as_said ${file#./}\$" "$BATS_TEST_DIRNAME/guides.bats" || { echo "$file is not run"; return 1; }
	done
	run -0 bash -c 'for file in $2; do "$1" --not-run "$file" || exit; done' - "$guide" "$guides"
	diff <(echo "$output") <(not_run)
}

@test "each file and each section that a guide links to is there" {
	cd "$root/docs"
	while IFS=: read -r file link; do
		[[ $link != https://* ]] || continue
		[ -e "${link%%#*}" ] || { echo "$file: $link"; return 1; }
		[[ $link != *'#'* ]] || sed -n 's/^##* //p' "${link%%#*}" | tr 'A-Z ' a-z- |
			tr -dc 'a-z0-9\n-' | grep -qx -- "${link#*#}" || { echo "$file: $link"; return 1; }
	done < <(grep -Ho '](\([^)]*\))' ./*.md | tr -d '()]')
}

# made NAME LINE...	a guide of these lines
made() {
	local name=$BATS_TEST_TMPDIR/$1.md

	shift
	printf '%s\n' "$@" >"$name"
	run "$guide" "$name"
}

@test "a guide that shows what isn't printed is seen" {
	fence='```'
	made right '## a' "$fence"console '$ seq 5' 1 ... 5 '$ false; echo $?' 1 '$ echo a |' '> cat' a "$fence"
	[ "$status" = 0 ]
	made wrong '## a' "$fence"console '$ seq 5' 1 ... 6 "$fence"
	[ "$status" = 1 ]
	made more '## a' "$fence"console '$ seq 5' 1 2 3 4 "$fence"
	[ "$status" = 1 ]
	made less '## a' "$fence"console '$ seq 2' 1 2 3 "$fence"
	[ "$status" = 1 ]
	made silent '## a' "$fence"console '$ seq 2' "$fence"
	[ "$status" = 1 ]
	made unknown '## a' Text. "$fence"sh 'rm -rf /' "$fence"
	[ "$status" = 1 ]
	made unused '## a' 'In `x`:' '' "$fence"yaml 'a: 1' "$fence"
	[ "$status" = 1 ]
	made used '## a' 'In `x`:' '' "$fence"yaml 'a: 1' "$fence" "$fence"console '$ cat x' 'a: 1' "$fence"
	[ "$status" = 0 ]
	made changed '## a' '`LICENSE`:' '' "$fence" 'All yours' "$fence" "$fence"console '$ head -c 3 LICENSE' MIT "$fence"
	[ "$status" = 1 ]
	made part '## a' 'From `LICENSE`:' '' "$fence" 'MIT License' "$fence" "$fence"console '$ head -c 3 LICENSE' MIT "$fence"
	[ "$status" = 0 ]
	made indented '## a' '- text' "  $fence"sh 'rm -rf /' "  $fence"
	[ "$status" = 1 ]
	made open '## a' "$fence"console '$ true'
	[ "$status" = 1 ]
}
