import Glibc
import Testing

@Suite("A killed practice host", .serialized, .enabled(if: BuiltProgram.isRoot))
struct KilledRunTests {
    /// Set-up takes about 200 ms, with a container about 350.
    @Test("leaves nothing that works, whenever it is killed")
    func killedAnywhere() {
        _ = BuiltProgram.layers
        let before = BuiltProgram.machineState()
        // Of whoever ran here before, in control groups that are not ours.
        let strangers = emptyGroups()
        let marker = "31415\(getpid())"
        for attempt in 0..<24 {
            let child = BuiltProgram.start(
                [
                    BuiltProgram.path, "lab", "run", "--containers", attempt.isMultiple(of: 2) ? "1" : "0", "--",
                    "sleep",
                    marker,
                ], output: BuiltProgram.temporaryFile(), errors: BuiltProgram.temporaryFile())
            usleep(useconds_t(attempt * 17_000 + Int.random(in: 0..<17_000)))
            kill(child, SIGKILL)
            #expect(BuiltProgram.wait(child) == 137)
            #expect(eventually { processes(with: marker).isEmpty }, "attempt \(attempt): processes are left")
        }
        #expect(eventually { BuiltProgram.machineState() == before })
        // Another run removes the directories of those.
        #expect(BuiltProgram.lab([], ["true"]).status == 0)
        groupsAreGone(but: strangers)
    }

    @Test("takes every process of the host along")
    func daemons() {
        let marker = "27182\(getpid())"
        let result = BuiltProgram.lab([], ["sh", "-c", "setsid sleep \(marker) & exit 0"])
        #expect(result.status == 0)
        #expect(eventually { processes(with: marker).isEmpty })
    }

    @Test("ends though a container in it is frozen", arguments: ["exit 3", "kill -9 $$"])
    func frozen(ending: String) {
        let result = BuiltProgram.lab(
            ["--containers", "1"], ["timeout", "20", "sh", "-c", "lxc-freeze -n c1 && lxc-info -n c1 -s; \(ending)"])
        #expect(result.output.contains("FROZEN"), "\(result)")
        #expect(result.status == (ending == "exit 3" ? 3 : 137))
    }

    @Test("that is killed while a container in it is frozen ends with the next run")
    func killedWhileFrozen() {
        let marker = "16180\(getpid())"
        let strangers = emptyGroups()
        let output = BuiltProgram.temporaryFile()
        let child = BuiltProgram.start(
            [
                BuiltProgram.path, "lab", "run", "--containers", "1", "--", "sh", "-c",
                "lxc-attach -n c1 -- sleep \(marker) & sleep 0.5; lxc-freeze -n c1; echo frozen; sleep \(marker)",
            ], output: output, errors: BuiltProgram.temporaryFile())
        #expect(eventually { BuiltProgram.shell("cat /proc/\(getpid())/fd/\(output)").output.contains("frozen") })
        kill(child, SIGKILL)
        #expect(BuiltProgram.wait(child) == 137)
        #expect(BuiltProgram.lab([], ["true"]).status == 0)
        #expect(eventually { processes(with: marker).isEmpty })
        #expect(BuiltProgram.lab([], ["true"]).status == 0)
        groupsAreGone(but: strangers)
    }

    /// Others start and end hosts meanwhile, and theirs are empty for a moment: each that was seen has to go.
    private func groupsAreGone(but strangers: Set<String>) {
        var left = emptyGroups().subtracting(strangers)
        #expect(
            eventually {
                left.formIntersection(emptyGroups())
                return left.isEmpty
            }, "\(left)")
    }

    private func eventually(_ condition: () -> Bool) -> Bool {
        for _ in 0..<300 {
            if condition() { return true }
            usleep(10_000)
        }
        return condition()
    }

    private func processes(with marker: String) -> String {
        BuiltProgram.shell("grep -lasF \(marker) /proc/[0-9]*/cmdline | grep -v /self/ || true").output
            .split(separator: "\n").filter { line in
                // The shell and the grep that ask.
                let text = BuiltProgram.shell("tr '\\0' ' ' < \(line) 2>/dev/null").output
                return text.contains(marker) && !text.contains("grep")
            }.joined()
    }

    private func emptyGroups() -> Set<String> {
        let found = BuiltProgram.shell(
            """
            find /sys/fs/cgroup -type d -name 'lxc-doctor-practice.*' 2>/dev/null | while read -r group; do
                [ -n "$(find $group -name cgroup.procs -exec cat {} + 2>/dev/null)" ] || echo $group
            done
            """
        ).output
        return Set(found.split(separator: "\n").map(String.init))
    }
}
