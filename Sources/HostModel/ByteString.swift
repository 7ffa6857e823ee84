internal import FoundationEssentials

/// Raw bytes that read well in a recording: UTF-8 text stays text, everything else is base64.
///
/// Shape in JSON: `{"text": "…"}` or `{"base64": "…"}`.
package struct ByteString: Hashable, Sendable {
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    package init(_ text: String) {
        bytes = Array(text.utf8)
    }

    /// The bytes as text; invalid sequences become U+FFFD.
    package var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension ByteString: Codable {
    private enum Key: String, CodingKey { case text, base64 }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        if let text = try container.decodeIfPresent(String.self, forKey: .text) {
            self.init(text)
            return
        }
        let encoded = try container.decode(String.self, forKey: .base64)
        guard let data = Data(base64Encoded: encoded) else {
            throw DecodingError.dataCorruptedError(forKey: .base64, in: container, debugDescription: "not base64")
        }
        self.init(Array(data))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        if let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) {
            try container.encode(text, forKey: .text)
        } else {
            try container.encode(Data(bytes).base64EncodedString(), forKey: .base64)
        }
    }
}
