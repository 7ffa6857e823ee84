import BuiltInCatalog
import CheckCatalog
import HostAccess
import HostModel
import Probes

@testable import Diagnosis

/// A host that answers requests from literals; what is not among them is not found.
final class FakeHost: Host {
    var files: [String: (text: String, status: FileStatus)] = [:]
    var effectiveUser = 0

    func answer(_ request: HostRequest) throws(HostError) -> HostReply {
        switch request {
        case .read(let path, _, _):
            if let file = files[path] { return .bytes(ByteString(file.text)) }
        case .status(let path, _, _):
            if let file = files[path] { return .status(file.status) }
        case .list(let path, _, _):
            let names = files.keys.filter { $0.hasPrefix(path + "/") }.map { String($0.dropFirst(path.count + 1)) }
            if !names.isEmpty { return .names(names.sorted()) }
        case .identity:
            return .identity(
                HostIdentity(
                    hostname: "host", kernel: "6.1.0", effectiveUser: effectiveUser, capabilities: [],
                    inInitialNetworkNamespace: true, isPracticeHost: false))
        default: break
        }
        throw HostError(.notFound, operation: "fake", message: "No such file or directory")
    }

    func add(_ path: String, _ text: String, owner: Int = 0, mode: Int = 0o644) {
        files[path] = (
            text, FileStatus(kind: .file, mode: mode, owner: owner, group: 0, size: text.utf8.count)
        )
    }
}

/// A probe that gives literals, and counts how often it is asked.
final class FakeProbe: Probe, @unchecked Sendable {
    let specification: ProbeSpecification
    let give: @Sendable (ProbeParameters) -> Result<Observation, ObservationFailure>
    var requests = 0

    init(
        _ name: String, _ give: @escaping @Sendable (ProbeParameters) -> Result<Observation, ObservationFailure>
    ) {
        specification =
            Vocabulary.probes.first { $0.name == name }
            ?? ProbeSpecification(name: name, summary: "", parameters: [:], facts: [:])
        self.give = give
    }

    func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        requests += 1
        return try give(parameters).get()
    }
}

/// What the probes of a host see, by probe.
struct Scene {
    var facts: [String: [String: FactValue]]
    var failures: [String: ObservationFailure] = [:]
    var containers: [String: [String: FactValue]] = [:]
    var profile = Fixtures.makina

