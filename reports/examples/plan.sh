#!/bin/sh
# lxc-doctor: a repair of the profile makina on vm7, 5 steps. Read it before you run it.
# Needs root, a POSIX shell, coreutils, cmp, ip; lxc-doctor to re-check, where it is installed.
# Exit status: 0 done; 1 a step failed, or the re-check says that the whole did not help or broke something:
# what was done was taken back; 2 the host is not as planned, or cannot be looked at, and nothing was changed;
# 3 done, and the re-check says that more is wrong than this plan repairs; 77 not root.
set -u
LC_ALL=C
export LC_ALL
PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin
[ "$(id -u)" = 0 ] || { echo 'this needs root' >&2; exit 77; }
run=$(date -u +%Y%m%dT%H%M%SZ)-$$
done_steps=
# Where a copy of a file lies before it is changed: not beside it, where its program might read it.
keep() { backup=/var/lib/lxc-doctor/backup/$1$2; (umask 077 && mkdir -p "$(dirname "$backup")") && chmod 700 /var/lib/lxc-doctor/backup; }

# 1. link lxcbr1: absent -> a bridge, down  [bridge-create.1]
#    risk: Containers that run already are not attached to the new bridge until they are restarted, and a DHCP server of the old bridge stays on the old one until lxc-net is restarted.
#    undo: ip link delete lxcbr1 type bridge
target_1='link lxcbr1'
before_1() {
    [ ! -e /sys/class/net/lxcbr1 ]
}
after_1() {
    [ -d /sys/class/net/lxcbr1/bridge ]
}
change_1() {
    ip link add lxcbr1 type bridge
}
undo_1() {
    result=0
    { [ ! -e /sys/class/net/lxcbr1 ]; } || { { [ -d /sys/class/net/lxcbr1/bridge ] && [ -z "$(ls /sys/class/net/lxcbr1/brif)" ]; } && ip link delete lxcbr1 type bridge; } || result=1
    return $result
}

# 2. address 10.5.0.1/16 of lxcbr1: absent -> present  [bridge-create.2]
#    risk: The host routes 10.5.0.0/16 to lxcbr1 from now on.
#    undo: ip address delete 10.5.0.1/16 dev lxcbr1
target_2='address 10.5.0.1/16 of lxcbr1'
before_2() {
    [ -e /sys/class/net/lxcbr1 ] && ! ip -o -4 address show dev lxcbr1 | grep -qF ' 10.5.0.1/16 '
}
after_2() {
    [ -e /sys/class/net/lxcbr1 ] && ip -o -4 address show dev lxcbr1 | grep -qF ' 10.5.0.1/16 '
}
change_2() {
    ip address add 10.5.0.1/16 broadcast + dev lxcbr1
}
undo_2() {
    result=0
    { [ -e /sys/class/net/lxcbr1 ] && ! ip -o -4 address show dev lxcbr1 | grep -qF ' 10.5.0.1/16 '; } || { { [ -e /sys/class/net/lxcbr1 ] && ip -o -4 address show dev lxcbr1 | grep -qF ' 10.5.0.1/16 '; } && ip address delete 10.5.0.1/16 dev lxcbr1; } || result=1
    return $result
}

# 3. link lxcbr1: down -> up  [bridge-create.3]
#    risk: None: a bridge without ports sends nothing.
#    undo: ip link set lxcbr1 down
target_3='link lxcbr1'
before_3() {
    [ -e /sys/class/net/lxcbr1 ] && [ $(( $(cat /sys/class/net/lxcbr1/flags) & 1 )) = 0 ]
}
after_3() {
    [ -e /sys/class/net/lxcbr1 ] && [ $(( $(cat /sys/class/net/lxcbr1/flags) & 1 )) = 1 ]
}
change_3() {
    ip link set lxcbr1 up
}
undo_3() {
    result=0
    { [ -e /sys/class/net/lxcbr1 ] && [ $(( $(cat /sys/class/net/lxcbr1/flags) & 1 )) = 0 ]; } || { { [ -e /sys/class/net/lxcbr1 ] && [ $(( $(cat /sys/class/net/lxcbr1/flags) & 1 )) = 1 ]; } && ip link set lxcbr1 down; } || result=1
    return $result
}

