internal import CLinux
internal import Glibc

/// Serves ready-made bodies over HTTP.
///
/// It runs in a process of its own that has dropped all privileges. That process holds a listening socket, a socket to the
/// watch over which new bodies come as sealed files, and its connections. Their number, the length of their requests and
/// their time are bounded. What to answer is decided by the caller of `run`.
package final class PageServer {
    package struct Bounds: Sendable {
        package var connections = 32
        /// From the connection to the end of the request's head.
        package var headMilliseconds = 5_000
        /// For the whole answer.
        package var answerMilliseconds = 15_000
        package init() {}
    }

    package enum Occasion {
        /// The bytes of a request that have arrived so far.
        case request([UInt8], isReady: Bool)
        /// The head took too long.
        case timeout
    }

    package struct Reply {
        package var head: [UInt8]
        package var text: [UInt8] = []
        /// Which body follows instead of the text.
        package var page: Int?

        package init(head: [UInt8], text: [UInt8] = [], page: Int? = nil) {
            self.head = head
            self.text = text
            self.page = page
        }
    }

    /// The bodies of one judgement. They stay open as long as a connection still sends one of them.
    private final class Bodies {
        let files: [Int32]
        init(_ files: [Int32]) { self.files = files }
        deinit { for file in files { close(file) } }

        func length(of page: Int) -> Int {
            var facts = stat()
            return fstat(files[page], &facts) == 0 ? Int(facts.st_size) : 0
        }
    }

    private final class Connection {
        let descriptor: Int32
        var deadline: Deadline
        var request: [UInt8] = []
        var output: ArraySlice<UInt8> = []
        var body: (bodies: Bodies, page: Int, offset: Int)?
        var isAnswered = false
        /// The answer is sent. What the peer still sends is read and discarded, because closing with unread data would reset
        /// the connection and could cost the peer the answer.
        var isDraining = false

        init(_ descriptor: Int32, _ deadline: Deadline) {
            self.descriptor = descriptor
            self.deadline = deadline
        }

        deinit { close(descriptor) }
    }

    private let listener: Int32
    private let control: Int32
    private let bounds: Bounds
    private var bodies: Bodies?
    private var connections: [Int32: Connection] = [:]

    /// Descriptors of a listening socket and of the line to the watch.
    package init(listener: Int32, control: Int32, bounds: Bounds = Bounds()) {
        self.listener = listener
        self.control = control
        self.bounds = bounds
    }

    /// Drops every privilege for good. False where that failed: the process must end then.
    package static func dropEverything(keeping last: Int32, parent: Int) -> Bool {
        clinux_drop_everything(last, pid_t(clamping: parent)) == 0
    }

    /// Serves until the watch closes its line. `answer` gives nil where the request has not come whole.
    ///
    /// - Parameter length: hands the length of a body to what makes the head.
    package func run(answer: (Occasion, _ length: (Int) -> Int) -> Reply?) {
        while true {
            var waiting = [pollfd(fd: control, events: Int16(POLLIN), revents: 0)]
            if connections.count < bounds.connections {
                waiting.append(pollfd(fd: listener, events: Int16(POLLIN), revents: 0))
            }
            for connection in connections.values {
                let events = connection.isAnswered && !connection.isDraining ? POLLOUT : POLLIN
                waiting.append(pollfd(fd: connection.descriptor, events: Int16(events), revents: 0))
            }
            let soonest = connections.values.map(\.deadline.milliseconds).min()
            guard poll(&waiting, nfds_t(waiting.count), soonest ?? -1) >= 0 || errno == EINTR else { return }
            for one in waiting where one.revents != 0 {
                if one.fd == control {
                    guard takeBodies() else { return }
                } else if one.fd == listener {
                    accept()
                } else if let connection = connections[one.fd] {
                    if !advance(connection, answer) { connections[one.fd] = nil }
                }
            }
            expire(answer)
        }
    }

    /// False at the end of the line.
    private func takeBodies() -> Bool {
        var files = [Int32](repeating: -1, count: 8)
        let count = clinux_receive_files(control, &files, Int32(files.count))
        if count == -EAGAIN || count == -EBADMSG { return true }
        guard count > 0 else { return false }
        bodies = Bodies(Array(files.prefix(Int(count))))
        return true
    }

    private func accept() {
        // There is no exec after this: nothing to inherit it.
        let descriptor = Glibc.accept(listener, nil, nil)
        guard descriptor >= 0 else { return }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        connections[descriptor] = Connection(descriptor, Deadline(milliseconds: bounds.headMilliseconds))
    }

    private func expire(_ answer: (Occasion, (Int) -> Int) -> Reply?) {
        for (descriptor, connection) in connections where connection.deadline.milliseconds == 0 {
            guard !connection.isAnswered, !connection.request.isEmpty, let reply = answer(.timeout, { _ in 0 }) else {
                connections[descriptor] = nil
                continue
            }
            begin(reply, connection)
            if !write(connection) { connections[descriptor] = nil }
        }
    }

    /// False where the connection is over.
    private func advance(_ connection: Connection, _ answer: (Occasion, (Int) -> Int) -> Reply?) -> Bool {
        if connection.isAnswered && !connection.isDraining { return write(connection) }
        var buffer = [UInt8](repeating: 0, count: 4 << 10)
        let count = recv(connection.descriptor, &buffer, buffer.count, 0)
        if count < 0 { return errno == EAGAIN || errno == EINTR }
        guard count > 0 else { return false }
        if connection.isDraining { return true }
        connection.request += buffer[..<count]
        let current = bodies
        let occasion = Occasion.request(connection.request, isReady: current != nil)
        guard let reply = answer(occasion, { current?.length(of: $0) ?? 0 }) else { return true }
        begin(reply, connection)
        return write(connection)
    }

    private func begin(_ reply: Reply, _ connection: Connection) {
        connection.isAnswered = true
        connection.request = []
        connection.deadline = Deadline(milliseconds: bounds.answerMilliseconds)
        connection.output = (reply.head + reply.text)[...]
        if let page = reply.page, let bodies, bodies.files.indices.contains(page) {
            connection.body = (bodies, page, 0)
        }
    }

    /// Sends what the peer takes. False where the connection is over.
    private func write(_ connection: Connection) -> Bool {
        while true {
            if connection.output.isEmpty, !refill(connection) {
                shutdown(connection.descriptor, Int32(SHUT_WR))
                connection.isDraining = true
                connection.deadline = Deadline(milliseconds: 1_000)
                return true
            }
            let sent = connection.output.withUnsafeBytes {
                send(connection.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent < 0 { return errno == EAGAIN || errno == EINTR }
            connection.output = connection.output.dropFirst(sent)
        }
    }

    /// The next part of the body; false where there is none.
    private func refill(_ connection: Connection) -> Bool {
        guard let (bodies, page, offset) = connection.body else { return false }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = pread(bodies.files[page], &buffer, buffer.count, offset)
        guard count > 0 else {
            connection.body = nil
            return false
        }
        connection.body = (bodies, page, offset + count)
        connection.output = buffer[..<count]
        return true
    }
}
