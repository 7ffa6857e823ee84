import HostModel
import Testing
import WireFormats

@testable import HostAccess

@Suite struct KernelQueryTests {
    /// Every query of rtnetlink is a GET: the lowest two bits of the type are 2 (rtnetlink(7)).
    @Test func onlyReads() {
        let queries: [KernelQuery] = [
            .links(), .link(name: "lxcbr1"), .addresses(), .routes(), .rules(), .neighbours(), .neighbours(.bridge),
            .routeLookup(destination: Network.defaultTarget),
        ]
        for query in queries {
            #expect(query.family == .route && query.type & 3 == 2, "\(query.name)")
            #expect(query.name.hasPrefix("RTM_GET"))
        }
        #expect(queries.filter { !$0.dump }.map(\.name) == ["RTM_GETLINK lxcbr1", "RTM_GETROUTE 198.51.100.7"])
    }

    @Test func equalQuestionsAreEqual() {
        #expect(KernelQuery.links() == KernelQuery.links())
        #expect(KernelQuery.link(name: "a") != KernelQuery.link(name: "b"))
    }
}

/// Counts what it is asked.
private final class CountingHost: Host {
    var asked = 0

    func answer(_ request: HostRequest) throws(HostError) -> HostReply {
        asked += 1
        if case .space = request { throw HostError(.notFound, operation: "test", message: "no") }
        return .messages(NetlinkMessages([[UInt8(asked), 0xff]]))
    }
}

@Suite struct TranscriptTests {
    @Test func asksOnceAndReplays() throws {
        let counting = CountingHost()
        let recording = RecordingHost(counting)
        let first = try recording.query(.links())
        #expect(try recording.query(.links()) == first)
        #expect(throws: HostError.self) { try recording.space("/x") }
        #expect(throws: HostError.self) { try recording.space("/x") }
        #expect(counting.asked == 2)

        let replay = ReplayHost(recording.transcript)
        #expect(try replay.query(.links()) == first)
        #expect(throws: HostError(.notFound, operation: "test", message: "no")) { try replay.space("/x") }
        do {
            _ = try replay.query(.rules())
            Issue.record("a question that was never asked has no answer")
        } catch {
            #expect(error.code == .notRecorded)
        }
        recording.forget()
        #expect(try recording.query(.links()) != first)
    }

    @Test func anAnswerOfAnotherKindIsMalformed() {
        do {
            _ = try CountingHost().read("/x")
            Issue.record("messages are not bytes")
        } catch {
            #expect(error.code == .malformed)
        }
    }
}
