internal import ArgumentParser
internal import HostAccess
internal import HostModel
internal import PacketProof
internal import Probes

/// `ADDRESS` or `ADDRESS:PORT`, of IPv6 `ADDRESS` or `[ADDRESS]:PORT`, as `prove --to` takes it.
struct ProofDestination: Hashable, Sendable {
    var address: IPAddress
    var port: UInt16?

    /// Throws a validation error, in one line, for what no packet could be sent to.
    @Sendable init(argument: String) throws {
        let text = IPAddress.text(ofEndpoint: argument)
        guard let address = IPAddress(text) else {
            throw ValidationError("--to \(argument): not an address, nor ADDRESS:PORT, nor [IPV6]:PORT")
        }
        // What is left is the port, with what stands around the address of IPv6.
        let rest =
            argument.hasPrefix("[") ? argument.dropFirst(text.utf8.count + 2) : argument.dropFirst(text.utf8.count)
        if !rest.isEmpty {
            guard rest.first == ":", let port = UInt16(rest.dropFirst()), port > 0 else {
                throw ValidationError("--to \(argument): the port is not a number from 1 to 65535")
            }
            self.port = port
        }
        guard Self.isOutside(address) else {
            throw ValidationError("--to \(argument): no packet of a container can go there")
        }
        self.address = address
    }

    private static func isOutside(_ address: IPAddress) -> Bool {
        switch address {
        // 0/8, loopback, multicast and what is above it (RFC 6890).
        case .v4(let address): (1...223).contains(address.value >> 24) && address.value >> 24 != 127
        // Unspecified and loopback, link-local, multicast (RFC 4291 §2.4).
        case .v6(let address): address.value > 1 && !address.isLinkLocal && address.value >> 120 != 0xff
        }
    }
}

extension Session {
    /// Throws usage where the destination is none outside: a container's own network.
    func check(_ aim: ProofAim) throws(CommandError) {
        guard let target = aim.target else { return }
        let networks = chosen.profile.networks.flatMap { [ProofNetwork($0), ProofNetwork(ipv6: $0)] }.compactMap(\.self)
        if let network = networks.first(where: { $0.cidr.contains(target) }) {
            throw CommandError(
                .usage, "--to \(target) lies in \(network.cidr), the containers' own network; prove is for the outside")
        }
        guard networks.contains(where: { $0.family == target.family }) else {
            throw CommandError(
                .usage, "--to \(target): no network of the profile has an `ipv6` address, so no container sends there")
        }
    }

    /// Throws usage where there is no container of this name, running or not. One that does not run stays: its verdict
    /// is unknown, and says so.
    func requireContainer(_ name: String) throws(CommandError) {
        let transcripts = proofTranscripts ?? []
        guard !transcripts.contains(where: { $0.order?.resident != nil }) else { return }
        // Where nobody could look, nothing is known of names either.
        guard transcripts.allSatisfy({ $0.residents != nil }) else { return }
        let running = transcripts.flatMap { $0.residents?.residents ?? [] }.map(\.title)
        guard !running.contains(name), try !isDefined(name) else { return }
        let others = running.isEmpty ? "none runs here" : "here run: \(running.joined(separator: ", "))"
        throw CommandError(.usage, "there is no container '\(name)'; \(others)")
    }

    private func isDefined(_ name: String) throws(CommandError) -> Bool {
        guard let probe = allProbes.first(where: { $0.specification.name == "containers" }) else { return false }
        do {
            let parameters = ProbeParameters(["path": .string(chosen.profile.lxcPath ?? "")])
            guard case .strings(let names) = try probe.observe(parameters, on: host).facts["names"] else {
                return false
            }
            return names.contains(name)
        } catch {
            // The path of the containers cannot be read: then nobody knows.
            return true
        }
    }
}
