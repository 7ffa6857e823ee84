import Foundation
import Testing

@Suite struct HouseTests {
    let house: House

    init() throws {
        house = House(manifest: try Checkout.text("Package.swift"))
    }

    @Test func everySourceImportsOnlyWhatItsRoomMay() throws {
        let files = Checkout.files(below: "Sources", ending: ".swift")
        #expect(files.count > 20)
        var complaints: [String] = []
        for file in files {
            let room = String(file.split(separator: "/")[1])
            complaints += house.complaints(room: room, file: file, source: try Checkout.text(file))
        }
        #expect(complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
    }

    @Test(arguments: [
        ("HostModel", "internal import Glibc"),
        ("Probes", "internal import LinuxHost"),
        ("Diagnosis", "package import Remedies"),
        ("Reporting", "@preconcurrency internal import Diagnosis"),
        ("PacketProof", "import struct PacketFilter.Ruleset"),
        ("Commands", "internal import Foundation"),
        ("Remedies", "internal import LinuxHost"),
    ])
    func aForbiddenImportIsSeen(room: String, line: String) {
        let source = "// A file.\n\(line)\n\nstruct X {}\n"
        #expect(house.complaints(room: room, file: "X.swift", source: source).count == 1)
    }

    @Test func anAllowedImportIsNot() {
        #expect(house.complaints(room: "Probes", file: "X.swift", source: "package import HostAccess\n").isEmpty)
        #expect(house.complaints(room: "LinuxHost", file: "X.swift", source: "internal import Glibc\n").isEmpty)
    }

    @Test func onlyTwoRoomsReachTheKernel() {
        let reaching = house.rooms.filter { house.allowed[$0]?.contains("LinuxHost") == true }
        // The oracle sends real packets to check PacketFilter; nothing of the product stands on it.
        #expect(Set(reaching) == ["Commands", "PracticeHost", "ruleset-oracle"])
    }

    @Test func roomsOfTheStarDoNotImportEachOther() {
        let star: Set<String> = ["Diagnosis", "Remedies", "Reporting", "PacketProof", "Watching"]
        for room in star {
            let others = house.allowed[room]?.intersection(star) ?? []
            #expect(others.isEmpty, "\(room) imports \(others)")
        }
    }

    @Test func roomsImportOnlyLowerRooms() {
        // `Commands` wires, the tools build: everything else stands below what uses it.
        for (position, room) in house.rooms.enumerated() where room != "lxc-doctor" {
            for dependency in house.allowed[room] ?? [] {
                guard let other = house.rooms.firstIndex(of: dependency), !House.cRooms.contains(dependency),
                    room != "compile-catalog", room != "BuiltInCatalog", room != "ruleset-oracle"
                else { continue }
                #expect(other < position, "\(room) stands below its dependency \(dependency)")
            }
        }
    }

    /// Rules that a look at the text can keep.
    @Test func sourcesKeepTheHouseRules() throws {
        var complaints: [String] = []
        for file in Checkout.files(below: "Sources", ending: ".swift") {
            let text = try Checkout.text(file)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            if lines.count > 400 { complaints.append("\(file): \(lines.count) lines") }
            for (number, line) in lines.enumerated() {
                let code = line.drop { $0 == " " }
                guard !code.hasPrefix("//") else { continue }
                if code.contains(/\btry\?/) { complaints.append("\(file):\(number + 1): try? loses an error") }
                if code.hasPrefix("public ") { complaints.append("\(file):\(number + 1): public") }
            }
        }
        #expect(complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
    }
}
