internal import HostAccess

/// What sends the probes of an order from a container, and hears what comes back.
protocol ProbeSender: AnyObject {
    /// For poll(2): readable when something came back.
    var descriptor: Int32 { get }

    /// Sends a whole IP packet, its header included.
    func send(_ packet: [UInt8]) throws(HostError)

    /// What arrived in the container since the last call. `start`: CLOCK_REALTIME, nanoseconds.
    func read(since start: Int) -> [Sighting]
}
