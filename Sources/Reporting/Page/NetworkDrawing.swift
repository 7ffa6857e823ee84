internal import HostModel

/// A network drawn from its containers up to the outside, each place in the tone of what is known of it.
struct NetworkDrawing {
    private static let width = 360
    private static let containersPerRow = 3
    private static let mostContainers = 6
    /// From the bridge up to the outside.
    private static let placeCount = 5

    let network: Network
    let report: Report

    private struct Place {
        var name: String
        var detail: String
        var tone: Tone
    }

    private var places: [Place] {
        let probes = (report.proof?.probes ?? []).filter { $0.network == network.name && $0.family == .ipv4 }
        let uplink = probes.lazy.compactMap(\.uplink).first ?? network.uplink ?? ""
        let source = probes.first { $0.verdict == .masqueraded }?.sourceAfter ?? ""
        let worst = probes.map(\.verdict).min()
        let backend = backends
        return [
            Place(
                name: "outside", detail: network.target.description,
                tone: worst.map(PathPicture.tone(of:)) ?? .plain),
            Place(
                name: uplink.isEmpty ? "uplink" : uplink,
                // No packet got so far, so none tells which one it is.
                detail: uplink.isEmpty ? "not reached" : source.isEmpty ? "uplink" : source,
                tone: tone(of: [.path], onlyHost: true, empty: uplink.isEmpty ? .plain : .good)),
            Place(
                name: network.nat == .none ? "no way out" : network.nat.rawValue,
                detail: backend.isEmpty ? "NAT" : "by \(backend)", tone: translationTone(worst)),
            Place(name: "firewall", detail: "forwarding, FORWARD", tone: tone(of: [.firewall, .forwarding])),
            Place(name: network.bridge, detail: "bridge, \(network.address)", tone: tone(of: [.bridge])),
        ]
    }

    /// The rulesets that hold the translation, where its check says so.
    private var backends: String {
        let observed = report.findings.first { $0.check == "nat.masquerade" && $0.subject.name == network.name }?
            .observed
        let part = observed?.split(separator: ";").first { $0.drop { $0 == " " }.hasPrefix("backends: ") }
        return part.map { String($0.drop { $0 == " " }.dropFirst("backends: ".count)) } ?? ""
    }

    private var containers: [String] {
        var names: [String] = []
        for finding in report.findings where finding.subject.kind == .container && !finding.subject.name.isEmpty {
            if !names.contains(finding.subject.name) { names.append(finding.subject.name) }
        }
        return names
    }

    /// A packet that died on its way is no sign against the translation, which comes after that; one that left with a
    /// wrong source is.
    private func translationTone(_ proof: ProofVerdict?) -> Tone {
        if proof == .leaked || proof == .wrongSource { return .bad }
        return tone(
            of: report.findings.filter {
                $0.area == .nat && !$0.check.hasSuffix("proof")
                    && ($0.subject.kind == .host || $0.subject.name == network.name)
            }, empty: .plain)
    }

    /// The worst of what is known: of this network and of the host.
    private func tone(of areas: Set<Area>, onlyHost: Bool = false, empty: Tone = .plain) -> Tone {
        tone(
            of: report.findings.filter {
                areas.contains($0.area)
                    && ($0.subject.kind == .host || (!onlyHost && $0.subject.name == network.name)
                        || ($0.subject.name == network.name && $0.check == "path.uplink"))
                    && !(onlyHost && $0.check != "path.uplink")
            }, empty: empty)
    }

    private func tone(of findings: [Finding], empty: Tone) -> Tone {
        let weights = findings.map(\.weight)
        if findings.contains(where: { $0.weight == .failed && $0.severity == .critical }) { return .bad }
        if weights.contains(.failed) { return .doubtful }
        if weights.contains(.unseen) { return .unseen }
        return weights.contains(.passed) ? .good : empty
    }

    func markup(id: String) -> String {
        let all = containers
        let shown = all.count > Self.mostContainers ? Array(all.prefix(Self.mostContainers - 1)) : all
        let rows = max(1, ((all.count > shown.count ? shown.count + 1 : shown.count) + 2) / Self.containersPerRow)
        var drawing = SVGDrawing(width: Self.width, height: Self.placeCount * 78 + rows * 56 - 8)
        let middle = Self.width / 2
        for (index, place) in places.enumerated() {
            let y = 4 + index * 78
            if index > 0 { drawing.line(middle, y - 28, middle, y, place.tone == .bad ? .bad : .faint) }
            drawing.box(x: middle - 105, y: y, width: 210, height: 50, place.tone, dashed: index == 0)
            drawing.label(x: middle, y: y + 21, place.name, room: 26)
            drawing.label(x: middle, y: y + 39, place.detail, style: "detail", room: 30)
        }
        let top = 4 + Self.placeCount * 78
        drawing.line(middle, top - 28, middle, top - 12, .faint)
        var cells = shown.map { name in
            (
                name,
                tone(of: report.findings.filter { $0.subject == Subject(kind: .container, name: name) }, empty: .plain)
            )
        }
        if all.count > shown.count { cells.append(("+\(all.count - shown.count) more", .plain)) }
        if cells.isEmpty { cells.append(("no container", .faint)) }
        for (index, cell) in cells.enumerated() {
            let row = index / Self.containersPerRow
            let inRow = min(Self.containersPerRow, cells.count - row * Self.containersPerRow)
            let column = index % Self.containersPerRow
            let x = middle - (inRow * 116 - 8) / 2 + column * 116
            let y = top + row * 56
            if row == 0 {
                drawing.line(middle, top - 12, x + 54, top - 12, .faint)
                drawing.line(x + 54, top - 12, x + 54, top, .faint)
            }
            drawing.box(x: x, y: y, width: 108, height: 42, cell.1, dashed: cell.1 == .faint)
            drawing.label(x: x + 54, y: y + 26, cell.0, room: 13)
        }
        return drawing.markup(
            id: id, title: "The network \(network.name)", description: description(all), style: "network")
    }

    private func description(_ containers: [String]) -> String {
        let way = places.reversed().map { "\($0.name) (\($0.detail), \($0.tone.word))" }.joined(separator: ", then ")
        let names = containers.isEmpty ? "No container is known" : "Containers \(containers.joined(separator: ", "))"
        return "\(names); from them the way leads over \(way)."
    }
}

extension Tone {
    /// The same in a word.
    var word: String {
        switch self {
        case .good: "fine"
        case .bad: "broken"
        case .doubtful: "with a warning"
        case .unseen: "not seen"
        case .faint, .plain: "not judged"
        }
    }
}
