# An empty Debian machine of our own to try packages on, with systemd as its first process: a container of
# systemd-nspawn, whose network leads nowhere. Sourced by deploy/test-packages and deploy/test-operations.
#   machine_make     a root folder; PORTICO_ROOT=FOLDER copies one that make-root made before
#   machine_boot     starts it, gives it a public address and puts a stand-in for Telegram behind Telegram's own addresses
#   inside COMMAND   runs a command in it as root
#   machine_end      stops it and removes everything
# shellcheck shell=bash
machine=
leader=
machine_processes=()

machine_fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# What it takes here; where something is missing the caller leaves its test out.
machine_is_possible() {
  local program
  if [ "$(id -u)" -ne 0 ]; then echo "only root can make a machine of its own"; return 1; fi
  for program in debootstrap systemd-nspawn nsenter nft ip dpkg-deb; do
    command -v "$program" > /dev/null || { echo "$program is not installed; tests/install-tools does that"; return 1; }
  done
}

machine_make() {
  machine=$(mktemp -d)
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
  nsenter --target "$leader" --all --wdns=/root env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8 "$@"
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

machine_end() {
  local process
  if [ -n "$leader" ]; then
    inside systemctl --no-block poweroff > /dev/null 2>&1 || true
    for ((i = 0; i < 100; i++)); do
      kill -0 "${machine_processes[0]}" 2> /dev/null || break
      sleep 0.1
    done
  fi
  for process in "${machine_processes[@]}"; do kill "$process" 2> /dev/null || true; done
  wait
  [ -z "$machine" ] || rm -rf "$machine" "$machine".*
}
