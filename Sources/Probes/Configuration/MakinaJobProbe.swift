internal import ConfigFiles
package import HostAccess
package import HostModel

/// The makina network job and its known defects.
package struct MakinaJobProbe: Probe {
    package let specification = ProbeSpecification(
        name: "makina-job", summary: "the lxc-net-makina service that makes a bridge, and whether it can work here",
        parameters: ["bridge": .string],
        facts: [
            "present": .boolean, "kinds": .strings, "files": .strings, "guardBroken": .boolean, "guardValue": .string,
            "inert": .boolean, "enabled": .boolean, "missingTools": .strings, "sharesFlag": .boolean, "init": .string,
        ], source: .configuration)

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let reader = ConfigurationReader(host: host)
        let services = try BootServices(reader)
        let job = try MakinaJob.read(bridge: try parameters.string("bridge"), services)
        var shares = false
        // A job that does nothing shares nothing.
        if job.usesFlag != nil, job.works, try services.starts("lxc-net", wantedBy: ["lxc"]) {
            shares = try LXCNetSettings.read(from: host).useBridge
        }
        var observation = Observation(facts: [
            "present": .boolean(job.isPresent), "kinds": .strings(job.kinds), "files": .strings(job.files),
            "guardBroken": .boolean(job.brokenGuard != nil), "guardValue": .string(job.guardValue),
            "inert": .boolean(job.isInert), "enabled": .boolean(job.starts),
            "missingTools": .strings(job.missingTools), "sharesFlag": .boolean(shares),
            "init": .string(services.initSystem.rawValue),
        ])
        if !job.isPresent {
            observation.evidence.append(Evidence(path: "/etc/init/lxc-net-makina.conf", value: "absent"))
        }
        for file in job.files {
            observation.evidence.append(Evidence(path: file, value: "present; init is \(services.initSystem.rawValue)"))
        }
        if let condition = job.brokenGuard {
            observation.evidence.append(
                Evidence(
                    condition.location, pattern: condition.variable,
                    value: "wants \"\(condition.wanted)\", gets \"\(job.guardValue)\""))
        }
        for tool in job.missingTools {
            observation.evidence.append(Evidence(source: "PATH", command: "command -v \(tool)", value: "absent"))
        }
        if shares, let flag = job.usesFlag {
            observation.evidence.append(
                Evidence(flag, pattern: "network_up", value: "the flag of lxc-net, which starts too"))
        }
        return observation
    }
}
