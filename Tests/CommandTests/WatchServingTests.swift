import TestSupport
import Testing

/// What `watch` gives to others: pages, a file, log entries, and its state to the service manager.
@Suite(.serialized) struct WatchServingTests {
    @Test func thePagesAreServedAndKeepTheirSchemas() throws {
        try WatchLab.pass(
            ["--containers", "1"],
            """
            import jsonschema
            def valid(body, name):
                schema = json.load(open(f"{ROOT}/reports/schema/{name}.v1.schema.json"))
                jsonschema.Draft202012Validator(schema).validate(json.loads(body))
            with Watch() as watch:
                for path, kind, part in [
                    ("/metrics", "text/plain; version=0.0.4; charset=utf-8", "lxc_doctor_watch_up 1"),
                    ("/healthz", "application/json", '"schema" : "lxc-doctor/watch/1"'),
                    ("/report.json", "application/json", '"schema" : "lxc-doctor/report/1"'),
                    ("/", "text/html; charset=utf-8", "<!DOCTYPE html>"),
                ]:
                    status, headers, body = get(path)
                    expect(status == 200 and headers["Content-Type"] == kind, path, status, headers)
                    expect(part.lower() in body.lower() and int(headers["Content-Length"]) == len(body.encode()), path)
                    expect(headers["Connection"] == "close" and headers["Cache-Control"] == "no-store")
                    status, headers, body = get(path, method="HEAD")
                    expect(status == 200 and body == "" and int(headers["Content-Length"]) > 100, path)
                valid(get("/healthz")[2], "watch")
                valid(get("/report.json")[2], "report")
                expect(get("/")[1]["Content-Security-Policy"].startswith("default-src 'none'"))
                for path, status in [("/other", 404), ("/../etc/passwd", 404), ("/metrics/", 404)]:
                    expect(get(path)[0] == status, path)
                expect(get("/metrics", method="POST")[0] == 405)
                expect(get("/report.json", headers={"Host": "evil.example"})[0] == 421)
            """)
    }

    /// The process that answers has no capability, no user of the host, no file but its sockets; it ends with the watch,
    /// and is started again when it ends alone.
    @Test func theServerHasNoRights() throws {
        try WatchLab.pass(
            [],
            """
            with Watch("--proof", "off") as watch:
                # It answers nobody before it has given up everything.
                expect(get("/metrics")[0] == 200)
                server = watch.server()
                status = dict(line.split(":", 1) for line in read(f"/proc/{server}/status").splitlines())
                for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]:
                    expect(int(status[name], 16) == 0, name, status[name])
                expect(status["Uid"].split() == ["65534"] * 4 and status["Gid"].split() == ["65534"] * 4)
                expect(status["NoNewPrivs"].strip() == "1" and status["Groups"].strip() == "")
                files = {os.readlink(f"/proc/{server}/fd/{fd}") for fd in os.listdir(f"/proc/{server}/fd")}
                odd = [file for file in files if not file.startswith(("socket:", "/memfd:lxc-doctor", "/dev/null"))
                       and file != "/tmp/watch.log"]
                expect(not odd, odd)
                os.kill(server, signal.SIGKILL)
                def again():
                    try:
                        return get("/metrics")[0] == 200
                    except OSError:
                        return False
                until("it serves again", again)
                expect(watch.server() != server and "page server ended" in watch.log(), watch.log())
                server = watch.server()
                os.kill(watch.pid, signal.SIGKILL)
                watch.process.wait()
                until("the server ends with the watch", lambda: not os.path.exists(f"/proc/{server}/exe")
                      or "State:\\tZ" in read(f"/proc/{server}/status"), 5)
            """)
    }

