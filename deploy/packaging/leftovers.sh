# Taking away what a script has started and made. Sourced.
#   has_ended SECONDS PROCESS    waits so long at most; fails if it is still there
#   end_group PROCESS            ends a process that setsid started, and all that it has started
#   remove_folder FOLDER         with what is mounted below it, and nothing of what was mounted there
# shellcheck shell=bash

has_ended() {
  local i
  for ((i = 0; i < $1 * 10; i++)); do
    kill -0 "$2" 2> /dev/null || return 0
    sleep 0.1
  done
  ! kill -0 "$2" 2> /dev/null
}

# Its leader gets the time to take away what is its own.
end_group() {
  kill -- "-$1" 2> /dev/null || kill "$1" 2> /dev/null || true
  has_ended 15 "$1" || true
  kill -KILL -- "-$1" 2> /dev/null || true
  wait "$1" 2> /dev/null || true
}

# The innermost first. The table writes a space as \040.
unmount_below() {
  local point
  awk -v folder="$(realpath "$1")/" 'index($5, folder) == 1 { print $5 }' /proc/self/mountinfo | sort --reverse |
    while read -r point; do umount --lazy "$(printf '%b' "$point")" || true; done
}

remove_folder() {
  [ -e "$1" ] || return 0
  unmount_below "$1"
  rm -rf --one-file-system "$1"
}
