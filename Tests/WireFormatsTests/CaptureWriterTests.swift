import HostModel
import Testing

@testable import WireFormats

struct CaptureWriterTests {
    private func packet(_ number: UInt8) throws -> [UInt8] {
        let from = try #require(IPAddress("10.5.0.9"))
        return IPPacket(
            source: from, destination: from, identification: 1, timeToLive: 2, protocolNumber: 17,
            payload: [UInt8](repeating: number, count: Int(number))
        ).encoded
    }

    @Test func whatIsWrittenIsReadBack() throws {
        var writer = CaptureWriter(application: "test")
        let stamp = 1_795_462_736_995_529_885
        for (number, name) in [(UInt8(1), "lxcbr1"), (2, "up0"), (3, "lxcbr1"), (4, "é")] {
            writer.add(
                try packet(number), on: name, nanoseconds: stamp + Int(number),
                comment: number == 3 ? "" : "as the container sent it")
        }
        let file = try CaptureFile(writer.bytes)
        #expect(file.records.map(\.interface) == ["lxcbr1", "up0", "lxcbr1", "é"])
        #expect(file.records.map(\.nanoseconds) == (1...4).map { stamp + $0 })
        #expect(try file.records.map { Array($0.bytes) } == (1...4).map { try packet(UInt8($0)) })
        #expect(file.records.allSatisfy { $0.linkType == .raw })
    }

    @Test func longTextsAreCut() throws {
        var writer = CaptureWriter(application: "test")
        writer.add(
            try packet(1), on: String(repeating: "n", count: 1000), nanoseconds: -1,
            comment: String(repeating: "😀", count: 100_000))
        let file = try CaptureFile(writer.bytes)
        #expect(file.records.first?.interface.count == 255)
        #expect(file.records.first?.nanoseconds == 0)
        #expect(writer.bytes.count < 6000)
    }

    /// One character may consist of any number of scalars.
    @Test func aCommentOfOneEndlessCharacterIsCut() throws {
        var writer = CaptureWriter(application: "test")
        for _ in 0..<2 {
            writer.add(
                try packet(1), on: "up0", nanoseconds: 0, comment: "e" + String(repeating: "\u{301}", count: 100_000))
        }
        #expect(try CaptureFile(writer.bytes).records.count == 2)
        #expect(writer.bytes.count < 12_000)
    }

    @Test func withoutPacketsItIsStillACapture() throws {
        #expect(try CaptureFile(CaptureWriter(application: "test").bytes).records.isEmpty)
    }
}
