import Testing

@testable import Watching

@Suite struct HTTPTests {
    private func read(_ text: String) -> HTTPRequestHead.Reading { HTTPRequestHead.read(Array(text.utf8)) }

    @Test func readsAHead() {
        let wanted = HTTPRequestHead(method: "GET", path: "/metrics", host: "localhost:9799")
        #expect(read("GET /metrics?x=1 HTTP/1.1\r\nHost: localhost:9799\r\nAccept: */*\r\n\r\n") == .whole(wanted))
        #expect(read("GET /metrics HTTP/1.1\nHost:localhost:9799\n\n") == .whole(wanted))
        #expect(read("GET / HTTP/1.0\r\n\r\n") == .whole(HTTPRequestHead(method: "GET", path: "/", host: nil)))
    }

    @Test(arguments: ["", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n"])
    func waitsForTheEnd(text: String) {
        #expect(read(text) == .incomplete)
    }

    @Test(arguments: [
        ("GET /\r\n\r\n", 400), ("GET / HTTP/2.0\r\n\r\n", 400), ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n: a\r\n\r\n", 400), ("GET /\u{0} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", 413),
        ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 413),
    ])
    func refusesWhatIsNoRequest(text: String, status: Int) {
        #expect(read(text) == .refused(status))
    }

    @Test func aHeadIsBounded() {
        let long = "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: HTTPRequestHead.longest)
        #expect(read(long) == .refused(431) && read(long + "\r\n\r\n") == .refused(431))
    }

    @Test(arguments: [
        ("localhost", true), ("LOCALHOST:9799", true), ("127.0.0.1", true), ("127.0.0.1:9799", true),
        ("[::1]:9799", true), ("[::1]", true), ("evil.example", false), ("evil.example:9799", false),
        ("127.0.0.1.evil.example", false),
    ])
    func aNameOfAnotherNameServerIsNotThisHost(host: String, means: Bool) {
        #expect(HTTPRequestHead(method: "GET", path: "/", host: host).meansThisHost == means)
    }

    private func answer(_ method: String, _ path: String, host: String? = nil, ready: Bool = true) -> HTTPAnswer {
        .to(HTTPRequestHead(method: method, path: path, host: host), isReady: ready, onlyThisHost: true)
    }

    @Test func answers() {
        for page in HTTPAnswer.Page.allCases { #expect(answer("GET", page.path).page == page) }
        #expect(answer("HEAD", "/metrics").omitsBody)
        #expect(answer("POST", "/metrics").status == 405)
        #expect(answer("GET", "/../etc/passwd").status == 404)
        #expect(answer("GET", "/metrics", ready: false).status == 503)
        #expect(answer("GET", "/report.json", host: "evil.example").status == 421)
        let open = HTTPAnswer.to(
            HTTPRequestHead(method: "GET", path: "/metrics", host: "host.example"), isReady: true, onlyThisHost: false)
        #expect(open.status == 200)
    }

    @Test func theHeadSaysHowLongTheBodyIs() {
        let head = String(decoding: answer("GET", "/").head(length: 42), as: UTF8.self)
        #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.hasSuffix("\r\n\r\n"))
        #expect(head.contains("\r\nContent-Length: 42\r\n") && head.contains("\r\nConnection: close\r\n"))
        #expect(head.contains("default-src 'none'") && head.contains("text/html; charset=utf-8"))
        let refusal = HTTPAnswer.refusal(405).head(length: 0)
        #expect(String(decoding: refusal, as: UTF8.self).contains("\r\nAllow: GET, HEAD\r\n"))
    }

    @Test(arguments: [
        ("127.0.0.1:9799", true), ("127.9.9.9:1", true), ("[::1]:9799", true), ("0.0.0.0:9799", false),
        ("192.0.2.1:80", false), ("[::]:80", false),
    ])
    func listenAddresses(text: String, isLoopback: Bool) throws {
        #expect(try #require(ListenAddress(text)).isLoopback == isLoopback)
    }

    @Test(arguments: ["", "9799", "localhost:9799", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "::1:80", "[x]:80"])
    func whatIsNoListenAddress(text: String) {
        #expect(ListenAddress(text) == nil)
    }
}

@Suite struct JournalEntryTests {
    @Test func fieldsAsTheJournalTakesThem() {
        let entry = JournalEntry(.critical, "no NAT", [("CAUSE", "masq-missing"), ("DETAIL", "a\nb")])
        let text = "MESSAGE=no NAT\nPRIORITY=2\nSYSLOG_IDENTIFIER=lxc-doctor\nLXC_DOCTOR_CAUSE=masq-missing\n"
        let bytes =
            Array(text.utf8) + Array("LXC_DOCTOR_DETAIL\n".utf8) + [3, 0, 0, 0, 0, 0, 0, 0] + Array("a\nb\n".utf8)
        #expect(entry.datagram == bytes)
        #expect(entry.line == "<2>no NAT\n")
    }

    @Test func aValueIsBounded() {
        let entry = JournalEntry(.notice, String(repeating: "x", count: 100_000))
        #expect(entry.datagram.count < 5_000)
    }

    @Test func aMessageCannotForgeAnotherLine() {
        #expect(JournalEntry(.notice, "a\n<0>b").line == "<5>a <0>b\n")
    }
}
