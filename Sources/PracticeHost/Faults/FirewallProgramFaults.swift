/// Firewall programs as Debian packages them, set up by somebody who did not think of containers.
let firewallProgramFaults: [Fault] = [
    Fault(
        "ufw-forward-drop", "ufw is on, and no rule speaks of the bridge",
        [
            FaultVariant(
                "enabled", "As the package sets it up", backends: [.nft], layers: ["ufw"],
                [.run(["ufw", "--force", "enable"])]),
            FaultVariant(
                "other-rules", "With rules of the operator's own", backends: [.nft], layers: ["ufw"],
                [
                    .run(["ufw", "--force", "enable"]), .run(["ufw", "allow", "22/tcp", "comment", "ssh"]),
                    .run(["ufw", "route", "allow", "in", "on", "wg0", "out", "on", "{uplink}"]),
                ]),
        ]),
    Fault(
        "firewalld-zone", "firewalld runs, and the bridge is in no zone",
        [
            FaultVariant(
                "default", "As the package sets it up", backends: [.nft], layers: ["firewalld"],
                [
                    .link(
                        "/etc/systemd/system/multi-user.target.wants/firewalld.service",
                        to: "/lib/systemd/system/firewalld.service"),
                    .run([
                        "sh", "-c",
                        """
                        mkdir -p /run/dbus && dbus-daemon --system --fork && systemctl start firewalld
                        i=0
                        until firewall-cmd --state >/dev/null 2>&1; do
                            [ $i -lt 100 ] || exit 1
                            i=$((i + 1))
                            sleep 0.1
                        done
                        """,
                    ]),
                ])
        ]),
    Fault(
        "forward-policy-drop", "nftables.conf drops what the host should forward",
        [
            FaultVariant(
                "nftables-conf", "As an operator wrote it for a host that does not forward", backends: [.nft],
                [
                    .write(
                        "/etc/nftables.conf",
                        """
                        #!/usr/sbin/nft -f
                        # Kept by the operator.
                        flush ruleset

                        table inet filter {
                        \tchain input {
                        \t\ttype filter hook input priority filter; policy drop;
                        \t\tiifname "lo" accept
                        \t\tct state established,related accept
                        \t\ttcp dport 22 accept # ssh
                        \t}
                        \tchain forward {
                        \t\ttype filter hook forward priority filter; policy drop;
                        \t\tiifname "{bridge}" ip daddr 192.168.99.0/24 drop comment "on purpose"
                        \t\tcounter reject with icmpx admin-prohibited
                        \t}
                        }

                        """),
                    .link(
                        "/etc/systemd/system/sysinit.target.wants/nftables.service",
                        to: "/lib/systemd/system/nftables.service"),
                    .run(["systemctl", "start", "nftables"]), .run(["systemctl", "restart", "lxc-net"]),
                ])
        ]),
    Fault(
        "forward-policy-drop", "Saved rules drop what the host should forward",
        [
            FaultVariant(
                "rules-v4", "netfilter-persistent loads them at boot", backends: [.iptablesNft, .iptablesLegacy],
                layers: ["iptables-persistent"],
                [
                    .write(
                        "/etc/iptables/rules.v4",
                        """
                        # Kept by the operator.
                        *filter
                        :INPUT ACCEPT [0:0]
                        :FORWARD DROP [0:0]
                        :OUTPUT ACCEPT [0:0]
                        -A INPUT -i lo -j ACCEPT
                        -A FORWARD -s 192.0.2.0/24 -j ACCEPT
                        COMMIT

                        """),
                    .link(
                        "/etc/systemd/system/multi-user.target.wants/netfilter-persistent.service",
                        to: "/lib/systemd/system/netfilter-persistent.service"),
                    .run(["netfilter-persistent", "start"]),
                ])
        ]),
    Fault(
        "masq-shadowed", "A saved rule ends the nat chain; a deliberate exemption comes before it",
        [
            FaultVariant(
                "rules-v4", "netfilter-persistent loads them at boot", backends: [.iptablesNft, .iptablesLegacy],
                layers: ["iptables-persistent"],
                [
                    .write(
                        "/etc/iptables/rules.v4",
                        """
                        *nat
                        :PREROUTING ACCEPT [0:0]
                        :INPUT ACCEPT [0:0]
                        :OUTPUT ACCEPT [0:0]
                        :POSTROUTING ACCEPT [0:0]
                        # The other site knows the way back.
                        -A POSTROUTING -s {network} -d 192.168.77.0/24 -j ACCEPT
                        -A POSTROUTING -s {network} -j ACCEPT
                        COMMIT

                        """),
                    .link(
                        "/etc/systemd/system/multi-user.target.wants/netfilter-persistent.service",
                        to: "/lib/systemd/system/netfilter-persistent.service"),
                    .run(["netfilter-persistent", "start"]),
                    .run([
                        "iptables", "-w", "-t", "nat", "-A", "POSTROUTING", "-s", "{network}", "!", "-d", "{network}",
                        "-j", "MASQUERADE",
                    ]),
                ])
        ]),
]

