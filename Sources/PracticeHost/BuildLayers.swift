internal import CLinux
internal import Glibc

/// Builds the named layers and those below them, all that are known where none is named, unless they are current.
/// Nothing is installed, started or enabled on the machine. `progress` hears one line per layer.
package func buildLayers(
    _ names: [String] = ["lxc"], directory: String = defaultLayerDirectory(), progress: (String) -> Void = { _ in }
) throws(PracticeHostError) {
    let layers = try LayerStore.closure(names.isEmpty ? Layer.all.map(\.name) : names)
    try requireRoot("lab layers")
    let store = LayerStore(directory: directory)
    let lock = try store.lock()
    defer { close(lock) }
    for layer in layers {
        if store.isCurrent(layer) {
            progress("layer \(layer.name): current")
            continue
        }
        progress("layer \(layer.name): building from \(layer.packages.joined(separator: " "))")
        let images = layer.over.isEmpty ? [] : try store.open(layer.over)
        defer { for image in images { close(image) } }
        for image in images {
            guard clinux_lab_keep_on_exec(image) == 0 else { throw .failed("fcntl: \(lastError())") }
        }
        let output = store.imagePath(layer) + ".new"
        let process = InitProcess(
            namespaces: clinux_lab_build_namespaces, work: .layer(name: layer.name, output: output), images: images,
            needsControlGroups: false)
        let status = try process.run()
        guard status == 0 else { throw .failed("layer \(layer.name): the building ended with \(status)") }
        try store.adopt(output, as: layer)
    }
}
