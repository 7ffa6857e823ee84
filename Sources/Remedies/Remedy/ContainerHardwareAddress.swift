internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// Gives all but one of the containers that share a hardware address another one: in their configurations, and in
/// those that run. The first one by name keeps it.
struct ContainerHardwareAddress: Remedy {
    let id = "container-hardware-address"
    let isForNetwork = false

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let files = ContainerFile.all(draft)
        var owners: [String: [String]] = [:]
        func note(_ address: String, _ owner: String) {
            if !owners[address, default: []].contains(owner) { owners[address, default: []].append(owner) }
        }
        for file in files {
            for address in file.devices.compactMap(\.hardwareAddress) { note(address.lowercased(), file.name) }
        }
        for (inside, state) in draft.facts.state.containers {
            if let address = state.hardwareAddress { note(address.description, inside.container) }
        }
        var taken = Set(owners.keys.compactMap { MACAddress($0) })
        for (shared, names) in owners.sorted(by: { $0.key < $1.key }) where names.count > 1 {
            guard let old = MACAddress(shared) else { continue }
            for name in names.sorted().dropFirst() {
                let new = Self.fresh(for: name, avoiding: taken)
                taken.insert(new)
                try change(name, from: old, to: new, files, for: cause, &draft)
            }
        }
    }

    private func change(
        _ name: String, from old: MACAddress, to new: MACAddress, _ files: [ContainerFile], for cause: Cause,
        _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        for (inside, state) in draft.facts.state.containers
        where inside.container == name && state.hardwareAddress == old {
            try draft.add(
                .containerHardwareAddress(inside, from: old, to: new), phase: .runtime, remedy: id,
                risk:
                    "Others on the bridge find \(name) again once they have asked for it anew, some seconds later; its "
                    + "next DHCP lease may bring another address.",
                for: cause)
        }
        guard let file = files.first(where: { $0.name == name }) else { return }
        let bytes = LXCConfig.settingHardwareAddress(
            old.description, to: new.description, in: file.content.bytes.bytes)
        if bytes != file.content.bytes.bytes { try file.write(bytes, remedy: id, for: cause, &draft) }
    }

    /// An address with LXC's prefix 00:16:3e that follows from the container's name (FNV-1a), so that a plan made twice
    /// says the same.
    static func fresh(for name: String, avoiding taken: Set<MACAddress>) -> MACAddress {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        name.utf8.forEach(mix)
        while true {
            let octets = [0x00, 0x16, 0x3e] + [hash >> 16, hash >> 8, hash].map { UInt8(truncatingIfNeeded: $0) }
            if let address = MACAddress(octets: octets), !taken.contains(address) { return address }
            mix(0)
        }
    }
}
