internal import HostAccess
internal import HostModel

extension PlanDraft {
    /// What a program writes anew by itself would not keep the edit: cloud-init's files say so in their first lines, and
    /// what lies below /run or /usr is made at boot or comes with a package.
    func refuseGenerated(_ path: String, _ content: FileContent) throws(LeftToPerson) {
        if !path.hasPrefix("/etc/") {
            throw LeftToPerson(
                why: "\(path) is not this host's own: it is made at boot, or comes with a package",
                what: ["cp \(Shell.quote(path)) to the same place below /etc, and correct it there"])
        }
        let head = content.bytes.text.prefix(1_024)
        guard head.contains("cloud-init") || path.contains("cloud-init") else { return }
        throw LeftToPerson(
            why: "cloud-init writes \(path), and would write it anew",
            what: [
                "printf 'network: {config: disabled}\\n' > /etc/cloud/cloud.cfg.d/99-disable-network-config.cfg",
                "Then correct \(path): lxc-doctor names what is wrong in it",
            ])
    }
}
