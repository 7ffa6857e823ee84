internal import CLinux
internal import HostAccess

/// BPF programs that act on packets. Source: bpf(2), BPF_PROG_QUERY (tcx, Linux 6.6), BPF_LINK_GET_NEXT_ID
/// (netfilter, Linux 6.4). Needs CAP_SYS_ADMIN of the first user namespace.
extension LiveHost {
    /// More than anybody attaches; a bound for a host that goes mad.
    private static let mostPrograms = 1000

    private static let operation = "ask for BPF programs"

    func packetPrograms(link: Int) throws(HostError) -> [String] {
        let found = try devicePrograms(link: link)
        return try found + filterPrograms(most: Self.mostPrograms - found.count)
    }

    func packetPrograms(links: [Int]) throws(HostError) -> [String] {
        var found: [String] = []
        for link in links where found.count < Self.mostPrograms {
            do {
                found += try devicePrograms(link: link).map { "\($0) \(link)" }
            } catch {
                // Gone meanwhile (ENODEV).
                guard error.errno == 19 else { throw error }
            }
        }
        return try found + filterPrograms(most: Self.mostPrograms - found.count)
    }

    private func devicePrograms(link: Int) throws(HostError) -> [String] {
        var found: [String] = []
        for (outwards, name) in [(Int32(0), "tcx ingress"), (1, "tcx egress")] {
            let count = clinux_bpf_tcx(UInt32(clamping: link), outwards)
            guard count >= 0 else { throw HostError(errno: -count, operation: Self.operation) }
            if count > 0 { found.append(name) }
        }
        return found
    }

    private func filterPrograms(most: Int) throws(HostError) -> [String] {
        var found: [String] = []
        var program = clinux_bpf_netfilter()
        while found.count < most {
            let result = clinux_bpf_next_netfilter(program.link, &program)
            guard result >= 0 else { throw HostError(errno: -result, operation: Self.operation) }
            guard result > 0 else { break }
            found.append(
                "netfilter \(Self.familyName(program.family)) \(Self.hookName(program.hook)) at priority "
                    + "\(program.priority) (program \(program.program))")
        }
        return found
    }

    /// `NFPROTO_IPV4` and `NFPROTO_IPV6` in linux/netfilter.h.
    private static func familyName(_ number: UInt32) -> String {
        switch number {
        case 2: "ip"
        case 10: "ip6"
        default: "family \(number)"
        }
    }

    /// `enum nf_inet_hooks` in linux/netfilter.h.
    private static func hookName(_ number: UInt32) -> String {
        let names = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]
        return names.indices.contains(Int(number)) ? names[Int(number)] : "hook \(number)"
    }
}
