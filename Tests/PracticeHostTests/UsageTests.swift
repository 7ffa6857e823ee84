import Glibc
import Testing

@Suite("lab run", .serialized, .enabled(if: BuiltProgram.isRoot))
struct UsageTests {
    @Test(
        "passes the command's status on",
        arguments: [
            ("exit 0", Int32(0)), ("exit 7", 7), ("kill -9 $$", 137), ("kill -TERM $$", 143), ("exec /nowhere", 127),
        ])
    func status(script: String, wanted: Int32) {
        #expect(BuiltProgram.lab([], ["sh", "-c", script]).status == wanted)
    }

    @Test("keeps the working directory and the streams")
    func streams() {
        let result = BuiltProgram.shell(
            "cd /usr/share && echo input | $0 lab run -- sh -c 'pwd; cat; echo error >&2'".replacingFirst(
                "$0", BuiltProgram.path))
        #expect(result.output == "/usr/share\ninput\n")
        #expect(result.errors == "error\n")
    }

    @Test("passes a signal on to the command", arguments: [SIGTERM, SIGINT, SIGHUP])
    func signals(number: Int32) {
        let output = BuiltProgram.temporaryFile()
        let errors = BuiltProgram.temporaryFile()
        let child = BuiltProgram.start(
            [
                BuiltProgram.path, "lab", "run", "--", "sh", "-c",
                "trap 'echo caught; exit 9' TERM INT HUP; echo ready; i=0; while [ $i -lt 500 ]; do sleep 0.02; i=$((i+1)); done",
            ], output: output, errors: errors)
        for _ in 0..<500 where !BuiltProgram.text(of: output).contains("ready") { usleep(10_000) }
        kill(child, number)
        #expect(BuiltProgram.wait(child) == 9)
        #expect(BuiltProgram.text(of: output) == "ready\ncaught\n")
    }

    @Test("says what it needs without root")
    func unprivileged() {
        let result = BuiltProgram.run([
            "setpriv", "--reuid", "65534", "--clear-groups", BuiltProgram.path, "lab", "run", "--", "true",
        ])
        #expect(result.status == 77)
        #expect(result.output.isEmpty)
        #expect(result.errors.contains("needs root"))
        #expect(result.errors.split(separator: "\n").count == 1)
    }

    @Test("says what it needs where it may not make namespaces")
    func noNamespaces() {
        _ = BuiltProgram.layers
        let result = BuiltProgram.run([
            "setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin", BuiltProgram.path, "lab", "run",
            "--",
            "true",
        ])
        #expect(result.status == 77)
        #expect(result.errors.contains("CAP_SYS_ADMIN"))
        #expect(result.errors.split(separator: "\n").count == 1)
    }

    @Test("shows what is mounted below the root, and keeps writes away from it")
    func mountBelowRoot() {
        _ = BuiltProgram.layers
        let result = BuiltProgram.shell(
            """
            unshare --mount --propagation private sh -c '
            mount -t tmpfs below /srv && echo machine > /srv/file && cd /srv
            "$1" lab run -- sh -c "cat file; echo inside > file; cat file"
            cat /srv/file
            ' sh "$1"
            """, BuiltProgram.path)
        #expect(result.output == "machine\ninside\nmachine\n", "\(result.errors)")
    }

    @Test("has its layers where /var is a filesystem of its own")
    func separateVar() {
        _ = BuiltProgram.layers
        let result = BuiltProgram.shell(
            """
            unshare --mount --propagation private sh -c '
            mount --bind /var /var
            "$1" lab run --containers 1 -- sh -c "lxc-ls --running; touch /var/lib/inside; dpkg-query -Wf x lxc"
            ls /var/lib/inside
            ' sh "$1"
            """, BuiltProgram.path)
        #expect(result.output.split(whereSeparator: \.isWhitespace) == ["c1", "x"], "\(result.errors)")
    }

    @Test("says which layer is missing")
    func noLayers() {
        let result = BuiltProgram.shell("LXC_DOCTOR_LAYERS=/nowhere/layers $1 lab run -- true", BuiltProgram.path)
        #expect(result.status == 77)
        #expect(result.errors.contains("lab layers"))
    }

    @Test("refuses layers that somebody else could have written")
    func foreignLayers() {
        let result = BuiltProgram.shell(
            """
            directory=$(mktemp -d) && chown 65534 $directory
            LXC_DOCTOR_LAYERS=$directory $1 lab run -- true; status=$?
            rm -rf $directory; exit $status
            """, BuiltProgram.path)
        #expect(result.status == 65)
        #expect(result.errors.contains("must belong to root"))
    }

    @Test(
        "refuses what is not a fault, with a hint",
        arguments: [
            ("masq-mising", "masq-missing"), ("bridge-wrong-address-or-mask=bogus", "it has mask, address"),
            ("zzzzzzzzzzzzzzzz", "list faults"),
        ])
    func unknownFault(fault: String, hint: String) {
        let result = BuiltProgram.lab(["--fault", fault], ["true"])
        #expect(result.status == 64)
        #expect(result.errors.contains(hint))
    }
}

extension String {
    fileprivate func replacingFirst(_ word: String, _ other: String) -> String {
        guard let range = firstRange(of: word) else { return self }
        return String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
    }
}
