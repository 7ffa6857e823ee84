internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// Gives an address of a container the prefix length of its network, where it has none or another: LXC makes the mask
/// of its class of an address without one (10.5.0.60 becomes a /8). In the running container the new one is added
/// before the old one goes.
struct ContainerAddress: Remedy {
    let id = "container-address"

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let inspected =
            cause.subject.kind == .container
            ? [try ContainerFile(try name(cause, draft), in: draft)] : ContainerFile.all(draft)
        let networks = draft.profile.networks
        for (inside, state) in draft.facts.state.containers.sorted(by: { $0.value.port < $1.value.port })
        where cause.subject.kind != .container || inside.container == cause.subject.name {
            for address in state.addresses {
                guard let right = Self.corrected(address.description, networks) else { continue }
                var corrected = address
                corrected.address = right
                corrected.broadcast = right.last
                try draft.add(
                    .containerAddress(inside, from: address, to: corrected),
                    phase: .runtime, remedy: id,
                    risk:
                        "None for connections within \(right.network); those to addresses that the container took for "
                        + "its neighbours leave by its gateway from now on.",
                    for: cause)
            }
        }
        if let given = Self.given(draft, cause) {
            throw LeftToPerson(
                why: "\(given): somebody gave it that prefix length",
                what: ["Correct it in the container if it is not right: ip address"], withoutCommands: true)
        }
        for file in inspected {
            let bytes = LXCConfig.readdressing(in: file.content.bytes.bytes) { text in
                Self.corrected(text, networks)?.description
            }
            if bytes != file.content.bytes.bytes || cause.subject.kind == .container {
                try file.write(bytes, remedy: id, for: cause, &draft)
            }
        }
    }

    /// An address of a running container with a prefix length of its own, where no other one is to be corrected.
    private static func given(_ draft: PlanDraft, _ cause: Cause) -> String? {
        guard cause.subject.kind != .container,
            !draft.changes.contains(where: { $0.serves.contains(ServedCause(cause)) })
        else { return nil }
        let networks = draft.profile.networks
        for (inside, state) in draft.facts.state.containers.sorted(by: { $0.value.port < $1.value.port }) {
            for held in state.addresses {
                if let network = networks.first(where: { $0.cidr.contains(held.address.address) }),
                    held.address.length != network.address.length
                {
                    return "\(inside.interface) in \(inside.container) has \(held)"
                }
            }
        }
        return nil
    }

    private func name(_ cause: Cause, _ draft: PlanDraft) throws(LeftToPerson) -> String {
        if let name = ContainerFile.name(cause, draft) { return name }
        throw LeftToPerson(why: "the cause names no container", what: [])
    }

    /// The address with the prefix length of the network that it lies in, where it has none or that of its class; nil: it
    /// has another, which somebody gave it, or lies in no network.
    static func corrected(_ text: String, _ networks: [Network]) -> IPv4Prefix? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPv4Address(String(first)),
            let network = networks.first(where: { $0.cidr.contains(address) }),
            parts.count == 1
                || parts[1] != String(network.address.length) && parts[1] == String(address.classLength)
        else { return nil }
        return IPv4Prefix(address: address, length: network.address.length)
    }
}

extension IPv4Address {
    /// The prefix length of the address's class (RFC 791): what LXC takes for an address without one.
    fileprivate var classLength: Int {
        switch value >> 24 {
        case 0..<128: 8
        case 128..<192: 16
        default: 24
        }
    }
}
