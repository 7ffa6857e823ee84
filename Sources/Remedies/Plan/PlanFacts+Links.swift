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

    /// Who makes the bridges that containers link and that are not there. `state` must have been read.
    mutating func readMakersOfLinks(_ host: any Host) {
        let missing = containerLinks.filter { !state.exists(link: $0) && bridgeMakers[$0] == nil }
        for (number, link) in missing.enumerated() {
            guard number < Self.mostLinks else {
                linkedMakersUnknown[link] = "containers link more than \(Self.mostLinks) bridges that are not there"
                continue
            }
            do throws(ObservationFailure) {
                bridgeMakers[link] = try BridgeMaker.all(of: link, on: host)
            } catch {
                switch error {
                case .unknown(let reason), .notApplicable(let reason): linkedMakersUnknown[link] = reason
                }
            }
        }
    }
}
