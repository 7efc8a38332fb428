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
  rm -f "$bin" "$units/portico.service" "$units/portico.socket" "$share/man/man1/portico.1" \
    "$share/bash-completion/completions/portico" "$share/zsh/site-functions/_portico" \
    "$share/fish/vendor_completions.d/portico.fish"
  if has_systemd; then systemctl daemon-reload; fi
}

install_files() {
  # A name of its own first: a program that runs cannot be written over, but its name can be given away.
  install -D -m 755 portico "$bin.new"
  mv -f "$bin.new" "$bin"
  mkdir -p "$units"
  sed 's|/usr/bin/portico|/usr/local/bin/portico|g' portico.service > "$units/portico.service"
  chmod 644 "$units/portico.service"
  install -m 644 portico.socket "$units/portico.socket"
  install -D -m 644 man/portico.1 "$share/man/man1/portico.1"
  install -D -m 644 completions/portico.bash "$share/bash-completion/completions/portico"
  install -D -m 644 completions/_portico "$share/zsh/site-functions/_portico"
  install -D -m 644 completions/portico.fish "$share/fish/vendor_completions.d/portico.fish"
  [ -e "$root/etc/default/portico" ] || install -D -m 644 portico.default "$root/etc/default/portico"
}

make_user() {
  getent passwd portico > /dev/null ||
    useradd --system --user-group --no-create-home --home-dir /var/lib/portico --shell /usr/sbin/nologin portico
  mkdir -p /etc/portico
  chown root:portico /etc/portico
  chmod 750 /etc/portico
}

start() {
  systemctl daemon-reload
  if systemctl --quiet is-active portico.service; then
    # The new binary takes over while sessions of the old one end; an old one that cannot do that is restarted.
    "$bin" upgrade > /dev/null 2>&1 || systemctl restart portico.service
  else
    systemctl --quiet enable --now portico.service
  fi
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
    remove
    rm -rf "$root/var/lib/portico" "$root/etc/default/portico"
    rmdir "$root/etc/portico" 2> /dev/null || true
    if [ -z "$root" ] && getent passwd portico > /dev/null; then userdel portico; fi
    exit
    ;;
esac

# Says what is missing here before anything is changed: another processor, an older libc, no OpenSSL.
./portico selftest > selftest.log 2>&1 ||
  fail "this machine cannot run it; OpenSSL 3 is needed (Debian, Ubuntu: apt install libssl3; Fedora: dnf install openssl-libs).
$(tail -n 3 selftest.log)"
rm -f selftest.log

install_files
if [ -n "$root" ]; then exit; fi
make_user
if has_systemd && [ "$mode" != --no-start ]; then
  start
  echo "Portico runs. Its link, for the app:       sudo portico link"
  echo "What keeps clients out, if anything does:  sudo portico doctor"
else
  echo "Installed. Start it as a user of its own with  portico run  or, with systemd:  systemctl enable --now portico"
fi
