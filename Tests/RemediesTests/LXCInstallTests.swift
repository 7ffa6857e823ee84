import HostAccess
import HostModel
import Testing

@testable import Remedies

@Suite struct LXCInstallTests {
    private func plan(
        _ present: [String], database: [String: String] = [:], rpm: String? = nil
    ) throws -> Plan {
        var state = Fixture.healthy
        for path in present { state.paths[path] = Fixture.file("") }
        for (path, text) in database { state.paths[path] = Fixture.file(text) }
        let cause = Fixture.cause("lxc-not-installed", remedy: "lxc-install")
        let host = OverlayHost(state)
        host.versions[.rpm] = rpm
        return Remedies.plan(for: [cause], profile: Fixture.chosen, facts: try Fixture.facts(host))
    }

    private static let installed = "Package: lxc\nStatus: install ok installed\nVersion: 1\n"
    private static let removed = "Package: lxc\nStatus: deinstall ok config-files\nVersion: 1\n"

    @Test(
        arguments: [
            ("/usr/bin/apt-get", [:], "env DEBIAN_FRONTEND=noninteractive apt-get install --yes", "apt"),
            ("/usr/bin/apt-get", ["/var/lib/dpkg/status": installed], "--reinstall lxc", "apt"),
            ("/usr/bin/apt-get", ["/var/lib/dpkg/status": removed], "force-confold lxc", "apt"),
            ("/usr/bin/dnf", [:], "dnf install --assumeyes lxc", "dnf"), ("/sbin/apk", [:], "apk add lxc", "apk"),
            ("/sbin/apk", ["/lib/apk/db/installed": "P:lxc\nV:4.0\n"], "apk fix lxc", "apk"),
        ] as [(String, [String: String], String, String)])
    func isTheHostsOwnPackageManagers(program: String, database: [String: String], command: String, manager: String)
        throws
    {
        let made = try plan([program], database: database)
        #expect(made.byHand == [])
        let change = try #require(made.changes.first)
        #expect(made.changes.count == 1 && change.undo.isEmpty && change.phase == .persistent)
        #expect(change.step.command.contains(command), "\(change.step.command)")
        #expect(change.step.reversal == "none")
        #expect(change.step.after == "installed by \(manager)" && change.step.before == "absent")
        #expect(shellScript(made).contains(command))
    }

    /// rpm's list is no text: rpm is asked.
    @Test(
        arguments: [
            (nil, "dnf install --assumeyes lxc"), ("lxc-4.0.12-1.fc39", "dnf reinstall --assumeyes lxc"),
        ] as [(String?, String)])
    func whatRPMHasIsInstalledAgain(state: String?, command: String) throws {
        #expect(try plan(["/usr/bin/dnf"], rpm: state).changes.map(\.step.command) == [command])
    }

    @Test func aHostOfRPMsMayHaveAptBeside() throws {
        let made = try plan(["/usr/bin/apt-get", "/usr/bin/dnf"], database: ["/var/lib/dpkg/status": ""])
        #expect(made.changes.map(\.step.command) == ["dnf install --assumeyes lxc"])
        let debian = try plan(["/usr/bin/apt-get", "/usr/bin/dnf"], database: ["/var/lib/dpkg/status": Self.removed])
        #expect(debian.changes.first?.step.after == "installed by apt")
    }

    /// Of dnf and apk, neither half is told by a state: the package is known and its program there, or neither.
    @Test(arguments: [PackageManager.dnf, .apk])
    func whatIsKnownIsThere(manager: PackageManager) {
        #expect(manager.isSound(state: "lxc-5", isThere: true, again: false))
        #expect(manager.isSound(state: nil, isThere: false, again: false))
        #expect(!manager.isSound(state: nil, isThere: true, again: false))
        #expect(!manager.isSound(state: "lxc-5", isThere: false, again: false))
        // As it was found.
        #expect(manager.isSound(state: "lxc-5", isThere: false, again: true))
        #expect(!manager.isSound(state: nil, isThere: true, again: true))
    }

    @Test func whereThereIsNoneItIsLeftToAPerson() throws {
        let made = try plan([])
        #expect(made.changes == [])
        #expect(made.byHand.first?.why.contains("no package manager") == true)
    }

    /// Completed or absent, and not taken back by an undo: it says so.
    @Test func anUndoSaysThatItStays() throws {
        var state = Fixture.healthy
        state.paths["/usr/bin/apt-get"] = Fixture.file("")
        let host = OverlayHost(state)
        let store = MemoryJournalStore(host.faults)
        let applier = Applier(host: host, store: store, identity: Fixture.identity)
        let made = Remedies.plan(
            for: [Fixture.cause("lxc-not-installed", remedy: "lxc-install")], profile: Fixture.chosen,
            facts: try Fixture.facts(host))
        let done = Finding(
            check: "test.lxc-install", subject: Fixture.subject, title: "", area: .host, severity: .critical,
            verdict: .pass)
        let report = applier.apply(
            made, verify: Verification(before: [], proofBefore: nil, recheck: { _ in [done] }, prove: { nil }))
        #expect(report.outcome == .applied)
        let undo = applier.undo(nil)
        #expect(undo.outcome == .refused)
        let stays = "package lxc stays: it is complete, and nothing takes it back"
        #expect(undo.reason == "nothing of it can be taken back: \(stays)")
        #expect(host.state.path("/usr/bin/lxc-start") != .absent)
    }

    @Test(arguments: [
        ("ii ", true), ("rc ", true), ("un ", true), ("hi ", true), ("iHR", false), ("iU ", false), ("iF ", false),
        ("iiR", false), ("", false),
    ])
    func aHalfInstalledPackageIsToldByItsState(state: String, sound: Bool) {
        #expect(PackageManager.isSound(state: state) == sound)
    }
}
