internal import ConfigFiles
internal import HostAccess
internal import HostModel
internal import Probes

/// What containers link.
extension PlanFacts {
    /// More names than any host has bridges.
    private static let mostLinks = 64

    /// The links of every container's configuration, without what it includes; sorted.
    var containerLinks: [String] {
        let prefix = lxcPath + "/"
        var links: Set<String> = []
        for (path, state) in state.paths where path.hasPrefix(prefix) && path.hasSuffix("/config") {
            guard case .file(let content) = state else { continue }
            links.formUnion(Self.links(path, content))
        }
        return links.sorted()
    }

    /// Whether what a new container begins with links this bridge.
    func newContainersLink(_ bridge: String) -> Bool {
        let path = LxcNetFacts.containerDefaults
        return state.file(path).map { Self.links(path, $0).contains(bridge) } ?? false
    }

    private static func links(_ path: String, _ content: FileContent) -> [String] {
        LXCConfig(path: path, bytes: content.bytes.bytes, refusesLegacyKeys: false) { _ in .file([]) }
            .devices.compactMap(\.link)
    }

    /// Who makes the bridges that containers link and that are not there, or may. `state` must have been read.
    mutating func readMakersOfLinks(_ host: any Host) throws(HostError) {
        let missing = containerLinks.filter { !state.exists(link: $0) && bridgeMakers[$0] == nil }
        for link in missing.dropFirst(Self.mostLinks) {
            linkedMakersUnknown[link] = "containers link more than \(Self.mostLinks) bridges that are not there"
        }
        let links = Array(missing.prefix(Self.mostLinks))
        for link in links {
            do throws(ObservationFailure) {
                bridgeMakers[link] = try BridgeMaker.all(of: link, on: host)
            } catch {
                linkedMakersUnknown[link] = error.reason
            }
        }
        do throws(ObservationFailure) {
            linkedNamedAt = try BootMentions.places(of: links, on: host)
        } catch {
            for link in links where linkedMakersUnknown[link] == nil { linkedMakersUnknown[link] = error.reason }
        }
        readHooks(host, missing)
        for path in ["/etc/libvirt", "/usr/sbin/libvirtd", "/usr/sbin/virtnetworkd"] where !hasLibvirt {
            hasLibvirt = try host.statusIfPresent(path) != nil
        }
    }

    private mutating func readHooks(_ host: any Host, _ missing: [String]) {
        for (path, config) in state.paths where path.hasPrefix(lxcPath + "/") && path.hasSuffix("/config") {
            guard case .file(let content) = config else { continue }
            let links = Self.links(path, content).filter(missing.contains)
            guard !links.isEmpty else { continue }
            do throws(ObservationFailure) {
                containerHooks[path] = try ContainerHook.first(in: path, content.bytes.bytes, on: host)
            } catch {
                for link in links where linkedMakersUnknown[link] == nil { linkedMakersUnknown[link] = error.reason }
            }
        }
    }
}

extension ObservationFailure {
    fileprivate var reason: String {
        switch self {
        case .unknown(let reason), .notApplicable(let reason): reason
        }
    }
}
