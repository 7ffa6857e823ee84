import Foundation
import HostModel
import Testing

@testable import WireFormats

@Suite struct NetlinkMessagesTests {
    @Test func messagesLieWhereTheyWereReceived() {
        var messages = NetlinkMessages()
        messages.note(0..<2)
        messages.note(4..<5)
        messages.close([1, 2, 0, 0, 3, 0, 0, 0])
        messages.close([9])
        messages.note(1..<3)
        messages.close([0, 4, 5])
        #expect(messages.map(Array.init) == [[1, 2], [3], [4, 5]])
        // However they are put into chunks, the same messages are equal.
        #expect(messages == NetlinkMessages([[1, 2], [3], [4, 5]]))
        #expect(messages.hashValue == NetlinkMessages([[1, 2], [3], [4, 5]]).hashValue)
        #expect(messages != NetlinkMessages([[1, 2], [3]]))
    }

    @Test func aPlaceOutsideItsChunkIsCut() {
        var messages = NetlinkMessages()
        messages.note(0..<9)
        messages.note(7..<9)
        messages.close([1, 2, 3])
        #expect(messages.map(Array.init) == [[1, 2, 3], []])
    }

    /// In a recording they are what they always were: a list of byte strings.
    @Test func recordsAsAList() throws {
        let messages = NetlinkMessages([[0xff, 0], Array("text".utf8)])
        let data = try JSONEncoder().encode(messages)
        #expect(try JSONDecoder().decode([ByteString].self, from: data).map(\.bytes) == messages.map(Array.init))
        #expect(try JSONDecoder().decode(NetlinkMessages.self, from: data) == messages)
    }
}
