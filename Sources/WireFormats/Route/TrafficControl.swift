internal import CLinux

/// A queueing discipline, a class or a filter of traffic control, as far as the proof asks: whether a packet that meets it may
/// be copied elsewhere.
///
/// Source: tc(8), linux/pkt_sched.h, linux/pkt_cls.h; struct tcmsg in linux/rtnetlink.h.
package struct TrafficControl: Hashable, Sendable {
    /// The index of the link.
    package var link: Int
    /// Its number: of a discipline, which the kernel's own defaults do not have, or of a class.
    package var handle: UInt32
    /// Where it is attached: a discipline, or `ingress` and `egress` of clsact.
    package var parent: UInt32
    /// TCA_KIND: `fq_codel`, `clsact`; `matchall`, `u32`, `bpf`.
    package var kind: String
    /// Whether its options name the action that copies or moves packets to another link (tc-mirred(8)).
    package var mirrors: Bool
    /// Whether its options name the action that tracks connections (tc-ct(8)).
    package var tracks: Bool
    /// Whether it is, or runs, a BPF program.
    package var runsProgram: Bool
    /// Whether its options hold the action that throws packets away: gact(8) with TC_ACT_SHOT.
    package var drops: Bool
    /// Whether, as a filter, it may do more than choose a class: it has actions or a policer, or runs a program.
    package var acts: Bool

    /// TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), which is where the discipline `ingress` has its filters too.
    package static let ingress: UInt32 = 0xffff_fff2
    /// TC_H_MAKE(TC_H_INGRESS, 0): filters of the discipline `ingress`.
    package static let ingressRoot: UInt32 = 0xffff_0000

    /// Reads one RTM_NEWQDISC, RTM_NEWTCLASS or RTM_NEWTFILTER message.
    private init(_ message: NetlinkMessage) throws(WireError) {
        let start = NetlinkHeader.size
        // struct tcmsg: family (8 bits), padding, then 32 bits each: link, handle, parent, info.
        guard let link: Int32 = message.bytes.hostInteger(at: start + 4),
            let handle: UInt32 = message.bytes.hostInteger(at: start + 8),
            let parent: UInt32 = message.bytes.hostInteger(at: start + 12)
        else { throw WireError(.truncated, "tcmsg") }
        self.link = Int(link)
        self.handle = handle
        self.parent = parent
        let attributes = try message.attributes(after: 20)
        kind = try attributes.first(UInt16(TCA_KIND)).map(attributes.text) ?? ""
        let options = try attributes.first(UInt16(TCA_OPTIONS)).map(attributes.data) ?? []
        mirrors = Self.place(of: "mirred", in: options) != nil
        tracks = Self.place(of: "ct", in: options) != nil
        runsProgram = kind == "bpf" || Self.place(of: "bpf", in: options) != nil
        drops = Self.drops(options)
        acts = runsProgram || Self.hasActions(kind, options)
    }

    /// By the kind of a filter, the attributes of its options that hold actions, or a policer of the older form.
    /// Source: TCA_*_ACT and TCA_*_POLICE in linux/pkt_cls.h.
    private static let actions: [String: Set<UInt16>] = [
        "u32": [6, 7], "fw": [2, 4], "route": [5, 6], "flower": [3], "matchall": [2], "basic": [3, 4], "flow": [9, 10],
        "cgroup": [1, 2], "tcindex": [6, 7],
    ]

    /// Of a kind that is not known, yes.
    private static func hasActions(_ kind: String, _ options: ArraySlice<UInt8>) -> Bool {
        guard let types = actions[kind] else { return true }
        let bytes = Array(options)
        var list = NetlinkAttributes(bytes, bytes.indices)
        do {
            while let attribute = try list.next() {
                if types.contains(attribute.type) { return true }
            }
            return false
        } catch {
            return true
        }
    }

    /// TCA_ACT_KIND.
    private static let actionKind: UInt16 = 1

    /// Where an attribute TCA_ACT_KIND with this text stands in the options: in a nest of a kind that differs between
    /// filters.
    private static func place(of action: String, in options: ArraySlice<UInt8>) -> Int? {
        var attribute: [UInt8] = []
        attribute.appendHost(UInt16(action.utf8.count + 5))
        attribute.appendHost(actionKind)
        attribute += Array(action.utf8) + [0]
        return options.indices.first { options[$0...].starts(with: attribute) }
    }

    /// TCA_GACT_PARMS, a struct tc_gact of five words, after the name: index, capabilities, action, two counts.
    private static func drops(_ options: ArraySlice<UInt8>) -> Bool {
        guard let name = place(of: "gact", in: options) else { return false }
        var header: [UInt8] = []
        header.appendHost(UInt16(24))
        header.appendHost(UInt16(TCA_GACT_PARMS))
        guard let parameters = options[name...].indices.first(where: { options[$0...].starts(with: header) }),
            let action: UInt32 = Array(options).hostInteger(at: parameters - options.startIndex + 12)
        else { return false }
        return action == UInt32(TC_ACT_SHOT)
    }

    /// Every discipline, class or filter of a dump.
    package static func all(in messages: [[UInt8]]) throws(WireError) -> [TrafficControl] {
        var found: [TrafficControl] = []
        for bytes in messages {
            let message = try NetlinkMessage(bytes)
            guard [UInt16(RTM_NEWQDISC), UInt16(RTM_NEWTCLASS), UInt16(RTM_NEWTFILTER)].contains(message.header.type)
            else { continue }
            found.append(try TrafficControl(message))
        }
        return found
    }
}

extension RouteRequest {
    /// The queueing disciplines of all links.
    package static var queueingDisciplines: RouteRequest {
        RouteRequest(
            type: UInt16(RTM_GETQDISC), name: "RTM_GETQDISC", dump: true, payload: [UInt8](repeating: 0, count: 20))
    }

    /// The classes of the disciplines of one link.
    package static func trafficClasses(link: Int) -> RouteRequest {
        RouteRequest(
            type: UInt16(RTM_GETTCLASS), name: "RTM_GETTCLASS \(link)", dump: true,
            payload: trafficHeader(link: link, parent: 0))
    }

    /// The filters of one link at one place.
    package static func trafficFilters(link: Int, parent: UInt32) -> RouteRequest {
        RouteRequest(
            type: UInt16(RTM_GETTFILTER), name: "RTM_GETTFILTER \(link) \(String(parent, radix: 16))", dump: true,
            payload: trafficHeader(link: link, parent: parent))
    }

    /// struct tcmsg.
    private static func trafficHeader(link: Int, parent: UInt32) -> [UInt8] {
        var payload: [UInt8] = [0, 0, 0, 0]
        payload.appendHost(Int32(clamping: link))
        payload.appendHost(0 as UInt32)
        payload.appendHost(parent)
        payload.appendHost(0 as UInt32)
        return payload
    }
}
