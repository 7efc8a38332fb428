#!/bin/sh
# Installs Portico from the folder that this file is in, or takes it off again. Asks nothing of the network.
#   ./install.sh               binary, service, manual and completions below /usr/local; starts the service
#   ./install.sh --no-start    the same without starting it
#   ./install.sh --remove      takes them off; configuration and data stay
#   ./install.sh --purge       takes off everything, also secrets and the user
# A second run is an upgrade: no file that you may have edited is touched. DESTDIR=FOLDER puts the files there and does
# nothing else.
set -eu
cd "$(dirname "$0")"
root=${DESTDIR:-}
bin=$root/usr/local/bin/portico
share=$root/usr/local/share
units=$root/etc/systemd/system
# Where drop-ins of a program below /usr/local have their place; those in /etc are yours.
dropin=$root/usr/local/lib/systemd/system/portico.service.d

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

has_systemd() {
  [ -z "$root" ] && [ -d /run/systemd/system ]
}

remove() {
  if has_systemd; then
    systemctl --quiet disable --now portico.socket portico.service 2> /dev/null || true
  fi
  rm -f "$bin" "$units/portico.service" "$units/portico.socket" "$dropin/restart.conf" "$share/man/man1/portico.1" \
    "$share/bash-completion/completions/portico" "$share/zsh/site-functions/_portico" \
    "$share/fish/vendor_completions.d/portico.fish"
  rmdir "$dropin" 2> /dev/null || true
  if has_systemd; then systemctl daemon-reload; fi
}

# Its service has the same name, and its configuration, data and user are the same.
refuse_beside_package() {
  for file in "$root/usr/bin/portico" "$root/usr/lib/systemd/system/portico.service" "$root/lib/systemd/system/portico.service"; do
    [ ! -e "$file" ] || fail "$file is there: the package portico is installed. $1"
  done
}

# What `systemctl mask` and a removal of the package leave: writing through it would end in /dev/null.
refuse_links() {
  for unit in portico.service portico.socket; do
    [ -L "$units/$unit" ] || continue
    [ "$(readlink "$units/$unit")" != /dev/null ] || fail "$unit is masked; systemctl unmask $unit"
    fail "$units/$unit is a symbolic link; remove it first"
  done
}

install_files() {
  # A name of its own first: a program that runs cannot be written over, but its name can be given away.
  install -D -m 755 portico "$bin.new"
  mv -f "$bin.new" "$bin"
  mkdir -p "$units"
  sed 's|/usr/bin/portico|/usr/local/bin/portico|g' portico.service > "$units/portico.service.new"
  chmod 644 "$units/portico.service.new"
  mv -f "$units/portico.service.new" "$units/portico.service"
  install -m 644 portico.socket "$units/portico.socket"
  install -D -m 644 restart.conf "$dropin/restart.conf"
  install -D -m 644 man/portico.1 "$share/man/man1/portico.1"
  install -D -m 644 completions/portico.bash "$share/bash-completion/completions/portico"
  install -D -m 644 completions/_portico "$share/zsh/site-functions/_portico"
  install -D -m 644 completions/portico.fish "$share/fish/vendor_completions.d/portico.fish"
  [ -e "$root/etc/default/portico" ] || install -D -m 644 portico.default "$root/etc/default/portico"
}

make_user() {
  getent group portico > /dev/null || groupadd --system portico
  getent passwd portico > /dev/null ||
    useradd --system --gid portico --no-create-home --home-dir /var/lib/portico --shell /usr/sbin/nologin portico
  mkdir -p /etc/portico
  chown root:portico /etc/portico
  chmod 750 /etc/portico
}

start() {
  systemctl daemon-reload
  if systemctl --quiet is-active portico.service; then
    take_over
  else
    systemctl --quiet enable --now portico.service || true
  fi
}

# The new binary takes over while sessions of the old one end. Where nobody answers (3), or with an answer of a version that
# knows no hand-over, a restart. Where the old one cannot be replaced, it is the operator's to end it: it may be all that works.
take_over() {
  status=0
  said=$("$bin" upgrade 2>&1) || status=$?
  [ "$status" -ne 0 ] || return 0
  case "$status:$said" in
    3:* | *" answered 404: "*) systemctl restart portico.service || true ;;
    *)
      echo "The new version is installed and has not taken over; the old one serves on. $bin upgrade ended with code $status:"
      echo "${said:-it said nothing}" | sed 's/^/  /'
      echo "Once that is mended:  sudo $bin upgrade  or, which ends the old one whatever comes:  sudo systemctl restart portico"
      ;;
  esac
}

mode=${1:-}
case "$mode" in
  '' | --no-start | --remove | --purge) ;;
  *) fail "unknown: $mode; --no-start, --remove and --purge are known" ;;
esac
[ -n "$root" ] || [ "$(id -u)" -eq 0 ] || fail "needs root: sudo ./install.sh $mode"

case "$mode" in
  --remove)
    remove
    exit
    ;;
  --purge)
    refuse_beside_package "It goes on with what this would take off; ./install.sh --remove leaves that"
    remove
    rm -rf "$root/var/lib/portico" "$root/etc/default/portico"
    rmdir "$root/etc/portico" 2> /dev/null || true
    if [ -z "$root" ]; then
      userdel portico 2> /dev/null || true
      # It stays where it is somebody's first group.
      groupdel portico 2> /dev/null || true
    fi
    exit
    ;;
esac

# Before anything is changed.
refuse_beside_package "Upgrade that, or remove it first (apt remove portico; configuration and data stay)"
refuse_links
# Says what is missing here: another processor, an older libc, no OpenSSL.
./portico selftest > selftest.log 2>&1 ||
  fail "this machine cannot run it; OpenSSL 3 is needed (Debian, Ubuntu: apt install libssl3; Fedora: dnf install openssl-libs).
$(tail -n 3 selftest.log)"
rm -f selftest.log

install_files
if [ -n "$root" ]; then exit; fi
make_user
# By its full path: sudo of RHEL and its kin does not look into /usr/local/bin.
if has_systemd && [ "$mode" != --no-start ]; then
  start
  if systemctl --quiet is-active portico.service; then
    echo "Portico runs. Its link, for the app:       sudo $bin link"
    echo "What keeps clients out, if anything does:  sudo $bin doctor"
  else
    fail "installed, and the service did not start: journalctl -u portico"
  fi
else
  echo "Installed. Start it as a user of its own with  $bin run  or, with systemd:  systemctl enable --now portico"
fi
