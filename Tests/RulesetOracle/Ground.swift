/// The addresses of the oracle's namespaces: where packets come from and go to, and what rules speak of.
enum Ground {
    static let bridge = "lxcbr1"
    static let containers: [(port: String, address: String)] = [
        ("vc1", "10.5.0.9"), ("vc2", "10.5.0.10"), ("vc3", "10.5.1.20"),
    ]
    static let outside = ["198.51.100.7", "198.51.100.200", "203.0.113.50", "192.0.2.50", "198.51.100.99"]
    static let own = ["10.5.0.1", "203.0.113.2", "192.0.2.2", "203.0.113.77"]
    /// Addresses that nobody has, but to which a static neighbour entry leads.
    static let foreign = ["100.64.9.9"]
    static let prefixes = [
        "10.5.0.0/16", "10.5.0.0/24", "10.5.1.0/24", "10.5.0.8/29", "198.51.100.0/24", "198.51.100.128/25",
        "203.0.113.0/24", "192.0.2.0/24", "10.0.0.0/8",
    ]
    static let ports = [53, 67, 80, 443, 7777]
    static let sourcePorts = [1024, 5353, 30000, 40000]
    static let uplinks = ["up0", "up1"]

    static func mac(_ name: String) -> String { "02:00:00:00:00:" + (macs[name] ?? "99") }

    /// Of all that hear a frame, and of all that belong to 224.0.0.1 (RFC 1112 §6.4).
    static let everybody = "everybody"
    static let group = "group"

    static func macBytes(_ name: String) -> [UInt8] {
        if name == everybody { return [UInt8](repeating: 0xff, count: 6) }
        if name == group { return [0x01, 0x00, 0x5e, 0x00, 0x00, 0x01] }
        return mac(name).split(separator: ":").compactMap { UInt8($0, radix: 16) }
    }

    private static let macs = [
        "lxcbr1": "01", "c1": "11", "c2": "12", "c3": "13", "up0": "20", "up1": "21", "far0": "30", "far1": "31",
        "fence0": "40", "fence1": "41",
    ]

    /// Everything that is made once, for sh(1). No namespace but the host's has an address: nothing answers a packet,
    /// so nothing but the packets sent is on the way. Neighbour entries are static for the same reason, and what a
    /// container sends to everybody reaches the host alone.
    static let setup = """
        set -e
        ip link set lo up
        for n in c1 c2 c3 far; do ip netns add $n; done
        for n in all default; do
            for f in /proc/sys/net/ipv6/conf/$n/disable_ipv6; do echo 1 > $f; done
            echo 0 > /proc/sys/net/ipv4/conf/$n/send_redirects
            echo 0 > /proc/sys/net/ipv4/conf/$n/rp_filter
        done
        for n in c1 c2 c3 far; do
            ip netns exec $n sh -c 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6'
        done
        ip link add lxcbr1 address \(mac("lxcbr1")) type bridge mcast_snooping 0
        ip addr add 10.5.0.1/16 dev lxcbr1
        ip link set lxcbr1 up
        for i in 1 2 3; do
            ip link add vc$i type veth peer name eth0 address 02:00:00:00:00:1$i netns c$i
            ip link set vc$i master lxcbr1 up
            ip -n c$i link set eth0 up
            bridge fdb add 02:00:00:00:00:1$i dev vc$i master static
            bridge link set dev vc$i bcast_flood off mcast_flood off
        done
        for i in 0 1; do
            ip link add up$i address 02:00:00:00:00:2$i type veth peer name far$i address 02:00:00:00:00:3$i netns far
            ip link set up$i up
            ip -n far link set far$i up
        done
        ip -n far link add fence0 address \(mac("fence0")) type veth peer name fence1 address \(mac("fence1"))
        ip -n far link set fence0 up
        ip -n far link set fence1 up
        ip addr add 203.0.113.2/24 dev up0
        ip addr add 203.0.113.77/24 dev up0
        ip addr add 192.0.2.2/24 dev up1
        ip route add default via 203.0.113.1
        ip route add 198.51.100.128/25 via 192.0.2.1
        ip route add blackhole 10.66.0.0/16
        ip route add default via 192.0.2.1 table 100
        ip route add 10.5.0.0/16 dev lxcbr1 table 100
        for a in 10.5.0.9:lxcbr1:11 10.5.0.10:lxcbr1:12 10.5.1.20:lxcbr1:13 203.0.113.1:up0:30 203.0.113.50:up0:30 \
            203.0.113.9:up0:30 203.0.113.10:up0:30 192.0.2.1:up1:31 192.0.2.50:up1:31 192.0.2.20:up1:31 203.0.113.20:up0:30 \
            203.0.113.7:up0:30 203.0.113.3:up0:30 203.0.113.4:up0:30 203.0.113.5:up0:30 203.0.113.6:up0:30 203.0.113.99:up0:30 203.0.113.200:up0:30 10.5.0.50:lxcbr1:12 10.5.0.7:lxcbr1:12; do
            address=${a%%:*}; rest=${a#*:}
            ip neigh replace $address lladdr 02:00:00:00:00:${rest#*:} dev ${rest%:*} nud permanent
        done
        echo 1 > /proc/sys/net/ipv4/ip_forward
        echo nfnetlink_log > /proc/sys/net/netfilter/nf_log/2
        ipset create hosts hash:ip
        ipset add hosts 10.5.0.9
        ipset add hosts 198.51.100.7
        ipset create nets hash:net
        ipset add nets 10.5.1.0/24
        ipset add nets 198.51.100.128/25
        ipset create services hash:ip,port
        ipset add services 198.51.100.7,udp:53
        ipset add services 198.51.100.200,tcp:443
        ipset add services 203.0.113.50,udp:7777
        ipset create holes hash:net
        ipset add holes 198.51.100.0/24
        ipset add holes 198.51.100.0/28 nomatch
        ipset create wide hash:ip netmask 24
        ipset add wide 10.5.1.0
        ipset create flows hash:ip,port,net
        ipset add flows 10.5.0.9,udp:53,198.51.100.0/24
        ipset add flows 10.5.1.20,tcp:443,192.0.2.0/24
        ipset create range bitmap:ip range 198.51.100.0/24
        ipset add range 198.51.100.7
        ipset add range 198.51.100.128/25
        ipset create ports bitmap:port range 1-1024
        ipset add ports 53
        ipset add ports 67-80
        ipset create links hash:net,iface
        ipset add links 10.5.0.0/24,lxcbr1
        ipset add links 198.51.100.0/24,up0
        ipset create both list:set
        ipset add both hosts
        ipset add both nets
        ipset create sixth hash:ip family inet6
        ipset create seen hash:ip

        """
}
