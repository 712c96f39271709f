#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# The guest's first process, in the initramfs: the host's / under an overlay in memory, so that the guest can write anywhere and the host keeps what it has.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in /modules/*; do insmod "$module"; done
mkdir -p /lower /memory /system
p9="trans=virtio,version=9p2000.L,msize=512000"
mount -t 9p -o "$p9,ro,cache=loose" root /lower
mount -t tmpfs memory /memory
mkdir /memory/upper /memory/work
mount -t overlay -o lowerdir=/lower,upperdir=/memory/upper,workdir=/memory/work overlay /system
for folder in proc sys dev; do mount --move /$folder /system/$folder; done
for folder in tmp run var/lib/bpfman var/cache/bpfman; do
    mkdir -p "/system/$folder"
    mount -t tmpfs tmpfs "/system/$folder"
done
chmod 1777 /system/tmp
mkdir -p /system/run/vm /system/run/netns
mount -t 9p -o "$p9" work /system/run/vm
exec switch_root /system /bin/sh /run/vm/guest.sh
