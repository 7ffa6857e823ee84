internal import HostAccess
internal import HostModel
internal import WireFormats

/// The dumps that the link probes share. Equal requests are answered once per run by the recording host.
struct NetworkState {
    let host: any Host

    func links() throws(ObservationFailure) -> [Link] {
        try decode(.links()) { (messages) throws(WireError) in try Link.all(in: messages) }
    }

    func addresses() throws(ObservationFailure) -> [InterfaceAddress] {
        try decode(.addresses()) { (messages) throws(WireError) in try InterfaceAddress.all(in: messages) }
    }

    func routes() throws(ObservationFailure) -> [Route] {
        try decode(.routes()) { (messages) throws(WireError) in try Route.all(in: messages) }
    }

    func rules() throws(ObservationFailure) -> [RouteRule] {
        try decode(.rules()) { (messages) throws(WireError) in try RouteRule.all(in: messages) }
    }

    /// The route that a packet of this host to the address takes; nil where there is none.
    func route(to destination: IPv4Address) throws(ObservationFailure) -> Route? {
        let query = KernelQuery.routeLookup(destination: destination)
        let messages: [[UInt8]]
        do {
            messages = try host.query(query)
        } catch {
            if error.code == .notFound { return nil }
            throw ObservationFailure(error)
        }
        do {
            return try Route.all(in: messages).first
        } catch {
            throw unreadable(query, error)
        }
    }

    private func decode<Value>(
        _ query: KernelQuery, _ body: ([[UInt8]]) throws(WireError) -> Value
    ) throws(ObservationFailure) -> Value {
        let messages: [[UInt8]]
        do {
            messages = try host.query(query)
        } catch {
            throw ObservationFailure(error)
        }
        do {
            return try body(messages)
        } catch {
            throw unreadable(query, error)
        }
    }

    private func unreadable(_ query: KernelQuery, _ error: WireError) -> ObservationFailure {
        .unknown("rtnetlink \(query.name): \(error)")
    }
}

extension [Link] {
    func named(_ name: String) -> Link? { first { $0.name == name } }

    /// The name of a link, or its index where the dump does not hold it.
    func name(_ index: Int) -> String { first { $0.index == index }?.name ?? "if\(index)" }
}
