internal import HostModel

/// The messages that answer one request, left where they were received: a few large chunks, and where in them each
/// message lies. Of a large dump nothing is copied, and there is one allocation for thousands of messages.
///
/// Each element is one message with its header, as a slice of its chunk: the first index of a slice is not 0.
package struct NetlinkMessages: Sendable {
    /// Where a message lies. A chunk holds less than 4 GiB.
    struct Place: Sendable {
        var chunk: Int32
        var start: UInt32
        var end: UInt32

        var range: Range<Int> { Int(start)..<Int(end) }
    }

    private(set) var chunks: [[UInt8]] = []
    private(set) var places: [Place] = []

    package init() {}

    /// Messages that are there one by one.
    package init(_ messages: some Sequence<[UInt8]>) {
        for message in messages { append(message) }
    }

    private mutating func append(_ message: [UInt8]) {
        note(0..<message.count)
        close(message)
    }

    /// Says where the next message lies in the chunk that is being received. `close` adds that chunk.
    package mutating func note(_ range: Range<Int>) {
        places.append(
            Place(
                chunk: Int32(clamping: chunks.count), start: UInt32(clamping: range.lowerBound),
                end: UInt32(clamping: range.upperBound)))
    }

    /// Adds the chunk in which the messages lie that were noted since the last one. One that lies outside of it is cut.
    package mutating func close(_ chunk: [UInt8]) {
        var index = places.count
        while index > 0, Int(places[index - 1].chunk) == chunks.count {
            index -= 1
            guard Int(places[index].end) > chunk.count else { continue }
            places[index].end = UInt32(clamping: chunk.count)
            places[index].start = Swift.min(places[index].start, places[index].end)
        }
        chunks.append(chunk)
    }
}

extension NetlinkMessages: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { places.count }

    package subscript(index: Int) -> ArraySlice<UInt8> {
        let place = places[index]
        return chunks[Int(place.chunk)][place.range]
    }
}

extension NetlinkMessages: Hashable {
    package static func == (left: NetlinkMessages, right: NetlinkMessages) -> Bool { left.elementsEqual(right) }

    package func hash(into hasher: inout Hasher) {
        for message in self { hasher.combine(message) }
    }
}

/// In a recording: a list of byte strings.
extension NetlinkMessages: Codable {
    package init(from decoder: any Decoder) throws {
        self.init(try [ByteString](from: decoder).map(\.bytes))
    }

    package func encode(to encoder: any Encoder) throws {
        try map { ByteString(Array($0)) }.encode(to: encoder)
    }
}