    @Test func connectionsHeadsAndTimeAreBounded() throws {
        try WatchLab.pass(
            [],
            """
            def connect():
                line = socket.create_connection(("127.0.0.1", PORT))
                line.settimeout(15)
                return line
            def answer(sent):
                with connect() as line:
                    line.sendall(sent)
                    got = b""
                    with contextlib.suppress(ConnectionResetError):
                        while part := line.recv(65536):
                            got += part
                    return got.split(b"\\r\\n")[0].decode()
            with Watch("--proof", "off") as watch:
                expect(answer(b"GET /metrics HTTP/1.1\\r\\nHost: localhost\\r\\nX: " + b"x" * 9000) ==
                       "HTTP/1.1 431 Request Header Fields Too Large")
                expect(answer(b"nonsense\\r\\n\\r\\n") == "HTTP/1.1 400 Bad Request")
                begin = time.monotonic()
                expect(answer(b"GET / HTTP/1.1\\r\\nHost:") == "HTTP/1.1 408 Request Timeout")
                expect(4 < time.monotonic() - begin < 9, time.monotonic() - begin)
                # Sixty that say nothing: it holds no more than its bound, and answers when their time is over.
                idle = [connect() for _ in range(60)]
                time.sleep(0.3)
                held = [file for file in (os.readlink(f"/proc/{watch.server()}/fd/{fd}")
                        for fd in os.listdir(f"/proc/{watch.server()}/fd")) if file.startswith("socket:")]
                expect(len(held) <= 32 + 3, len(held))
                begin = time.monotonic()
                expect(get("/metrics")[0] == 200)
                expect(time.monotonic() - begin < 15, time.monotonic() - begin)
                # The watch itself was not held up by any of it.
                sh("nft flush ruleset")
                expect(milliseconds_until("masq-missing") < 1000)
                for line in idle:
                    line.close()
            """)
    }

    /// A reader sees the old file or the new one, never a part of one.
    @Test func theFileIsReplacedWhole() throws {
        try WatchLab.pass(
            ["--profile", "makina"],
            """
            import threading
            seen, stop = set(), threading.Event()
            def reader():
                while not stop.is_set():
                    text = read(FILE)
                    seen.add((text.startswith("# HELP lxc_doctor_build_info"), "lxc_doctor_watch_up 1\\n" in text,
                              text.endswith("\\n")))
            with Watch("--proof", "off", serve=False) as watch:
                expect(os.stat(FILE).st_mode & 0o777 == 0o644)
                thread = threading.Thread(target=reader)
                thread.start()
                first = os.stat(FILE).st_ino
                for index in range(20):
                    sh("nft add table ip harmless; nft delete table ip harmless")
                    time.sleep(0.05)
                stop.set()
                thread.join()
                expect(seen == {(True, True, True)}, seen)
                expect(os.stat(FILE).st_ino != first, "it was not replaced")
                expect(not [name for name in os.listdir("/tmp") if name.startswith(".watch.prom")])
            expect("lxc_doctor_watch_up 0\\n" in read(FILE) and "check_verdict" not in read(FILE), read(FILE))
            """)
    }

    /// A stand-in for the journal's socket takes what is written; the fields are those of systemd's native protocol.
    @Test func theJournalGetsStructuredEntries() throws {
        try WatchLab.pass(
            ["--profile", "makina"],
            """
            journal = Sink("/run/systemd/journal/socket")
            def entries():
                return [dict(line.split("=", 1) for line in part.decode().splitlines()) for part in journal.all()]
            with Watch("--proof", "off", journal=True) as watch:
                sh("nft flush ruleset")
                until("the cause is logged", lambda: any(e.get("LXC_DOCTOR_EVENT") == "cause-appeared" for e in entries()))
                until("the verdict is logged", lambda: any(e.get("LXC_DOCTOR_EVENT") == "verdict" for e in entries()))
                cause = [e for e in entries() if e.get("LXC_DOCTOR_EVENT") == "cause-appeared"][0]
                expect(cause["LXC_DOCTOR_CAUSE"] == "masq-missing" and cause["PRIORITY"] == "2", cause)
                expect(cause["LXC_DOCTOR_SUBJECT"] == "network lxcbr1" and cause["SYSLOG_IDENTIFIER"] == "lxc-doctor")
                broke = [e for e in entries() if e.get("LXC_DOCTOR_EVENT") == "broke"]
                expect(any(e["LXC_DOCTOR_CHECK"] == "nat.masquerade" and e["LXC_DOCTOR_VERDICT"] == "fail" for e in broke))
                expect(watch.log() == "", watch.log())
            """)
    }

    /// Without a journal, lines with the priority in front (sd-daemon(3)).
    @Test func withoutAJournalLinesCarryTheirPriority() throws {
        try WatchLab.pass(
            ["--profile", "makina", "--fault", "masq-missing"],
            """
            with Watch("--proof", "off", journal=True) as watch:
                lines = watch.log().splitlines()
                expect(lines and all(line[0] == "<" and line[2] == ">" for line in lines), lines)
                expect(any(line.startswith("<2>root cause:") and "[masq-missing]" in line for line in lines), lines)
            """)
    }

