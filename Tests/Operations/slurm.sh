#!/usr/bin/env bash
# deploy/slurm/mien.sbatch on a real Slurm: a controller and a node on this machine, in a folder of their own. A job array
# reads photos in four shards; one of its tasks is requeued and another one's program killed while they read. Whatever
# happens, each photo has one line in the end.
#
#   Tests/Operations/slurm.sh PROGRAMS    the folder of mien; needs root and slurmctld, slurmd (apt: slurm-wlm)
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
programs="$(readlink -f "$1")"
skip() { echo "skipped: $1"; exit 77; }
export PATH="$PATH:/usr/sbin"
command -v slurmctld >/dev/null && command -v slurmd >/dev/null || skip "needs slurmctld and slurmd (apt-get install slurm-wlm)"
((EUID == 0)) || skip "needs root, as slurmd does"
photo="$here/.native/samples/astronaut.png"
[[ -f $photo ]] || skip "needs the sample photo (make setup)"

folder="$(mktemp -d /tmp/mien-slurm.XXXXXX)"
pids=()
finish() {
  local status=$?
  if ((status != 0)); then tail -n 15 "$folder"/*.log >&2 || true; fi
  [[ -f $folder/slurm.conf ]] && scancel -u root >/dev/null 2>&1 || true
  ((${#pids[@]} == 0)) || kill "${pids[@]}" 2>/dev/null || true
  wait || true
  rm -rf "$folder"
  exit "$status"
}
trap finish EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
mkdir -p "$folder"/{state,spool,photos}
cat >"$folder/slurm.conf" <<CONF
ClusterName=mien
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=root
AuthType=auth/none
CredType=cred/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
KillWait=2
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
NodeName=localhost NodeAddr=127.0.0.1 CPUs=2 RealMemory=1000 State=UNKNOWN
PartitionName=test Nodes=localhost Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
CONF
export SLURM_CONF="$folder/slurm.conf"
slurmctld -D >/dev/null 2>&1 & pids+=($!)
slurmd -D -N localhost >/dev/null 2>&1 & pids+=($!)
# Waits until a command succeeds, four minutes at most.
eventually() {
  local tries
  for tries in {1..2400}; do
    if "$@"; then return 0; fi
    sleep 0.1
  done
  echo "timed out: $*" >&2
  return 1
}
is_idle() { [[ $(sinfo -h -o %T 2>/dev/null) == idle ]]; }
eventually is_idle

# The one photo by many names: enough for the tasks to be at work for a while after both have begun.
count=2400
for ((i = 0; i < count; i++)); do
  mkdir -p "$folder/photos/$((i % 3))"
  ln -s "$photo" "$folder/photos/$((i % 3))/p$i.png"
done
out="$folder/out"
cat >"$folder/mien" <<SH
#!/bin/bash
echo \$\$ >"$folder/pid-\$SLURM_ARRAY_TASK_ID"
exec "$programs/mien" "\$@"
SH
chmod +x "$folder/mien"
submit() { # SBATCH-OPTION…
  MIEN="$folder/mien" sbatch --parsable --chdir "$folder" --mem=400 --cpus-per-task=1 "$@" \
    "$here/deploy/slurm/mien.sbatch" detect "$folder/photos" -o "$out" --detector none
}
job="$(submit --array=1-4)"
lines() { cat "$out/_part-0000$1-of-00004.manifest" 2>/dev/null | wc -l; }
has_begun() { (($(lines "$1") >= 3)); }
eventually has_begun 1
eventually has_begun 2
before="$(lines 1)"
scontrol requeue "${job}_1"
# The second task's program dies, and the task with it, as on a node that runs out of memory.
kill -KILL "$(<"$folder/pid-2")"
echo "requeued a task after $((before - 1)) photos"
has_state() { squeue -h -r -j "$job" -t all -o '%K %T' 2>/dev/null | grep -q "^$1 $2"; }
eventually has_state 1 PENDING
# Slurm lets a job that is requeued wait for two minutes.
# One that starts in the second in which it was stopped is refused ("Job credential revoked").
sleep 3
scontrol update "jobid=${job}_1" StartTime=now
is_over() { [[ -z $(squeue -h -r -j "$job" -t pending,running,completing,configuring -o %K 2>/dev/null) ]]; }
eventually is_over

merged() { "$programs/mien" merge "$out" -o "$folder/all.jsonl"; }
if merged >"$folder/merge.log" 2>&1; then
  echo "the shard whose program was killed is said to be done" >&2
  exit 1
fi
grep -q 'is not done after' "$folder/merge.log"
grep -q 'run its shard (2 of 4) again' "$folder/merge.log"
# That task by itself, which without MIEN_SHARDS would be refused.
first="$job"
job="$(submit --array=2 --export=ALL,MIEN_SHARDS=4)"
eventually is_over
merged
[[ $(wc -l <"$folder/all.jsonl") == "$count" ]]
[[ $(grep -o '"file":"[^"]*"' "$folder/all.jsonl" | sort -u | wc -l) == "$count" ]]
grep -h 'shard . of 4:' "$folder"/mien-*.log
# The requeued task went on rather than beginning anew.
sed -n 's/.* \([0-9]*\) photos done, \([0-9]*\) of them now.*/\1 \2/p
s/.* \([0-9]*\) photos done, nothing left to do.*/\1 0/p' "$folder/mien-${first}_1.log" |
  awk '{ found = 1; if ($2 >= $1) exit 1 } END { exit !found }'
echo "slurm: $count photos in 4 shards, one task requeued, one killed and run again: each photo once"
