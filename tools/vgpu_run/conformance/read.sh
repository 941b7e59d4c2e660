#!/bin/sh
# As read.c, with what a shell and the programs of coreutils have. An error has no number here.

say() {
  name=$1
  shift
  if value=$("$@" 2>/dev/null && echo x); then
    printf '%s.%s\t%s\n' "$name" "$address" \
      "$(printf %s "${value%x}" | od -An -v -tx1 | tr -d ' \n')"
  else
    printf '%s.%s\t!\n' "$name" "$address"
  fi
}

# By the shell itself, not by a program.
line() {
  read -r text <"$1" && echo "$text"
}

without_newline() {
  text=$("$@") && printf %s "$text"
}

# What a shell's variable cannot hold.
bytes() {
  if [ -r "$2" ]; then
    printf '%s.%s\t%s\n' "$1" "$address" "$(od -An -v -tx1 "$2" | tr -d ' \n')"
  else
    printf '%s.%s\t!\n' "$1" "$address"
  fi
}

globbed() {
  for file in /sys/bus/pci/devices/*/vendor; do echo "$file"; done
}

found() {
  find /sys/devices -name vendor | sort
}

in_directory() {
  # Not `cd -P`: the name that the shell has is the one that was asked for.
  cd "$1" || return 1
  shift
  "$@"
}

all() {
  bus=/sys/bus/pci/devices/$address
  say read cat "$bus/vendor"
  say getline line "$bus/vendor"
  bytes config "$bus/config"
  say uevent cat "$bus/uevent"
  say driver-alias cat "/sys/bus/pci/drivers/nvidia/$address/vendor"
  say proc cat /proc/driver/nvidia/version
  say dots cat "/sys/bus/pci/devices/../devices/$address/vendor"
  say slashes cat "//sys//bus/pci///devices/$address//vendor"
  say proc-self-root cat "/proc/self/root$bus/vendor"
  say not-of-the-device cat "$bus/virtio0"
  say chdir-above in_directory /sys/bus cat "pci/devices/$address/vendor"
  say chdir in_directory "$bus" cat vendor
  say getcwd in_directory "$bus" without_newline pwd -P
  say readdir ls "$bus"
  say readdir-all ls /sys/bus/pci/devices
  say readdir-drivers ls /sys/bus/pci/drivers
  say readdir-proc ls /proc/driver
  say glob globbed
  say nftw found
  say readlink-bus readlink -n "$bus"
  say readlink-driver readlink -n "$bus/driver"
  say realpath without_newline readlink -e "$bus/vendor"
  say realpath-driver without_newline realpath "$bus/driver"
  say size without_newline stat -L -c %s "$bus/modalias"
}

# The order of ls and of the shell's globs.
LC_ALL=C
export LC_ALL
PATH=${PATH:-/usr/bin:/bin}
if [ "$1" = --child ]; then
  shift
  exec env -i "$0" "$@"
fi
for address; do all; done
