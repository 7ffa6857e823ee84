internal import CLinux
internal import Glibc

/// Starts a practice host, runs the plan's command in it, and leaves nothing behind. Returns the command's exit status:
/// 128 + signal for one that a signal ended. Standard input, output and error are the caller's.
/// To be called from a process with one thread.
package func runPracticeHost(_ plan: PracticeHostPlan) throws(PracticeHostError) -> Int32 {
    try plan.validate()
    try requireRoot("lab run")
    let store = LayerStore(directory: plan.layerDirectory)
    let images = try store.open(["lxc"] + plan.wantedLayers())
    defer { for image in images { close(image) } }
    // The images stay open in process 1, which binds them to loop devices.
    for image in images {
        guard clinux_lab_keep_on_exec(image) == 0 else { throw .failed("fcntl: \(lastError())") }
    }
    ControlGroups.sweep()
    let process = InitProcess(
        namespaces: clinux_lab_host_namespaces,
        work: .practiceHost(plan, workingDirectory: currentDirectory()), images: images, needsControlGroups: true)
    return try process.run()
}

/// Root with the capability to make namespaces and mounts.
func requireRoot(_ command: String) throws(PracticeHostError) {
    guard geteuid() == 0 else {
        throw .refused("\(command) needs root: it makes namespaces and mounts an overlay of this machine's files")
    }
}

private func currentDirectory() -> String {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    guard getcwd(&bytes, bytes.count) != nil else { return "/" }
    return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
