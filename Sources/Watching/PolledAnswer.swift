package import HostAccess
internal import HostModel
internal import WireFormats

/// The part of a polled answer that is compared with the last one: the rules of a table without their counters. Pure.
package struct PolledAnswer: Hashable, Sendable {
    private enum Essence: Hashable, Sendable {
        case table(XtTable)
        case tableOfIPv6(LegacyTable<IPv6Address>)
        case reply(HostReply)
        case failure(HostError.Code)
    }

    private let essence: Essence

    package init(to request: HostRequest, _ answer: () throws(HostError) -> HostReply) {
        do {
            essence = Self.essence(of: try answer(), to: request)
        } catch {
            essence = .failure(error.code)
        }
    }

    private static func essence(of reply: HostReply, to request: HostRequest) -> Essence {
        guard case .legacyTable(let info, let entries) = reply else { return .reply(reply) }
        do {
            if case .legacyTable(let name) = request, name.family == .ipv6 {
                return .tableOfIPv6(try LegacyTable(info: info.bytes, entries: entries.bytes))
            }
            return .table(try XtTable(info: info.bytes, entries: entries.bytes))
        } catch {
            return .reply(reply)
        }
    }

    /// Whether the polled part exists: not where the file is missing or the list of tables is empty.
    package var isPresent: Bool {
        switch essence {
        // A kernel without it has none.
        case .failure(let code): code != .notFound && code != .unsupported
        case .reply(.messages(let messages)): !messages.isEmpty
        case .reply(.bytes(let bytes)): !bytes.bytes.isEmpty
        case .reply, .table, .tableOfIPv6: true
        }
    }
}
