internal import WireFormats

extension KernelQuery {
    /// Every set of ipset with its members. Needs CAP_NET_ADMIN.
    package static var ipsets: KernelQuery {
        KernelQuery(
            family: .netfilter, type: IPSetRequest.type, dump: true, payload: IPSetRequest.payload,
            name: IPSetRequest.name)
    }
}
