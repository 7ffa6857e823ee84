internal import HostModel

/// A packet's way as a picture: one line for each station, from the container down, with a mark in front of it and
/// what happened there behind it.
///
///      ok  FORWARD
///       X  POSTROUTING  table ip filter, chain POSTROUTING, rule 4
///                       -A POSTROUTING -s 10.5.0.0/16 -j DROP
///      --  up0
struct PathDrawing {
    enum Mark: String {
        case passed = "ok"
        /// It died here.
        case lost = "X"
        /// What happened here should not have happened.
        case wrong = "!!"
        /// Stopped here by the doctor's own fence.
        case fenced = "||"
        case unseen = "--"
        case unknown = "??"

        var style: TextStyle {
            switch self {
            case .passed: .good
            case .lost, .wrong: .bad
            case .fenced: .good
            case .unseen: .faint
            case .unknown: .doubtful
            }
        }
    }

    struct Row {
        var mark: Mark
        var station: String
        /// Beside the station, and below that.
        var notes: [String]
    }

    private(set) var rows: [Row] = []

    /// The way of a probe to the outside; empty where nothing is known of it.
    init(of probe: ProofProbe) {
        draw(probe.path, from: probe.container)
        switch probe.verdict {
        case .masqueraded: leave(probe, .passed, "source becomes \(probe.sourceAfter ?? "the host's")")
        case .routed: leave(probe, .passed, "not translated, as it should be")
        case .leaked: leave(probe, .wrong, "not translated")
        case .wrongSource: leave(probe, .wrong, "source becomes \(probe.sourceAfter ?? "another")")
        case .redirected: end(.wrong, "it comes out here")
        case .dropped: die(probe.killer)
        case .unknown: end(.unknown, "seen as far as here")
        }
    }

    /// The way of a probe that stays on this host.
    init(of probe: LocalProbe) {
        draw(probe.path, from: nil)
        switch probe.arrival {
        case .arrived: break
        case .altered: end(.wrong, probe.sourceAfter.map { "arrives as \($0)" } ?? "it comes out here")
        case .dropped: die(probe.killer)
        case .unknown: end(.unknown, "seen as far as here")
        }
    }

    private mutating func draw(_ path: [PathStep], from container: String?) {
        for step in path {
            var notes: [String] = []
            switch step.hook {
            case "container": if let container { notes = [container] }
            default: if let link = step.link { notes = [link] }
            }
            rows.append(Row(mark: step.reached ? .passed : .unseen, station: Self.word(step.hook), notes: notes))
        }
    }

    /// Hooks of netfilter as its own documentation writes them; everything else in small letters.
    private static func word(_ hook: String) -> String {
        switch hook {
        case "prerouting", "input", "forward", "output", "postrouting": hook.uppercased()
        case "peer": "container 2"
        default: hook
        }
    }

    private var lastReached: Int? { rows.lastIndex { $0.mark != .unseen } }

    /// It leaves, or would: what translation did stands at POSTROUTING, the fence at the uplink.
    private mutating func leave(_ probe: ProofProbe, _ mark: Mark, _ translation: String) {
        if let translating = rows.firstIndex(where: { $0.station == "POSTROUTING" }) {
            rows[translating].mark = mark
            rows[translating].notes = [translation]
        }
        guard let uplink = rows.indices.last, rows[uplink].station == "uplink" else { return }
        if rows[uplink].mark == .unseen {
            rows[uplink].mark = .fenced
            rows[uplink].notes = [(rows[uplink].notes.first ?? "uplink") + ", caught before the wire"]
        }
    }

    private mutating func end(_ mark: Mark, _ words: String) {
        guard let last = lastReached else { return }
        rows[last].mark = mark
        rows[last].notes = [(rows[last].notes + [words]).joined(separator: ": ")]
    }

    private mutating func die(_ killer: Killer?) {
        guard let killer else {
            end(.lost, "lost here; nothing says by what")
            return
        }
        let station = Self.word(killer.hook)
        let place = rows.firstIndex { $0.station == station }
        let index: Int
        if let place {
            index = place
        } else {
            index = lastReached.map { $0 + 1 } ?? rows.count
            rows.insert(Row(mark: .lost, station: station, notes: []), at: index)
        }
        rows[index].mark = .lost
        let spot = Self.place(of: killer)
        rows[index].notes = (spot.isEmpty ? [] : [spot]) + [killer.text]
        // What comes behind was never reached, whatever else is said of it.
        for later in rows.indices where later > index { rows[later].mark = .unseen }
    }

    /// `table inet filter, chain forward, rule 2 (handle 7)`.
    static func place(of killer: Killer) -> String {
        var place = [killer.backend].compactMap { $0 }
        if let table = killer.table {
            place.append("table " + [killer.family, table].compactMap { $0 }.joined(separator: " "))
        }
        if let chain = killer.chain { place.append("chain \(chain)") }
        if let rule = killer.ruleWords { place.append(rule) }
        return place.joined(separator: ", ")
    }

    /// Columns of the mark and of the name of a station.
    private static let markColumn = 4
    private static let stationColumn = 13

    func write(to page: inout TextPage, indent: Int, limit: Int) {
        for row in rows {
            let mark = row.mark.rawValue.count < 2 ? " " + row.mark.rawValue : row.mark.rawValue
            let notes = row.notes.map { SafeText.line($0, limit: limit) }
            let label = TextWidth.pad(mark, to: Self.markColumn) + row.station
            // The style of a whole line is the style of its mark: a good line stays plain.
            let style: TextStyle = row.mark == .passed || row.mark == .fenced ? .plain : row.mark.style
            page.labelled(
                label, notes.first ?? "", indent: indent, column: Self.markColumn + Self.stationColumn,
                labelStyle: row.mark.style, style: style)
            for note in notes.dropFirst() {
                page.labelled(
                    "", note, indent: indent + Self.markColumn + Self.stationColumn, column: 0, hanging: 2, style: style
                )
            }
        }
    }
}
