internal import HostModel

/// The way of a packet, station by station, with the place where it ended. Lying for wide pages, standing for narrow.
struct PathPicture {
    private struct Station {
        var name: String
        var detail: String
        var tone: Tone
        var reached: Bool
        /// The packet ended here.
        var ends = false
    }

    private let stations: [Station]
    private let probe: ProofProbe

    init(_ probe: ProofProbe) {
        self.probe = probe
        stations = Self.stations(of: probe)
    }

    /// Nothing is known of the way: there is nothing to draw.
    var isEmpty: Bool { stations.isEmpty }

    /// The same in words, for those who do not see the drawing.
    var description: String {
        let reached = stations.filter(\.reached).map(\.name).joined(separator: ", ")
        var words = reached.isEmpty ? "The packet was seen nowhere." : "The packet passed \(reached)."
        if let killer = probe.killer { words += " It was dropped at \(killer.hook) by: \(killer.text)." }
        if let source = probe.sourceAfter { words += " It leaves as \(source)." }
        return words + " Verdict: \(probe.verdict.word.lowercased())."
    }

    private static func stations(of probe: ProofProbe) -> [Station] {
        var stations: [Station] = []
        for step in probe.path {
            var station = Station(
                name: name(of: step, probe), detail: step.link ?? "", tone: step.reached ? .good : .faint,
                reached: step.reached)
            switch step.hook {
            case "container": station.detail = String(probe.from.prefix { $0 != ":" })
            case "postrouting" where step.reached: station.detail = translation(probe, &station)
            case "uplink":
                station.detail = step.link ?? probe.uplink ?? ""
                if probe.sourceAfter != nil { station.tone = tone(of: probe.verdict) }
            default: break
            }
            stations.append(station)
        }
        if probe.verdict == .dropped || probe.killer != nil {
            let place =
                stations.indices.last { probe.killer?.hook == probe.path[$0].hook }
                ?? stations.indices.last { stations[$0].reached }
            if let place {
                stations[place].ends = true
                if probe.killer != nil { stations[place].tone = .bad }
            }
        }
        return stations
    }

    private static func name(of step: PathStep, _ probe: ProofProbe) -> String {
        step.hook == "container" ? probe.container ?? "container" : step.hook
    }

    private static func translation(_ probe: ProofProbe, _ station: inout Station) -> String {
        switch probe.verdict {
        case .masqueraded: return "translated"
        case .routed: return "untranslated, as wanted"
        case .wrongSource:
            station.tone = .bad
            return "wrong source"
        case .leaked:
            station.tone = .bad
            return "untranslated"
        case .redirected, .dropped, .unknown: return ""
        }
    }

    static func tone(of verdict: ProofVerdict) -> Tone {
        switch verdict {
        case .leaked, .wrongSource, .redirected, .dropped: .bad
        case .unknown: .unseen
        case .masqueraded, .routed: .good
        }
    }

    // MARK: Drawing

    private static let box = (width: 112, height: 50)

    /// Left to right.
    func lying(id: String, title: String) -> String {
        let gap = 26
        let step = Self.box.width + gap
        var drawing = SVGDrawing(width: stations.count * step - gap + 4, height: 96)
        let middle = 22 + Self.box.height / 2
        for (index, station) in stations.enumerated() {
            let x = 2 + index * step
            if index > 0 {
                let (tone, dashed) = connector(to: index)
                drawing.line(x - gap, middle, x - 2, middle, tone, dashed: dashed)
                if !lost(index - 1) { drawing.head(x: x - 1, y: middle, down: false, tone) }
            }
            draw(station, x: x, y: 22, in: &drawing)
            if station.ends {
                drawing.cross(x: x + Self.box.width + (lost(index) ? gap / 2 : 0), y: lost(index) ? middle : 22)
            }
        }
        if let note { drawing.label(x: drawing.width - Self.box.width / 2 - 2, y: 90, note, style: "note", room: 21) }
        return drawing.markup(id: id, title: title, description: description, style: "wide")
    }

    /// Top to bottom.
    func standing(id: String, title: String) -> String {
        let gap = 24
        let step = Self.box.height + gap
        let x = 80
        var drawing = SVGDrawing(width: 320, height: stations.count * step - gap + 34)
        for (index, station) in stations.enumerated() {
            let y = 10 + index * step
            let middle = x + 80
            if index > 0 {
                let (tone, dashed) = connector(to: index)
                drawing.line(middle, y - gap, middle, y - 2, tone, dashed: dashed)
                if !lost(index - 1) { drawing.head(x: middle, y: y - 1, down: true, tone) }
            }
            draw(station, x: x, y: y, width: 160, in: &drawing)
            if station.ends {
                drawing.cross(x: lost(index) ? middle : x + 160, y: lost(index) ? y + Self.box.height + gap / 2 : y + 6)
            }
        }
        if let note { drawing.label(x: x + 80, y: drawing.height - 6, note, style: "note", room: 40) }
        return drawing.markup(id: id, title: title, description: description, style: "narrow")
    }

    private func draw(_ station: Station, x: Int, y: Int, width: Int = box.width, in drawing: inout SVGDrawing) {
        drawing.box(
            x: x, y: y, width: width, height: Self.box.height, station.tone,
            dashed: !station.reached && !station.ends)
        let middle = x + width / 2
        let room = width / 8
        if station.detail.isEmpty {
            drawing.label(x: middle, y: y + 30, station.name, room: room)
        } else {
            drawing.label(x: middle, y: y + 21, station.name, room: room)
            drawing.label(x: middle, y: y + 39, station.detail, style: "detail", room: room + 2)
        }
    }

    /// How the packet got to a station.
    private func connector(to index: Int) -> (Tone, dashed: Bool) {
        stations[index].reached || stations[index].ends ? (.good, false) : (.faint, true)
    }

    /// It ended behind the station, and nothing says by what.
    private func lost(_ index: Int) -> Bool {
        stations[index].ends && probe.killer == nil && index < stations.count - 1
    }

    /// Below the last station.
    private var note: String? { probe.sourceAfter.map { "as \($0)" } }
}