    /// A service that starts the watch with another standard error than its own hands the variable on.
    @Test func aStreamOfAnotherProcessIsNotTheJournal() throws {
        try WatchLab.pass(
            ["--profile", "makina", "--fault", "masq-missing"],
            """
            journal = Sink("/run/systemd/journal/socket")
            with Watch("--proof", "off", environment={"JOURNAL_STREAM": "8:1"}) as watch:
                expect("[masq-missing]" in watch.log(), watch.log())
            expect(journal.all() == [], journal.all())
            """)
    }

    @Test func theServiceManagerIsTold() throws {
        try WatchLab.pass(
            ["--profile", "makina"],
            """
            with Watch("--proof", "off", environment={"WATCHDOG_USEC": "400000"}) as watch:
                expect("READY=1\\nSTATUS=healthy: " in watch.manager.text(), watch.manager.text())
                until("the watchdog is fed", lambda: watch.manager.text().count("WATCHDOG=1") >= 3, 3)
                watch.process.send_signal(signal.SIGHUP)
                until("it says that it reloads", lambda: "RELOADING=1\\nMONOTONIC_USEC=" in watch.manager.text(), 3)
            expect("STOPPING=1" in watch.manager.text())
            expect(watch.process.returncode == 0, watch.process.returncode)
            """)
    }

    @Test func aHangupReadsTheConfigurationAgain() throws {
        try WatchLab.pass(
            ["--profile", "makina", "--fault", "masq-missing"],
            """
            os.makedirs("/etc/lxc-doctor", exist_ok=True)
            def waivers(text):
                open("/etc/lxc-doctor/waivers.yaml", "w").write(text)
                watch.process.send_signal(signal.SIGHUP)
            with Watch("--proof", "off") as watch:
                expect(watch.status()["verdict"] == "critical")
                waivers("waivers:\\n  - id: masq-missing\\n    subject: lxcbr1\\n    reason: a test\\n    expires: 2999-12-31\\n")
                until("the waiver holds", lambda: watch.status()["verdict"] != "critical", 5)
                expect('waiver_state{id="masq-missing"' in read(FILE))
                waivers("waivers: nonsense\\n")
                until("it complains", lambda: "the old configuration stays" in watch.log(), 5)
                expect(watch.status()["verdict"] != "critical" and watch.process.poll() is None)
            """)
    }

    @Test(arguments: [
        (["--proof", "wire"], Int32(64), "--allow-wire"), (["--listen", "0.0.0.0:9799"], 64, "--allow-remote"),
        (["--listen", "192.0.2.1:9799"], 64, "--allow-remote"), (["--listen", "localhost:9799"], 64, "in numbers"),
        (["--textfile", "/tmp/x"], 64, "ends in .prom"), (["--auto-remediate"], 64, "needs --remedy"),
        (["--remedy", "masquerade"], 64, "goes with --auto-remediate"), (["--poll", "0"], 64, "--poll takes seconds"),
        (["--auto-remediate", "--remedy", "nonsense"], 64, "there is no remedy 'nonsense'"),
        (["--profile", "makena"], 64, "did you mean"),
    ])
    func badInput(arguments: [String], status: Int32, words: String) throws {
        let ended = try Program.lab(
            ["--profile", "makina"], "exec lxc-doctor watch \(arguments.joined(separator: " "))")
        #expect(ended.status == status && ended.output.isEmpty, "\(ended.output)\(ended.messages)")
        #expect(ended.messages.contains(words) && ended.messages.split(separator: "\n").count == 1, "\(ended.messages)")
    }

    @Test func anAddressThatIsTakenIsAnError() throws {
        let ended = try Program.lab(
            ["--profile", "makina"],
            "python3 -c 'import socket; s=socket.create_server((\"127.0.0.1\", 9799)); import time; time.sleep(5)' & "
                + "sleep 1; exec lxc-doctor watch --listen 127.0.0.1:9799")
        #expect(ended.status == 64 && ended.messages.contains("listen on 127.0.0.1:9799"), "\(ended.messages)")
    }

    @Test func withoutPrivilegeItDoesNotStay() throws {
        let ended = try Program.lab(
            ["--profile", "makina"], "exec setpriv --reuid 65534 --regid 65534 --clear-groups lxc-doctor watch")
        #expect(ended.status == 77 && ended.messages.contains("CAP_NET_ADMIN"), "\(ended.messages)")
    }
}
