#!/usr/bin/env bash
# Two ranks in network namespaces of their own, as on two hosts: two_hosts.sh PROGRAM RUN ARGUMENTS...
# Trains to the end; then again, and the link is cut in mid-run: both must end by themselves. Exit code 77: may not make namespaces.
set -uo pipefail
program=$1 run=$2; shift 2
id=fa$$
cleanup() { ip netns del $id-a; ip netns del $id-b; } 2>/dev/null
trap cleanup EXIT
ip netns add $id-a 2>/dev/null && ip netns add $id-b && ip link add ${id}v type veth peer name ${id}w || exit 77
ip link set ${id}v netns $id-a && ip link set ${id}w netns $id-b || exit 77
ip -n $id-a addr add 10.77.0.1/24 dev ${id}v && ip -n $id-b addr add 10.77.0.2/24 dev ${id}w
for side in a b; do ip -n $id-$side link set lo up; done
ip -n $id-a link set ${id}v up && ip -n $id-b link set ${id}w up

rank() {  # INDEX, namespace, then the program's words
  local index=$1 space=$2; shift 2
  ip netns exec $space env RANK="$index" LOCAL_RANK=0 WORLD_SIZE=2 MASTER_ADDR=10.77.0.1 MASTER_PORT=29533 OMP_NUM_THREADS=1 \
    "$program" "$@" 2>&1 | sed "s/^/host $index: /"
  return "${PIPESTATUS[0]}"
}
both() {
  rank 0 $id-a "$@" & local first=$!
  rank 1 $id-b "$@" & local second=$!
  wait $first; codes=$?
  wait $second; codes="$codes $?"
}

both "$@" "out=$run/whole" trainer.epochs=2
echo "whole: $codes"
[ "$codes" = '0 0' ] || exit 1

(until [ -e "$run/cut/checkpoints/latest" ]; do sleep 0.2; done; ip -n $id-b link set ${id}w down; touch "$run/is_cut") &
started=$SECONDS
both "$@" "out=$run/cut" trainer.epochs=4000 trainer.checkpoint_steps=2
echo "cut: $codes after $((SECONDS - started)) s"
[ -e "$run/is_cut" ] && [ "$codes" = '1 1' ]