# 4. /etc/sysctl.d/99-zz-lxc-doctor.conf: absent -> # Containers reach other networks only if this host forwards packets.; net.ipv4.ip_forward = 1; net.ipv4.conf.all.forwarding = 1  [forwarding-persistent.1]
#    risk: The host routes between ALL its interfaces after every boot.
#    undo: rm /etc/sysctl.d/99-zz-lxc-doctor.conf
target_4=/etc/sysctl.d/99-zz-lxc-doctor.conf
before_4() {
    [ ! -e /etc/sysctl.d/99-zz-lxc-doctor.conf ] && [ ! -L /etc/sysctl.d/99-zz-lxc-doctor.conf ]
}
after_4() {
    [ -f /etc/sysctl.d/99-zz-lxc-doctor.conf ] && [ ! -L /etc/sysctl.d/99-zz-lxc-doctor.conf ] && [ "$(stat -c '%a %u %g' /etc/sysctl.d/99-zz-lxc-doctor.conf)" = '644 0 0' ] && printf '# Containers reach other networks only if this host forwards packets.
net.ipv4.ip_forward = 1
net.ipv4.conf.all.forwarding = 1
' | cmp -s - /etc/sysctl.d/99-zz-lxc-doctor.conf
}
change_4() {
    keep $run /etc/sysctl.d/99-zz-lxc-doctor.conf || return 1
    (umask 077 && rm -f /etc/sysctl.d/.lxc-doctor.plan && printf '# Containers reach other networks only if this host forwards packets.
net.ipv4.ip_forward = 1
net.ipv4.conf.all.forwarding = 1
' >/etc/sysctl.d/.lxc-doctor.plan) && chown 0:0 /etc/sysctl.d/.lxc-doctor.plan && chmod 644 /etc/sysctl.d/.lxc-doctor.plan && mv -f /etc/sysctl.d/.lxc-doctor.plan /etc/sysctl.d/99-zz-lxc-doctor.conf && sync
}
undo_4() {
    result=0
    keep $run.undo /etc/sysctl.d/99-zz-lxc-doctor.conf || return 1
    { [ ! -e /etc/sysctl.d/99-zz-lxc-doctor.conf ] && [ ! -L /etc/sysctl.d/99-zz-lxc-doctor.conf ]; } || { { [ -f /etc/sysctl.d/99-zz-lxc-doctor.conf ] && [ ! -L /etc/sysctl.d/99-zz-lxc-doctor.conf ] && [ "$(stat -c '%a %u %g' /etc/sysctl.d/99-zz-lxc-doctor.conf)" = '644 0 0' ] && printf '# Containers reach other networks only if this host forwards packets.
net.ipv4.ip_forward = 1
net.ipv4.conf.all.forwarding = 1
' | cmp -s - /etc/sysctl.d/99-zz-lxc-doctor.conf; } && cp -a /etc/sysctl.d/99-zz-lxc-doctor.conf "$backup" && rm /etc/sysctl.d/99-zz-lxc-doctor.conf; } || result=1
    return $result
}

# 5. /etc/sysctl.conf: net/ipv4/ip_forward = 0 -> # lxc-doctor: was net/ipv4/ip_forward = 0; net.ipv4.ip_forward = 1  [forwarding-persistent.2]
#    risk: Whoever wrote that line wanted forwarding off; the old value stays beside it as a comment.
#    undo: sed -i '2,3c\net/ipv4/ip_forward = 0' /etc/sysctl.conf
target_5=/etc/sysctl.conf
before_5() {
    [ -f /etc/sysctl.conf ] && [ ! -L /etc/sysctl.conf ] && [ "$(stat -c '%a %u %g' /etc/sysctl.conf)" = '644 0 0' ] && printf '# top
net/ipv4/ip_forward = 0
' | cmp -s - /etc/sysctl.conf
}
after_5() {
    [ -f /etc/sysctl.conf ] && [ ! -L /etc/sysctl.conf ] && [ "$(stat -c '%a %u %g' /etc/sysctl.conf)" = '644 0 0' ] && printf '# top
# lxc-doctor: was net/ipv4/ip_forward = 0
net.ipv4.ip_forward = 1
' | cmp -s - /etc/sysctl.conf
}
change_5() {
    keep $run /etc/sysctl.conf || return 1
    cp -a /etc/sysctl.conf "$backup" && rm -f /etc/.lxc-doctor.plan && cp -a /etc/sysctl.conf /etc/.lxc-doctor.plan && printf '# top
# lxc-doctor: was net/ipv4/ip_forward = 0
net.ipv4.ip_forward = 1
' >/etc/.lxc-doctor.plan && chown 0:0 /etc/.lxc-doctor.plan && chmod 644 /etc/.lxc-doctor.plan && mv -f /etc/.lxc-doctor.plan /etc/sysctl.conf && sync
}
undo_5() {
    result=0
    keep $run.undo /etc/sysctl.conf || return 1
    { [ -f /etc/sysctl.conf ] && [ ! -L /etc/sysctl.conf ] && [ "$(stat -c '%a %u %g' /etc/sysctl.conf)" = '644 0 0' ] && printf '# top
net/ipv4/ip_forward = 0
' | cmp -s - /etc/sysctl.conf; } || { { [ -f /etc/sysctl.conf ] && [ ! -L /etc/sysctl.conf ] && [ "$(stat -c '%a %u %g' /etc/sysctl.conf)" = '644 0 0' ] && printf '# top
# lxc-doctor: was net/ipv4/ip_forward = 0
net.ipv4.ip_forward = 1
' | cmp -s - /etc/sysctl.conf; } && cp -a /etc/sysctl.conf "$backup" && rm -f /etc/.lxc-doctor.plan && cp -a /etc/sysctl.conf /etc/.lxc-doctor.plan && printf '# top
net/ipv4/ip_forward = 0
' >/etc/.lxc-doctor.plan && chown 0:0 /etc/.lxc-doctor.plan && chmod 644 /etc/.lxc-doctor.plan && mv -f /etc/.lxc-doctor.plan /etc/sysctl.conf && sync; } || result=1
    return $result
}

# lxc-doctor, where it is installed, looks before the first step.
report=
look_before() {
    command -v lxc-doctor >/dev/null || return 0
    report=$(mktemp) || exit 2
    trap 'rm -f "$report"' EXIT
    { lxc-doctor --format json >"$report"; [ $? -le 3 ]; } || { echo 'lxc-doctor could not look at this host; nothing was changed' >&2; exit 2; }
}
# After the last one it judges as fix apply does: the checks that led to this plan must hold, none may fail
# that held before, and the packet proof may be no worse.
recheck() {
    [ -n "$report" ] || { echo 'not re-checked: lxc-doctor is not installed here; where it is, run: lxc-doctor'; exit 0; }
    lxc-doctor fix recheck --before "$report" >/dev/null \
        'test.bridge-create network lxcbr1' \
        'test.forwarding-persistent network lxcbr1'
    case $? in
    0) echo 're-checked: repaired, and nothing else is wrong' ;;
    1) echo 're-checked: repaired, but more is wrong than this plan repairs: lxc-doctor fix plan' >&2; exit 3 ;;
    *) echo 're-checked: it did not help, or something else broke' >&2; take_back ;;
    esac
}

stale() { eval "echo \"stale: \$target_$1 is not as planned\"" >&2; }
look() { "after_$1" || "before_$1" || { stale "$1"; echo 'nothing was changed' >&2; exit 2; }; }
take_back() {
    [ -z "$done_steps" ] || echo 'what was done is taken back' >&2
    for number in $done_steps; do
        "undo_$number" || eval "echo \"not taken back: \$target_$number\"" >&2
    done
    exit 1
}
step() {
    if "after_$1"; then eval "echo \"already: \$target_$1\""; return 0; fi
    "before_$1" || { stale "$1"; take_back; }
    done_steps="$1 $done_steps"
    { "change_$1" && "after_$1"; } || { eval "echo \"failed: \$target_$1\"" >&2; take_back; }
    eval "echo \"done: \$target_$1\""
}

look 1
look 4
look 5
look_before
step 1
step 2
step 3
step 4
step 5
recheck

# By hand: masq-shadowed (network lxcbr1): there is no automatic remedy for it in this version
#   by-hand masq-shadowed
