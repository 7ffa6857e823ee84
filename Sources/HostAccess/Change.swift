package import HostModel
package import WireFormats

/// Every lasting change that a repair may make to a host: a closed set, each with a known inverse.
///
/// A change carries the state that it was planned on; `MutableHost.apply` refuses with code `stale` where the host
/// is no longer in that state, and does nothing where it is already in the state wanted.
package enum Change: Codable, Sendable, Hashable {
    /// RTM_NEWLINK of kind bridge; the link must not exist.
    case createBridge(name: String)
    /// RTM_DELLINK of a bridge without ports.
    case deleteBridge(name: String)
    /// IFF_UP on or off.
    case setLinkUp(name: String, up: Bool)
    /// IFLA_MASTER: a link becomes a port of a bridge, or of none (nil).
    case setMaster(link: String, from: String?, to: String?)
    /// Another prefix length for an address of a running container's interface. The new one comes before the old one
    /// goes, so that routes by way of it stay.
    case containerAddress(ContainerInterface, from: HeldAddress, to: HeldAddress)
    /// IFLA_ADDRESS of a running container's interface.
    case containerHardwareAddress(ContainerInterface, from: MACAddress, to: MACAddress)
    /// RTM_NEWADDR.
    case addAddress(link: String, address: HeldAddress)
    /// RTM_DELADDR.
    case removeAddress(link: String, address: HeldAddress)
    /// A key below `/proc/sys/net`, dots as separators: `net.ipv4.ip_forward`.
    case setSysctl(key: String, from: String, to: String)
    /// A small nft table of our own shape, in one transaction.
    case createTranslationTable(TranslationTable)
    case deleteTranslationTable(TranslationTable)
    /// Replaces, creates or removes one file, atomically and durably. `before` nil: it must not exist; `after` nil:
    /// it is removed.
    case file(path: String, before: FileContent?, after: FileContent?)
    /// Replaces, creates or removes one symbolic link (a unit's enablement).
    case symbolicLink(path: String, before: String?, after: String?)
    /// One rule more, or one rule less, in a chain that others own.
    case addRule(IptablesRule)
    case removeRule(IptablesRule)
    /// The same in a chain of nftables.
    case addNftRule(NftChainRule)
    case removeNftRule(NftChainRule)
    /// Tracked flows are forgotten, so that their next packet begins anew; nothing brings them back as they were.
    case forgetFlows([TrackedFlow])
    /// Unpacks a base image whose directory must not exist. There is no way back: it ends complete, or nothing is there.
    case restoreImage(ImageRestoration)
    /// A program of somebody else; it must succeed.
    case run(OwnedProgram)

    /// Whether it only looks, so that there is nothing to take back.
    package var isCheck: Bool {
        if case .run(let program) = self { return program.isCheck }
        return false
    }

    /// Whether it is only a means to what other changes of the plan are for: whether it was made says nothing.
    package var isMeans: Bool {
        if case .run(.lxcNetStop) = self { return true }
        return isCheck
    }

    /// Whether nothing takes it back: it ends complete, or nothing of it is there.
    package var isFinal: Bool {
        switch self {
        case .restoreImage, .forgetFlows, .run(.installLXC): true
        default: false
        }
    }

    /// Whether nothing of it stays on the host that an undo could be about.
    package var isMomentary: Bool {
        if case .forgetFlows = self { return true }
        return false
    }

    /// Whether it is a rule or a switch of the running system, which files may bring back at boot.
    package var isSetting: Bool {
        switch self {
        case .setSysctl, .createTranslationTable, .addRule, .addNftRule, .run(.firewalldAdd), .run(.shorewallReload):
            true
        default: false
        }
    }

    /// What takes the change back.
    package var inverse: Change {
        switch self {
        case .createBridge(let name): .deleteBridge(name: name)
        case .deleteBridge(let name): .createBridge(name: name)
        case .setLinkUp(let name, let up): .setLinkUp(name: name, up: !up)
        case .setMaster(let link, let from, let to): .setMaster(link: link, from: to, to: from)
        case .containerAddress(let interface, let from, let to): .containerAddress(interface, from: to, to: from)
        case .containerHardwareAddress(let interface, let from, let to):
            .containerHardwareAddress(interface, from: to, to: from)
        case .addAddress(let link, let address): .removeAddress(link: link, address: address)
        case .removeAddress(let link, let address): .addAddress(link: link, address: address)
        case .setSysctl(let key, let from, let to): .setSysctl(key: key, from: to, to: from)
        case .createTranslationTable(let table): .deleteTranslationTable(table)
        case .deleteTranslationTable(let table): .createTranslationTable(table)
        case .file(let path, let before, let after): .file(path: path, before: after, after: before)
        case .symbolicLink(let path, let before, let after): .symbolicLink(path: path, before: after, after: before)
        case .addRule(let rule): .removeRule(rule)
        case .removeRule(let rule): .addRule(rule)
        case .addNftRule(let rule): .removeNftRule(rule)
        case .removeNftRule(let rule): .addNftRule(rule)
        case .restoreImage, .forgetFlows: self
        case .run(let program): .run(program.inverse)
        }
    }
}

/// An nft table `ip NAME` with one nat chain at postrouting, priority 100 (srcnat), and one rule:
/// `ip saddr NETWORK ip daddr != NETWORK counter masquerade`. The shape of lxc-net's own table `ip lxc`.
package struct TranslationTable: Codable, Sendable, Hashable {
    package var name: String
    package var network: IPv4Prefix

    package init(name: String, network: IPv4Prefix) {
        self.name = name
        self.network = network
    }
}

/// A network interface inside a running container.
package struct ContainerInterface: Codable, Sendable, Hashable {
    /// The name by which LXC knows the container.
    package var container: String
    /// Inside of it: `eth0`.
    package var interface: String

    package init(container: String, interface: String) {
        self.container = container
        self.interface = interface
    }
}

/// What a file holds and who may do what with it.
package struct FileContent: Codable, Sendable, Hashable {
    package var bytes: ByteString
    /// Permission bits.
    package var mode: Int
    package var owner: Int
    package var group: Int

    package init(bytes: ByteString, mode: Int = 0o644, owner: Int = 0, group: Int = 0) {
        self.bytes = bytes
        self.mode = mode
        self.owner = owner
        self.group = group
    }
}

/// A host that can be changed for good. Only the fix module holds one, together with a journal.
package protocol MutableHost: Host {
    /// Makes one change. See `Change` for what is refused.
    func apply(_ change: Change) throws(HostError)
    /// Names the run that the next changes belong to: what they replace is kept under its name; or, with `restoring`,
    /// what they bring back is completed from there.
    func begin(run: String, restoring: Bool)
    /// Removes what a change that was cut short has left beside its target.
    func tidy(after change: Change) throws(HostError)
}

extension MutableHost {
    package func begin(run: String, restoring: Bool) {}
    package func tidy(after change: Change) throws(HostError) {}
}
