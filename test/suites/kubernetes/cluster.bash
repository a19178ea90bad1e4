# cluster.bash: a cluster of one node, and the verbs of the tests here.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What it writes is in $FOSTER_ENGINES, as the engines' files are. Its programs are in $KUBERNETES.
# The node is called localhost and is at 10.98.0.1; pods are at 10.98.1.2 and on.

# shellcheck source-path=SCRIPTDIR source=../engines/engines.bash
. "${BASH_SOURCE[0]%/*}/../engines/engines.bash"
export KUBERNETES=${KUBERNETES:-${FOSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/foster}/kubernetes}
tar=${FOSTER_ENGINES-}/kubernetes.tar
export KUBECONFIG=${FOSTER_ENGINES-}/kubeconfig
PATH=$KUBERNETES/bin:$PATH

# Docker makes the images, and is told to end before the cluster starts
save_images() {
	local name

	once docker start_docker && once image-worker image_worker && once image-test image_test &&
		once image-plain image_plain || return
	# a pod's image without a tag, or with "latest", would be asked for elsewhere
	for name in foster test plain; do
		docker tag "$name" "$name:local" || return
	done
	docker save pause worker foster python:3-slim {foster,test,plain}:local -o "$tar"
}

# start NAME COMMAND [ARG...]	in the background, with a log and a file for its PID
start() {
	local name=$1

	shift
	setsid "$@" </dev/null >>"$FOSTER_ENGINES/$name.log" 2>&1 3>&- 4>&- &
	echo "$!" >"$FOSTER_ENGINES/$name.pid"
}

# wait_for_start NAME COMMAND [ARG...]	until the command succeeds, or NAME has ended
wait_for_start() {
	wait_until 120 answers "$(cat "$FOSTER_ENGINES/$1.pid")" "${@:2}"
	"${@:2}" >/dev/null 2>&1 || { echo "$1:"; tail -n 20 "$FOSTER_ENGINES/$1.log"; return 1; } >&2
}

# stop_one NAME [SIGNAL]
stop_one() {
	local pid

	[ -s "$FOSTER_ENGINES/$1.pid" ] || return 0
	read -r pid <"$FOSTER_ENGINES/$1.pid"
	is_gone "$pid" || kill -s "${2-TERM}" "$pid"
	wait_until 30 is_gone "$pid" || kill -KILL "$pid"
	rm "$FOSTER_ENGINES/$1.pid"
}

# a network of the cluster's own
start_network() {
	ip link set lo up &&
		ip link add node type bridge &&
		ip address add 10.98.0.1/24 dev node &&
		ip link set node up &&
		ip route add default dev node &&
		mkdir -p "$FOSTER_ENGINES/cni" &&
		cat >"$FOSTER_ENGINES/cni/pods.conflist" <<-END
			{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "ptp",
			"ipam": {"type": "host-local", "subnet": "10.98.1.0/24", "dataDir": "$FOSTER_ENGINES/cni/ipam",
			"routes": [{"dst": "0.0.0.0/0"}]}}]}
		END
}

# start_cri RUNTIME	what starts a pod that names no RuntimeClass: runc or foster; pods are
# held open by foster -P
start_cri() {
	cat >"$FOSTER_ENGINES/cri.toml" <<-END
		version = 2
		root = "$FOSTER_ENGINES/cri/root"
		state = "$FOSTER_ENGINES/cri/state"
		[grpc]
		address = "$FOSTER_ENGINES/cri.sock"
		[plugins."io.containerd.internal.v1.opt"]
		path = "$FOSTER_ENGINES/cri/opt"
		[plugins."io.containerd.grpc.v1.cri"]
		sandbox_image = "docker.io/library/pause:latest"
		restrict_oom_score_adj = true
		stream_server_address = "127.0.0.1"
		[plugins."io.containerd.grpc.v1.cri".cni]
		bin_dir = "/usr/lib/cni"
		conf_dir = "$FOSTER_ENGINES/cni"
		[plugins."io.containerd.grpc.v1.cri".containerd]
		default_runtime_name = "$1"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		runtime_type = "io.containerd.runc.v2"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.foster]
		runtime_type = "io.containerd.runc.v2"
		pod_annotations = ["foster-runtime"]
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.foster.options]
		BinaryName = "$FOSTER_ENGINES/bin/foster-runtime"
	END
	start cri containerd --config "$FOSTER_ENGINES/cri.toml"
	wait_for_start cri cri version && start events ctr -a "$FOSTER_ENGINES/cri.sock" -n k8s.io events
}

# foster-runtime starts every container from now on, and the pods' images lose their own foster
use_foster_runtime() {
	stop_one events
	stop_one cri
	start_cri foster &&
		cri images tag --force docker.io/library/plain:local docker.io/library/test:local >/dev/null
}

cri() {
	ctr -a "$FOSTER_ENGINES/cri.sock" -n k8s.io "$@"
}

