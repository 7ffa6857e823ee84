internal import Glibc
internal import HostAccess
internal import WireFormats

/// Flows that connection tracking is to forget, each by its own number: what began in its place since is another one.
extension LiveHost {
    /// Does nothing about a flow that is gone, or that is translated by now.
    func forgetFlows(_ flows: [TrackedFlow]) throws(HostError) {
        let operation = "delete tracked flows"
        guard flows.count <= KernelQuery.mostFlowsForgotten else {
            throw HostError(
                .limit, operation: operation, message: "more than \(KernelQuery.mostFlowsForgotten) at once")
        }
        let tracked = try untranslatedFlows()
        for flow in flows where tracked.contains(flow) {
            do {
                try withSocket(.netfilter) { (socket) throws(HostError) in
                    try socket.change(type: TrackedFlow.deletionType, payload: flow.deletion, operation: operation)
                }
            } catch {
                // It ended by itself meanwhile.
                if error.errno != ENOENT { throw error }
            }
            CrashPoint.pass()
        }
    }
}
