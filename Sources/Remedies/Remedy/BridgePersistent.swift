internal import ConfigFiles
internal import HostAccess
internal import HostModel
internal import Probes

/// Has the bridge made with its address at every boot: by the files of networkd, netplan, ifupdown or NetworkManager
/// where one of them speaks of it, else by lxc-net.
///
/// Each file must pass its owner's offline checker: `netplan generate` and `ifup --no-act` on what was written,
/// `nmcli --offline` (NetworkManager 1.40), which must understand the very address. systemd-networkd has none:
/// `systemd-analyze verify` refuses what is no unit, `networkctl` asks the daemon, and the daemon itself warns of a line
/// that it does not understand and goes on; a second one, started to look, would claim its name on the bus. Its files,
/// and keyfiles of an older NetworkManager, are read back by this program's own reader: the check that named the cause
/// must pass on them, or they are taken back.
struct BridgePersistent: Remedy {
    let id = "bridge-persistent"

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let network = try draft.network(of: cause)
        if let reason = draft.facts.bridgeMakersUnknown {
            throw LeftToPerson(why: "who makes \(network.bridge) at boot is not known: \(reason)", what: [])
        }
        let makers = draft.facts.bridgeMakers[network.bridge, default: []]
        guard let maker = makers.first(where: { $0.flaw == nil }) ?? makers.first,
            !draft.lxcNetSettings.makes(bridge: network.bridge)
        else {
            if cause.id == "makina-job-guard", draft.facts.lxcNet.unit == nil || draft.facts.initSystem != "systemd" {
                return try MakinaJobRepair().plan(cause, in: &draft)
            }
            let lxcNet = LxcNetConfigure()
            try lxcNet.plan(cause, in: &draft)
            return try draft.credit(cause, remedy: lxcNet.id)
        }
        switch maker.owner {
        case .networkd: try networkd(maker, network, cause, &draft)
        case .netplan: try netplan(maker, network, cause, &draft)
        case .ifupdown: try ifupdown(maker, network, cause, &draft)
        case .networkManager: try networkManager(maker, network, cause, &draft)
        case .lxcNet, .makinaJob: throw LeftToPerson(why: "\(maker.file) is not a file of the network's", what: [])
        }
    }

    /// An address of the same subnet, written otherwise than it should be.
    private func isWrong(_ text: String, _ network: Network) -> Bool {
        guard let prefix = IPv4Prefix(text) else { return false }
        return prefix != network.address && prefix.overlaps(network.cidr)
    }

    /// A program that does not run at all would, once enabled, take over the host's other links as well.
    private func refuseDisabled(_ maker: BridgeMaker, _ service: String) throws(LeftToPerson) {
        guard let flaw = maker.flaw else { return }
        throw LeftToPerson(
            why: "\(flaw); enabling it would change who configures this host's other links",
            what: ["systemctl enable \(service)"])
    }

    private func write(
        _ path: String, _ before: FileContent, _ bytes: [UInt8], _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        try draft.refuseGenerated(path, before)
        guard bytes != before.bytes.bytes else {
            throw LeftToPerson(why: "\(path) says already what it should", what: ["cat \(Shell.quote(path))"])
        }
        try draft.edit(
            path, before, bytes, remedy: id, for: cause,
            risk: "It counts from the next boot on; nothing changes before.")
    }

    // MARK: systemd-networkd

    private func networkd(
        _ maker: BridgeMaker, _ network: Network, _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        try refuseDisabled(maker, "systemd-networkd")
        guard let path = maker.addressFile else {
            let own = Self.networkFile(network)
            let text = """
                [Match]
                Name=\(network.bridge)

                [Network]
                Address=\(network.address)
                ConfigureWithoutCarrier=yes
                LinkLocalAddressing=no

                """
            let before = try draft.editable(own)
            return try draft.add(
                .file(path: own, before: before, after: FileContent(bytes: ByteString(text))), phase: .persistent,
                remedy: id, risk: "From the next boot on systemd-networkd gives \(network.bridge) its address.",
                for: cause)
        }
        guard let before = try draft.editable(path) else {
            throw LeftToPerson(why: "there is no \(path)", what: ["networkctl list"])
        }
        let edited = try draft.editing(path, before) { (file) throws(ConfigEditError) in
            let addresses = file.entries.filter { $0.key == "Address" && ["Network", "Address"].contains($0.section) }
            if let wrong = addresses.first(where: { isWrong($0.value, network) }) {
                try file.replace(wrong, with: network.address.description)
            } else if !addresses.contains(where: { IPv4Prefix($0.value) == network.address }) {
                try file.add("Network", "Address", network.address.description)
            }
            // A bridge without ports has no carrier, and would get no address.
            if file.last("Network", "ConfigureWithoutCarrier") == nil {
                try file.add("Network", "ConfigureWithoutCarrier", "yes")
            }
        }
        try write(path, before, edited, cause, &draft)
    }

    static func networkFile(_ network: Network) -> String {
        "/etc/systemd/network/10-lxc-doctor-\(network.bridge).network"
    }

    // MARK: netplan

    private func netplan(
        _ maker: BridgeMaker, _ network: Network, _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        try refuseDisabled(maker, "netplan")
        guard let before = try draft.editable(maker.file) else {
            throw LeftToPerson(why: "there is no \(maker.file)", what: ["netplan get"])
        }
        guard let wrong = maker.addresses.first(where: { isWrong($0, network) }),
            let edited = NetplanFile(path: maker.file, bytes: before.bytes.bytes).replacing(
                wrong, with: network.address.description, of: network.bridge)
        else {
            throw LeftToPerson(
                why: "\(maker.file) gives \(network.bridge) no address of \(network.cidr) that could be corrected",
                what: ["netplan set bridges.\(network.bridge).addresses=[\(network.address)]"])
        }
        try write(maker.file, before, edited.lines.bytes, cause, &draft)
        try draft.check(.checkNetplan, remedy: id, for: cause)
    }

    // MARK: ifupdown

    private func ifupdown(
        _ maker: BridgeMaker, _ network: Network, _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        guard let before = try draft.editable(maker.file) else {
            throw LeftToPerson(why: "there is no \(maker.file)", what: ["ifquery --list"])
        }
        var file = IfupdownFile(path: maker.file, bytes: before.bytes.bytes)
        if maker.flaw != nil, !file.automatic.contains(network.bridge) { file = file.bringingUp(network.bridge) }
        if !maker.addresses.contains(where: { IPv4Prefix($0) == network.address }) {
            guard let edited = file.setting(network.address, of: network.bridge) else {
                throw LeftToPerson(
                    why: "\(maker.file) has no static address of \(network.bridge) that could be corrected",
                    what: ["editor \(Shell.quote(maker.file))"])
            }
            file = edited
        }
        guard file.lines.bytes != before.bytes.bytes else {
            throw LeftToPerson(why: maker.flaw ?? "\(maker.file) says already what it should", what: [])
        }
        try write(maker.file, before, file.lines.bytes, cause, &draft)
        try draft.check(.checkIfupdown(interface: network.bridge), remedy: id, for: cause)
    }

    // MARK: NetworkManager

    private func networkManager(
        _ maker: BridgeMaker, _ network: Network, _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        try refuseDisabled(maker, "NetworkManager")
        guard let before = try draft.editable(maker.file) else {
            throw LeftToPerson(why: "there is no \(maker.file)", what: ["nmcli connection"])
        }
        let connection = NetworkManagerKeyfile(path: maker.file, bytes: before.bytes.bytes)
        let edited = try draft.editing(maker.file, before) { (file) throws(ConfigEditError) in
            if let wrong = connection.addresses.first(where: { isWrong($0.value, network) }) {
                // A gateway may stand behind the address.
                let whole = file.last(wrong.section, wrong.key)?.value ?? wrong.value
                try file.set(
                    wrong.section, wrong.key,
                    to: network.address.description + whole.dropFirst(wrong.value.utf8.count))
            } else if !connection.addresses.contains(where: { IPv4Prefix($0.value) == network.address }) {
                try file.set("ipv4", "address\(connection.addresses.count + 1)", to: network.address.description)
            }
            if connection.method?.value != "manual", connection.method?.value != "shared" {
                try file.set("ipv4", "method", to: "manual")
            }
        }
        try write(maker.file, before, edited, cause, &draft)
        guard draft.facts.networkManager.readsOffline else { return }
        let check = OwnedProgram.checkKeyfile(path: maker.file, address: network.address)
        let words = check.command.joined(separator: " ") + " < " + Shell.quote(maker.file)
        try draft.check(check, remedy: id, for: cause, command: words)
    }
}
