import HostAccess
import HostModel
import Testing

@testable import Remedies

@Suite struct ImagePlanTests {
    private let image = BaseImage(name: "base", maximumBytes: 9)

    private func plan(
        _ target: PathState, free: Int = 6 << 30, complete: Bool = false, source: String = "/srv/base.tar",
        _ algorithm: ImageChecksum.Algorithm = .sha256
    ) throws -> Plan {
        let sum = try #require(ImageChecksum(algorithm, String(repeating: "ab", count: algorithm.digits / 2)))
        return imagePlan(
            for: Fixture.chosen, image: image, source: ImageSource(location: source, checksum: sum),
            facts: ImageFacts(directory: "/var/lib/lxc", target: target, freeBytes: free, hostname: "h"),
            isComplete: complete)
    }

    @Test func isOneStepWithoutAReversal() throws {
        let made = try plan(.absent, source: "https://images.example/base.tar.xz")
        #expect(made.refusal == nil)
        let change = try #require(made.changes.first)
        #expect(made.changes.count == 1 && change.undo.isEmpty && change.phase == .persistent)
        #expect(change.step.reversal == "none" && change.step.before == "absent")
        #expect(change.step.target == "/var/lib/lxc/base")
        #expect(change.step.risk.contains("fetched from https://images.example/base.tar.xz"))
        #expect(!change.step.risk.contains("MD5"))
        #expect(made.causes.map(\.check) == ["host.base-image-complete"])
        guard case .restoreImage(let order) = change.change else { return }
        #expect(order.bridge == "lxcbr1" && order.maximumBytes == 9 && order.hostname == "h")
        #expect(order.staging == "/var/lib/lxc/.lxc-doctor-base.new")
        #expect(order.flags == [".base.tar.xzunpacked", ".base.tar.xzhaclsdone"])
    }

    @Test func refusesWhatWouldCostSomething() throws {
        #expect(try plan(.absent, free: 1 << 20).refusal?.contains("/var/lib/lxc has 1 MiB free") == true)
        #expect(try plan(.directory).refusal?.contains("mv -T /var/lib/lxc/base /var/lib/lxc/.base.incomplete") == true)
        #expect(try plan(.symbolicLink("/x")).refusal == "/var/lib/lxc/base is no directory")
        #expect(try plan(.directory, complete: true).refusal == nil)
    }

    @Test func anMD5IsAWarning() throws {
        #expect(try plan(.absent, .md5).changes.first?.step.risk.contains("WARNING: an MD5") == true)
    }

    @Test func isExportedWithTheSum() throws {
        let script = shellScript(try plan(.absent))
        #expect(script.contains("sha256sum -c -"))
        #expect(script.contains("[ ! -e /var/lib/lxc/base ]"))
    }
}
