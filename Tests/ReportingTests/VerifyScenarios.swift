import HostModel

@testable import Reporting

extension VerifyReport {
    /// A rule ahead of the translation lets everything out.
    static let leaking = VerifyReport(networks: [
        Network(
            name: "lxcbr1", network: makinaLike, bridge: "lxcbr1",
            answers: [
                Answer(
                    question: "translated", title: "everything to the outside leaves with an address of this host",
                    verdict: .counterexample, reason: "it leaves by up0 as 10.5.0.2, untranslated",
                    packet: "udp 10.5.0.2:40000 > 198.51.100.7:53 iif lxcbr1",
                    decidedBy: Killer(
                        hook: "postrouting", family: "ip", table: "nat", chain: "POSTROUTING", rule: "3",
                        text: "-A POSTROUTING -s 10.5.0.0/16 -j ACCEPT"),
                    shouldHaveCaught: Killer(
                        hook: "postrouting", family: "ip", table: "nat", chain: "POSTROUTING", rule: "2",
                        text: "-A POSTROUTING -s 10.5.0.0/16 ! -d 10.5.0.0/16 -j MASQUERADE")),
                Answer(
                    question: "forwarded", title: "everything to the outside is forwarded", verdict: .proven),
                Answer(
                    question: "east-west", title: "containers reach each other, with their own addresses",
                    verdict: .undecided, reason: "depends on what is not known: match \u{1b}[31mbpf",
                    dependsOn: [
                        Dependence(
                            what: "match \u{1b}[31mbpf",
                            rule: RulePlace(
                                family: "ip", table: "filter", chain: "FORWARD", rule: "2", handle: nil,
                                text: "-A FORWARD -m bpf --object-pinned \u{1b}[31m -j DROP")),
                        Dependence(what: "which way of a multipath route", rule: nil),
                    ]),
            ])
    ])
}

extension PacketReport {
    static let translated = PacketReport(
        packet: "udp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1", verdict: .accepted, sourceAfter: "203.0.113.2",
        destinationAfter: "198.51.100.7", uplink: "up0",
        translatedBy: Killer(
            hook: "postrouting", family: "ip", table: "lxc", chain: "postrouting", rule: "2",
            text: "ip saddr 10.5.0.0/16 ip daddr != 10.5.0.0/16 counter masquerade"),
        path: [
            PathStep(hook: "bridge", link: "lxcbr1", reached: true),
            PathStep(hook: "routing", link: "up0", reached: true),
            PathStep(hook: "forward", family: "inet", table: "lxc", chain: "forward", reached: true),
            PathStep(
                hook: "postrouting", family: "ip", table: "lxc", chain: "postrouting",
                rule: "ip saddr 10.5.0.0/16 ip daddr != 10.5.0.0/16 counter masquerade", reached: true),
            PathStep(hook: "uplink", link: "up0", reached: true),
        ])
}

extension VerifyReport {
    /// 10.5.0.0/16.
    fileprivate static var makinaLike: IPv4Prefix {
        guard let prefix = IPv4Prefix(address: IPv4Address(value: 0x0a05_0000), length: 16) else {
            preconditionFailure("a length of 0…32")
        }
        return prefix
    }
}
