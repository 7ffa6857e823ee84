internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// Why the kernel throws probes away, by a small BPF program that looks for their nonce and lives by descriptors.
///
/// Needs CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN) and the kernel's own types (CONFIG_DEBUG_INFO_BTF); the kernel has
/// reasons since Linux 5.17.
final class DropReasons {
    private var program = clinux_drop_program(map: -1, program: -1, link: -1)
    private let names: [UInt32: String]

    private static let operation = "ask the kernel for drop reasons"
    private static let types = "/sys/kernel/btf/vmlinux"
    private static let largestTypes = 64 << 20

    init(nonce: [UInt8], host: any Host) throws(HostError) {
        let types: KernelTypes
        let bytes = try host.read(Self.types, limit: Self.largestTypes)
        do {
            types = try KernelTypes(bytes, fields: ["head", "network_header"])
        } catch {
            throw HostError(.unsupported, operation: Self.operation, message: "\(error)")
        }
        names = types.dropReasons
        guard !names.isEmpty, let head = types.socketBufferFields["head"],
            let network = types.socketBufferFields["network_header"], let word: UInt32 = nonce.hostInteger(at: 0)
        else { throw HostError(.unsupported, operation: Self.operation, message: "the kernel gives none (Linux 5.17)") }
        let layout = clinux_drop_layout(head: UInt32(clamping: head), network_header: UInt32(clamping: network))
        let result = clinux_drop_load(layout, word, &program)
        guard result == 0 else {
            clinux_drop_unload(&program)
            throw HostError(errno: -result, operation: Self.operation)
        }
    }

    deinit { clinux_drop_unload(&program) }

    /// The first drop of each packet.
    func drops(of packets: [ByteString]) -> [ProbeFindings.Drop] {
        packets.compactMap { bytes in
            guard let packet = IPPacket(bytes.bytes[...]) else { return nil }
            var reason: UInt32 = 0
            guard clinux_drop_reason(&program, packet.identification.bigEndian, &reason) == 1 else { return nil }
            return ProbeFindings.Drop(
                identification: packet.identification, reason: names[reason & 0xffff] ?? "reason \(reason)")
        }
    }
}
