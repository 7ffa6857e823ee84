internal import ConfigFiles
internal import HostAccess
internal import HostModel

extension ForwardingPersistent {
    /// Who sets it after all of these files has the last word, so it is said there: what ufw reads when it starts, or
    /// shorewall's own switch.
    func overrule(
        _ setter: BootSetter, _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        switch (setter.name, setter.path) {
        case ("ufw", Self.ufwFile):
            guard let before = try draft.editable(setter.path) else { return }
            try edit(setter.path, before, before.bytes.text, cause, &draft)
        case ("shorewall", Self.shorewallFile):
            guard let before = try draft.editable(setter.path) else { return }
            var settings = ShellSettings(path: setter.path, bytes: before.bytes.bytes)
            do throws(ConfigEditError) {
                try settings.set("IP_FORWARDING", to: "On")
            } catch {
                throw LeftToPerson(
                    why: "\(setter.path) cannot be edited: \(error.message)",
                    what: ["Set IP_FORWARDING=On in \(setter.path)"])
            }
            try draft.edit(
                setter.path, before, settings.bytes, remedy: id, for: cause,
                risk: "\(effect). It counts from shorewall's next start on.")
            let network = try draft.network(of: cause)
            guard let uplink = draft.facts.uplinks[network.name] else { return }
            let reach = ShorewallReach(
                bridge: network.bridge, address: network.address, uplink: uplink, target: network.target)
            try draft.check(.checkShorewall(reach), remedy: id, for: cause)
        default:
            throw LeftToPerson(
                why: "\(setter.name) switches forwarding off at boot, after every file of sysctl.d was read",
                what: ["Correct \(setter.source)"])
        }
    }
}

/// A program that sets the switch when it starts, after the files of sysctl.d; as the check that named the cause tells of
/// it: `ufw sets 0 at boot`, seen in `/etc/ufw/sysctl.conf:3`.
struct BootSetter {
    var name: String
    var value: String
    /// The file, and the line where it is known.
    var source: String

    var path: String { String(source.prefix { $0 != ":" }) }

    /// The one that has the last word.
    static func last(in cause: Cause) -> BootSetter? {
        cause.evidence.compactMap { evidence -> BootSetter? in
            let words = evidence.value.split(separator: " ")
            guard words.count == 5, words[1] == "sets", words[3] == "at", words[4] == "boot" else { return nil }
            return BootSetter(name: String(words[0]), value: String(words[2]), source: evidence.source)
        }.last
    }
}
