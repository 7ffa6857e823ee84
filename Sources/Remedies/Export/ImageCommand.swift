internal import HostAccess
internal import HostModel

/// What a person would type to restore a base image: the same by hand, without the bounds.
enum ImageCommand {
    static func text(_ order: ImageRestoration) -> String {
        let source = order.source
        let archive = source.isRemote ? "/var/tmp/\(source.fileName)" : source.location
        let staging = Shell.quote(order.staging)
        let sum = "\(source.checksum.sum)  \(archive)"
        var commands =
            source.isRemote ? ["curl -fL -C - -o \(Shell.quote(archive)) \(Shell.quote(source.location))"] : []
        commands += [
            "printf '%s\\n' \(Shell.quote(sum)) | \(source.checksum.algorithm.rawValue)sum -c -",
            "mkdir -m 700 \(staging)",
            "tar -x -p --numeric-owner --acls --xattrs --xattrs-include='*' -f \(Shell.quote(archive)) -C \(staging)",
            "lxc-update-config -c \(Shell.quote(order.staging + "/config"))",
            "mv -T \(staging) \(Shell.quote(order.path))",
        ]
        return commands.joined(separator: " && ")
    }
}

extension ShellChange {
    static func image(_ order: ImageRestoration) -> ShellChange {
        ShellChange(
            [order.path], isBefore: "[ ! -e \(Shell.quote(order.path)) ]", isAfter: "[ -d \(Shell.quote(order.path)) ]",
            make: ImageCommand.text(order),
            programs: Set(["tar", "lxc-update-config"] + (order.source.isRemote ? ["curl"] : [])))
    }
}