/// Ahead of the first run: shorewall tells the kernel's log of what it does, and no daemon keeps that here.
private func shorewall(interfaces: String, policy: String, zones: String = "") -> [FaultStep] {
    [
        .write("/etc/shorewall/zones", "# Kept by the operator.\nfw\tfirewall\nnet\tipv4\n\(zones)"),
        .write("/etc/shorewall/interfaces", interfaces),
        .write("/etc/shorewall/policy", "$FW\tnet\tACCEPT\n\(policy)net\tall\tDROP\nall\tall\tREJECT\n"),
        .write("/etc/shorewall/rules", "?SECTION NEW\n# ssh only\nSSH(ACCEPT)\tnet\t$FW\n"),
        .link(
            "/etc/systemd/system/basic.target.wants/shorewall.service", to: "/lib/systemd/system/shorewall.service"),
        .run(["busybox", "syslogd", "-O", "/var/log/messages"]),
        .run(["systemctl", "start", "shorewall"]),
    ]
}

/// The lines of the recipe, behind those of the operator where it does not say otherwise.
private let shorewallRecipe: [FaultStep] = [
    .write("/etc/shorewall/masq", "{uplink} {bridge}  -   -   -   -   -\n"),
    .run([
        "sh", "-ec",
        """
        cd /etc/shorewall
        echo 'lxc ipv4  -   -   -' >>zones
        echo 'lxc {bridge}  routeback,bridge,tcpflags,nosmurfs' >>interfaces
        sed -i -e '/^net.all/i lxc net ACCEPT  -   -' -e '/^net.all/i $FW lxc ACCEPT  -   -' policy
        ! shorewall reload
        """,
    ]),
]

let shorewallFaults: [Fault] = [
    Fault(
        "shorewall-misconfig", "Shorewall runs, and lets nobody of the bridge out",
        [
            FaultVariant(
                "no-zone", "The bridge is in no zone", layers: ["shorewall"],
                shorewall(interfaces: "?FORMAT 2\n# The world.\nnet\t{uplink}\ttcpflags,nosmurfs\n", policy: "")),
            FaultVariant(
                "no-policy", "The bridge has a zone that may do nothing; the table is of the old format",
                layers: ["shorewall"],
                shorewall(
                    interfaces: "net\t{uplink}\t-\ttcpflags\nlxc\t{bridge}\t-\trouteback,bridge\n", policy: "",
                    zones: "lxc\tipv4\n")),
            FaultVariant(
                "recipe", "The recipe of old was followed, and this shorewall refuses it", layers: ["shorewall"],
                shorewall(interfaces: "net\t{uplink}\tdetect\ttcpflags\n", policy: "") + shorewallRecipe),
        ])
]

/// Docker itself. It closes FORWARD only where it switches forwarding on, so it must find it off.
let dockerFaults: [Fault] = [
    Fault(
        "docker-forward-drop", "Docker has closed FORWARD to everybody else",
        [
            FaultVariant(
                "dockerd", "By the daemon, as Debian packages it", backends: [.nft, .iptablesNft], layers: ["docker"],
                [
                    .write("/etc/docker/daemon.json", "{ \"storage-driver\": \"vfs\" }\n"),
                    // Without the sockets and the second daemon that systemd would start ahead of it.
                    .write(
                        "/etc/systemd/system/docker.service",
                        """
                        [Unit]
                        Description=Docker

                        [Service]
                        Type=notify
                        ExecStart=/usr/sbin/dockerd
                        ExecStop=kill $(cat /run/docker.pid); while [ -e /run/docker.pid ]; do sleep 0.1; done

                        [Install]
                        WantedBy=multi-user.target

                        """),
                    .link(
                        "/etc/systemd/system/multi-user.target.wants/docker.service",
                        to: "/etc/systemd/system/docker.service"),
                    .sysctl("net/ipv4/ip_forward", "0"),
                    .run([
                        "sh", "-c",
                        """
                        systemctl start docker
                        i=0
                        # It arranges its rules once more before it listens.
                        until iptables -S FORWARD | grep -q DOCKER-USER && iptables -S | grep -q 'P FORWARD DROP' &&
                            docker version >/dev/null 2>&1; do
                            [ $i -lt 300 ] || exit 1
                            i=$((i + 1))
                            sleep 0.1
                        done
                        """,
                    ]),
                ])
        ])
]

/// What Docker does to the filter table when it starts, and the unit that does it at boot.
let dockerStarted: [FaultStep] = [
    .write(
        "/usr/local/sbin/docker-rules",
        """
        #!/bin/sh
        # The filter rules of Docker's start: its own chains, and FORWARD closed to everybody else.
        iptables -w -N DOCKER-USER 2>/dev/null && iptables -w -A DOCKER-USER -j RETURN
        iptables -w -N DOCKER 2>/dev/null
        iptables -w -C FORWARD -j DOCKER-USER 2>/dev/null || iptables -w -I FORWARD -j DOCKER-USER
        iptables -w -C FORWARD -o docker0 -j DOCKER 2>/dev/null || iptables -w -A FORWARD -o docker0 -j DOCKER
        iptables -w -P FORWARD DROP

        """),
    .write(
        "/etc/systemd/system/docker.service",
        """
        [Unit]
        Description=Docker's rules

        [Service]
        Type=oneshot
        RemainAfterExit=yes
        ExecStart=/usr/local/sbin/docker-rules

        [Install]
        WantedBy=multi-user.target

        """),
    .link(
        "/etc/systemd/system/multi-user.target.wants/docker.service", to: "/etc/systemd/system/docker.service"),
    .run(["systemctl", "start", "docker.service"]),
]
