internal import ConfigFiles
internal import HostAccess
internal import HostModel

extension PlanDraft {
    /// The file as it may be edited, or nil where there is none and one may be made.
    /// A link, a file of someone else, or one that others may write to is left to a person.
    func editable(_ path: String) throws(LeftToPerson) -> FileContent? {
        switch facts.state.path(path) {
        case .absent:
            try requireDirectory(of: path)
            return nil
        case .file(let content):
            guard SoleOwner.isOne(owner: content.owner, mode: content.mode) else {
                throw LeftToPerson(
                    why: "\(path) does not belong to root alone, so what it holds cannot be trusted",
                    what: ["chown root \(Shell.quote(path)); chmod go-w \(Shell.quote(path))"])
            }
            return content
        case .symbolicLink(let target):
            throw LeftToPerson(why: "\(path) is a symbolic link to \(target); repairs do not follow links", what: [])
        case .directory:
            throw LeftToPerson(why: "\(path) is a directory", what: [])
        case .other(let words):
            throw LeftToPerson(why: "\(path) cannot be edited: \(words)", what: [])
        }
    }

    /// A rule in a chain of others, for now.
    mutating func insert(
        _ rule: IptablesRule, remedy: String, for cause: Cause, risk: String
    ) throws(LeftToPerson) {
        var rule = rule
        let listing = facts.state.rules[rule.table] ?? IptablesListing()
        // iptables-legacy cannot take a table away again.
        if rule.table.flavour == .nft, listing.isBare, facts.state.table(rule.table.name) == .absent {
            rule.makesTable = true
        }
        let position = listing.position(of: rule) ?? (rule.place == .first ? 1 : nil)
        let words = [rule.table.flavour.program] + rule.insertion(position: position)
        try add(
            .addRule(rule), phase: .runtime, remedy: remedy, risk: risk, for: cause,
            command: words.map { Shell.quote($0) }.joined(separator: " "))
    }

    /// A persistent edit of a file that exists.
    mutating func edit(
        _ path: String, _ before: FileContent, _ bytes: [UInt8], remedy: String, for cause: Cause, risk: String
    ) throws(LeftToPerson) {
        var after = before
        after.bytes = ByteString(bytes)
        try add(
            .file(path: path, before: before, after: after), phase: .persistent, remedy: remedy, risk: risk, for: cause)
    }

    /// The same in the first of nftables.service's files that makes a chain, and nft's check of them all. Nothing where no
    /// file makes it. Where `change` gives nil the file is not understood, and a person does what `byHand` says.
    mutating func editNftables(
        making place: NftChainPlace, remedy: String, for cause: Cause, byHand: [String],
        _ change: (NftablesConf) -> NftablesConf?
    ) throws(LeftToPerson) {
        for path in facts.firewall.nftablesFiles {
            guard let before = try editable(path) else { continue }
            let file = NftablesConf(path: path, bytes: before.bytes.bytes)
            guard file.mentions(chain: place.chain, table: place.table) else { continue }
            guard let edited = change(file) else {
                throw LeftToPerson(
                    why: "\(path) makes the chain \(place) in a way that is not understood", what: byHand)
            }
            try edit(
                path, before, edited.lines.bytes, remedy: remedy, for: cause,
                risk: "nftables.service loads it at every boot and reload.")
            return try check(
                .checkNftables(path: facts.firewall.nftablesFiles.first ?? path), remedy: remedy, for: cause)
        }
    }

    /// Has a foreign checker look at what was written; where it finds fault, everything is taken back. Only where
    /// something was written for this cause.
    mutating func check(
        _ program: OwnedProgram, remedy: String, for cause: Cause, command: String? = nil
    ) throws(LeftToPerson) {
        guard changes.contains(where: { $0.phase == .persistent && $0.serves.contains(ServedCause(cause)) }) else {
            return
        }
        try add(
            .run(program), phase: .persistent, remedy: remedy, risk: "None: it only looks.", for: cause,
            command: command)
    }

    func requireDirectory(of path: String) throws(LeftToPerson) {
        let directory = HostState.directory(of: path)
        guard facts.state.path(directory) != .directory else { return }
        throw LeftToPerson(why: "there is no directory \(directory)", what: ["mkdir -p \(Shell.quote(directory))"])
    }

    /// What lxc-net would see, were it started now.
    var lxcNetSettings: LxcNetSettings {
        LxcNetSettings(
            main: facts.state.file(facts.lxcNet.mainFile), settings: facts.state.file(facts.lxcNet.settingsFile),
            files: facts.lxcNet)
    }
}

extension HostState {
    /// The path without its last part: `/etc/default` for `/etc/default/lxc`.
    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }
}
