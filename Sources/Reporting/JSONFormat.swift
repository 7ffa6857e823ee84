package import HostModel

/// JSON by the contract: `reports/schema/*.v1.schema.json`.
package struct JSONFormat: PartFormat {
    package static let name = FormatName.json

    package init() {}

    package func render(_ report: Report, options: RenderingOptions) -> String {
        JSONText.encode(report)
    }

    package func render(plan steps: [FixStep], options: RenderingOptions) -> String {
        JSONText.encode(PlanDocument(steps: steps))
    }

    package func render(proof: ProofReport, options: RenderingOptions) -> String {
        JSONText.encode(ProofDocument(proof))
    }
}

/// A plan as a file of its own.
package struct PlanDocument: Codable, Sendable, Hashable {
    package static let schemaName = "lxc-doctor/plan/1"
    package var schema: String
    package var steps: [FixStep]

    package init(steps: [FixStep]) {
        schema = Self.schemaName
        self.steps = steps
    }
}

/// A proof as a file of its own.
///
/// Shape: the fields of `ProofReport` beside `schema`, so that a reader of `report.proof` can read this too.
package struct ProofDocument: Encodable, Sendable {
    package static let schemaName = "lxc-doctor/proof/1"
    package var proof: ProofReport

    package init(_ proof: ProofReport) {
        self.proof = proof
    }

    private enum Key: String, CodingKey { case schema }

    package func encode(to encoder: any Encoder) throws {
        try proof.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(Self.schemaName, forKey: .schema)
    }
}
