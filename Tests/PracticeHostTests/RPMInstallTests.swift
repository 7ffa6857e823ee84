import Foundation
import HostModel
import TestSupport
import Testing

/// LXC, installed by the real dnf and rpm from an archive that the practice host serves itself.
@Suite(.serialized) struct RPMInstallTests {
    @Test("is installed where it is missing, works at once and after a boot", arguments: ["programs", "package"])
    func isInstalled(missing: String) throws {
        let installed = try InstallLab.install(missing, with: InstallLab.runWithRPM)
        let broken = installed.broken
        #expect(broken.causes.first?.id == "lxc-not-installed", "\(broken.causes.map(\.id))")
        let after = installed.after
        #expect(after.verdict == .healthy, "\(after.causes.map(\.id)) \(String(describing: after.fixes))")
        #expect(after.proof?.verdict == .masqueraded)
        let step = try #require(after.fixes?.steps.first)
        #expect(step.remedy == "lxc-install" && step.reversal == "none" && step.after == "installed by dnf")
        #expect(step.command == "dnf \(missing == "programs" ? "reinstall" : "install") --assumeyes lxc")
        #expect(installed.isSound)
        let booted = installed.booted
        #expect(booted.verdict == .healthy, "\(booted.causes.map(\.id))")
    }

    @Test func isShownAndNotInstalledWithoutConsent() throws {
        let ended = try InstallLab.runWithRPM(
            #"""
            repack >&2
            lxc-doctor fix plan | grep -c 'by hand *dnf install --assumeyes lxc$'
            lxc-doctor --auto-remediate --quiet </dev/null; echo "status $?"
            rpm --query lxc >&2 || ls /usr/bin/lxc-start 2>/dev/null || echo ABSENT
            """#)
        #expect(ended.lines == ["1", "status 64", "ABSENT"], "\(ended.messages)")
    }

    @Test func whereItIsNotToBeHadNothingIsChanged() throws {
        let ended = try InstallLab.runWithRPM(
            #"""
            repack >&2; rm /srv/archive/lxc.rpm
            before=$(rpm -qa; find /etc /usr/bin | sort)
            lxc-doctor --auto-remediate --yes --only host.lxc-installed --proof off --format json >/tmp/report; echo "status $?"
            [ "$before" = "$(rpm -qa; find /etc /usr/bin | sort)" ] && echo UNCHANGED
            grep -c '"outcome" *: *"rolledBack"' /tmp/report
            """#)
        #expect(ended.lines == ["status 2", "UNCHANGED", "1"], "\(ended.messages)")
    }

    /// dnf has every package in its cache before rpm touches the first: no archive is needed to complete it. `stage`: the
    /// script of the package in which it is killed.
    @Test("killed while the package is unpacked, ends installed", arguments: ["pre", "post"], [true, false])
    func isKilled(stage: String, kept: Bool) throws {
        let ended = try InstallLab.runWithRPM(
            #"""
            \#(stage)=$(hang); repack >&2 2>&1
            lxc-doctor fix apply --yes --quiet --only host.lxc-installed --proof off & doctor=$!
            until [ -s /tmp/inside ]; do sleep 0.05; done
            kill -9 $doctor; wait $doctor 2>/dev/null; sleep 0.3
            pgrep -x "dnf|rpm" || pgrep -x sleep || echo ENDED
            \#(kept ? ":" : "kill $server; rm -rf /srv/archive")
            lxc-doctor fix history >/tmp/history 2>&1; echo "status $?"
            tr -s '\n ' '  ' </tmp/history | grep -o 'package lxc stays: it is complete'
            installed && echo INSTALLED
            """#)
        #expect(
            ended.lines == ["ENDED", "status 0", "package lxc stays: it is complete", "INSTALLED"],
            "\(ended.output) \(ended.messages)")
    }

    @Test func killedAnywhereItIsInstalledOrNot() throws {
        let result = try InstallLab.kill("programs", with: InstallLab.runWithRPM)
        #expect(result.remedies == ["lxc-install"])
    }
}
