#!/bin/bash
# A real systemd as the first process of namespaces of its own, on this machine's root file system. Used by systemd.ts.
#   systemd.sh start      boots it
#   systemd.sh sh CMD…    runs a command inside
#   systemd.sh stop       stops every unit, kills it, removes its cgroup
# SD is a scratch folder: units/ is /etc/systemd/system inside, srv/ is /srv, with the node to use as /srv/node (NODE).
# CG names the cgroup. Needs root. The network is shared, so what units listen on can be reached from outside.
#
# A plain boot on this root file system would be a disaster: sysinit.target pulls in systemd-tmpfiles-setup, which empties
# /tmp, and all the machine's enabled services. So only our own unit folder is looked into, no generator runs, and /run,
# /dev, /sys/fs/cgroup and the journal are private. Nothing here may ever call `systemctl poweroff`.
set -eu
SD=${SD:?a scratch folder}
CG=${CG:?a name}
root=/sys/fs/cgroup/unified # the cgroup2 mount of a hybrid machine
[ -e $root/cgroup.procs ] || root=/sys/fs/cgroup
export SYSTEMD_UNIT_PATH=/etc/systemd/system:/run/systemd/transient:/run/systemd/system.control
inside() { nsenter -t "$(cat "$SD/pid")" -m -p -C -u -i -- "$@"; }
case ${1:?start|sh|stop} in
start)
  mkdir -p "$SD/units/sysinit.target.wants" "$SD/generators" "$SD/srv" "$root/$CG"
  : >> "$SD/srv/node"
  library=/usr/lib/systemd/system
  for unit in basic sysinit sockets shutdown umount final timers paths slices network network-online local-fs multi-user; do
    cp $library/$unit.target "$SD/units/"
  done
  cp $library/systemd-journald.service $library/systemd-journald.socket "$SD/units/"
  ln -sf ../systemd-journald.service "$SD/units/sysinit.target.wants/"
  cat > "$SD/init.sh" <<'I'
#!/bin/bash
set -eu
SD=$1
mount --make-rprivate /
mount -t proc proc /proc
mkdir -p "$SD/dev"; mount -t tmpfs -o mode=755 tmpfs "$SD/dev"
for name in null zero full random urandom tty; do
  [ -e /dev/$name ] || continue
  touch "$SD/dev/$name"; mount --bind /dev/$name "$SD/dev/$name"
done
mkdir "$SD/dev/pts" "$SD/dev/shm" "$SD/dev/mqueue"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$SD/dev/pts"
ln -s pts/ptmx "$SD/dev/ptmx"; ln -s /proc/self/fd "$SD/dev/fd"
for name in 0:stdin 1:stdout 2:stderr; do ln -s /proc/self/fd/${name%:*} "$SD/dev/${name#*:}"; done
mount -t tmpfs -o mode=1777 tmpfs "$SD/dev/shm"
mount --bind "$NODE" "$SD/srv/node"
mount --rbind "$SD/srv" /srv
mount --bind "$SD/units" /etc/systemd/system
mount --rbind "$SD/dev" /dev
mount -t tmpfs -o mode=755 tmpfs /run; mkdir -p /run/lock /run/systemd
mount -t cgroup2 cgroup2 /sys/fs/cgroup # hides a hybrid machine's v1 hierarchies
[ ! -d /var/log/journal ] || mount -t tmpfs tmpfs /var/log/journal
echo 0123456789abcdef0123456789abcdef > /run/machine-id
[ ! -e /etc/machine-id ] || mount --bind /run/machine-id /etc/machine-id
hostname naught-test
exec env -i container=naught-test SYSTEMD_UNIT_PATH="$SYSTEMD_UNIT_PATH" SYSTEMD_GENERATOR_PATH="$SD/generators" \
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  /usr/lib/systemd/systemd --system --unit=multi-user.target --log-target=journal --show-status=no
I
  chmod +x "$SD/init.sh"
  # Into the cgroup first: the new cgroup namespace is rooted there, so that systemd manages nothing above it.
  ( echo $BASHPID > "$root/$CG/cgroup.procs"
    exec unshare --mount --pid --fork --cgroup --uts --ipc --kill-child=SIGKILL --propagation private \
      "$SD/init.sh" "$SD" ) > "$SD/console.log" 2>&1 < /dev/null &
  outer=$!; echo $outer > "$SD/outer.pid"; pid=
  for _ in $(seq 200); do
    pid=$(cat /proc/$outer/task/$outer/children 2>/dev/null || :); pid=${pid%% *}
    [ -z "$pid" ] || ! grep -q ^systemd "/proc/$pid/comm" 2>/dev/null || break
    pid=; sleep .05
  done
  [ -n "$pid" ] || { echo "systemd did not start: $(cat "$SD/console.log")" >&2; exit 1; }
  echo "$pid" > "$SD/pid"; state=
  for _ in $(seq 200); do
    state=$(inside systemctl is-system-running 2>/dev/null || :)
    case $state in running | degraded) exit 0 ;; esac
    sleep .05
  done
  echo "systemd is $state" >&2; exit 1 ;;
sh)
  shift; inside "$@" ;;
stop)
  inside systemctl stop --all '*.service' '*.socket' > /dev/null 2>&1 || :
  # The first process of its pid namespace: the kernel kills all others with it.
  kill -9 "$(cat "$SD/pid")" 2> /dev/null || :
  for _ in $(seq 100); do kill -0 "$(cat "$SD/outer.pid")" 2> /dev/null || break; sleep .05; done
  for _ in $(seq 100); do
    find "$root/$CG" -depth -type d -exec rmdir {} \; 2> /dev/null || :
    [ -d "$root/$CG" ] || exit 0
    sleep .05
  done
  echo "the cgroup $root/$CG is still there" >&2; exit 1 ;;
esac
