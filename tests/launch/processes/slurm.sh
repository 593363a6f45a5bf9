#!/bin/sh
# Trains through a SLURM of this machine alone: make slurm
#
# Starts munge, slurmctld and slurmd with a configuration of their own in a temporary
# folder, runs test_slurm.py beside this file, and ends them. Debian's packages are
# installed if they are missing, which needs root. Exit status 77: skipped, and why.
set -eu

python=${PYTHON:-python}
here=$(cd "$(dirname "$0")" && pwd)

skip() {
  echo "skipped: $1" >&2
  exit 77
}

export PATH="$PATH:/usr/sbin:/sbin"
if ! command -v srun slurmctld slurmd munged >/dev/null; then
  [ "$(id -u)" = 0 ] || skip "SLURM is not installed, and only root can install it"
  command -v apt-get >/dev/null || skip "SLURM is not installed, and there is no apt"
  apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
      munge slurmctld slurmd slurm-client >/dev/null ||
    skip "apt could not install munge, slurmctld, slurmd and slurm-client"
fi
[ "$(id -u)" = 0 ] || skip "slurmd starts tasks as their users, so it needs root"

folder=$(mktemp -d)
chmod 755 "$folder" # munge refuses a folder that only its owner can enter
pids=""
finish() {
  for pid in $pids; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM

mkdir "$folder/munge" "$folder/state" "$folder/spool"
(umask 077 && head -c 1024 /dev/urandom >"$folder/munge/key")
munged --foreground --key-file="$folder/munge/key" \
  --socket="$folder/munge/socket" --pid-file="$folder/munge/pid" \
  --seed-file="$folder/munge/seed" --log-file="$folder/munge/log" \
  >"$folder/munged.out" 2>&1 &
pids="$!"

export SLURM_CONF="$folder/slurm.conf"
name=$(hostname -s)
cat >"$SLURM_CONF" <<END
ClusterName=local
SlurmctldHost=$name
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
AuthInfo=socket=$folder/munge/socket,cred_expire=5
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
MpiDefault=none
ReturnToService=2
KillWait=60
NodeName=$name CPUs=$(nproc) State=UNKNOWN
PartitionName=local Nodes=ALL Default=YES State=UP
END
# SLURM looks for it, and the kernels of some containers do not mount cgroups.
echo "IgnoreSystemd=yes" >"$folder/cgroup.conf"

slurmctld -D >"$folder/slurmctld.out" 2>&1 &
pids="$! $pids"
slurmd -D -N "$name" >"$folder/slurmd.out" 2>&1 &
pids="$! $pids"

tries=0
until [ "$(sinfo -h -o %T 2>/dev/null)" = idle ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 30 ]; then
    tail -n 20 "$folder"/*.out "$folder/munge/log" >&2
    skip "SLURM does not come up here; what it says is above"
  fi
  sleep 1
done
sinfo

"$python" -m pytest -q -s "$here/test_slurm.py"
