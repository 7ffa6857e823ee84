internal import HostModel
package import WireFormats

/// Turns messages of rtnetlink into the parts of the host that may have changed. Ignores what is no change: links that are
/// announced again as they were, and everything about the ports of packet proofs, of this process and of others.
///
/// A proof's port gives an idle bridge a carrier and takes it away again. While such a port exists, and a moment longer,
/// changes of that kind are held back; then only those that have remained count. Pure: the time is passed in.
package struct RouteEventReader: Sendable {
    /// The kernel takes a port away a moment after its proof has ended. A port that stays longer hides nothing.
    package static let longestHold = 5_000
    /// After the last port has gone the kernel takes up to a second to tell that the bridge has no carrier (linkwatch).
    package static let afterglow = 1_500
    /// The multicast groups to listen to.
    package static let groups = RouteEvent.groups
    private static let mostRemembered = 256

    private var links: [Int: Link] = [:]
    /// Ports of proofs that are there, by index.
    private var ports: Set<Int> = []
    /// Ports that were there: their settings are told of after they are gone.
    private var pastPorts: Set<Int> = []
    /// Bridges as they were before the first port came.
    private var held: [Int: Link] = [:]
    /// When the first port came.
    private var heldSince: Int?
    /// When the last port went.
    private var portless: Int?
    /// Messages about an interface that came before the one that announces it, by its index.
    private var early: [Int: WatchTopic] = [:]

    /// - Parameter dump: the links that there are, as RTM_GETLINK gives them. One that cannot be read counts as new when
    ///   something is told of it.
    package init(_ dump: [[UInt8]] = []) {
        for bytes in dump {
            do {
                guard case .link(let link) = try RouteEvent(NetlinkMessage(bytes)) else { continue }
                if link.isPortOfProof { ports.insert(link.index) } else { links[link.index] = link.comparable }
            } catch {
                continue
            }
        }
    }

    /// When a hold ends by itself, in the milliseconds of `take`.
    package var holdEnds: Int? {
        heldSince.map { since in portless.map { $0 + Self.afterglow } ?? (since + Self.longestHold) }
    }

    /// What may have changed. A message that cannot be read may be anything.
    package mutating func take(_ messages: [NetlinkMessage], at milliseconds: Int) -> Set<WatchTopic> {
        var touched: Set<WatchTopic> = []
        let waiting = early
        early = [:]
        for message in messages {
            do {
                try take(RouteEvent(message), at: milliseconds, &touched)
            } catch {
                touched.formUnion([.links, .addresses, .routes, .policyRules, .interfaceSettings, .trafficControl])
            }
        }
        for (index, topic) in waiting.merging(early, uniquingKeysWith: { $1 }) {
            if isOfProof(index) {
                early[index] = nil
            } else if links[index] != nil || waiting[index] != nil {
                touched.insert(topic)
                early[index] = nil
            }
        }
        touched.formUnion(release(at: milliseconds))
        return touched
    }

    /// Ends the hold where nothing differs any more, or its time is up.
    package mutating func release(at milliseconds: Int) -> Set<WatchTopic> {
        guard let end = holdEnds else { return [] }
        let changed = held.contains { links[$0.key] != $0.value }
        guard milliseconds >= end || (portless != nil && !changed) else { return [] }
        held = [:]
        heldSince = nil
        portless = nil
        return changed ? [.links] : []
    }

    private mutating func take(_ event: RouteEvent, at milliseconds: Int, _ touched: inout Set<WatchTopic>) {
        switch event {
        case .link(let link): take(link, at: milliseconds, &touched)
        case .linkGone(let link):
            if ports.remove(link.index) != nil {
                remember(link.index)
                if ports.isEmpty { portless = milliseconds }
            } else if links.removeValue(forKey: link.index) != nil {
                held[link.index] = nil
                touched.insert(.links)
            }
        case .address: touched.insert(.addresses)
        case .route: touched.insert(.routes)
        case .rule: touched.insert(.policyRules)
        case .neighbour: touched.insert(.neighbours)
        case .setting(let index): take(.interfaceSettings, of: index, &touched)
        case .trafficControl(let index): take(.trafficControl, of: index, &touched)
        case .other: break
        }
    }

    private mutating func take(_ new: Link, at milliseconds: Int, _ touched: inout Set<WatchTopic>) {
        if new.isPortOfProof {
            guard ports.insert(new.index).inserted else { return }
            portless = nil
            if heldSince == nil { heldSince = milliseconds }
            return
        }
        let link = new.comparable
        let old = links.updateValue(link, forKey: link.index)
        guard old != link else { return }
        guard let old, heldSince != nil, link.isAdopting(beside: old) else {
            touched.insert(.links)
            return
        }
        if held[link.index] == nil { held[link.index] = old }
    }

    private mutating func take(_ topic: WatchTopic, of index: Int, _ touched: inout Set<WatchTopic>) {
        guard !isOfProof(index) else { return }
        if index <= 0 || links[index] != nil {
            touched.insert(topic)
        } else if early.count < Self.mostRemembered {
            early[index] = topic
        } else {
            touched.insert(topic)
        }
    }

    private func isOfProof(_ index: Int) -> Bool { ports.contains(index) || pastPorts.contains(index) }

    private mutating func remember(_ index: Int) {
        if pastPorts.count >= Self.mostRemembered { pastPorts = [] }
        pastPorts.insert(index)
    }
}

extension Link {
    fileprivate var isPortOfProof: Bool { kind == "veth" && name.hasPrefix(ProofNames.linkPrefix) }

    /// Without IFF_PROMISC and IFF_ALLMULTI (netdevice(7)), which captures switch and nothing of ours asks for.
    fileprivate var comparable: Link {
        var link = self
        link.flags &= ~UInt32(0x100 | 0x200)
        return link
    }

    /// Whether it is the same bridge, still up or down as it was: what differs is what ports do to a bridge.
    fileprivate func isAdopting(beside old: Link) -> Bool {
        kind == "bridge" && name == old.name && isUp == old.isUp && master == old.master && bridge == old.bridge
    }
}
