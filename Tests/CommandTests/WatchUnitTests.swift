import Foundation
import TestSupport
import Testing

/// The unit file that is shipped.
@Suite(.serialized) struct WatchUnitTests {
    private static let unit = WatchLab.root + "/packaging/lxc-doctor.service"

    /// systemd itself finds nothing to say of it. The program stands where `make install` puts it.
    @Test func systemdTakesTheUnit() throws {
        let ended = try Program.lab(
            [],
            "cp '\(Self.unit)' /tmp/lxc-doctor.service; systemd-analyze verify --man=no /tmp/lxc-doctor.service "
                + "&& ! sed s/Restart=on-failure/Restart=sometimes/ /tmp/lxc-doctor.service >/tmp/bad.service; "
                + "systemd-analyze verify --man=no /tmp/bad.service 2>&1 | grep -c sometimes")
        #expect(
            ended.status == 0 && ended.output == "1\n" && ended.messages.isEmpty, "\(ended.output)\(ended.messages)")
    }

    /// The capabilities of the unit suffice for everything, and none of them is for show.
    @Test func theUnitsCapabilitiesSuffice() throws {
        try WatchLab.pass(
            ["--containers", "1"],
            """
            line = next(l for l in read(f"{ROOT}/packaging/lxc-doctor.service").splitlines()
                        if l.startswith("CapabilityBoundingSet="))
            names = [name.removeprefix("CAP_").lower() for name in line.split("=")[1].split()]
            bounds = "-all," + ",".join("+" + name for name in names)
            begin = ["setpriv", "--bounding-set", bounds, "--inh-caps", "-all", "--no-new-privs"]
            class Bounded(Watch):
                def __init__(self, *arguments, **options):
                    super().__init__(*arguments, **options)
                    self.arguments = begin + self.arguments
            with Bounded() as watch:
                report = watch.report()
                unseen = [f["check"] + ": " + f.get("reason", "") for f in report["findings"] if f["verdict"] == "unknown"]
                expect(not unseen, unseen)
                expect(report["verdict"] == "healthy" and report["proof"]["verdict"] == "masqueraded", report["verdict"])
                expect(int(next(l for l in read(f"/proc/{watch.server()}/status").splitlines()
                           if l.startswith("CapEff")).split()[1], 16) == 0)
            """)
    }
}
