# An empty Debian machine of our own to try packages on, with systemd as its first process: a container of
# systemd-nspawn, whose network leads nowhere. Sourced by deploy/test-packages and deploy/test-operations.
#   machine_make     a root folder; PORTICO_ROOT=FOLDER copies one that make-root made before
#   machine_boot     starts it, gives it a public address and puts a stand-in for Telegram behind Telegram's own addresses
#   inside COMMAND   runs a command in it as root
#   machine_end      stops it and removes everything
# shellcheck shell=bash
# shellcheck source=deploy/packaging/leftovers.sh
. "$(dirname "${BASH_SOURCE[0]}")/leftovers.sh"
# What the machine and both tests take here. tests/install-tools installs them.
machine_programs=(debootstrap systemd-nspawn nsenter nft ip pgrep dpkg-deb gcc make)
machine=
leader=
machine_processes=()

machine_fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# Says what is missing here, and fails then.
machine_is_possible() {
  local program
  if [ "$(id -u)" -ne 0 ]; then echo "only root can make a machine of its own"; return 1; fi
  for program in "${machine_programs[@]}"; do
    command -v "$program" > /dev/null || { echo "$program is not installed; tests/install-tools does that"; return 1; }
  done
  machine_can_boot || { echo "systemd-nspawn cannot start a machine here: $machine_why_not"; return 1; }
}

# Root in a container may have no right to mount, to make namespaces or control groups. A tenth of a second tells: one
# program in a root that has nothing but this machine's /usr, which makes a control group as systemd would.
machine_why_not=
machine_can_boot() {
  local probe link status=0
  probe=$(mktemp -d --tmpdir=/var/tmp)
  mkdir "$probe/usr"
  for link in bin sbin lib lib32 lib64; do [ ! -e "/$link" ] || ln -s "usr/$link" "$probe/$link"; done
  # shellcheck disable=SC2016  # expanded in there
  machine_why_not=$(timeout --kill-after=5 20 systemd-nspawn --quiet --directory "$probe" --bind-ro=/usr --register=no --keep-unit \
    --private-network --console=pipe /bin/sh -c 'for groups in /sys/fs/cgroup/systemd /sys/fs/cgroup; do
        [ ! -d "$groups" ] || { mkdir "$groups/portico-probe" && rmdir "$groups/portico-probe"; exit; }
      done
      echo "there are no control groups"; exit 1' 2>&1 < /dev/null) || status=$?
  [ "$status" -ne 124 ] || machine_why_not="no answer within 20 s"
  remove_folder "$probe"
  return "$status"
}

machine_make() {
  # Not below /tmp, which may be in memory and mounted without devices.
  machine=$(mktemp -d --tmpdir=/var/tmp)
  chmod 755 "$machine"
  if [ -n "${PORTICO_ROOT:-}" ]; then
    cp -a "$PORTICO_ROOT/." "$machine"
    return
  fi
  deploy/packaging/make-root "$machine"
}

in_its_network() {
  nsenter --target "$leader" --net "$@"
}

# As a login of root has it.
inside() {
  nsenter --target "$leader" --all --wdns=/root \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8 "$@"
}

machine_boot() {
  local lab=$1 i
  systemd-nspawn --directory "$machine" --boot --register=no --keep-unit --private-network --console=pipe \
    > "$machine.console" 2>&1 < /dev/null &
  machine_processes+=("$!")
  for ((i = 0; i < 300; i++)); do
    leader=$(pgrep --parent "${machine_processes[0]}" | head -n 1 || true)
    # "degraded" will do: some units of a real machine have nothing to do in a container
    if [ -n "$leader" ] && inside systemctl is-system-running 2> /dev/null | grep -qE 'running|degraded'; then break; fi
    sleep 0.1
  done
  [ "$i" -lt 300 ] || { tail -n 20 "$machine.console"; machine_fail "the machine did not start"; }

  # A public address (of those kept for documents), and Telegram's own, which lead to the stand-in.
  in_its_network ip address add 203.0.113.5/32 dev lo
  in_its_network ip route add local 149.154.160.0/20 dev lo
  in_its_network ip route add local 91.108.0.0/16 dev lo
  in_its_network ip route add local 91.105.192.0/23 dev lo
  in_its_network nft -f - <<'RULES'
table ip telegram {
  chain output {
    type nat hook output priority -100;
    ip daddr { 149.154.160.0/20, 91.108.0.0/16, 91.105.192.0/23 } tcp dport 443 redirect to :21802
  }
}
RULES
  in_its_network "$lab/build/faketg" > "$machine.telegram" 2>&1 &
  machine_processes+=("$!")
}

# Whatever hangs in there: some 20 s at most.
machine_end() {
  local process
  if [ -n "$leader" ]; then
    inside timeout --kill-after=1 5 systemctl --no-block poweroff > /dev/null 2>&1 || true
    has_ended 10 "${machine_processes[0]}" || kill -KILL "$leader" 2> /dev/null || true
  fi
  for process in "${machine_processes[@]}"; do kill "$process" 2> /dev/null || true; done
  for process in "${machine_processes[@]}"; do
    has_ended 5 "$process" || kill -KILL "$process" 2> /dev/null || true
    wait "$process" 2> /dev/null || true
  done
  [ -z "$machine" ] || remove_folder "$machine"
  [ -z "$machine" ] || rm -f "$machine".*
}
