package import WireFormats

/// What the kernel keeps of flows: tracked connections, and policies of IPsec. Both need CAP_NET_ADMIN.
extension KernelQuery {
    /// The IPv4 flows whose source is not translated. The kernel sorts them out where it can (since 6.0, CTA_STATUS_MASK);
    /// an older one lists every flow. Source: linux/netfilter/nfnetlink_conntrack.h.
    package static var untranslatedFlows: KernelQuery {
        var payload = NetlinkAttributeBuilder(header: [AddressFamily.ipv4.rawValue, 0, 0, 0])
        payload.append(3, network: UInt32(0))  // CTA_STATUS
        payload.append(26, network: ConntrackFlow.sourceTranslated)  // CTA_STATUS_MASK
        // NFNL_SUBSYS_CTNETLINK is 1, IPCTNL_MSG_CT_GET is 1.
        return KernelQuery(
            family: .netfilter, type: 1 << 8 | 1, dump: true, payload: payload.bytes, name: "IPCTNL_MSG_CT_GET")
    }

    /// A repair forgets no more flows than this in one step.
    package static var mostFlowsForgotten: Int { 2_048 }

    /// All IPsec policies. Payload: struct xfrm_userpolicy_id, all zero. Source: linux/xfrm.h.
    package static var policies: KernelQuery {
        KernelQuery(
            family: .xfrm, type: 0x15, dump: true, payload: [UInt8](repeating: 0, count: 64),
            name: "XFRM_MSG_GETPOLICY")
    }
}

extension Host {
    /// The flows of `untranslatedFlows`. Empty where the kernel does not list flows at all.
    package func untranslatedFlows() throws(HostError) -> Set<TrackedFlow> {
        let messages: [[UInt8]]
        do {
            messages = try query(.untranslatedFlows)
        } catch {
            if error.isMissingSubsystem { return [] }
            throw error
        }
        let flows = try HostError.decoding("read tracked flows") { () throws(WireError) in
            try ConntrackFlow.all(in: messages)
        }
        return Set(flows.filter { !$0.isSourceTranslated }.map { TrackedFlow($0) })
    }
}
