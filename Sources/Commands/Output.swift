internal import FoundationEssentials
internal import HostAccess
internal import LinuxHost

/// Where results and messages go: results to standard output, everything else to standard error.
enum Output {
    /// Throws an internal error where standard output takes no more.
    static func result(_ text: String) throws(CommandError) {
        do {
            try Console.writeResult(text.hasSuffix("\n") || text.isEmpty ? text : text + "\n")
        } catch {
            throw CommandError(.internalError, error.description)
        }
    }

    static func message(_ text: String) {
        Console.write("lxc-doctor: \(text)\n", to: .error)
    }

    /// Writes a file that the user named. Throws usage: the user can name another.
    static func file(_ path: String, _ bytes: [UInt8]) throws(CommandError) {
        do {
            try OutputFile.write(bytes, to: path)
        } catch {
            throw CommandError(.usage, error.description)
        }
    }

    /// A value as the project's JSON: pretty, keys sorted, slashes as they are, ending in a newline.
    static func json(_ value: some Encodable) throws(CommandError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
        } catch {
            throw CommandError(.internalError, "cannot write JSON: \(error)")
        }
    }

    /// Colour only on a terminal that wants it (https://no-color.org).
    static var wantsColour: Bool {
        Console.isTerminal(.output) && (Console.environment("NO_COLOR") ?? "").isEmpty
            && Console.environment("TERM") != "dumb"
    }
}
