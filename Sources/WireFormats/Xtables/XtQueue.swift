/// What the target NFQUEUE says: struct xt_NFQ_info_v3, of which older revisions have the first one or two. Source:
/// linux/netfilter/xt_NFQUEUE.h.
package struct XtQueue: Hashable, Sendable {
    /// The first queue.
    package var first: UInt16
    /// How many there are, among which packets are divided.
    package var count: UInt16
    /// 1: go on where nobody reads it. 2: divide by processor.
    package var flags: UInt16

    package init?(_ target: XtExtension) {
        let info = XtInfo(target.info)
        guard let number = info.short(0) else { return nil }
        first = number
        count = target.revision > 0 ? info.short(2) ?? 1 : 1
        flags = target.revision > 1 ? info.short(4) ?? 0 : 0
    }
}
