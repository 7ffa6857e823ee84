/// Integers inside an array of bytes, by bounds-checked offset. "Host" is the byte order of this machine, as netlink
/// headers use it; "network" is big-endian. Nil where the bytes end too early.
extension [UInt8] {
    @inlinable
    package func hostInteger<Value: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int, as type: Value.Type = Value.self
    ) -> Value? {
        guard offset >= 0, offset <= count - MemoryLayout<Value>.size else { return nil }
        return withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
    }

    @inlinable
    package func networkInteger<Value: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int, as type: Value.Type = Value.self
    ) -> Value? {
        hostInteger(at: offset, as: Value.self).map(Value.init(bigEndian:))
    }

    @inlinable
    package mutating func appendHost(_ value: some FixedWidthInteger & BitwiseCopyable) {
        Swift.withUnsafeBytes(of: value) { append(contentsOf: $0) }
    }

    @inlinable
    package mutating func appendNetwork(_ value: some FixedWidthInteger & BitwiseCopyable) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}
