/// Shell functions for a practice host on which a repair is made, taken back, made again and booted over.
enum RemedyLoop {
    /// `state`: everything that a repair may change, without what says nothing: counters, handles, indexes, times, pids,
    /// random parts, shorewall's checksums of when it
    /// compiled, and the chains of a zone that firewalld made once and nothing leads to any more. `reboot`: what the kernel holds is gone, and the enabled units make it anew in their order.
    static let functions = #"""
        state() {
            # The kernel takes a proof's ports away a moment after the proof has ended.
            for _ in $(seq 100); do ip -br link | grep -q '^lxcdoc' || break; sleep 0.02; done
            ip -br link | sed 's/@.*//' | awk '{print $1, $2 == "UP" || $2 == "DOWN" || $2 == "UNKNOWN"}'
            ip -o -4 addr | awk '{print $2, $4}'; ip route | sed 's/ linkdown//'; ip rule
            # Link-local addresses come from the hardware address, which of a bridge may be random.
            ip -o -6 addr show scope global | awk '{print $2, $4}'
            ip -6 route | sed -E 's/ (linkdown|expires [0-9]+sec)//g' | grep -v '^fe80'
            nft list ruleset 2>/dev/null | sed -E 's/counter packets [0-9]+ bytes [0-9]+/counter/; s/ # handle.*//; s/sha-([lr])h-[0-9a-f]+/sha-\1h/' \
                | sed '/^\tchain [A-Za-z_]*_trusted.*{$/,/^\t}$/d; /^$/d'
            while read -r table; do
                echo "$table"; iptables-legacy-save -t "$table" | sed -E '/^#/d; s/ \[[0-9:]+\]//'
            done < /proc/net/ip_tables_names
            sysctl -a --pattern '^net.ipv4.(ip_forward|conf.*.forwarding)' | sort
            # NetworkManager takes accept_ra of a container's port when it likes.
            sysctl -a --pattern '^net.ipv6.conf.(.*.forwarding|up0.accept_ra)$' | sort
            find /etc /run/lxc /lib/systemd/system /var/lib/lxc/*/config \( -name dnsmasq.pid -o -path /run/lxc/lock -o -name '*.cache' \) \
                -prune -o -type f -exec stat -c '%n %a %u %g' {} + -exec md5sum {} + -o -type l -printf '%p %l\n' | sort
            # One that is being ended has no arguments any more, whatever its state.
            for process in $(pgrep -x dnsmasq); do tr -d '\0' 2>/dev/null </proc/$process/cmdline | head -c 1; done | wc -c
        }
        # Twenty seconds at most: a machine may have other things to do.
        until_true() { for _ in $(seq 200); do eval "$1" 2>/dev/null && break; sleep 0.1; done; }
        # What upstart does with a job that it starts: its variables, then the script of its beginning, by `sh -e`.
        upstart() {
            grep -qs '^start on' /etc/init/$1.conf && ! grep -qs '^manual' /etc/init/$1.override || return 0
            sh -ec "stop() { exit 0; }
                $(sed -n 's/^env /export /p; /^pre-start script/,/^end script/ { /script$/d; p }' /etc/init/$1.conf)" >&2
        }
        reboot() {
            for process in $(pgrep -x dockerd; pgrep -x containerd); do kill -9 $process; done
            rm -rf /run/docker* /run/containerd
            [ ! -e /run/lxc/dnsmasq.pid ] || kill -9 $(cat /run/lxc/dnsmasq.pid) 2>/dev/null
            for bridge in /sys/class/net/*/bridge; do
                [ ! -d "$bridge" ] || ip link del "$(basename "$(dirname "$bridge")")"
            done
            nft flush ruleset
            while read -r table; do
                iptables-legacy -t "$table" -F; iptables-legacy -t "$table" -X
            done < /proc/net/ip_tables_names
            iptables-legacy -P FORWARD ACCEPT; iptables-legacy -P INPUT ACCEPT
            rm -rf /run/lxc /run/lxc-doctor-practice-units/*
            sysctl -q -w net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
            for link in /proc/sys/net/ipv6/conf/*/accept_ra; do echo 1 >$link; done
            sleep 0.1
            /lib/systemd/systemd-sysctl --prefix=/net/ipv4/ip_forward --prefix=/net/ipv4/conf --prefix=/net/ipv6/conf
            for process in $(pgrep -x firewalld); do kill -9 $process; done
            # What networkd and NetworkManager see as a container has no udev to wait for.
            mount -o remount,ro,bind /sys
            pkill -9 -x systemd-network; pkill -9 -x NetworkManager; rm -f /run/network/ifstate*
            mkdir -p /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp /run/network
            chown -R systemd-network /run/systemd/netif
            ! command -v netplan >/dev/null || netplan generate
            if [ -e /etc/systemd/system/multi-user.target.wants/NetworkManager.service ]; then
                # Debian's udev rules keep NetworkManager off the ends of containers (85-nm-unmanaged.rules).
                mkdir -p /run/NetworkManager/conf.d
                printf '[keyfile]\nunmanaged-devices=interface-name:port*\n' > /run/NetworkManager/conf.d/veth.conf
                mkdir -p /run/dbus; [ -e /run/dbus/pid ] || dbus-daemon --system --fork
            fi
            early=nftables late=
            if grep -qs '^After=.*lxc-net' /etc/systemd/system/nftables.service; then early= late=nftables; fi
            for unit in netfilter-persistent ufw firewalld $early systemd-networkd NetworkManager networking shorewall lxc-net \
                lxc-net-makina $late docker $(cd /etc/systemd/system; ls lxc-doctor-*.service 2>/dev/null); do
                ls /etc/systemd/system/*.wants/"${unit%.service}.service" >/dev/null 2>&1 || continue
                systemctl start "$unit" >&2
                i=0
                while [ "$unit" = firewalld ] && [ $i -lt 100 ] && ! firewall-cmd --state >/dev/null 2>&1; do
                    sleep 0.1
                    i=$((i + 1))
                done
                while [ "$unit" = docker ] && [ $i -lt 100 ] && ! iptables -S DOCKER-USER >/dev/null 2>&1; do
                    sleep 0.1
                    i=$((i + 1))
                done
            done
            [ "$(readlink /sbin/init)" != upstart ] || upstart lxc-net-makina
            until_true '[ -n "$(ip -4 -o addr show lxcbr1)" ]'
            if pgrep -x systemd-network >/dev/null || pgrep -x NetworkManager >/dev/null; then
                # A container's port: an idle bridge of theirs the proof leaves alone.
                sleep 1
                ip link add port0 type veth peer name port1
                ip link set port0 master lxcbr1 up; ip link set port1 up
                until_true 'bridge link show dev port0 | grep -q "state forwarding"'; sleep 1
                until_true '[ -n "$(ip -4 -o addr show lxcbr1 up)" ] && ip -br link show lxcbr1 | grep -q "UP"'
            fi
        }
        """#

    /// Diagnosis, repair, undo, the same repair again, boot: each report after a line that says what it is.
    static let script =
        functions + #"""

            state >/tmp/before
            echo "REPORT broken"; lxc-doctor --format json
            lxc-doctor fix plan --format json=/root/plan >&2
            echo "REPORT repaired"; lxc-doctor --auto-remediate --yes --format json 2>/dev/null
            state >/tmp/repaired
            # One command is taken back by one, however many rounds it took.
            lxc-doctor fix undo --yes --quiet >&2
            state >/tmp/undone
            echo "REPORT undo"; diff /tmp/before /tmp/undone && echo SAME
            echo "REPORT again"; lxc-doctor --auto-remediate --yes --format json 2>/dev/null
            state >/tmp/again
            echo "REPORT same"; diff /tmp/repaired /tmp/again && echo SAME
            # The plan that was made for the broken host, and the doctor's own, find nothing left to do.
            echo "REPORT twice"
            lxc-doctor fix apply --plan /root/plan --yes --quiet >&2; echo "plan $?"
            lxc-doctor --auto-remediate --yes --quiet >&2; echo "doctor $?"
            state >/tmp/twice; diff /tmp/again /tmp/twice && echo SAME
            reboot
            echo "REPORT booted"; lxc-doctor --format json
            """#
}
