internal import WireFormats

/// What stands in a register: bytes of the packet, or something about it.
struct NftOperand {
    enum Source {
        case payload(NftPayloadBase, offset: Int)
        case meta(NftMetaKey)
        case conntrack(NftConntrackKey)
        case fib(NftFibResult, flags: UInt32)
        case constant(NftValue)
        /// The data of the elements of a map.
        case mapped([[UInt8]])
        case other(String)
    }

    var source: Source
    var length: Int
    /// Empty: all bits.
    var mask: [UInt8] = []
    var xor: [UInt8] = []

    var name: String {
        switch source {
        case .payload: "payload"
        case .meta(let key): key.name
        case .conntrack(let key): key.name
        case .fib: "fib"
        case .constant: "immediate"
        case .mapped: "map"
        case .other(let name): name
        }
    }
}