    /// A makina host that lxc-net keeps, without containers and with nothing wrong.
    static let healthy = Scene(
        facts: [
            "link": [
                "exists": .boolean(true), "kind": .string("bridge"), "up": .boolean(true), "carrier": .boolean(false),
            ],
            "interface-addresses": ["addresses": .strings(["10.5.0.1/16"]), "count": .integer(1)],
            "bridge-arp": ["arp": .boolean(true), "ignored": .boolean(false), "dropped": .strings([])],
            "subnet-elsewhere": [
                "links": .strings([]), "routes": .strings([]), "count": .integer(0), "felt": .strings([]),
            ],
            "forwarding": [
                "global": .boolean(true), "bridge": .boolean(true), "uplink": .boolean(true),
                "uplinkName": .string("eth0"), "off": .strings([]),
            ],
            "uplink": ["found": .boolean(true), "name": .string("eth0")],
            "sysctl": ["exists": .boolean(true), "value": .string("1")],
            "source-translation": [
                "translated": .string("all"), "defect": .string("none"), "eastWest": .boolean(false),
            ],
            "forwarding-filter": [
                "forwarded": .string("all"), "answered": .string("all"), "dhcp": .string("all"), "dns": .string("all"),
                "eastWest": .string("all"), "bridgeNetfilter": .boolean(false), "duplicates": .integer(0),
            ],
            "sysctl-next-boot": ["effective": .string("1"), "value": .string("1"), "agrees": .boolean(true)],
            "bridge-next-boot": [
                "creators": .strings(["lxc-net"]), "count": .integer(1), "carriesAddress": .boolean(true),
            ],
            "nat-next-boot": ["makers": .strings(["lxc-net"]), "flushedBy": .strings([]), "lasting": .boolean(true)],
            "lxc-installation": ["installed": .boolean(true), "version": .string("5.0.2")],
            "lxc-net-settings": [
                "installed": .boolean(true), "useBridge": .boolean(true), "bridge": .string("lxcbr1"),
                "sourced": .boolean(true), "consistent": .boolean(true),
            ],
            "lxc-net-service": [
                "installed": .boolean(true), "enabled": .string("enabled"), "stale": .boolean(false),
                "effective": .boolean(true),
            ],
            "makina-job": ["present": .boolean(false)],
            "dhcp-server": ["running": .boolean(true), "listening": .boolean(true), "rangeInSubnet": .boolean(true)],
            "lxc-path": [
                "path": .string("/var/lib/lxc"), "exists": .boolean(true), "directory": .boolean(true),
                "owner": .integer(0), "writableByOthers": .boolean(false), "readOnly": .boolean(false),
                "freeBytes": .integer(9 << 30), "freeInodes": .integer(1_000_000),
            ],
            "base-image": ["present": .boolean(false)],
            "container-ports": ["unplugged": .strings([])],
            "container-hardware-addresses": ["count": .integer(0), "duplicates": .strings([])],
            "packet-proof": ["verdict": .string("masqueraded"), "delivery": .string("")],
            "packet-proof-ipv6": ["verdict": .string("masqueraded"), "delivery": .string("")],
            "packet-proof-container-ipv6": ["verdict": .string("masqueraded"), "delivery": .string("")],
            "packet-proof-container": ["verdict": .string("masqueraded"), "delivery": .string("")],
            "bridge-residents": [
                "noRoute": .strings([]), "wrongGateway": .strings([]), "wrongSubnet": .strings([]),
                "duplicateMacs": .strings([]), "duplicateAddresses": .strings([]), "gatewayAnswers": .strings([]),
                "down": .strings([]), "tooLarge": .strings([]), "noAddress": .strings([]),
                "withoutARP": .strings([]), "gatewayAsked": .boolean(true),
            ],
            "resident-forwarding": [
                "count": .integer(1), "stopped": .strings([]), "rule": .string(""), "unrouted": .strings([]),
                "unroutedBy": .strings([]), "way": .string(""), "unreached": .strings([]), "cableFix": .strings([]),
            ],
            "packet-proof-local": ["arrival": .string("arrived")],
            "forward-drop": ["dropped": .boolean(false), "owner": .string(""), "verdict": .string("masqueraded")],
        ].merging(healthyPaths) { first, _ in first })

    /// The same with other facts.
    func with(_ probe: String, _ changes: [String: FactValue]) -> Scene {
        var scene = self
        scene.facts[probe, default: [:]].merge(changes) { _, new in new }
        return scene
    }

    func failing(_ probe: String, _ failure: ObservationFailure) -> Scene {
        var scene = self
        scene.failures[probe] = failure
        return scene
    }

    func with(container name: String, _ facts: [String: FactValue]) -> Scene {
        var scene = self
        scene.containers[name] = facts
        return scene
    }

    var registry: [FakeProbe] {
        let scene = self
        return Vocabulary.probes.map { probe in
            FakeProbe(probe.name) { parameters in
                if let failure = scene.failures[probe.name] { return .failure(failure) }
                var facts = scene.facts[probe.name] ?? Scene.layers[probe.name] ?? [:]
                if probe.name == "containers" { facts = ["names": .strings(scene.containers.keys.sorted())] }
                if probe.name == "container-config" {
                    do throws(ObservationFailure) {
                        facts = scene.containers[try parameters.string("container")] ?? [:]
                    } catch {
                        return .failure(error)
                    }
                }
                return .success(
                    Observation(
                        facts: facts,
                        evidence: [Evidence(source: probe.name, command: "look \(probe.name)", value: "seen")]))
            }
        }
    }

    func input(only: Set<String>? = nil, skip: Set<String> = [], registry: [any Probe]? = nil) -> DiagnosisInput {
        var now: UInt64 = 0
        return DiagnosisInput(
            checks: BuiltIn.checks(), causes: BuiltIn.causes(), registry: registry ?? self.registry, profile: profile,
            hostname: "host", only: only, skip: skip,
            nanoseconds: {
                now += 1_000_000
                return now
            })
    }

    func diagnosed() -> DiagnosisResult { diagnose(input(), on: FakeHost()) }
}
