/// A socket with more than one user, closed when the last of them goes.
///
/// Closing a packet socket waits for every processor (RCU): who wants nobody to wait for that keeps one of these.
final class SharedSocket {
    private let descriptor: Descriptor

    init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    var rawValue: Int32 { descriptor.rawValue }
}
