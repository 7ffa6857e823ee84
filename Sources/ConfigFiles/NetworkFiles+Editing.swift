package import HostModel

extension IfupdownFile {
    /// The file with `auto NAME` ahead of the interface's first stanza.
    package func bringingUp(_ name: String) -> IfupdownFile {
        guard let first = interfaces.first(where: { $0.name == name }) else { return self }
        var edited = lines
        edited.insert("auto \(name)", afterLine: first.location.line - 1)
        return IfupdownFile(path: path, bytes: edited.bytes)
    }

    /// The file with another address in the interface's static stanza: `address 10.5.0.1/16` keeps its form, one with
    /// a `netmask` line of its own as well. Nil where there is no such address.
    package func setting(_ address: IPv4Prefix, of name: String) -> IfupdownFile? {
        guard let stanza = interfaces.first(where: { $0.name == name && $0.family == "inet" && $0.method == "static" }),
            let old = stanza.value("address")
        else { return nil }
        let mask = stanza.value("netmask")
        var edited = lines
        func replace(_ option: Option, with value: String) {
            let indent = (lines.line(option.location.line) ?? "").leadingBlanks
            edited.replaceLine(option.location.line, with: "\(indent)\(option.name) \(value)")
        }
        replace(old, with: mask == nil ? address.description : address.address.description)
        if let mask {
            replace(mask, with: Int(mask.value) == nil ? address.netmask.description : String(address.length))
        }
        return IfupdownFile(path: path, bytes: edited.bytes)
    }
}

extension NetplanFile {
    /// The file with one address of the bridge written otherwise. Nil where the bridge has it not exactly once.
    package func replacing(_ old: String, with new: String, of name: String) -> NetplanFile? {
        guard case .present(let location, _) = bridge(name), let header = lines.line(location.line) else { return nil }
        let outer = header.prefix { $0 == " " }.count
        var places: [Int] = []
        for (number, line) in lines.numbered where number > location.line {
            let content = line.trimmedBlanks
            if content.isEmpty || content.hasPrefix("#") { continue }
            if line.prefix(while: { $0 == " " }).count <= outer { break }
            let code = line.prefix { $0 != "#" }
            let count = code.split(whereSeparator: { " \t,[]'\":-".contains($0) }).count { $0 == old }
            places += Array(repeating: number, count: count)
        }
        guard places.count == 1, let number = places.first, let line = lines.line(number) else { return nil }
        var edited = lines
        edited.replaceLine(number, with: line.replacing(old, with: new, maxReplacements: 1))
        return NetplanFile(path: path, bytes: edited.bytes)
    }
}
