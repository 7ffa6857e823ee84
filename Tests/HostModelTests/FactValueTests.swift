import FoundationEssentials
import Testing

@testable import HostModel

@Suite struct FactValueTests {
    @Test(arguments: [
        FactValue.boolean(true), .boolean(false), .integer(0), .integer(1), .integer(-7), .string("1"), .string(""),
        .strings([]), .strings(["a", "b, c"]),
    ])
    func roundTripsThroughJSON(value: FactValue) throws {
        let data = try JSONEncoder().encode([value])
        #expect(try JSONDecoder().decode([FactValue].self, from: data) == [value])
    }

    @Test func textAndBytesRoundTrip() throws {
        for bytes in [Array("net.ipv4.ip_forward = 1\n".utf8), [0, 1, 2, 255], [], [0xc3, 0x28]] {
            let value = ByteString(bytes)
            let data = try JSONEncoder().encode(value)
            #expect(try JSONDecoder().decode(ByteString.self, from: data) == value)
        }
    }
}
