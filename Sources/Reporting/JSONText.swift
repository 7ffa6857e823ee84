internal import FoundationEssentials

/// Values as JSON text: pretty, keys sorted, slashes as they are, a newline at the end.
package enum JSONText {
    /// Total: a value that cannot be encoded gives an object of schema `lxc-doctor/error/1` with the reason.
    package static func encode(_ value: some Encodable) -> String {
        encode(value, [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    }

    /// The same on one line.
    package static func encodeLine(_ value: some Encodable) -> String {
        encode(value, [.sortedKeys, .withoutEscapingSlashes])
    }

    private static func encode(_ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting
        do {
            return text(try encoder.encode(value))
        } catch {
            let failure = ["schema": "lxc-doctor/error/1", "message": "cannot be written as JSON: \(error)"]
            do {
                return text(try encoder.encode(failure))
            } catch {
                return "{\"schema\": \"lxc-doctor/error/1\", \"message\": \"cannot be written as JSON\"}\n"
            }
        }
    }

    /// Writes DEL and the C1 controls as escapes, which the encoder leaves raw: U+009B alone starts a control sequence
    /// on some terminals, and people do look at JSON on terminals. In JSON they occur in strings only.
    private static func text(_ data: Data) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(data.count + 1)
        var afterC2 = false
        for byte in data {
            if afterC2 {
                afterC2 = false
                if (0x80...0x9f).contains(byte) {
                    bytes += escape(byte)
                    continue
                }
                bytes.append(0xc2)
            }
            switch byte {
            case 0xc2: afterC2 = true
            case 0x7f: bytes += escape(byte)
            default: bytes.append(byte)
            }
        }
        bytes.append(0x0a)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func escape(_ byte: UInt8) -> [UInt8] {
        Array("\\u00\(String(byte, radix: 16))".utf8)
    }
}
