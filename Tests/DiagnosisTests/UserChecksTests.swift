import BuiltInCatalog
import CheckCatalog
import HostAccess
import HostModel
import Testing

@testable import Diagnosis

@Suite struct UserChecksTests {
    static let good = """
        id: host.panic
        title: The kernel restarts after a panic
        severity: notice
        subject: host
        rationale: Nobody sits beside it.
        observe: { sysctl: { key: kernel.panic } }
        expect: { value: { notEquals: "0" } }

        """

    private func read(_ files: [(name: String, text: String, mode: Int)], folderMode: Int = 0o755) -> Result<
        [Check], CatalogError
    > {
        let host = FakeHost()
        host.files[UserChecks.folder] = (
            "", FileStatus(kind: .directory, mode: folderMode, owner: 0, group: 0, size: 0)
        )
        for file in files { host.add(UserChecks.folder + "/" + file.name, file.text, mode: file.mode) }
        do throws(CatalogError) {
            return .success(
                try UserChecks.read(
                    beside: BuiltIn.checks(), causes: BuiltIn.causes(), probes: Vocabulary.probes, on: host))
        } catch {
            return .failure(error)
        }
    }

    @Test func readsThem() throws {
        #expect(try read([("a.yaml", Self.good, 0o644), ("README", "x", 0o644)]).get().map(\.id) == ["host.panic"])
    }

    @Test func noFolderIsNoCheck() throws {
        let checks = try UserChecks.read(
            beside: BuiltIn.checks(), causes: BuiltIn.causes(), probes: Vocabulary.probes, on: FakeHost())
        #expect(checks.isEmpty)
    }

    @Test(arguments: [
        (good, 0o664, 0o755, "/etc/lxc-doctor/checks.d/a.yaml: is refused: others may write to it (mode 664)"),
        (good, 0o644, 0o777, "/etc/lxc-doctor/checks.d: is refused: others may write to it (mode 777)"),
        ("id: host.x\n", 0o644, 0o755, "/etc/lxc-doctor/checks.d/a.yaml:1:1: the key \"title\" is missing"),
        (
            good.replacing("sysctl:", with: "sysctal:"), 0o644, 0o755,
            "/etc/lxc-doctor/checks.d/a.yaml: host.panic: unknown probe \"sysctal\"; did you mean \"sysctl\"?"
        ),
        (
            good.replacing("host.panic", with: "host.lxc-path"), 0o644, 0o755,
            "/etc/lxc-doctor/checks.d: host.lxc-path: a second check of this id"
        ),
    ]) func refuses(_ text: String, _ mode: Int, _ folderMode: Int, _ message: String) {
        guard case .failure(let error) = read([("a.yaml", text, mode)], folderMode: folderMode) else {
            Issue.record("it was read")
            return
        }
        #expect(error.description.hasPrefix(message), "\(error)")
    }
}
