internal import Glibc
internal import HostAccess

/// Who asks, and of which host. Source: uname(2), capabilities(7), namespaces(7), proc(5).
extension LiveHost {
    func currentIdentity() throws(HostError) -> HostIdentity {
        var names = utsname()
        guard uname(&names) == 0 else { throw HostError(errno: errno, operation: "uname") }
        return HostIdentity(
            hostname: text(of: &names.nodename), kernel: text(of: &names.release), effectiveUser: Int(geteuid()),
            capabilities: try effectiveCapabilities(),
            inInitialNetworkNamespace: try inNamespaceOfInit(), isPracticeHost: try isPracticeHost())
    }

    private func effectiveCapabilities() throws(HostError) -> [String] {
        let status = try readFile("/proc/self/status", root: nil, limit: 1 << 16)
        for line in status.split(separator: UInt8(ascii: "\n")) where line.starts(with: "CapEff:".utf8) {
            let digits = line.dropFirst("CapEff:".utf8.count).drop {
                $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ")
            }
            guard let bits = UInt64(String(decoding: digits, as: UTF8.self), radix: 16) else { break }
            return LiveHost.capabilityNames.filter { bits & 1 << $0.bit != 0 }.map(\.name)
        }
        throw HostError(.malformed, operation: "read /proc/self/status", message: "it has no line CapEff")
    }

    /// Bit numbers of linux/capability.h.
    private static let capabilityNames: [(bit: UInt64, name: String)] = [
        (1, "dac_override"), (2, "dac_read_search"), (12, "net_admin"), (13, "net_raw"), (16, "sys_module"),
        (19, "sys_ptrace"), (21, "sys_admin"), (38, "perfmon"), (39, "bpf"),
    ]

    /// Nil where process 1 may not be looked at.
    private func inNamespaceOfInit() throws(HostError) -> Bool? {
        let own = try fileStatus("/proc/self/ns/net", root: nil, followLinks: false)
        do {
            return try fileStatus("/proc/1/ns/net", root: nil, followLinks: false).target == own.target
        } catch {
            switch error.code {
            case .notPermitted, .notFound: return nil
            default: throw error
            }
        }
    }

    private func isPracticeHost() throws(HostError) -> Bool {
        do {
            let mark = try fileStatus(HostIdentity.practiceHostMark, root: nil, followLinks: false)
            return mark.kind == .file && mark.owner == 0
        } catch {
            if error.code == .notFound || error.code == .notPermitted { return false }
            throw error
        }
    }

    private func text<Tuple>(of field: inout Tuple) -> String {
        withUnsafeBytes(of: &field) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
