/// The answer to a request: its head, and which body follows.
package struct HTTPAnswer: Sendable, Equatable {
    /// What is served. The bodies come finished from the watch.
    package enum Page: Int, Sendable, CaseIterable {
        case metrics, health, report, page

        package var path: String {
            switch self {
            case .metrics: "/metrics"
            case .health: "/healthz"
            case .report: "/report.json"
            case .page: "/"
            }
        }

        var type: String {
            switch self {
            case .metrics: "text/plain; version=0.0.4; charset=utf-8"
            case .health, .report: "application/json"
            case .page: "text/html; charset=utf-8"
            }
        }
    }

    package var status: Int
    package var headers: [(name: String, value: String)] = []
    /// The body that follows; nil: `text` does.
    package var page: Page?
    package var text = ""
    /// HEAD: the length is told, the body is not sent.
    package var omitsBody = false

    package static func == (left: Self, right: Self) -> Bool {
        left.status == right.status && left.page == right.page && left.text == right.text
            && left.omitsBody == right.omitsBody
    }

    /// An answer without a page.
    package static func refusal(_ status: Int) -> HTTPAnswer {
        var answer = HTTPAnswer(status: status)
        answer.text = "\(status) \(reason(status))\n"
        if status == 405 { answer.headers.append(("Allow", "GET, HEAD")) }
        return answer
    }

    /// Decides about a whole head.
    ///
    /// - Parameters:
    ///   - isReady: whether there are bodies yet.
    ///   - onlyThisHost: the listener is a loopback one.
    package static func to(_ head: HTTPRequestHead, isReady: Bool, onlyThisHost: Bool) -> HTTPAnswer {
        guard ["GET", "HEAD"].contains(head.method) else { return refusal(405) }
        guard !onlyThisHost || head.meansThisHost else { return refusal(421) }
        guard let page = Page.allCases.first(where: { $0.path == head.path }) else { return refusal(404) }
        guard isReady else { return refusal(503) }
        var answer = HTTPAnswer(status: 200)
        answer.page = page
        answer.omitsBody = head.method == "HEAD"
        answer.headers = [("Content-Type", page.type)]
        if page == .page {
            // The page is one file with its own style and script, and asks for nothing.
            answer.headers.append(
                (
                    "Content-Security-Policy",
                    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
                        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
                ))
        }
        return answer
    }

    /// The head as bytes, for a body of this length.
    package func head(length: Int) -> [UInt8] {
        var lines = ["HTTP/1.1 \(status) \(Self.reason(status))"]
        if page == nil { lines.append("Content-Type: text/plain; charset=utf-8") }
        lines += headers.map { "\($0.name): \($0.value)" }
        lines += [
            "Content-Length: \(length)", "Cache-Control: no-store", "X-Content-Type-Options: nosniff",
            "Connection: close", "", "",
        ]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 421: "Misdirected Request"
        case 431: "Request Header Fields Too Large"
        case 503: "Service Unavailable"
        default: "Error"
        }
    }
}