start_control() {
	local etcd=http://127.0.0.1:2379 pki=$FOSTER_ENGINES/pki

	mkdir -p "$pki"
	openssl genrsa -out "$pki/key" 2048 2>/dev/null
	echo 'local,admin,admin,"system:masters"' >"$pki/tokens"
	cat >"$KUBECONFIG" <<-END
		apiVersion: v1
		kind: Config
		clusters: [{name: local, cluster: {server: "https://127.0.0.1:6443", insecure-skip-tls-verify: true}}]
		users: [{name: admin, user: {token: local}}]
		contexts: [{name: local, context: {cluster: local, user: admin}}]
		current-context: local
	END
	start etcd etcd --data-dir "$FOSTER_ENGINES/etcd" --unsafe-no-fsync
	start kube-apiserver kube-apiserver --etcd-servers $etcd --bind-address 127.0.0.1 \
		--advertise-address 10.98.0.1 --cert-dir "$pki" --token-auth-file "$pki/tokens" \
		--anonymous-auth=false --authorization-mode AlwaysAllow \
		--service-account-issuer https://127.0.0.1:6443 --service-account-key-file "$pki/key" \
		--service-account-signing-key-file "$pki/key" --service-cluster-ip-range 10.99.0.0/24 \
		--disable-admission-plugins ServiceAccount,TaintNodesByCondition --endpoint-reconciler-type none \
		--kubelet-preferred-address-types InternalIP
	wait_for_start kube-apiserver kubectl get namespace default || return
	start kube-controller-manager kube-controller-manager --kubeconfig "$KUBECONFIG" --port 0 \
		--leader-elect=false --cert-dir "$pki" \
		--controllers job,endpoint,replicaset,deployment,namespace,garbagecollector
	start scheduler bash -c schedule
	kubectl create -f - >/dev/null <<-'END'
		apiVersion: node.k8s.io/v1
		kind: RuntimeClass
		metadata: {name: foster}
		handler: foster
	END
}

# all that a scheduler has to do where there is one node
schedule() {
	local namespace name

	while :; do
		kubectl get pods -A -w --field-selector spec.nodeName= \
			-o 'jsonpath={.metadata.namespace} {.metadata.name}{"\n"}' |
			while read -r namespace name; do
				kubectl create --raw "/api/v1/namespaces/$namespace/pods/$name/binding" -f - <<-END
					{"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "$name"},
					"target": {"apiVersion": "v1", "kind": "Node", "name": "localhost"}}
				END
			done
	done
}
export -f schedule

