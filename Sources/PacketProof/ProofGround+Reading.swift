internal import HostAccess
internal import HostModel
extension ProofGround {
    init(of network: Network, on host: any Host) throws(HostError) {
        self.init(capabilities: [], bridge: nil, addresses: [], takenAddresses: [], route: nil, routeError: nil)
    }
}
