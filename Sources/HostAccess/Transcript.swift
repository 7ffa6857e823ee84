/// One request with what came of it.
package struct TranscriptEntry: Codable, Sendable, Hashable {
    package var request: HostRequest
    package var reply: HostReply?
    package var error: HostError?

    package init(request: HostRequest, reply: HostReply?, error: HostError?) {
        self.request = request
        self.reply = reply
        self.error = error
    }
}

/// Passes each request on to another host once and keeps the answer, so that a fact is read once per run, and a run can be
/// recorded.
package final class RecordingHost: Host {
    private let host: any Host
    private var answers: [HostRequest: Result<HostReply, HostError>] = [:]
    private var order: [HostRequest] = []
    /// Whether the rules of each nftables table are asked for by themselves, so that those of other tables stay known when
    /// one is forgotten. More questions the first time, and far fewer rules to list again.
    package var readsTablesApart = false
    /// The requests that each running `footprint` or `derived` body has made so far, innermost last.
    private var footprints: [Set<HostRequest>] = []

    package init(_ host: any Host) {
        self.host = host
    }

    package func answer(_ request: HostRequest) throws(HostError) -> HostReply {
        if let last = footprints.indices.last { footprints[last].insert(request) }
        if let known = answers[request] { return try known.get() }
        let result: Result<HostReply, HostError>
        do {
            result = .success(try host.answer(request))
        } catch {
            result = .failure(error)
        }
        answers[request] = result
        order.append(request)
        return try result.get()
    }

    /// The answer, where the question has been asked already.
    package func known(_ request: HostRequest) -> HostReply? {
        guard case .success(let reply) = answers[request] else { return nil }
        return reply
    }

    /// Every request so far with its answer, in the order in which they were first made.
    package var transcript: [TranscriptEntry] {
        order.map { request in
            switch answers[request] {
            case .success(let reply): TranscriptEntry(request: request, reply: reply, error: nil)
            case .failure(let error): TranscriptEntry(request: request, reply: nil, error: error)
            case nil: TranscriptEntry(request: request, reply: nil, error: nil)
            }
        }
    }

    private var derived: [String: any Sendable] = [:]
    /// What each derived value was made of.
    private var derivedFrom: [String: Set<HostRequest>] = [:]

    /// A value that is computed from answers, kept as long as they are: a decoded dump that several probes need.
    package func derived<Value: Sendable, Failure: Error>(
        _ key: String, _ make: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        if let known = derived[key] as? Value {
            if let last = footprints.indices.last { footprints[last].formUnion(derivedFrom[key] ?? []) }
            return known
        }
        footprints.append([])
        // Also where `make` throws: the failure depends on these requests as well.
        defer { close() }
        let value = try make()
        derived[key] = value
        derivedFrom[key] = footprints.last
        return value
    }

    /// Ends the innermost footprint, and adds its requests to the one around it.
    @discardableResult
    private func close() -> Set<HostRequest> {
        let requests = footprints.removeLast()
        if let last = footprints.indices.last { footprints[last].formUnion(requests) }
        return requests
    }

    /// Runs the body and returns the requests that its result depends on, including those that were answered from the cache.
    package func footprint<Value>(of body: () -> Value) -> (value: Value, requests: Set<HostRequest>) {
        footprints.append([])
        let value = body()
        return (value, close())
    }

    /// Forgets the answers to the touched requests, and what was derived from one of them. The next such request asks the
    /// host again.
    package func forget(where isTouched: (HostRequest) -> Bool) {
        for request in order where isTouched(request) { answers[request] = nil }
        order.removeAll { answers[$0] == nil }
        for (key, requests) in derivedFrom where requests.contains(where: { answers[$0] == nil }) {
            derived[key] = nil
            derivedFrom[key] = nil
        }
    }

    /// Forgets all answers and derived values, so that every request asks the host again (after a repair).
    package func forget() {
        answers = [:]
        order = []
        derived = [:]
        derivedFrom = [:]
    }
}

/// Answers from a transcript. What was never asked is an error of code `notRecorded`, not a guess.
package final class ReplayHost: Host {
    private var answers: [HostRequest: Result<HostReply, HostError>] = [:]

    package init(_ transcript: [TranscriptEntry]) {
        for entry in transcript {
            if let reply = entry.reply {
                answers[entry.request] = .success(reply)
            } else if let error = entry.error {
                answers[entry.request] = .failure(error)
            }
        }
    }

    package func answer(_ request: HostRequest) throws(HostError) -> HostReply {
        guard let result = answers[request] else {
            throw HostError(.notRecorded, operation: "replay", message: "the recording holds no answer to \(request)")
        }
        return try result.get()
    }
}
