import Foundation
import HostAccess
import HostModel
import Testing

@testable import Reporting

/// The recording and the lists, as far as their parts exist in rooms below: their schemas fit what these types write.
struct RecordingTests {
    private struct Recording: Encodable {
        var schema = "lxc-doctor/recording/1"
        var tool = Report.healthy.tool
        var startedAt = Report.healthy.startedAt
        var profile = ChosenProfile(
            profile: Profile(
                name: "makina", networks: [Report.network], lxcPath: "/var/lib/lxc",
                image: BaseImage(name: "makina-states-trusty")),
            because: "lxcbr1 exists", supported: true, otherBridges: ["virbr0"])
        var host = Report.healthy.host
        var transcript: [TranscriptEntry]
        var proof: ProofReport? = .masqueraded
    }

    private static let exchanges: [(HostRequest, HostReply)] = [
        (
            .read(path: "/proc/sys/net/ipv4/ip_forward", root: nil, limit: 4096),
            .bytes(ByteString("1\n"))
        ),
        (
            .list(path: "/var/lib/lxc", root: "/srv", limit: 100),
            .names(["c1", "c2"])
        ),
        (
            .status(path: "/var/lib/lxc", root: nil, followLinks: true),
            .status(FileStatus(kind: .directory, mode: 0o755, owner: 0, group: 0, size: 4096))
        ),
        (
            .status(path: "/etc/lxc", root: nil, followLinks: false),
            .status(FileStatus(kind: .link, mode: 0o777, owner: 0, group: 0, size: 7, target: "lxc.old"))
        ),
        (
            .space(path: "/var/lib/lxc"),
            .space(FileSystemSpace(freeBytes: 1 << 40, totalBytes: 1 << 41, freeInodes: nil, readOnly: false))
        ),
        (
            .legacyTable(LegacyTableName(family: .ipv4, table: "nat")),
            .legacyTable(info: ByteString([0, 255]), entries: ByteString([0xc3, 0x28]))
        ),
        (.programVersion(.lxcStart), .text("5.0.2\n")),
        (.packetPrograms(link: 3), .names(["tcx ingress", "netfilter ip FORWARD at priority 5 (program 7)"])),
        (.packetProgramsOf(links: [3, 4]), .names(["tcx ingress 3"])),
        (
            .residents,
            .residents(
                BridgeResidents(
                    residents: [
                        Resident(
                            name: "c1", namespace: "/proc/42/ns/net", port: "veth1", interface: "eth0",
                            interfaceIndex: 2, hardwareAddress: MACAddress("00:16:3e:00:01:01"), isUp: true,
                            addresses: [], gateways: [], hasDefaultRoute: false)
                    ], unknownPorts: ["veth2: its other end is nowhere"]))
        ),
        (
            .identity,
            .identity(
                HostIdentity(
                    hostname: "vm7", kernel: "6.1.0-21-amd64", effectiveUser: 0, capabilities: ["net_admin"],
                    inInitialNetworkNamespace: nil, isPracticeHost: true))
        ),
    ]

    private static let errors: [HostError.Code] = [
        .notFound, .notPermitted, .unsupported, .limit, .malformed, .notRecorded, .stale, .other,
    ]

    @Test func recording() throws {
        let answered = Self.exchanges.map { TranscriptEntry(request: $0.0, reply: $0.1, error: nil) }
        let refused = Self.errors.map {
            TranscriptEntry(
                request: .read(path: "/etc/lxc/\($0)", root: nil, limit: 1), reply: nil,
                error: HostError($0, operation: "open /etc/lxc/\($0)", message: "refused", errno: 13))
        }
        try compare(JSONText.encode(Recording(transcript: answered + refused)), with: "recording.json")
    }

    /// What `list causes --format json` writes.
    @Test func list() throws {
        struct List: Encodable {
            var schema = "lxc-doctor/list/1"
            var causes: [[String: String]]
        }
        let causes = [
            ["id": "masq-missing", "title": "No rule translates the network", "severity": "critical", "area": "nat"],
            ["id": "bridge-missing", "title": "There is no bridge"],
        ]
        try compare(JSONText.encode(List(causes: causes)), with: "list.json")
    }

    @Test func aWrongRecordingIsRefused() throws {
        let entry = TranscriptEntry(request: Self.exchanges[0].0, reply: Self.exchanges[0].1, error: nil)
        let document = try Document(JSONText.encode(Recording(transcript: [entry])))
        let files = [
            "whole": try document.setting("proof", to: [String: String](), at: ""),
            "schema": try document.setting("schema", to: "lxc-doctor/recording/2", at: ""),
            "transcript": try document.removing("transcript", at: ""),
            "silent": try document.removing("reply", at: "transcript/0"),
            "both": try document.setting(
                "error", to: ["code": "other", "operation": "", "message": ""], at: "transcript/0"),
            "strange": try document.setting("request", to: ["write": ["path": "/"]], at: "transcript/0"),
            "good": try document.removing("proof", at: ""),
        ]
        let judgement = try Workplace.withFiles(files) { try Workplace.validate($0, schema: "recording") }
        #expect(judgement.valid == ["good"])
    }
}
