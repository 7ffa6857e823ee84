/// Links, lxc-net's start and containers that look odd and are well.
extension LookAlikeTests {
    private static let stray = "/var/lib/lxc/stray"

    /// A container that never runs, with lines of its own and files in its rootfs.
    private static func container(_ lines: String..., files: [(path: String, text: String)] = []) -> String {
        let config =
            [
                "lxc.uts.name = stray", "lxc.rootfs.path = dir:\(stray)/rootfs", "lxc.net.0.type = veth",
                "lxc.net.0.link = lxcbr1", "lxc.net.0.flags = up",
            ] + lines
        let quoted = config.map { "'\($0)'" }.joined(separator: " ")
        var text = "mkdir -p \(stray)/rootfs/sbin; printf '%s\\n' \(quoted) > \(stray)/config\n"
        for file in files {
            let path = "\(stray)/rootfs/\(file.path)"
            text += "mkdir -p $(dirname \(path)); printf '%s' '\(file.text)' > \(path)\n"
        }
        return text
    }

    static let layers = [
        LookAlike(
            name: "a bridge whose last port has left",
            setup: """
                ip link add gone type veth peer name gone-in
                ip link set gone master lxcbr1 up
                ip link set gone-in up
                ip link del gone
                """),
        LookAlike(
            name: "one isolated port among others",
            setup: """
                for name in one two; do
                    ip link add $name type veth peer name $name-in
                    ip link set $name master lxcbr1 up
                    ip link set $name-in up
                done
                ip link set one type bridge_slave isolated on
                """),
        LookAlike(
            name: "spanning tree's delay with spanning tree off",
            setup: "ip link set lxcbr1 type bridge stp_state 0 forward_delay 1500"),
        LookAlike(
            name: "bridge netfilter set, and the module loaded early",
            setup: """
                echo 'net.bridge.bridge-nf-call-iptables = 0' > /etc/sysctl.d/90-b.conf
                mkdir -p /etc/modules-load.d
                echo br_netfilter > /etc/modules-load.d/b.conf
                """),
        LookAlike(
            name: "a DNS server of the host's own on 127.0.0.1",
            setup: "busybox nc -u -l -p 53 -s 127.0.0.1 </dev/null >/dev/null 2>&1 &"),
        LookAlike(
            name: "another hardware address that somebody has set",
            setup: "ip link set lxcbr1 address 02:00:5e:10:00:01"),
        LookAlike(
            name: "a container with a static address and systemd-resolved",
            setup: container(
                "lxc.net.0.ipv4.address = 10.5.0.9/16", "lxc.net.0.ipv4.gateway = 10.5.0.1",
                "lxc.net.0.hwaddr = 00:16:3e:aa:bb:cc", "lxc.cap.drop = sys_module mac_admin",
                files: [
                    ("etc/resolv.conf", "nameserver 127.0.0.53\n"), ("usr/lib/systemd/systemd-resolved", ""),
                    ("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n"),
                    ("etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
                ])),
        LookAlike(
            name: "an old system that no cgroup2 keeps from starting",
            options: ["--backend", "iptables-nft"],
            setup: container(files: [("etc/os-release", "ID=\"centos\"\nVERSION_ID=\"6\"\n")])),
        LookAlike(
            name: "an unprivileged container with its ids in order",
            setup: "printf '#!/bin/sh\\n' > /usr/bin/newuidmap; chmod 755 /usr/bin/newuidmap\n"
                + "echo root:100000:65536 | tee /etc/subuid > /etc/subgid\n"
                + container("lxc.idmap = u 0 100000 65536", "lxc.idmap = g 0 100000 65536")
                + "chown -R 100000:100000 \(stray); chmod 700 \(stray)"),
        LookAlike(
            name: "a user with some of the quota left",
            setup: """
                echo 'alice veth lxcbr1 2' > /etc/lxc/lxc-usernet
                echo 'alice veth lxcbr1 vethA' > /run/lxc/nics
                """),
        LookAlike(
            name: "a base image whose flag of unpacking somebody has removed",
            setup: "rm /var/lib/lxc/makina-states-trusty/.*unpacked"),
        LookAlike(
            name: "no file turns forwarding on, and lxc-net does", setup: "rm /etc/sysctl.d/99_custom.conf"),
        LookAlike(
            name: "lxc-net disabled, and pulled in by lxc.service all the same",
            setup: "rm /etc/systemd/system/multi-user.target.wants/lxc-net.service"),
        LookAlike(
            name: "a host that is a container itself, beside another subnet",
            setup: "mkdir -p /run/systemd; echo lxc > /run/systemd/container"),
        LookAlike(
            name: "somebody else's namespace at the bridge, in order",
            setup: """
                ip netns add pod
                ip link add podport type veth peer name eth0 netns pod
                ip link set podport master lxcbr1 up
                ip -n pod addr add 10.5.0.7/16 dev eth0; ip -n pod link set eth0 up
                ip -n pod route add default via 10.5.0.1
                """),
        LookAlike(
            name: "a user's container outside the LXC path, in order",
            setup: """
                echo 'alice:x:1000:1000::/home/alice:/bin/sh' >> /etc/passwd
                echo 'alice veth lxcbr1 2' > /etc/lxc/lxc-usernet
                app=/home/alice/.local/share/lxc/app; mkdir -p $app/rootfs
                printf '%s\\n' 'lxc.uts.name = app' "lxc.rootfs.path = dir:$app/rootfs" 'lxc.net.0.type = veth' \
                    'lxc.net.0.link = lxcbr1' 'lxc.net.0.flags = up' > $app/config
                """),
        LookAlike(
            name: "a container that starts at boot, after lxc-net",
            setup: container("lxc.start.auto = 1")),
    ]
}
