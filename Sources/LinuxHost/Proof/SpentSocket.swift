/// A socket that is done with and stays open until its owner goes.
final class SpentSocket {
    private let descriptor: Descriptor

    init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }
}
