#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The guest's system, after init.sh: mounts what a booted host has, runs the command, leaves its status and ends the machine.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TMPDIR=/tmp LANG=C.UTF-8
. /run/vm/job.env
mount -t devpts devpts /dev/pts 2>/dev/null || { mkdir -p /dev/pts && mount -t devpts devpts /dev/pts; }
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
mount -t securityfs securityfs /sys/kernel/security
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
# where it is on the host, also when that is below /tmp
mkdir -p "$REPOSITORY"
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,ro,cache=loose repository "$REPOSITORY"
cd "$REPOSITORY" || exit 1
if [ -d /run/vm/dist ]; then
    cp -a /run/vm/dist /run/dist
    mount --bind /run/dist dist
fi
PATH="$REPOSITORY/node_modules/node/bin:$PATH"
# Many short-lived Nodes, and compiling takes an emulated machine seconds: what one guest compiled the next one has.
export NODE_COMPILE_CACHE=/tmp/compile-cache
[ ! -f /run/vm/compiled.tar ] || tar -xf /run/vm/compiled.tar -C /tmp
sh /run/vm/command.sh >/run/vm/output 2>&1
status=$?
[ ! -d /tmp/compile-cache ] || tar -cf /run/vm/compiled.tar -C /tmp compile-cache
echo $status >/run/vm/status
sync
echo b >/proc/sysrq-trigger
sleep 60
