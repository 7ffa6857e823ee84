/// A socket with several users, closed when the last reference to it goes.
///
/// Closing a packet socket waits for an RCU grace period. Keeping a reference postpones that to a moment when nobody waits.
final class SharedSocket {
    private let descriptor: Descriptor

    init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    var rawValue: Int32 { descriptor.rawValue }
}
