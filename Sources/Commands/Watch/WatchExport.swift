internal import HostAccess
internal import HostModel
internal import LinuxHost
internal import Reporting
internal import Watching

/// Publishes the results of a watch: a metrics file, and a process that serves pages.
final class WatchExport {
    private static let longestPause = 60_000

    private let textfile: String?
    private let address: ListenAddress?
    /// The listening socket; it stays open as long as the process runs. -1: none.
    private let listener: Int32
    private let log: WatchLog
    private var server: (process: ChildProcess, line: Box)?
    private var bodies: [[UInt8]] = []
    /// The server did not take the last bodies.
    private var isBehind = false
    private var restarts = 0
    private var restartDue: Int?
    /// So that a file that cannot be written is said once.
    private var fileFailure: String?

    /// Makes the line, which is not copyable, storable in an optional tuple.
    private final class Box {
        var line: PageServerLine
        init(_ line: consuming PageServerLine) { self.line = line }
    }

    /// Throws usage where the address cannot be had.
    init(_ settings: WatchSettings, _ log: WatchLog) throws(CommandError) {
        textfile = settings.textfile
        self.log = log
        address = settings.listen.flatMap(ListenAddress.init)
        guard let address else {
            listener = -1
            return
        }
        do {
            listener = try Listener(address: address.address, port: address.port).release()
        } catch {
            throw CommandError(.usage, error.description)
        }
        startServer(at: 0)
    }

    // MARK: Results

    /// Puts a result out. Latest first where it is read fastest.
    func publish(_ report: Report, _ status: WatchStatus) {
        let metrics = Array(renderMetrics(report, watch: status).utf8)
        writeFile(metrics)
        guard address != nil else { return }
        bodies = HTTPAnswer.Page.allCases.map { page in
            switch page {
            case .metrics: metrics
            case .health: Array(JSONText.encode(status).utf8)
            case .report: Array(render(report, as: .json).utf8)
            case .page: Array(render(report, as: .html).utf8)
            }
        }
        sendBodies()
    }

    /// Only the status has changed.
    func publish(_ status: WatchStatus) {
        guard address != nil, bodies.count == HTTPAnswer.Page.allCases.count else { return }
        bodies[HTTPAnswer.Page.health.rawValue] = Array(JSONText.encode(status).utf8)
        sendBodies()
    }

    /// Writes to the file that the watch has ended, and ends the server.
    func end(_ status: WatchStatus) {
        writeFile(Array(renderMetricsOfEnd(status).utf8))
        server?.process.end()
    }

    private func writeFile(_ bytes: [UInt8]) {
        guard let textfile else { return }
        do {
            try AtomicFile.replace(textfile, with: bytes)
            fileFailure = nil
        } catch {
            if fileFailure != error.description { log.write(.error, "textfile", error.description) }
            fileFailure = error.description
        }
    }

    // MARK: The server

    private func sendBodies() {
        guard let line = server?.line else { return }
        do {
            isBehind = try !line.line.send(bodies)
        } catch {
            isBehind = true
            log.write(.error, "serve", error.description)
        }
    }

    private func startServer(at now: Int) {
        guard let address else { return }
        do {
            let box = Box(try PageServerLine())
            let process = try ChildProcess(
                ["watch", "serve-pages", "--parent", String(ChildProcess.ownNumber)]
                    + (address.isLoopback ? ["--only-this-host"] : []),
                descriptors: [listener, box.line.childEnd], readsOutput: false)
            box.line.closeChildEnd()
            server = (process, box)
            restartDue = nil
            if !bodies.isEmpty { sendBodies() }
        } catch {
            log.write(.error, "serve", error.description)
            planRestart(at: now)
        }
    }

    private func planRestart(at now: Int) {
        server = nil
        restartDue = now + min(1_000 << min(restarts, 6), Self.longestPause)
        restarts += 1
    }

    /// When there is something to do here; nil where nothing is.
    var due: Int? { restartDue }

    /// Restarts a server that has ended, after a pause that grows, and sends what it did not take.
    func tend(at now: Int) {
        if let status = server?.process.status() {
            log.write(.error, "serve", "the page server ended with \(status); it is started again")
            planRestart(at: now)
        }
        if let restartDue, restartDue <= now { startServer(at: now) }
        if isBehind { sendBodies() }
    }
}
