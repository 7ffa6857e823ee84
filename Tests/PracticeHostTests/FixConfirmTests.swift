import Foundation
import TestSupport
import Testing

/// The dead-man switch. The operator is logged in from a container, through the bridge that is repaired.
@Suite(.serialized) struct FixConfirmTests {
    private static let operatorSession = """
        export SSH_CONNECTION='10.5.0.77 40000 10.5.0.1 22'
        address() { ip -4 -o addr show dev lxcbr1 | awk '{print $4}'; }
        until_address() { for i in $(seq 200); do [ "$(address)" = "$1" ] && return; sleep 0.05; done; echo never; }
        wait_for() { for i in $(seq 200); do grep -q "$1" "$2" 2>/dev/null && return; sleep 0.05; done; echo never; }

        """

    private func run(_ script: String) throws -> FixLab.Ended {
        try FixLab.run(["bridge-wrong-address-or-mask"], Self.operatorSession + script)
    }

    @Test func withoutConsentNothingIsChanged() throws {
        let ended = try run(
            "lxc-doctor fix apply --quiet </dev/null; echo \"apply $?\"; address; ls /var/lib/lxc-doctor 2>&1 | wc -l")
        #expect(ended.lines == ["apply 64", "10.5.0.1/24", "1"], "\(ended.output)")
        #expect(ended.messages.contains("your own connection"))
    }

    /// By `--auto-remediate`, too; the run that is killed is reverted by the guard alone.
    @Test(arguments: ["fix apply", "--auto-remediate"])
    func aKilledDoctorIsReverted(verb: String) throws {
        let ended = try run(
            """
            lxc-doctor \(verb) --yes --confirm-within 60 --quiet 2>/tmp/words & doctor=$!
            wait_for 'fix confirm' /tmp/words; address; kill -9 $doctor; until_address 10.5.0.1/24; address
            lxc-doctor fix confirm 2>/dev/null; echo "confirm $?"
            lxc-doctor fix history --format json | grep '"status"'; pgrep -c lxc-doctor
            """)
        #expect(
            ended.lines.map { $0.trimmingCharacters(in: .whitespaces) }
                == ["10.5.0.1/16", "10.5.0.1/24", "confirm 64", "\"status\" : \"rolledBack\",", "0"],
            "\(ended.output) \(ended.messages)")
    }

    @Test func whatIsNotConfirmedIsReverted() throws {
        let ended = try run(
            """
            lxc-doctor fix apply --yes --confirm-within 1 --format json 2>/dev/null >/tmp/report; echo "apply $?"; address
            grep -o '"outcome" : "[a-zA-Z]*"' /tmp/report; grep '"reason"' /tmp/report | grep -o 'not confirmed within 1 s'
            """)
        #expect(
            ended.lines == [
                "apply 2", "10.5.0.1/24", "\"outcome\" : \"rolledBack\"", "not confirmed within 1 s",
            ], "\(ended.output) \(ended.messages)")
    }

    @Test func whatIsConfirmedStays() throws {
        let ended = try run(
            """
            # The end of its terminal is not the end of the doctor.
            lxc-doctor fix apply --yes --quiet 2>/tmp/words & doctor=$!
            wait_for 'in 60 s' /tmp/words; kill -HUP $doctor; lxc-doctor fix confirm --format json >/tmp/confirmation
            echo "confirm $?"; wait $doctor; echo "apply $?"; sleep 0.3; address; lxc-doctor --quiet; echo "doctor $?"
            pgrep -c lxc-doctor; lxc-doctor fix undo --yes --quiet; address
            echo SPLIT; cat /tmp/confirmation
            """)
        let parts = ended.output.components(separatedBy: "SPLIT\n")
        try #require(parts.count == 2, "\(ended.output) \(ended.messages)")
        #expect(
            parts[0].split(separator: "\n").map(String.init)
                == ["confirm 0", "apply 0", "10.5.0.1/16", "doctor 0", "0", "10.5.0.1/24"],
            "\(ended.output) \(ended.messages)")
        try FixLab.validate(parts[1], schema: "confirmation")
    }

    /// Steps that harm nobody ask for no confirmation, and get one where it is wanted.
    @Test func aHarmlessRepairIsConfirmedOnlyWhereAsked() throws {
        let ended = try FixLab.run(
            ["ip-forward-off", "ip-forward-reset"],
            """
            lxc-doctor fix apply --yes --confirm-within 1 --quiet 2>/dev/null; echo "apply $?"
            cat /proc/sys/net/ipv4/ip_forward; ls /etc/sysctl.d | grep -c zz-lxc
            lxc-doctor fix apply --yes --quiet; echo "apply $?"
            """)
        #expect(ended.lines == ["apply 2", "0", "0", "apply 0"], "\(ended.output) \(ended.messages)")
    }
}
