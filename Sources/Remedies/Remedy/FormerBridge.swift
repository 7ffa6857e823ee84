internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// Names of bridges of which this host itself shows that they were never chosen, or were given up for the network's own:
///
/// - `lxcbr0`, with which LXC comes (`LXC_BRIDGE` of lxc-net, and its `default.conf`);
/// - libvirt's `virbr0`, `virbr1`, … where there is no libvirt: the configuration is from another host;
/// - what `LXC_BRIDGE` was, where the settings that now make the network's bridge still have the old line, overridden or
///   commented out; and the same of the link in `default.conf`.
///
/// What `default.conf` says now is not among them: who has new containers link a bridge wants that bridge.
struct FormerBridge {
    private let bridge: String
    private let names: Set<String>
    private let hasLibvirt: Bool

    init(of bridge: String, in draft: PlanDraft) {
        self.bridge = bridge
        hasLibvirt = draft.facts.hasLibvirt
        var names: Set<String> = []
        let files = draft.facts.lxcNet
        if draft.lxcNetSettings.makes(bridge: bridge) {
            for path in [files.mainFile, files.settingsFile] {
                names.formUnion(Self.values(draft.facts.state.file(path)) { $0 == "LXC_BRIDGE" })
            }
        }
        if draft.facts.newContainersLink(bridge) {
            let old = Self.values(draft.facts.state.file(LxcNetFacts.containerDefaults)) { key in
                key.hasPrefix("lxc.net") && key.hasSuffix(".link")
            }
            names.formUnion(old)
        }
        names.insert(LxcNetSettings.defaults["LXC_BRIDGE"] ?? "")
        names.remove(bridge)
        self.names = names
    }

    /// Why a link that leads nowhere is not taken for one to the network's bridge; nil: it is.
    func doubt(_ link: String) -> String? {
        if names.contains(link) { return nil }
        if link.hasPrefix("virbr"), Int(link.dropFirst(5)) != nil {
            return hasLibvirt ? "\(link) is a name that libvirt gives, and libvirt is on this host" : nil
        }
        return "there is no \(link) on this host, and nothing shows that \(bridge) was meant instead"
    }

    /// What lines of `NAME=VALUE` give, those that are commented out included.
    private static func values(_ content: FileContent?, _ isWanted: (String) -> Bool) -> [String] {
        guard let content else { return [] }
        return TextLines(content.bytes.bytes).numbered.compactMap { _, line in
            let text = line.drop { $0 == "#" || $0 == " " || $0 == "\t" }
            guard let equals = text.firstIndex(of: "="),
                isWanted(String(text[..<equals].filter { $0 != " " && $0 != "\t" }))
            else { return nil }
            let quotes: Set<Character> = ["\"", "'"]
            return text[text.index(after: equals)...].split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "#" })
                .first.map { String($0.filter { !quotes.contains($0) }) }
        }
    }
}
