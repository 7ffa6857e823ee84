internal import HostAccess
internal import HostModel

/// What a person would type to change the interface of a running container, from outside: its namespace is that of the
/// container's first process.
enum ContainerCommand {
    static func enter(_ container: String) -> String {
        "nsenter --net=/proc/$(lxc-info -n \(Shell.quote(container)) -pH)/ns/net"
    }

    static func address(_ inside: ContainerInterface, from: HeldAddress, to: HeldAddress) -> String {
        let enter = enter(inside.container)
        return "\(enter) \(AddressCommand.add(to, to: inside.interface)) && "
            + "\(enter) \(AddressCommand.delete(from, from: inside.interface))"
    }

    static func hardwareAddress(_ inside: ContainerInterface, _ address: MACAddress) -> String {
        "\(enter(inside.container)) ip link set \(Shell.quote(inside.interface)) address \(address)"
    }
}

/// Ports of bridges and interfaces of running containers, for a shell script.
extension ShellChange {
    static func master(of link: String, _ before: String?, _ after: String?) -> ShellChange {
        func isPort(of bridge: String?) -> String {
            let path = Shell.quote("/sys/class/net/\(link)/master")
            guard let bridge else { return "[ -e \(Shell.quote("/sys/class/net/\(link)")) ] && [ ! -e \(path) ]" }
            return "[ \"$(basename \"$(readlink \(path))\")\" = \(Shell.quote(bridge)) ]"
        }
        let place = after.map { "master \(Shell.quote($0))" } ?? "nomaster"
        return ShellChange(
            ["bridge of \(link)"], needs: Set(after.map { ["link \($0)"] } ?? []), isBefore: isPort(of: before),
            isAfter: isPort(of: after), make: "ip link set \(Shell.quote(link)) \(place)", programs: ["ip"])
    }

    static func containerAddress(
        _ inside: ContainerInterface, _ before: HeldAddress, _ after: HeldAddress
    ) -> ShellChange {
        func has(_ address: HeldAddress) -> String {
            "\(ContainerCommand.enter(inside.container)) ip -o -4 address show dev \(Shell.quote(inside.interface))"
                + " | grep -qF \(Shell.quote(" \(address) "))"
        }
        return ShellChange(
            ["address of \(inside.interface) in \(inside.container)"], isBefore: has(before),
            isAfter: "\(has(after)) && ! { \(has(before)); }",
            make: ContainerCommand.address(inside, from: before, to: after), programs: ["ip", "nsenter", "lxc-info"])
    }

    static func containerHardwareAddress(
        _ inside: ContainerInterface, _ before: MACAddress, _ after: MACAddress
    ) -> ShellChange {
        func has(_ address: MACAddress) -> String {
            "\(ContainerCommand.enter(inside.container)) ip -o link show dev \(Shell.quote(inside.interface))"
                + " | grep -qF \(Shell.quote(" \(address) "))"
        }
        return ShellChange(
            ["hardware address of \(inside.interface) in \(inside.container)"], isBefore: has(before),
            isAfter: has(after), make: ContainerCommand.hardwareAddress(inside, after),
            programs: ["ip", "nsenter", "lxc-info"])
    }
}