start_kubelet() {
	cat >"$FOSTER_ENGINES/kubelet.yaml" <<-END
		apiVersion: kubelet.config.k8s.io/v1beta1
		kind: KubeletConfiguration
		address: 10.98.0.1
		authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
		authorization: {mode: AlwaysAllow}
		cgroupDriver: cgroupfs
		cgroupRoot: /${FOSTER_ENGINES##*/}
		cgroupsPerQOS: false
		enforceNodeAllocatable: []
		clusterDNS: [10.99.0.10]
		failSwapOn: false
		makeIPTablesUtilChains: false
		imageGCHighThresholdPercent: 100
		evictionHard: {memory.available: 50Mi, nodefs.available: 1%, imagefs.available: 1%}
	END
	start kubelet kubelet --config "$FOSTER_ENGINES/kubelet.yaml" --root-dir "$FOSTER_ENGINES/kubelet" \
		--cert-dir "$FOSTER_ENGINES/pki" --volume-plugin-dir "$FOSTER_ENGINES/volume-plugins" \
		--kubeconfig "$KUBECONFIG" --hostname-override localhost --node-ip 10.98.0.1 \
		--container-runtime remote --container-runtime-endpoint "unix://$FOSTER_ENGINES/cri.sock"
	wait_for_start kubelet eval 'kubectl get node localhost | grep -w Ready'
}

start_cluster() {
	local sysctls='vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops
		kernel.keys.root_maxkeys kernel.keys.root_maxbytes'

	# a kubelet sets these, for the machine
	# shellcheck disable=SC2086  # words
	sysctl $sysctls >"$FOSTER_ENGINES/sysctls" 2>/dev/null
	# no kubelet can be told another folder
	mkdir -p /var/log/pods /var/log/containers && mount -t tmpfs tmpfs /var/log/pods &&
		mount -t tmpfs tmpfs /var/log/containers || return
	cp "$root/packaging/runtime/foster-runtime" "$FOSTER_ENGINES/foster" "$FOSTER_ENGINES/bin/" &&
		start_network && start_cri runc &&
		cri images import "$tar" >/dev/null && rm "$tar" &&
		start_control && start_kubelet
}

stop_cluster() {
	local name

	# an API server would take a minute to say goodbye, and nothing that these keep is needed
	for name in events kubelet scheduler kube-controller-manager kube-apiserver etcd; do
		stop_one "$name" KILL
	done
	for name in $(cri tasks ls -q 2>/dev/null); do
		cri tasks rm -f "$name"
	done >/dev/null 2>&1
	for name in $(cri containers ls -q 2>/dev/null); do
		cri containers rm "$name"
	done >/dev/null 2>&1
	stop_one cri
	[ ! -s "$FOSTER_ENGINES/sysctls" ] || sysctl -p "$FOSTER_ENGINES/sysctls" >/dev/null
}

### the verbs of the tests ###

declare -gA uids logs

# pod NAME [METADATA-LINE...]	from its spec, on standard input
pod() {
	uids[$1]=$({
		printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata:' "  name: $1"
		[ $# = 1 ] || printf '  %s\n' "${@:2}"
		echo 'spec:'
		sed 's/^/  /; s/\t/  /g'
	} | kubectl apply -f - -o 'jsonpath={.metadata.uid}')
}

# known NAME	a pod that somebody else made
known() {
	uids[$1]=$(of "$1" .metadata.uid)
}

# of NAME PATH	what the API server says of a pod, as in: of box .status.phase
of() {
	kubectl get pod "$1" -o "jsonpath={$2}"
}

# status_of NAME CONTAINER [PATH]
status_of() {
	of "$1" ".status.containerStatuses[?(@.name=='$2')]${3-}"
}

# wait_ready NAME
wait_ready() {
	kubectl wait --for condition=Ready "pod/$1" --timeout 180s >/dev/null ||
		{ kubectl describe pod "$1" >&2; return 1; }
}

# printed NAME [CONTAINER]	what its containers printed so far; after wait_end, to their end
printed() {
	if [ -e "$BATS_TEST_TMPDIR/$1.${2-app}.log" ]; then
		cat "$BATS_TEST_TMPDIR/$1.${2-app}.log"
	else
		cat "/var/log/pods/default_$1_${uids[$1]}/${2-app}"/*.log
	fi 2>/dev/null | sed 's/^[^ ]* std[^ ]* [FP] //'
}

# has_printed NAME REGEX [COUNT [CONTAINER]]
has_printed() {
	[ "$(printed "$1" "${4-app}" | grep -Ec -- "$2")" -ge "${3:-1}" ]
}

# wait_print NAME REGEX [COUNT [CONTAINER]]
wait_print() {
	wait_until 180 has_printed "$@" || { kubectl describe pod "$1"; printed "$1" "${4-app}"; return 1; } >&2
}

# keep NAME	a look at the pod, and its logs, which go with it
keep() {
	local container log

	wait_until 60 has_ids "$1" || return
	for container in $(jq -r '.spec.containers[].name' "$BATS_TEST_TMPDIR/$1.json"); do
		exec {log}<"/var/log/pods/default_$1_${uids[$1]}/$container/0.log"
		logs[$1.$container]=$log
	done
}

# a container may print before its kubelet has told of it
has_ids() {
	kubectl get pod "$1" -o json >"$BATS_TEST_TMPDIR/$1.json" &&
		jq -e '([.status.containerStatuses[]?.containerID | values] | length) == (.spec.containers | length)' \
			"$BATS_TEST_TMPDIR/$1.json" >/dev/null
}

# delete NAME [OPTION...]	returns at once; the pod is kept
delete() {
	keep "$1" && kubectl delete pod --wait=false "$@" >/dev/null
}

# The API server forgets what it deletes: the runtime tells how a container ended. This event
# comes when all that the container printed is in its log.
end_event() {
	grep -E "/tasks/delete .*\"container_id\":\"$1\"" "$FOSTER_ENGINES/events.log"
}

# wait_end NAME [CONTAINER]	prints its exit status
wait_end() {
	local container=${2-app} id log=${logs[$1.${2-app}]-}

	if [ -z "$log" ]; then
		wait_until 180 is_terminated "$1" "$container" || { kubectl describe pod "$1" >&2; return 1; }
		status_of "$1" "$container" .state.terminated.exitCode
		return
	fi
	id=$(jq -r --arg name "$container" '.status.containerStatuses[] | select(.name == $name).containerID' \
		"$BATS_TEST_TMPDIR/$1.json")
	wait_until 180 end_event "${id#containerd://}" >/dev/null || return
	cat <&"$log" >"$BATS_TEST_TMPDIR/$1.$container.log"
	# a 0 is left out of the event
	end_event "${id#containerd://}" | sed 's/^[^{]*//; q' | jq '.exit_status // 0'
}

is_terminated() {
	[ -n "$(status_of "$1" "$2" .state.terminated.reason)" ]
}

# A kubelet takes the containers of an old pod for those of a new one with its name, as long as
# they run.
delete_all() {
	kubectl delete pods,jobs,services --all --grace-period 0 --force --wait=false >/dev/null 2>&1 || true
	wait_until 60 kill_all
}

kill_all() {
	local id

	for id in $(cri tasks ls -q); do
		cri tasks kill -s KILL "$id"
	done >/dev/null 2>&1
	[ -z "$(cri tasks ls -q)" ]
}

# task_of NAME [CONTAINER]	the PID of its first process, on the node
task_of() {
	local id

	id=$(status_of "$1" "${2-app}" .containerID)
	cri tasks ls | awk -v id="${id#containerd://}" '$1 == id { print $2 }'
}

# zombies NAME [CONTAINER]	in its PID namespace
zombies() {
	kubectl exec "$1" -c "${2-app}" -- sh -c 'grep -ls "^State:.Z" /proc/[0-9]*/status | wc -l'
}
