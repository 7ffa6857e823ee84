import Foundation
import HostModel
import TestSupport
import Testing

/// LXC, installed by the real apt from an archive that is a directory.
@Suite(.serialized) struct InstallTests {
    private static let subject = (cause: "lxc-not-installed", remedy: "lxc-install")

    @Test("is installed where it is missing, works at once and after a boot", arguments: ["programs", "package"])
    func isInstalled(missing: String) throws {
        let installed = try InstallLab.install(missing, with: InstallLab.run)
        let broken = installed.broken
        #expect(broken.causes.first?.id == Self.subject.cause, "\(broken.causes.map(\.id))")
        let after = installed.after
        #expect(after.verdict == .healthy, "\(after.causes.map(\.id)) \(String(describing: after.fixes))")
        #expect(after.proof?.verdict == .masqueraded)
        let step = try #require(after.fixes?.steps.first)
        #expect(step.remedy == Self.subject.remedy && step.reversal == "none" && step.target == "package lxc")
        #expect(step.command.contains("apt-get install --yes") && step.command.hasSuffix(" lxc"))
        #expect(step.command.contains("--reinstall") == (missing == "programs"))
        #expect(installed.isSound)
        TestResults.note(.reproduced, [Self.subject.cause])
        TestResults.note(.repaired, [Self.subject.cause])
        let booted = installed.booted
        #expect(booted.verdict == .healthy, "\(booted.causes.map(\.id))")
    }

    @Test func isShownAndNotInstalledWithoutConsent() throws {
        let ended = try InstallLab.run(
            #"""
            repack >&2; programs
            lxc-doctor fix plan | grep -c 'by hand *env DEBIAN_FRONTEND=noninteractive apt-get install --yes'
            lxc-doctor --auto-remediate --quiet </dev/null; echo "status $?"
            ls /usr/bin/lxc-start 2>/dev/null || echo ABSENT
            """#)
        #expect(ended.lines == ["1", "status 64", "ABSENT"], "\(ended.messages)")
    }

    @Test func whereItIsNotToBeHadNothingIsChanged() throws {
        let ended = try InstallLab.run(
            #"""
            repack >&2; package >&2 2>&1; rm /srv/archive/lxc.deb
            before=$(dpkg-query -W; find /etc /usr/bin | sort)
            lxc-doctor --auto-remediate --yes --only host.lxc-installed --proof off --format json >/tmp/report; echo "status $?"
            [ "$before" = "$(dpkg-query -W; find /etc /usr/bin | sort)" ] && echo UNCHANGED
            dpkg --audit; grep -c '"outcome" *: *"rolledBack"' /tmp/report
            """#)
        #expect(ended.lines == ["status 2", "UNCHANGED", "1"], "\(ended.messages)")
    }

    /// `kept`: whether the archive is still there when the next start completes or removes what is half installed.
    @Test("killed while the package is unpacked, ends installed or absent", arguments: [true, false])
    func isKilled(kept: Bool) throws {
        let ended = try InstallLab.run(
            #"""
            repack >&2; package >&2 2>&1
            printf '#!/bin/sh\necho $$ >/tmp/inside; sleep 30\n' >/srv/pack/DEBIAN/preinst; chmod 755 /srv/pack/DEBIAN/preinst
            publish
            lxc-doctor fix apply --yes --quiet --only host.lxc-installed --proof off & doctor=$!
            until [ -s /tmp/inside ]; do sleep 0.05; done
            kill -9 $doctor; wait $doctor 2>/dev/null; sleep 0.3
            pgrep -x 'apt-get|dpkg' || pgrep -x 'preinst|sleep' || echo ENDED
            printf '#!/bin/sh\n' >/srv/pack/DEBIAN/preinst; publish; KEPT
            lxc-doctor fix history --quiet; echo "status $?"
            [ -z "$(dpkg --audit)" ] && echo SOUND
            if [ -e /usr/bin/lxc-start ]; then installed && echo INSTALLED; else dpkg-query -W -f '${db:Status-Status}' lxc; fi
            """#.replacing("KEPT", with: kept ? ":" : "rm /srv/archive/lxc.deb"))
        #expect(ended.lines.prefix(3) == ["ENDED", "status 0", "SOUND"], "\(ended.messages)")
        let last = ended.lines.last ?? ""
        #expect(kept ? last == "INSTALLED" : ["config-files", "not-installed"].contains(last), "\(ended.output)")
    }

    @Test func killedAnywhereItIsInstalledOrNot() throws {
        let result = try InstallLab.kill("programs", with: InstallLab.run)
        #expect(result.remedies == [Self.subject.remedy])
        TestResults.note(.killed, result.remedies)
    }
}
